//! The kernel by hand: what a program does that has no library, and with what the library is compared.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use memmap2::{MmapOptions, MmapRaw};

/// bpf(2).
///
/// # Safety
///
/// `A` is the struct that belongs to `command`, and every address in `attr` is valid for what the kernel does with it.
///
/// # Panics
///
/// If the kernel refuses.
#[inline(always)]
pub(crate) unsafe fn bpf<A>(command: libc::c_long, attr: &mut A) -> i32 {
    // SAFETY: `attr` is exclusively borrowed and as long as said; what it holds the caller answers for.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<A>()) };
    assert!(result >= 0, "bpf({command}): {}", io::Error::last_os_error());
    result as i32
}

/// Maps the first `len` bytes of a map, read-write and shared.
///
/// # Panics
///
/// If the kernel refuses.
pub(crate) fn map(map: impl AsFd, len: usize) -> MmapRaw {
    MmapOptions::new().len(len).map_raw(map.as_fd().as_raw_fd()).expect("a map that can be mapped")
}
