//! Variables of every kind, to be given values: those of the objects in `bpf/`, in sections of the fuzzer's own.

use std::collections::HashSet;

use bpfvar::{Btf, TypedMap, Var};
use bpfvar_objects::{Source, types};

use crate::{btf, check, maps};

const OBJECTS: [Source; 4] = [Source::Count, Source::Kinds, Source::Shapes, Source::Together];

pub(crate) struct Corpus {
    pub(crate) sections: Vec<TypedMap>,
    /// Variables and their parts.
    vars: Vec<Var>,
}

thread_local! {
    static CORPUS: Corpus = Corpus::new();
}

impl Corpus {
    /// Nothing is done where no maps can be made.
    pub(crate) fn with(work: impl FnOnce(&Corpus)) {
        if maps::can_be_made() {
            CORPUS.with(work);
        }
    }

    /// The first three bytes choose a variable and fill its section.
    pub(crate) fn choose<'b>(&self, bytes: &'b [u8]) -> Option<(&Var, &'b [u8])> {
        let ([low, high, seed], rest) = bytes.split_first_chunk::<3>()?;
        let var = &self.vars[usize::from(u16::from_le_bytes([*low, *high])) % self.vars.len()];
        // What looks half written is waited for.
        maps::fill(var.map(), if var.together().is_empty() { *seed } else { 0 });
        Some((var, rest))
    }

    /// Inputs for the targets of values: for a variable of each type, what is read of it, as JSON and as text.
    pub(crate) fn samples(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut types = HashSet::new();
        let mut samples = Vec::new();
        for (index, var) in (0_u16..).zip(&self.vars) {
            maps::fill(var.map(), 1);
            let is_new = var.size() <= 64 && types.insert(var.type_name());
            if let (true, Ok(value)) = (is_new, var.read()) {
                let [low, high] = index.to_le_bytes();
                let with_choice = |text: String| [&[low, high, 1], text.as_bytes()].concat();
                samples.push((with_choice(check::json(&value)), with_choice(value.to_string())));
            }
        }
        samples
    }

    fn new() -> Corpus {
        let mut corpus = Corpus { sections: Vec::new(), vars: Vec::new() };
        for object in OBJECTS {
            let types = Btf::parse(types(object).bytes()).expect("what compilers write");
            for section in types.sections() {
                let Some(map) = maps::of_section(&types, section) else { continue };
                map.vars().for_each(|var| corpus.add(var));
                corpus.sections.push(map);
            }
        }
        corpus
    }

    fn add(&mut self, var: Var) {
        if btf::is_switch(&var) {
            return;
        }
        let elements = (0..2).map(|index| format!("[{index}]"));
        let members = var.members().into_iter().map(|name| format!(".{name}"));
        let parts: Vec<Var> = members.chain(elements).filter_map(|part| var.at(&part).ok()).collect();
        self.vars.push(var);
        parts.into_iter().for_each(|part| self.add(part));
    }
}
