//! Values by system call: for maps that cannot be mapped, and for comparison.
#![allow(unsafe_code)]

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use super::{Map, cause};
use crate::error::{Call, Cause, Error, Result};
use crate::sys::bpf;

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
        // SAFETY: check_element saw an array with 4-byte keys, whose lookup copies value_size bytes: value's length. The info is the
        // descriptor's, by I/O safety (see `Map`).
        unsafe { bpf::map_lookup(self.as_fd(), key, value) }
            .map_err(|source| self.element_error(Call::MapLookupElem, source))
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
        let mut keys = self.check_batch(&entries, values.len())?;
        if keys.is_empty() {
            return Ok(());
        }
        // SAFETY: check_batch saw an array, and values as many as keys (see `Map` for why the info is the descriptor's).
        let copied = unsafe { bpf::map_lookup_batch(self.as_fd(), entries.start, &mut keys, values) }
            .map_err(|source| self.element_error(Call::MapLookupBatch, source))?;
        if copied as usize == keys.len() {
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
        let keys = self.check_batch(&entries, values.len())?;
        if keys.is_empty() {
            return Ok(());
        }
        // SAFETY: check_batch saw an array, and values as many as keys (see `Map` for why the info is the descriptor's).
        unsafe { bpf::map_update_batch(self.as_fd(), &keys, values) }
            .map_err(|source| self.element_error(Call::MapUpdateBatch, source))
    }

    fn check_element(&self, key: u32, len: usize) -> Result<()> {
        self.check_array()?;
        let entries = self.info().max_entries;
        if key >= entries {
            return Err(self.argument("key", key, format!("the entries are 0..{entries}")));
        }
        self.check_len("value", len, self.info().value_size.into())
    }

    /// Gives the keys.
    fn check_batch(&self, entries: &Range<u32>, len: usize) -> Result<Vec<u32>> {
        self.check_array()?;
        let max_entries = self.info().max_entries;
        if entries.start > entries.end || entries.end > max_entries {
            let rule = format!("the entries are 0..{max_entries}");
            return Err(self.argument("entries", format_args!("{entries:?}"), rule));
        }
        let needed = u64::from(self.info().value_size) * u64::from(entries.end - entries.start);
        self.check_len("values", len, needed)?;
        Ok(entries.clone().collect())
    }

    fn check_len(&self, argument: &'static str, len: usize, needed: u64) -> Result<()> {
        if len as u64 == needed {
            return Ok(());
        }
        let rule = format!("{needed} bytes are needed (value_size is {})", self.info().value_size);
        Err(self.argument(argument, format_args!("{len} bytes long"), rule))
    }

    fn element_error(&self, call: Call, source: io::Error) -> Error {
        self.kernel_error(call, cause::of_element(&source, self.as_fd()), source)
    }
}
