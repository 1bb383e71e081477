//! A value on cache lines of its own.
#![allow(unsafe_code)]

use super::{Field, MapValue};
use crate::memory::Access;

/// A value that starts on a cache line of 64 bytes and shares none of its lines: an array of these is what several CPUs can
/// write without disturbing one another. In memory it is the value and padding: `struct { T value; }
/// __attribute__((aligned(64)))`, which is a slot of `BPFVAR_PERCPU` of `bpfvar.bpf.h`.
///
/// ```
/// use bpfvar::{Array, CacheLine};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let counters = Array::<CacheLine<u64>>::in_process(4);
/// counters.at(2).value.fetch_add(1, Relaxed);
/// assert_eq!(counters.sum(|counter| counter.value), 1);
/// assert_eq!(size_of::<CacheLine<u64>>(), 64);
/// ```
#[derive(bpfvar_derive::MapValue, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(64))]
pub struct CacheLine<T> {
    /// The value.
    pub value: T,
}

impl<T: MapValue> CacheLine<T> {
    /// Returns the pointer to the value, of whatever kind its view is: for [`Shared::project`](crate::Shared::project).
    #[inline]
    pub fn place<A: Access>(line: Field<'_, CacheLine<T>, A>) -> Field<'_, T, A> {
        // SAFETY: a field of the struct, by syntax and so aligned, which the derive above accesses as a T, too.
        unsafe { line.project(CacheLine::value_of) }
    }

    /// # Safety
    ///
    /// `line` is the address of one.
    unsafe fn value_of(line: *mut Self) -> *mut T {
        // SAFETY: inside of it, says the caller. Nothing is accessed.
        unsafe { &raw mut (*line).value }
    }
}
