//! How a map's bytes are accessed: mapped when first needed, else by system call.

use std::ops::Range;

use super::TypedMap;
use super::together::{Cpu, Guard};
use crate::error::{Advice, Cause, Error, Property, Result};
use crate::kernel::MapType;
use crate::mapped::Typed;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::view::{MapValue, Shared};

/// How a map can be accessed, and what that guarantees: [`TypedMap::access`].
///
/// | | reading | writing |
/// |---|---|---|
/// | `Mapped` | each scalar whole | each scalar by one atomic store; a bitfield, or a narrow member of a union, by a compare-and-swap of its unit. Neighbours are never touched |
/// | `MappedReadOnly` | each scalar whole | never: the map is frozen or `BPF_F_RDONLY_PROG` |
/// | `SystemCall` | aligned words of 8 bytes whole, by one lookup | only by [`Var::change_by_rewrite`](crate::Var::change_by_rewrite), which rewrites **the whole value** and loses what programs stored meanwhile |
/// | `SystemCallReadOnly` | the same | never: the map is frozen, the descriptor is read-only, or it is a per-CPU array |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum AccessMode {
    /// Mapped read-write.
    Mapped,
    /// Mapped read-only.
    MappedReadOnly,
    /// By system call: the map is not `BPF_F_MMAPABLE`, as aya's sections are not.
    SystemCall,
    /// By system call, for reading only.
    SystemCallReadOnly,
}

impl TypedMap {
    /// Returns how the map can be accessed. Looks at its flags and whether it is frozen.
    ///
    /// # Errors
    ///
    /// As [`Map::is_frozen`](crate::Map::is_frozen).
    pub fn access(&self) -> Result<AccessMode> {
        if self.info().map_type == MapType::PERCPU_ARRAY {
            return Ok(AccessMode::SystemCallReadOnly);
        }
        let flags = self.info().flags;
        let reads_only = self.as_map().reads_only();
        let fixed = reads_only || self.as_map().is_frozen()?;
        Ok(match (flags.mmapable() && !reads_only, fixed) {
            (true, false) if !flags.rdonly_prog() => AccessMode::Mapped,
            (true, _) => AccessMode::MappedReadOnly,
            (false, false) => AccessMode::SystemCall,
            (false, true) => AccessMode::SystemCallReadOnly,
        })
    }

    /// The bytes of a part of an entry, each unit whole where the map can be mapped. Padding is zero.
    pub(super) fn read(&self, entry: u32, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        if let Some(typed) = self.0.writable.get() {
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
        let mut whole = vec![0; self.info().value_size as usize];
        self.as_map().lookup(entry, &mut whole)?;
        Ok(whole)
    }

    /// What copies such bytes again and again, as fast as it can, where the map is mapped read-only.
    pub(super) fn copier(&self, entry: u32, range: Range<u64>) -> Result<impl Fn() -> Result<Vec<u8>>> {
        let mapped = self.mapped_for_reading()?.map(|typed| (typed, typed.plan(range.clone())));
        Ok(move || match &mapped {
            Some((typed, plan)) => Ok(typed.read_planned(entry, plan)),
            None => self.read(entry, range.clone()),
        })
    }

    /// Whether it is read through a mapping. Maps it.
    pub(super) fn is_mapped_for_reading(&self) -> Result<bool> {
        Ok(self.mapped_for_reading()?.is_some())
    }

    /// What every variable in the map is behind.
    pub(super) fn guards(&self) -> Vec<Guard> {
        if self.info().map_type == MapType::PERCPU_ARRAY { vec![Guard::Copies(Cpu::NotChosen)] } else { Vec::new() }
    }

    /// The read-only mapping. `None` if the map cannot be mapped; the caller then reads by system call.
    fn mapped_for_reading(&self) -> Result<Option<&Typed<ReadOnly>>> {
        if let Some(typed) = self.0.readable.get() {
            return Ok(Some(typed));
        }
        if !self.info().flags.mmapable() || self.as_map().reads_only() {
            return Ok(None);
        }
        match Typed::map(self.as_map(), self.units().clone()) {
            Ok(typed) => Ok(Some(self.0.readable.get_or_init(|| typed))),
            Err(error) if error.cause() == Some(Cause::KernelManagedFields) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The read-write mapping.
    pub(super) fn mapped_for_writing(&self) -> Result<&Typed<ReadWrite>> {
        if let Some(typed) = self.0.writable.get() {
            return Ok(typed);
        }
        if !self.info().flags.mmapable() {
            let expected = "BPF_F_MMAPABLE (1024), without which no map can be mapped";
            let map = self.as_map();
            return Err(map.mismatch(Property::Flags, self.info().flags, expected, Some(Advice::RewriteSection)));
        }
        let typed = Typed::map(self.as_map(), self.units().clone())?;
        Ok(self.0.writable.get_or_init(|| typed))
    }

    /// A handle to a `T` at byte `at` of an entry, in the mapping that `A` needs.
    pub(super) fn share<T: MapValue, A: Access>(&self, entry: u32, at: u64) -> Result<Shared<T, A>> {
        if A::WRITABLE {
            return self.mapped_for_writing()?.share(self.as_map(), entry, at);
        }
        match self.mapped_for_reading()? {
            Some(typed) => typed.share(self.as_map(), entry, at),
            None => Err(self.not_mapped()),
        }
    }

    fn not_mapped(&self) -> Error {
        let found = "by system call only (not BPF_F_MMAPABLE, or a read-only descriptor)";
        let expected = "a mapping, because a handle is a pointer";
        self.as_map().mismatch(Property::Access, found, expected, Some(Advice::ReadBySystemCall))
    }
}
