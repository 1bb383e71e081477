//! What a target turned out to be.

use std::collections::HashMap;
use std::rc::Rc;

use bpfvar::{Globals, ProgramInfo, Section, Var};

use super::{Object, why_none};
use crate::error::{Failure, Result};

/// What a target names.
pub(crate) struct Found {
    /// The target as it was typed.
    pub(crate) text: String,
    /// An unmistakable way to say it.
    pub(crate) canonical: String,
    pub(super) object: Object,
    pub(super) globals: Rc<Globals>,
    pub(super) place: Place,
}

/// Which part of an object is meant.
#[derive(Clone, Debug)]
pub(super) enum Place {
    All,
    Section(usize),
    /// In the section of that number: a variable's path, or what follows the name of an array map.
    Var(usize, String),
}

impl Found {
    /// The sections that it is, or lies in.
    pub(crate) fn sections(&self) -> &[Section] {
        match self.place {
            Place::All => self.globals.sections(),
            Place::Section(index) | Place::Var(index, _) => std::slice::from_ref(&self.globals.sections()[index]),
        }
    }

    /// The program, if all of one is meant.
    pub(crate) fn program(&self) -> Option<&ProgramInfo> {
        match self.place {
            Place::All => self.globals.program(),
            _ => None,
        }
    }

    /// Whether it is one variable or a part of one.
    pub(crate) fn is_var(&self) -> bool {
        matches!(self.place, Place::Var(..))
    }

    /// Whether it is a map or section, or all of a program, and no part.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(&self.place, Place::Var(_, path) if !path.is_empty())
    }

    /// The one variable.
    pub(crate) fn var(&self) -> Result<Var<'_>> {
        if let Place::Var(index, path) = &self.place {
            return Ok(var_in(&self.globals.sections()[*index], path)?);
        }
        let names = labels(&self.text, self.sections());
        let names: Vec<String> = names.into_iter().take(5).map(|(label, _)| label).collect();
        if let (Some(info), true) = (self.program(), names.is_empty()) {
            return Err(Failure::new(format!("{}: {info} {}", self.text, why_none(info))));
        }
        Err(Failure::new(match names.is_empty() {
            true => format!("{} has no variables that BTF describes; name one that has (bpfvar list)", self.text),
            false => format!("{} is not one variable; name one of it, such as {}", self.text, names.join(", ")),
        }))
    }

    /// All variables that are meant, each with how to say it.
    pub(crate) fn vars(&self) -> Result<Vec<(String, Var<'_>)>> {
        match self.place {
            Place::Var(..) => Ok(vec![(self.text.clone(), self.var()?)]),
            _ => Ok(labels(&self.text, self.sections())),
        }
    }

    /// What tells it from all else. Two ways to say the same are one.
    pub(super) fn identity(&self) -> Result<Identity> {
        let maps = self.sections().iter().map(|section| section.map().info().id).collect();
        let part = match self.place {
            Place::Var(..) => {
                let var = self.var()?;
                Some((var.entry(), var.offset(), var.size(), var.type_name()))
            }
            _ => None,
        };
        Ok(Identity { maps, part })
    }
}

#[derive(PartialEq)]
pub(super) struct Identity {
    maps: Vec<u32>,
    part: Option<(Option<u32>, u64, u64, String)>,
}

/// Each variable of some sections with how to say it behind the name of its object: of several with one name in one section the
/// path has the offset, and of those in several sections the label has the section.
pub(crate) fn labels<'s>(object: &str, sections: &'s [Section]) -> Vec<(String, Var<'s>)> {
    let vars: Vec<Var<'s>> = sections.iter().flat_map(Section::vars).collect();
    let mut count: HashMap<String, u32> = HashMap::new();
    for var in &vars {
        *count.entry(var.path().to_owned()).or_default() += 1;
    }
    let label = |var: &Var<'s>| match count[var.path()] {
        1 => format!("{object}.{}", var.path()),
        // Its name starts with a dot.
        _ if var.section().is_data() => format!("{object}{}.{}", var.section().name(), var.path()),
        _ => format!("map:{}", var.section().map().info().id),
    };
    vars.into_iter().map(|var| (label(&var), var)).collect()
}

pub(super) fn var_in<'s>(section: &'s Section, path: &str) -> bpfvar::Result<Var<'s>> {
    match section.vars().next() {
        Some(map) if !section.is_data() => map.at(path),
        _ => section.var(path),
    }
}
