//! A run of bytes, mapped from a BPF map or allocated in the process, and its end.
//!
//! A region hands out its address and nothing else. It never advises the kernel: MADV_DONTNEED on a BPF map succeeds, and
//! every later access is SIGBUS. It never shrinks or moves.
#![allow(unsafe_code)]

use std::alloc::{self, Layout};
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};

use super::{Access, ReadOnly, ReadWrite};

/// `len` bytes at `base`, 8-aligned, which stay readable, and writable if `A` is [`ReadWrite`], until the region is dropped.
pub(crate) struct Region<A: Access> {
    base: NonNull<u8>,
    len: usize,
    backing: Backing,
    access: PhantomData<fn() -> A>,
}

/// What keeps the bytes.
enum Backing {
    /// A shared mapping, unmapped on drop. It holds the kernel's map by itself, whatever becomes of descriptors.
    Mapped(#[expect(dead_code, reason = "held for its drop")] MmapRaw),
    Process(Arc<Words>),
}

// SAFETY: the bytes belong to no thread: they are mapped or allocated for the whole process, and the region itself never
// accesses them. Dropping it on any thread unmaps or frees them once no view is left, for views borrow the region.
unsafe impl<A: Access> Send for Region<A> {}
// SAFETY: as above; `&Region` gives the address and the length, both constant.
unsafe impl<A: Access> Sync for Region<A> {}

impl<A: Access> Region<A> {
    /// Maps `len` bytes of the map behind `fd`, from byte `offset` on, shared: one mmap. The mapping starts at the page
    /// that holds `offset`; `offset` is a multiple of 8.
    pub(crate) fn map(fd: BorrowedFd<'_>, offset: u64, len: usize) -> io::Result<Self> {
        assert!(offset % 8 == 0, "values of a map are 8-aligned");
        let mut options = MmapOptions::new();
        options.offset(offset).len(len);
        let mapping =
            if A::WRITABLE { options.map_raw(fd.as_raw_fd()) } else { options.map_raw_read_only(fd.as_raw_fd()) }?;
        // A page is 8-aligned and so is the offset into it. mmap never gives the null page without MAP_FIXED.
        let base = NonNull::new(mapping.as_mut_ptr()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Region { base, len: mapping.len(), backing: Backing::Mapped(mapping), access: PhantomData })
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The same bytes, read-only, where they are the process's own. A mapped region is mapped anew instead.
    pub(crate) fn share_in_process(&self) -> Option<Region<ReadOnly>> {
        match &self.backing {
            Backing::Mapped(_) => None,
            Backing::Process(words) => Some(Region::of_words(Arc::clone(words))),
        }
    }

    fn of_words(words: Arc<Words>) -> Self {
        Region {
            base: words.base.cast(),
            len: words.layout.size(),
            backing: Backing::Process(words),
            access: PhantomData,
        }
    }
}

impl Region<ReadWrite> {
    /// Allocates `len` zeroed bytes, a multiple of 8, in the process.
    pub(crate) fn in_process(len: usize) -> Self {
        Region::of_words(Arc::new(Words::zeroed(len)))
    }
}

/// Zeroed words on the heap. On the heap rather than in an anonymous mapping so that AddressSanitizer, valgrind and Miri
/// see where they end.
struct Words {
    base: NonNull<u64>,
    layout: Layout,
}

// SAFETY: an owned allocation that is only ever accessed through views, atomically.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    fn zeroed(len: usize) -> Self {
        let layout = Layout::array::<u64>(len.div_ceil(8)).expect("an array in the process fits the address space");
        if layout.size() == 0 {
            return Words { base: NonNull::dangling(), layout };
        }
        // SAFETY: the layout is not empty.
        let base = unsafe { alloc::alloc_zeroed(layout) };
        match NonNull::new(base.cast::<u64>()) {
            Some(base) => Words { base, layout },
            None => alloc::handle_alloc_error(layout),
        }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: allocated in `zeroed` with this layout, freed once.
            unsafe { alloc::dealloc(self.base.as_ptr().cast(), self.layout) }
        }
    }
}
