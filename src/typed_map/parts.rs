//! How a path can go on from a variable.

use std::ops::Range;

use super::Var;
use super::together::{Cpu, Guard};
use crate::error::Result;
use crate::together::cpus;
use crate::types::{Kind, Wrapper};

/// # Parts
impl Var {
    /// Returns the indices by which a path can go on: entries of a map, elements of an array, CPUs of what has a value for each.
    /// An empty range for everything else. A map of one entry whose value is an array has its only entry.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`](crate::Error::Kernel) if the kernel does not tell how many CPUs there can be.
    pub fn indices(&self) -> Result<Range<u64>> {
        if self.is_map() {
            return Ok(0..self.map().info().max_entries.into());
        }
        if let Some(Guard::Copies(Cpu::NotChosen)) = self.guards.last() {
            return Ok(0..cpus()?.into());
        }
        let mut var = self.clone();
        while let Some(wrapper) = var.wrapper() {
            if let Wrapper::PerCpu { slots, .. } = wrapper {
                return Ok(0..slots.min(cpus()?).into());
            }
            var.enter(wrapper);
        }
        Ok(0..var.elements().unwrap_or(0).into())
    }

    /// Returns the names by which a path can go on: the members of a struct or union, with those of anonymous ones in place of these.
    /// Of a value that changes as one, those of the value. Empty for everything else, and for a map of several entries.
    pub fn members(&self) -> Vec<String> {
        if self.single().is_none() {
            return Vec::new();
        }
        let var = self.unwrapped();
        match var.btf().kind(var.part().of) {
            Kind::Struct { members, .. } => {
                var.btf().named_parts(members).into_iter().map(|(name, _)| name.to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How many elements it has, if it is an array.
    pub(super) fn elements(&self) -> Option<u32> {
        match *self.btf().kind(self.part().of) {
            Kind::Array { len, .. } => Some(len),
            _ => None,
        }
    }
}
