//! What code is generated for: the variables and array maps of a program or of an object, wherever they are known from.

use std::collections::{BTreeMap, BTreeSet};

use bpfvar::Btf;
use bpfvar::btf::Type;

/// As much of a map's name as the kernel keeps.
pub(crate) const NAME_LEN: usize = 15;

/// All that can be bound.
pub(crate) struct Contents<'b> {
    /// Where the types are from.
    pub(crate) btfs: Vec<&'b Btf>,
    pub(crate) vars: Vec<Variable<'b>>,
    pub(crate) maps: Vec<ArrayMap<'b>>,
    /// The programs of an object with the sections and maps that each uses, by name. Empty where that is not known.
    pub(crate) uses: BTreeMap<String, BTreeSet<String>>,
}

/// A variable in a data section.
pub(crate) struct Variable<'b> {
    pub(crate) section: String,
    pub(crate) name: String,
    pub(crate) ty: Type<'b>,
    /// In its section. None in an object file without symbols for it.
    pub(crate) offset: Option<u64>,
    pub(crate) access: Access,
}

/// An array map that is no data section.
pub(crate) struct ArrayMap<'b> {
    /// As the object has it, or as much of it as the kernel kept.
    pub(crate) name: String,
    pub(crate) value: Type<'b>,
    pub(crate) access: Access,
}

/// How a map can be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// By a handle that writes.
    Write,
    /// By a handle that reads.
    Read,
    /// By system call only.
    Call,
}

impl Contents<'_> {
    /// Whether some program uses the section or map. Where that is not known, yes.
    pub(crate) fn is_used(&self, map: &str) -> bool {
        self.uses.is_empty() || self.uses.values().any(|used| used.contains(map))
    }

    /// Leaves what a program uses.
    pub(crate) fn retain(&mut self, used: &BTreeSet<String>) {
        self.vars.retain(|var| used.contains(&var.section));
        self.maps.retain(|map| used.contains(&map.name));
        self.uses.clear();
    }
}
