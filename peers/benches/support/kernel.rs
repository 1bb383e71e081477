//! Entries of a map by bpf(2) with no library.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

#[path = "../../../benches/support/raw.rs"]
pub(crate) mod raw;

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;

#[repr(C)]
struct ElementAttr {
    map_fd: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct BatchAttr {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

fn address<T: ?Sized>(value: &T) -> u64 {
    std::ptr::from_ref(value).cast::<u8>().expose_provenance() as u64
}

fn address_mut<T: ?Sized>(value: &mut T) -> u64 {
    std::ptr::from_mut(value).cast::<u8>().expose_provenance() as u64
}

/// A map of which the caller says how long its values are. Keys are `u32`.
pub(crate) struct Entries<F> {
    map: F,
}

impl<F: AsFd> Entries<F> {
    /// # Safety
    ///
    /// The map is an array. All values that the methods get are as long as its values.
    pub(crate) unsafe fn new(map: F) -> Self {
        Entries { map }
    }

    fn attr(&self, key: &u32, value: u64) -> ElementAttr {
        ElementAttr { map_fd: self.map.as_fd().as_raw_fd() as u32, _pad: 0, key: address(key), value, flags: 0 }
    }

    #[inline]
    pub(crate) fn lookup<V: ?Sized>(&self, key: u32, value: &mut V) {
        let mut attr = self.attr(&key, address_mut(value));
        // SAFETY: the attributes of the command; key and value are borrowed for the call and as long as the map's, says `new`.
        unsafe { raw::bpf(BPF_MAP_LOOKUP_ELEM, &mut attr) };
    }

    #[inline]
    pub(crate) fn update<V: ?Sized>(&self, key: u32, value: &V) {
        let mut attr = self.attr(&key, address(value));
        // SAFETY: as above.
        unsafe { raw::bpf(BPF_MAP_UPDATE_ELEM, &mut attr) };
    }

    /// Reads as many entries as there are keys. The map has at least so many.
    #[inline]
    pub(crate) fn lookup_batch(&self, keys: &mut [u32], values: &mut [u64]) {
        assert_eq!(keys.len(), values.len());
        let mut next = 0_u32;
        let mut attr = BatchAttr {
            in_batch: 0,
            out_batch: address_mut(&mut next),
            keys: address_mut(keys),
            values: address_mut(values),
            count: keys.len() as u32,
            map_fd: self.map.as_fd().as_raw_fd() as u32,
            elem_flags: 0,
            flags: 0,
        };
        let len = size_of::<BatchAttr>();
        // SAFETY: the attributes of the command. Keys and values are borrowed for the call and as many as said; the map's values are
        // 8 bytes, says `new`.
        let result = unsafe { libc::syscall(libc::SYS_bpf, BPF_MAP_LOOKUP_BATCH, &raw mut attr, len) };
        // The kernel says ENOENT if these were the last.
        assert!(result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::ENOENT), "a batch");
        assert_eq!(attr.count as usize, keys.len());
    }
}
