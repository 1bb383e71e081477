//! How a section's bytes are reached: mapped when first needed, else by system call.

use std::ops::Range;

use super::Section;
use crate::error::{Cause, Error, Result};
use crate::mapped::Typed;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::view::{Field, MapValue};

impl Section {
    /// The bytes of a part of an entry, each unit whole where the section can be mapped. Padding is zero.
    pub(super) fn read(&self, entry: u32, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        if let Some(typed) = self.writable.get() {
            typed.read(entry, range, &mut bytes);
        } else if let Some(typed) = self.mapped_for_reading()? {
            typed.read(entry, range, &mut bytes);
        } else {
            let whole = self.look_up(entry)?;
            bytes.copy_from_slice(&whole[range.start as usize..range.end as usize]);
        }
        Ok(bytes)
    }

    /// The whole value of an entry, by system call.
    pub(super) fn look_up(&self, entry: u32) -> Result<Vec<u8>> {
        let mut whole = vec![0; self.map.info().value_size as usize];
        self.map.lookup(entry, &mut whole)?;
        Ok(whole)
    }

    /// The read-only mapping; None where there can be none and system calls read as well.
    fn mapped_for_reading(&self) -> Result<Option<&Typed<ReadOnly>>> {
        if let Some(typed) = self.readable.get() {
            return Ok(Some(typed));
        }
        if !self.map.info().flags.mmapable() || self.map.reads_only() {
            return Ok(None);
        }
        match Typed::map(&self.map, self.units.clone()) {
            Ok(typed) => Ok(Some(self.readable.get_or_init(|| typed))),
            Err(error) if error.cause() == Some(Cause::KernelManagedFields) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The read-write mapping.
    pub(super) fn mapped_for_writing(&self) -> Result<&Typed<ReadWrite>> {
        if let Some(typed) = self.writable.get() {
            return Ok(typed);
        }
        if !self.map.info().flags.mmapable() {
            return Err(self.map.mismatch(
                "map_flags",
                self.map.info().flags,
                "BPF_F_MMAPABLE (1024), without which no map can be mapped: Var::read and read_as read it by system call, and \
                 Var::change_by_rewrite writes it, losing what programs store meanwhile",
            ));
        }
        let typed = Typed::map(&self.map, self.units.clone())?;
        Ok(self.writable.get_or_init(|| typed))
    }

    /// A field in the mapping that `A` needs.
    pub(super) fn field<T: MapValue, A: Access>(&self, entry: u32, at: u64) -> Result<Option<Field<'_, T, A>>> {
        if A::WRITABLE || self.writable.get().is_some() {
            return Ok(self.mapped_for_writing()?.field_as(entry, at));
        }
        match self.mapped_for_reading()? {
            Some(typed) => Ok(typed.field_as(entry, at)),
            None => Err(self.not_mapped()),
        }
    }

    fn not_mapped(&self) -> Error {
        self.map.mismatch(
            "its reach",
            "by system call only (not BPF_F_MMAPABLE, or a read-only descriptor)",
            "a mapping, for a field is a pointer; Var::read works by system call too",
        )
    }
}
