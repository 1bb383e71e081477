//! Values by system call: for maps that cannot be mapped, and for comparison.
#![allow(unsafe_code)]

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use super::{Map, cause};
use crate::error::{Call, Cause, Error, Result};
use crate::sys::{self, bpf};

/// As many as any kernel can be built for (`NR_CPUS`): how many this one copies is told by a file only, and over that another one
/// can be mounted. A buffer for so many is long, but what is not written takes no memory.
pub(super) const MOST_CPUS: usize = 8192;

/// # Values by system call
impl Map {
    /// Copies the value of entry `key` into `value`, which is exactly as long (`BPF_MAP_LOOKUP_ELEM`).
    ///
    /// Aligned words of 8 bytes come whole; a longer value may come half old, half new if it is written meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a key or a length that is out of range, [`Error::Mismatch`] if the map is not an array,
    /// [`Cause::WriteOnlyDescriptor`] (EPERM).
    pub fn lookup(&self, key: u32, value: &mut [u8]) -> Result<()> {
        self.check_element(key, value.len())?;
        // SAFETY: check_element saw an array with 4-byte keys, whose lookup copies value_size bytes: value's length. The info
        // is the descriptor's, by I/O safety (see `Map`).
        unsafe { bpf::map_lookup(self.as_fd(), &key.to_ne_bytes(), value) }
            .map_err(|source| self.element_error(Call::MapLookupElem, source))
    }

    /// Returns what all CPUs have in entry `key` of a `BPF_MAP_TYPE_PERCPU_ARRAY`: a value of
    /// [`MapInfo::stride`](crate::MapInfo::stride) bytes for each possible CPU, in rising order. Such a map cannot be mapped:
    /// every look is a system call that copies the values of all CPUs, about 1 µs on a machine with few, while a slot in memory
    /// that is mapped costs a load ([`PerCpu`](crate::PerCpu)).
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a key that is out of range, [`Error::Mismatch`] for another type of map,
    /// [`Cause::WriteOnlyDescriptor`] (EPERM).
    pub fn lookup_per_cpu(&self, key: u32) -> Result<Vec<u8>> {
        self.check_per_cpu()?;
        self.check_key(key)?;
        let mut values = vec![0; self.info().stride() as usize * MOST_CPUS];
        // SAFETY: check_per_cpu saw a per-CPU array with 4-byte keys, whose lookup copies value_size rounded up to 8 bytes for each
        // possible CPU, of which there are no more than MOST_CPUS. The info is the descriptor's, by I/O safety (see `Map`).
        unsafe { bpf::map_lookup(self.as_fd(), &key.to_ne_bytes(), &mut values) }
            .map_err(|source| self.element_error(Call::MapLookupElem, source))?;
        values.truncate(self.info().stride() as usize * self.possible_cpus()?);
        Ok(values)
    }

    /// Rewrites the whole value of entry `key` (`BPF_MAP_UPDATE_ELEM`).
    ///
    /// **Concurrent changes are lost**: whatever a program or another process stored into any part of the value between
    /// the moment that `value` was read and this call is overwritten. A view of an [`Array`](crate::Array) changes one
    /// scalar and leaves its neighbours alone.
    ///
    /// There is no delete: all entries of an array always exist, and the kernel answers `BPF_MAP_DELETE_ELEM` with EINVAL.
    ///
    /// # Errors
    ///
    /// As [`Map::lookup`]; and [`Cause::Frozen`], [`Cause::ReadOnlyDescriptor`] (EPERM).
    pub fn update(&self, key: u32, value: &[u8]) -> Result<()> {
        self.check_element(key, value.len())?;
        // SAFETY: check_element saw an array with 4-byte keys, whose update reads value_size bytes: value's length (see `Map` for
        // why the info is the descriptor's).
        unsafe { bpf::map_update(self.as_fd(), key, value) }
            .map_err(|source| self.element_error(Call::MapUpdateElem, source))
    }

    /// Copies the values of `entries` into `values`, back to back, in one call (`BPF_MAP_LOOKUP_BATCH`, Linux 5.6).
    ///
    /// Allocates 4 bytes an entry for the keys that the kernel hands back.
    ///
    /// # Errors
    ///
    /// As [`Map::lookup`]; and [`Cause::NoSuchCall`] before 5.6.
    pub fn lookup_batch(&self, entries: Range<u32>, values: &mut [u8]) -> Result<()> {
        self.check_batch(&entries, values.len())?;
        let count = entries.end - entries.start;
        if count == 0 {
            return Ok(());
        }
        let mut keys = vec![0; count as usize * 4];
        // An array's batch starts behind the key in its place.
        let place = entries.start.checked_sub(1);
        // SAFETY: check_batch saw an array, whose keys have 4 bytes, and values for all of them (see `Map` for why the info is the
        // descriptor's).
        let (copied, _) = unsafe { bpf::map_lookup_batch(self.as_fd(), place, count, &mut keys, values) }
            .map_err(|source| self.element_error(Call::MapLookupBatch, source))?;
        if copied == count {
            Ok(())
        } else {
            let source = io::Error::from_raw_os_error(libc::ENOENT);
            Err(self.kernel_error(Call::MapLookupBatch, Cause::Other, source))
        }
    }

    /// Rewrites the values of `entries` from `values`, back to back, in one call (`BPF_MAP_UPDATE_BATCH`, Linux 5.6). Loses
    /// concurrent changes as [`Map::update`] does. Allocates 4 bytes an entry for the keys.
    ///
    /// # Errors
    ///
    /// As [`Map::update`]; and [`Cause::NoSuchCall`] before 5.6.
    pub fn update_batch(&self, entries: Range<u32>, values: &[u8]) -> Result<()> {
        self.check_batch(&entries, values.len())?;
        let keys: Vec<u32> = entries.collect();
        if keys.is_empty() {
            return Ok(());
        }
        // SAFETY: check_batch saw an array, and values as many as keys (see `Map` for why the info is the descriptor's).
        unsafe { bpf::map_update_batch(self.as_fd(), &keys, values) }
            .map_err(|source| self.element_error(Call::MapUpdateBatch, source))
    }

    fn check_key(&self, key: u32) -> Result<()> {
        let entries = self.info().max_entries;
        if key < entries {
            return Ok(());
        }
        Err(self.argument("key", key, format!("the entries are 0..{entries}")))
    }

    fn check_element(&self, key: u32, len: usize) -> Result<()> {
        self.check_array()?;
        self.check_key(key)?;
        self.check_len("value", len, self.info().value_size.into())
    }

    fn check_batch(&self, entries: &Range<u32>, len: usize) -> Result<()> {
        self.check_array()?;
        let max_entries = self.info().max_entries;
        if entries.start > entries.end || entries.end > max_entries {
            let rule = format!("the entries are 0..{max_entries}");
            return Err(self.argument("entries", format_args!("{entries:?}"), rule));
        }
        let needed = u64::from(self.info().value_size) * u64::from(entries.end - entries.start);
        self.check_len("values", len, needed)
    }

    fn check_len(&self, argument: &'static str, len: usize, needed: u64) -> Result<()> {
        if len as u64 == needed {
            return Ok(());
        }
        let rule = format!("{needed} bytes are needed (value_size is {})", self.info().value_size);
        Err(self.argument(argument, format_args!("{len} bytes long"), rule))
    }

    /// How many copies of a value the kernel makes of a map that has one for each CPU.
    pub(super) fn possible_cpus(&self) -> Result<usize> {
        let possible = sys::possible_cpus();
        possible.map(<[u32]>::len).map_err(|source| self.kernel_error(Call::PossibleCpus, Cause::Other, source))
    }

    pub(super) fn element_error(&self, call: Call, source: io::Error) -> Error {
        self.kernel_error(call, cause::of_element(&source, self.as_fd()), source)
    }
}
