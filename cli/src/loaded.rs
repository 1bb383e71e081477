//! Which programs are loaded, looked at again and again: how the tool notices that one came or went.

use bpfvar::Program;

use crate::error::Result;

/// The programs that were loaded at the last look. Nothing in the kernel tells when a program is loaded, so the tool looks: one
/// system call of half a microsecond for each program, by their ids, which the kernel uses again only after two billion loads.
#[derive(Debug)]
pub(crate) struct Loaded {
    ids: Vec<u32>,
}

impl Loaded {
    pub(crate) fn look() -> Result<Loaded> {
        Ok(Loaded { ids: Program::ids().collect::<bpfvar::Result<_>>()? })
    }

    /// Looks again. Returns whether a program was loaded or unloaded since the last look.
    pub(crate) fn changed(&mut self) -> Result<bool> {
        let now = Loaded::look()?;
        let changed = now.ids != self.ids;
        *self = now;
        Ok(changed)
    }
}
