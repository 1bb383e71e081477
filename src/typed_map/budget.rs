//! How much may be made of a few bytes.

use super::Var;
use crate::error::{BtfFault, Error, Object, Result};

/// What reading takes, of one value or of several: BTF comes from whoever loaded the program. A union of thousands of members, or
/// unions nested in unions, would make a value of gigabytes out of a few bytes, or take hours to find the bytes' units.
#[derive(Clone, Copy, Default)]
pub(super) struct Budget {
    size: u64,
    content: u64,
}

impl Budget {
    /// Takes what a value of this size, in bytes, takes in memory and time. Structs of bytes or bits with long names take some
    /// hundred times their size, and are small.
    pub(super) fn take(&mut self, size: u64, content: u64, object: impl Fn() -> Object) -> Result<()> {
        let all = Budget { size: self.size.saturating_add(size), content: self.content.saturating_add(content) };
        if all.content > all.size.saturating_mul(256).saturating_add(64 << 20) {
            let fault = BtfFault::TooMuchContent { size: all.size, content: all.content };
            return Err(Error::Btf { object: Box::new(object()), fault });
        }
        *self = all;
        Ok(())
    }
}

impl Var {
    /// That reading or writing it, in all of its entries, takes no more than its size explains.
    pub(super) fn check_content(&self) -> Result<()> {
        self.take_content(&mut Budget::default())
    }

    /// The same of several variables together.
    pub(super) fn take_content(&self, budget: &mut Budget) -> Result<()> {
        let (size, part) = (self.size(), self.part());
        // A byte's unit is looked for in the whole variable.
        let asked = size.saturating_mul(self.map().units().asked(part.offset));
        let content = self.btf().content(part.of).saturating_add(asked);
        let entries = if self.single().is_some() { 1 } else { self.map().info().max_entries.into() };
        budget.take(size.saturating_mul(entries), content.saturating_mul(entries), || self.object())
    }
}
