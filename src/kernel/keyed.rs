//! Entries of maps that are reached by keys, by system call: copies, which come and go as programs and others please.
#![allow(unsafe_code)]

use std::os::fd::AsFd;

use super::element::MOST_CPUS;
use super::{Map, MapType};
use crate::error::{Call, Property, Result};
use crate::sys::bpf;

/// The types of such maps.
pub(crate) const KEYED: &[MapType] =
    &[MapType::HASH, MapType::LRU_HASH, MapType::PERCPU_HASH, MapType::LRU_PERCPU_HASH, MapType::LPM_TRIE];

/// Room for entries, and the entries that were copied into it last.
#[derive(Debug)]
pub(crate) struct Batch {
    room: u32,
    keys: Vec<u8>,
    values: Vec<u8>,
    copied: u32,
}

impl Batch {
    /// None yet.
    pub(crate) fn new() -> Batch {
        Batch { room: 0, keys: Vec::new(), values: Vec::new(), copied: 0 }
    }
}

impl Map {
    /// That its entries are reached by keys.
    pub(crate) fn check_keyed(&self) -> Result<()> {
        if KEYED.contains(&self.info().map_type) {
            return Ok(());
        }
        let expected = "a hash, with a value for all CPUs or for each, or an LPM trie";
        Err(self.mismatch(Property::MapType, self.info().map_type, expected, None))
    }

    /// Whether it has a value for each CPU.
    pub(crate) fn is_per_cpu(&self) -> bool {
        [MapType::PERCPU_ARRAY, MapType::PERCPU_HASH, MapType::LRU_PERCPU_HASH].contains(&self.info().map_type)
    }

    /// What stands under a key in a map that is reached by keys: its value, or those of all CPUs, a stride apart. The key is as
    /// long as the map's.
    pub(crate) fn lookup_key(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check_keyed()?;
        self.check_key_len(key.len())?;
        let mut value = vec![0; self.written_per_value()];
        // SAFETY: check_key_len saw a key of the map's length; check_keyed saw a type whose lookup writes as many bytes as
        // `written_per_value` says. The info is the descriptor's, by I/O safety (see `Map`).
        match unsafe { bpf::map_lookup(self.as_fd(), key, &mut value) } {
            Ok(()) => {
                value.truncate(self.copy_len()?);
                Ok(Some(value))
            }
            Err(source) if source.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(source) => Err(self.element_error(Call::MapLookupElem, source)),
        }
    }

    /// The key behind another one in an order of the kernel's, or the first. Where the other is not there any more, it is the
    /// first, too.
    pub(crate) fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        self.check_keyed()?;
        self.check_key_len(key.map_or(self.info().key_size as usize, <[u8]>::len))?;
        let mut next = vec![0; self.info().key_size as usize];
        // SAFETY: both are as long as the map's keys: check_key_len saw to the one, and the other was made so. The info is the
        // descriptor's, by I/O safety (see `Map`).
        let found = unsafe { bpf::map_next_key(self.as_fd(), key, &mut next) }
            .map_err(|source| self.element_error(Call::MapGetNextKey, source))?;
        Ok(found.then_some(next))
    }

    /// Copies the entries of a hash that stand behind a place, or the first ones: as many as there is room for, bucket by bucket,
    /// each bucket as it is at one moment. Gives the place behind them; None behind the last. Linux 5.6.
    pub(crate) fn lookup_entries(&self, place: Option<u32>, batch: &mut Batch) -> Result<Option<u32>> {
        self.check_keyed()?;
        if self.info().map_type == MapType::LPM_TRIE {
            // Its places are keys.
            return Err(self.mismatch(Property::MapType, self.info().map_type, "a hash", None));
        }
        batch.copied = 0;
        if batch.room == 0 {
            // More at a time saves nothing.
            let (most, bytes) = (4096, if self.is_per_cpu() { 32 << 20 } else { 4 << 20 });
            let room = bytes / (self.info().key_size as usize + self.written_per_value());
            self.make_room(batch, room.clamp(1, most) as u32);
        }
        loop {
            let (keys, values) = (self.info().key_size as usize, self.written_per_value());
            let room = batch.room as usize;
            assert!(batch.keys.len() >= keys * room && batch.values.len() >= values * room, "the batch is this map's");
            // SAFETY: check_keyed saw a hash, and there is room for so many keys of its length and for as much as the kernel
            // writes for so many values (asserted). The info is the descriptor's, by I/O safety (see `Map`).
            let result =
                unsafe { bpf::map_lookup_batch(self.as_fd(), place, batch.room, &mut batch.keys, &mut batch.values) };
            match result {
                Ok((copied, place)) => {
                    batch.copied = copied.min(batch.room);
                    return Ok(place);
                }
                // A bucket is copied whole or not at all.
                Err(source) if source.raw_os_error() == Some(libc::ENOSPC) && batch.room < self.info().max_entries => {
                    self.make_room(batch, batch.room.saturating_mul(2));
                }
                Err(source) => return Err(self.element_error(Call::MapLookupBatch, source)),
            }
        }
    }

    /// The entry of a batch: its key, and its value or those of all CPUs.
    pub(crate) fn entry_of<'b>(&self, batch: &'b Batch, index: u32) -> Result<Option<(&'b [u8], &'b [u8])>> {
        if index >= batch.copied {
            return Ok(None);
        }
        let (index, key_len, copy_len) = (index as usize, self.info().key_size as usize, self.copy_len()?);
        let key = batch.keys.get(index * key_len..(index + 1) * key_len);
        Ok(key.zip(batch.values.get(index * copy_len..(index + 1) * copy_len)))
    }

    fn make_room(&self, batch: &mut Batch, room: u32) {
        batch.room = room.min(self.info().max_entries).max(1);
        batch.keys = vec![0; self.info().key_size as usize * batch.room as usize];
        batch.values = vec![0; self.written_per_value() * batch.room as usize];
    }

    /// As many bytes as the kernel writes at most for a value that is looked up.
    fn written_per_value(&self) -> usize {
        match self.is_per_cpu() {
            true => self.info().stride() as usize * MOST_CPUS,
            false => self.info().value_size as usize,
        }
    }

    /// As many bytes as it writes for one on this machine.
    fn copy_len(&self) -> Result<usize> {
        Ok(match self.is_per_cpu() {
            true => self.info().stride() as usize * self.possible_cpus()?,
            false => self.info().value_size as usize,
        })
    }

    fn check_key_len(&self, len: usize) -> Result<()> {
        let needed = self.info().key_size;
        if len == needed as usize {
            return Ok(());
        }
        Err(self.argument("key", format_args!("{len} bytes long"), format!("{needed} bytes are needed")))
    }
}
