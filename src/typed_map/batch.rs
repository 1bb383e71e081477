//! Many variables at a time, with no more system calls than there are entries.

use std::collections::HashMap;

use super::Var;
use super::budget::Budget;
use crate::error::Result;
use crate::value::{Value, decode};

impl Var {
    /// Reads several variables, each as [`read`](Var::read) does, in their order. A section that cannot be mapped is copied by one
    /// system call for all of its variables, instead of one for each. Those that take too much memory together are an error each.
    pub fn read_all<'v>(vars: impl IntoIterator<Item = &'v Var>) -> Vec<Result<Value>> {
        let (mut copies, mut budget) = (HashMap::new(), Budget::default());
        vars.into_iter().map(|var| var.take_content(&mut budget).and_then(|()| var.read_with(&mut copies))).collect()
    }

    /// Reads it, from the copy of its section if there can be one.
    fn read_with(&self, copies: &mut HashMap<u32, Vec<u8>>) -> Result<Value> {
        // Protocols need to read again and again; entries of other maps are hardly ever named one by one.
        if self.linkage().is_none() || !self.is_plain() || self.map().is_mapped_for_reading()? {
            return self.read_checked();
        }
        let id = self.map().info().id;
        let copy = match copies.get(&id) {
            Some(copy) => copy,
            None => {
                let copy = self.map().look_up(0).map_err(|error| error.about(self.object()))?;
                copies.entry(id).or_insert(copy)
            }
        };
        let range = self.bytes();
        Ok(decode(self.btf(), self.part, &copy[range.start as usize..range.end as usize]))
    }
}
