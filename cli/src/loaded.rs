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

    /// Whether a program was loaded since the last look: one system call, however many there are. It does not see that one was
    /// unloaded, nor one whose id is lower because the kernel started anew.
    pub(crate) fn has_newer(&self) -> Result<bool> {
        let last = self.ids.last().copied().unwrap_or(0);
        Ok(Program::ids().after(last).next().transpose()?.is_some())
    }

    /// Looks again. Returns whether a program was loaded or unloaded since the last look.
    pub(crate) fn changed(&mut self) -> Result<bool> {
        let now = Loaded::look()?;
        let changed = now.ids != self.ids;
        *self = now;
        Ok(changed)
    }
}
