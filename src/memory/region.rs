//! A run of bytes, mapped from a BPF map or allocated in the process, and its end.
//!
//! A region hands out its address and nothing else. It never advises the kernel: MADV_DONTNEED on a BPF map succeeds, and
//! every later access is SIGBUS. It never shrinks or moves.
#![allow(unsafe_code)]

use std::alloc::{self, Layout};
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use memmap2::{MmapOptions, MmapRaw};

use crate::sys;

/// The smallest page of any machine: the largest alignment that a value can rely on.
pub(crate) const MAX_ALIGN: usize = 4096;

/// `len` bytes at `base`, which stay readable, and writable if `writable` says so, until the region is dropped.
pub(crate) struct Region {
    base: NonNull<u8>,
    len: usize,
    writable: bool,
    backing: Backing,
}

/// What keeps the bytes.
enum Backing {
    /// A shared mapping, unmapped on drop. It holds the kernel's map by itself, whatever becomes of descriptors.
    Mapped(#[expect(dead_code, reason = "held for its drop")] MmapRaw),
    /// An allocation of this layout at `base`. On the heap rather than in an anonymous mapping so that AddressSanitizer,
    /// valgrind and Miri see where it ends.
    Process(Layout),
}

// SAFETY: the bytes belong to no thread: they are mapped or allocated for the whole process, and the region itself never
// accesses them. Dropping it on any thread unmaps or frees them; whoever points into them holds the region.
unsafe impl Send for Region {}
// SAFETY: as above; `&Region` gives the address, the length and the mode, all constant.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `len` bytes of the BPF array map behind `fd`, from byte `offset` on, shared: one mmap. The mapping starts at the
    /// page that holds `offset`, so the base is aligned as `offset` is, up to the size of a page.
    ///
    /// # Safety
    ///
    /// `fd` is a BPF object. Of these only maps can be mapped, and the kernel grants no byte behind their values, nor takes one
    /// away. (A file could be shortened, and then every access behind its end is SIGBUS.)
    pub(crate) unsafe fn map(fd: BorrowedFd<'_>, offset: u64, len: usize, writable: bool) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.offset(offset).len(len);
        let mapping =
            if writable { options.map_raw(fd.as_raw_fd()) } else { options.map_raw_read_only(fd.as_raw_fd()) }?;
        // Without MAP_FIXED the kernel never gives the page at address 0. Whoever answers for it, as a seccomp supervisor
        // can, might; and behind an offset into that page the address alone is not null.
        let base = NonNull::new(mapping.as_mut_ptr()).filter(|base| base.addr().get() >= sys::page_size());
        let Some(base) = base else {
            // To unmap what nobody mapped would take what lies there.
            mem::forget(mapping);
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        };
        Ok(Region { base, len: mapping.len(), writable, backing: Backing::Mapped(mapping) })
    }

    /// Allocates `len` zeroed bytes in the process, writable, aligned to `align`.
    ///
    /// # Panics
    ///
    /// If they do not fit the address space. If there is no memory for them, the process ends, as with a `Vec`.
    pub(crate) fn in_process(len: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(len, align).expect("an array in the process fits the address space");
        let base = if len == 0 {
            NonNull::new(std::ptr::without_provenance_mut(layout.align())).expect("no alignment is 0")
        } else {
            // SAFETY: the layout is not empty.
            let base = unsafe { alloc::alloc_zeroed(layout) };
            NonNull::new(base).unwrap_or_else(|| alloc::handle_alloc_error(layout))
        };
        Region { base, len, writable: true, backing: Backing::Process(layout) }
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether this process may write the bytes.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Whether the bytes are the process's own.
    pub(crate) fn is_in_process(&self) -> bool {
        matches!(self.backing, Backing::Process(_))
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if let Backing::Process(layout) = self.backing {
            if layout.size() != 0 {
                // SAFETY: allocated in `in_process` with this layout, freed once.
                unsafe { alloc::dealloc(self.base.as_ptr(), layout) }
            }
        }
    }
}
