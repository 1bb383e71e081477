//! A region seen as values of one type.
#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;

use super::mapping;
use crate::error::Result;
use crate::kernel::Map;
use crate::memory::{Access, MAX_ALIGN, ReadOnly, ReadWrite, Region};
use crate::view::{Field, Layout, MapValue, Shared, Slice};

/// A region that is only ever seen as values of `T`, a stride apart: what makes views of it sound.
pub(crate) struct Values<T, A: Access> {
    /// All values. They live as long as the region, and leave here only for as long as `self` is borrowed.
    all: Slice<'static, T, A>,
    region: Arc<Region>,
}

impl<T: MapValue> Values<T, ReadWrite> {
    /// Zeroed values in the memory of the process.
    ///
    /// # Panics
    ///
    /// If they do not fit the address space.
    pub(crate) fn in_process(len: usize) -> Self {
        let bytes = len.checked_mul(Self::STRIDE).expect("the values fit the address space");
        let region = Region::in_process(bytes, align_of::<T>().max(8));
        // SAFETY: a new region.
        unsafe { Values::new(Arc::new(region), len) }
    }

    /// One value in the memory of the process, with these bytes; what they do not fill is zero.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let len = bytes.len().min(size_of::<T>());
        let one = Values::in_process(1);
        // SAFETY: the region is new and STRIDE bytes long, no less than T; nobody else knows it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), one.region.base().as_ptr(), len) };
        one
    }
}

impl<T: MapValue, A: Access> Values<T, A> {
    const STRIDE: usize = size_of::<T>().next_multiple_of(8);

    /// What T must be to lie in a map. The derive says it earlier and better.
    const SHAPE: () = {
        assert!(size_of::<T>() != 0, "a map has no values of size 0");
        assert!(align_of::<T>() <= MAX_ALIGN, "a map starts on a page of 4096 bytes, so no value is aligned to more");
    };

    /// Maps `entries` of `map`, whose values must have the size of `T`: one mmap.
    pub(crate) fn map(map: &Map, entries: &Range<u32>) -> Result<Self> {
        let region = mapping::map_entries::<T, A>(map, entries, || Layout::of::<T>().end())?;
        // SAFETY: a new mapping.
        Ok(unsafe { Values::new(Arc::new(region), entries.len()) })
    }

    /// Takes a share of the region, which holds at least `len` values.
    ///
    /// # Safety
    ///
    /// Nothing sees the region's bytes through this mapping or allocation as another type.
    unsafe fn new(region: Arc<Region>, len: usize) -> Self {
        let () = Self::SHAPE;
        assert!(region.len() / Self::STRIDE >= len, "the region holds all values");
        assert!(region.base().addr().get() % align_of::<T>().max(8) == 0, "the region starts where a value may");
        assert!(region.is_writable() || !A::WRITABLE, "what is written is writable");
        // SAFETY: `len` values a stride apart lie inside the region, at multiples of T's alignment and as accessible as A says
        // (all asserted; a stride is a multiple of T's alignment, for T's size is one and 8 is one of every smaller alignment), and
        // so do the gaps, which nobody accesses.
        // The region holds them for as long as it lives, hence for longer than `all` is lent. They are accessed as T only, says
        // the caller.
        let all = unsafe { Slice::new(region.base(), len) };
        Values { all, region }
    }

    /// The same values, read-only, where they are the process's own.
    pub(crate) fn share_in_process(&self) -> Option<Values<T, ReadOnly>> {
        // SAFETY: seen as T here, and there too.
        self.region.is_in_process().then(|| unsafe { Values::new(Arc::clone(&self.region), self.len()) })
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// All values, for as long as `self` is borrowed.
    #[inline(always)]
    pub(crate) fn slice(&self) -> Slice<'_, T, A> {
        self.all
    }

    /// A value with a share of the region.
    #[track_caller]
    pub(crate) fn share(&self, index: usize) -> Shared<T, A> {
        // SAFETY: the field lies in the region, and its contract holds for as long as that lives (see `new`).
        unsafe { Shared::new(self.all.field(index), Arc::clone(&self.region)) }
    }
}

/// Maps the pages that hold a `T` at byte `at` of an entry, in a mapping of its own, where nothing else is seen.
///
/// # Panics
///
/// If that is not inside an entry, or not aligned for `T`.
pub(super) fn map_one<T: MapValue, A: Access>(map: &Map, entry: u32, at: u64) -> Result<Shared<T, A>> {
    let region = Arc::new(mapping::map_part::<A>(map, entry, at, size_of::<T>() as u64)?);
    let base = region.base().cast::<T>();
    assert!(base.is_aligned(), "the part is aligned for its type");
    assert!(region.len() >= size_of::<T>(), "the region holds it");
    // SAFETY: aligned and inside the new mapping (asserted), which has the access of A while the region lives, and in which
    // nothing else is accessed but by this field.
    let field = unsafe { Field::new(base) };
    // SAFETY: the field lies in the region.
    Ok(unsafe { Shared::new(field, region) })
}
