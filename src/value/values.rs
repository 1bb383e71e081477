//! A region seen as values of one type.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{MapValue, Slice};
use crate::memory::{Access, ReadOnly, ReadWrite, Region};

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
        Values::new(Region::in_process(bytes), len)
    }
}

impl<T: MapValue, A: Access> Values<T, A> {
    const STRIDE: usize = size_of::<T>().next_multiple_of(8);

    /// What T must be to lie in a map. The derive says it earlier and better.
    const SHAPE: () = {
        assert!(size_of::<T>() != 0, "a map has no values of size 0");
        assert!(align_of::<T>() <= 8, "values of a map are 8-aligned");
    };

    /// Takes the region over, which holds at least `len` values, and which nothing else sees as another type.
    pub(crate) fn new(region: Region<A>, len: usize) -> Self {
        let () = Self::SHAPE;
        assert!(region.len() / Self::STRIDE >= len, "the region holds all values");
        Values { region, len, of: PhantomData }
    }

    /// The same values, read-only, where they are the process's own.
    pub(crate) fn share_in_process(&self) -> Option<Values<T, ReadOnly>> {
        self.region.share_in_process().map(|region| Values::new(region, self.len))
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(crate) fn slice(&self) -> Slice<'_, T, A> {
        // SAFETY: `len` values a stride apart lie inside the region (asserted in `new`), whose base is 8-aligned, and T needs
        // no more (SHAPE). They stay as accessible as A says while the region is borrowed. The region is private to this
        // struct, and one that shares its bytes is made above, for the same T: they are accessed as T only.
        unsafe { Slice::new(self.region.base(), self.len) }
    }
}
