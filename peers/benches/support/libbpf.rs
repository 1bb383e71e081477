//! libbpf's own functions, called as C calls them. No Rust is between: libbpf-rs brings `libbpf-sys`, which declares them and links libbpf.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

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

    fn fd(&self) -> i32 {
        self.map.as_fd().as_raw_fd()
    }

    #[inline]
    pub(crate) fn lookup<V>(&self, key: u32, value: &mut V) {
        let (key, value) = (ptr::from_ref(&key).cast(), ptr::from_mut(value).cast());
        // SAFETY: both are borrowed for the call and as long as the map's, says `new`.
        let result = unsafe { libbpf_rs::libbpf_sys::bpf_map_lookup_elem(self.fd(), key, value) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    #[inline]
    pub(crate) fn update<V>(&self, key: u32, value: &V) {
        let (key, value) = (ptr::from_ref(&key).cast(), ptr::from_ref(value).cast());
        // SAFETY: as above.
        let result = unsafe { libbpf_rs::libbpf_sys::bpf_map_update_elem(self.fd(), key, value, 0) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    /// Reads as many entries as there are keys. The map has at least so many.
    #[inline]
    pub(crate) fn lookup_batch(&self, keys: &mut [u32], values: &mut [u64]) {
        assert_eq!(keys.len(), values.len());
        let (mut next, mut count) = (0_u32, keys.len() as u32);
        let (next, keys_at, values_at) =
            (ptr::from_mut(&mut next).cast(), keys.as_mut_ptr().cast(), values.as_mut_ptr().cast());
        // SAFETY: keys and values are borrowed for the call and as many as said; the map's values are 8 bytes, says `new`.
        let result = unsafe {
            libbpf_rs::libbpf_sys::bpf_map_lookup_batch(
                self.fd(),
                ptr::null_mut(),
                next,
                keys_at,
                values_at,
                &raw mut count,
                ptr::null(),
            )
        };
        // The kernel says ENOENT if these were the last.
        assert!(result == 0 || result == -libc::ENOENT, "a batch: {result}");
        assert_eq!(count as usize, keys.len());
    }
}
