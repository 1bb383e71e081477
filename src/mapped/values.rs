//! A region seen as values of one type.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use super::mapping;
use crate::error::Result;
use crate::kernel::Map;
use crate::memory::{Access, ReadOnly, ReadWrite, Region};
use crate::view::{Layout, MapValue, Slice};

/// A region that is only ever seen as `len` values of `T`, a stride apart: what makes views of it sound.
pub(crate) struct Values<T, A: Access> {
    region: Region<A>,
    len: usize,
    of: PhantomData<fn() -> T>,
}

impl<T: MapValue> Values<T, ReadWrite> {
    /// Zeroed values in the memory of the process.
    ///
    /// # Panics
    ///
    /// If they do not fit the address space.
    pub(crate) fn in_process(len: usize) -> Self {
        let bytes = len.checked_mul(Self::STRIDE).expect("the values fit the address space");
        // SAFETY: a new region.
        unsafe { Values::new(Region::in_process(bytes), len) }
    }
}

impl<T: MapValue> Values<T, ReadWrite> {
    /// One value in the memory of the process, with these bytes; what they do not fill is zero.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let len = bytes.len().min(size_of::<T>());
        let region = Region::in_process(Self::STRIDE);
        // SAFETY: the region is new and STRIDE bytes long, no less than T; nobody else knows it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), region.base().as_ptr(), len) };
        // SAFETY: a new region.
        unsafe { Values::new(region, 1) }
    }
}

impl<T: MapValue, A: Access> Values<T, A> {
    const STRIDE: usize = size_of::<T>().next_multiple_of(8);

    /// What T must be to lie in a map. The derive says it earlier and better.
    const SHAPE: () = {
        assert!(size_of::<T>() != 0, "a map has no values of size 0");
        assert!(align_of::<T>() <= 8, "values of a map are 8-aligned");
    };

    /// Maps `entries` of `map`, whose values must have the size of `T`: one mmap.
    pub(crate) fn map(map: &Map, entries: &Range<u32>) -> Result<Self> {
        let region = mapping::map::<T, A>(map, entries, || Layout::of::<T>().end())?;
        // SAFETY: a new mapping.
        Ok(unsafe { Values::new(region, entries.len()) })
    }

    /// Takes the region over, which holds at least `len` values.
    ///
    /// # Safety
    ///
    /// Nothing sees the region's bytes through this mapping or allocation as another type.
    unsafe fn new(region: Region<A>, len: usize) -> Self {
        let () = Self::SHAPE;
        assert!(region.len() / Self::STRIDE >= len, "the region holds all values");
        Values { region, len, of: PhantomData }
    }

    /// The same values, read-only, where they are the process's own.
    pub(crate) fn share_in_process(&self) -> Option<Values<T, ReadOnly>> {
        // SAFETY: seen as T here, and there too.
        self.region.share_in_process().map(|region| unsafe { Values::new(region, self.len) })
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(crate) fn slice(&self) -> Slice<'_, T, A> {
        // SAFETY: `len` values a stride apart lie inside the region (asserted in `new`), whose base is 8-aligned, and T needs
        // no more (SHAPE). They stay as accessible as A says while the region is borrowed, and are accessed as T only, says the
        // contract of `new`.
        unsafe { Slice::new(self.region.base(), self.len) }
    }
}
