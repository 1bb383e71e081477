//! A variable's bytes, for those who know better what they are.

use super::Var;
use super::together::{Cpu, Guard};
use crate::error::{Advice, Result};

/// # As bytes
impl Var {
    /// Reads its bytes in the order of memory: of all entries of a map those of each, back to back, without what the kernel
    /// leaves free between them. Padding, which is never accessed, is 0 where the map is mapped. What is declared by `BPFVAR_SEQ`
    /// or `BPFVAR_SWITCH`, or is inside of one, is of one moment; such a variable's bytes are those of its value.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`](crate::Error::Argument) for what has no bytes of its own: a bitfield, or a value for each CPU of
    /// which none is chosen. And as [`Var::read`].
    pub fn read_bytes(&self) -> Result<Vec<u8>> {
        let fault = |rule: &str, advice| self.argument("path", format!("{:?}", self.path()), rule.to_owned(), advice);
        if self.part.bits.is_some() {
            return Err(fault("a bitfield has no bytes of its own: read what it is a member of", None));
        }
        self.check_content()?;
        let var = self.unwrapped();
        var.check_plain()?;
        let read = |entry| match var.guard() {
            Some(Guard::Copies(Cpu::One(cpu))) => var.copy_of(entry, cpu),
            Some(Guard::Copies(_)) => Err(fault("every CPU has a value of its own", Some(Advice::ChooseCpu))),
            _ => var.read_as_one(entry),
        };
        let read = |entry| read(entry).map_err(|error| error.about(self.object()));
        match self.single() {
            Some(entry) => read(entry),
            None => {
                let entries: Result<Vec<_>> = (0..self.map().info().max_entries).map(read).collect();
                Ok(entries?.concat())
            }
        }
    }
}
