//! A pointer to a value, or to a part of one, in memory that others change.
//!
//! Every access of this crate to such memory is made here, by one atomic instruction a scalar, and never through a plain
//! reference; or, where many scalars are copied, by `memory::WIDE`, which is as if each were loaded or stored so. Why that is
//! sound is argued in DESIGN.md, "Memory model".
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::{Ordering, fence};

use super::scalar::{Bits, Operation};
use super::{Integer, Iter, MapValue, Scalar, Slice};
use crate::memory::{Access, ReadOnly, ReadWrite, WIDE};

/// A pointer to a value of type `T`, or to a part of one, that lives in shared memory for `'m`. One word; copied freely.
///
/// | `T` | offers |
/// |---|---|
/// | any | [`read`](Field::read), [`write`](Field::write): whole, scalar by scalar |
/// | [`Scalar`] | [`load`](Field::load), [`store`](Field::store), [`swap`](Field::swap), [`compare_exchange`](Field::compare_exchange), [`fetch_update`](Field::fetch_update) |
/// | [`Integer`] | and [`fetch_add`](Field::fetch_add) and its kin, [`as_atomic`](Field::as_atomic) |
/// | `[T; N]` | [`at`](Field::at), [`get`](Field::get), [`iter`](Field::iter), [`slice`](Field::slice) with all that a [`Slice`] has |
///
/// What changes memory exists where `A` is [`ReadWrite`] only.
///
/// # Memory ordering
///
/// `order` is that of the standard library's atomics, also between this process and a BPF program: a plain store of an
/// aligned scalar in a program is a relaxed store, `__sync_fetch_and_add` with an unused result a relaxed
/// read-modify-write, with a used result a sequentially consistent one. As there, [`load`](Field::load) panics on `Release`
/// and `AcqRel`, [`store`](Field::store) on `Acquire` and `AcqRel`.
///
/// `read` and `write` are relaxed. To publish several fields, `write` them and then store a flag with `Release`; a reader that
/// loads the flag with `Acquire` and sees it set, then sees them:
///
/// ```
/// use bpfvar::Array;
/// use std::sync::atomic::Ordering::{Acquire, Release};
///
/// let array = Array::<[u32; 4]>::in_process(1);
/// let (settings, ready) = (array.at(0), array.at(0).at(3));
/// settings.write([10, 20, 30, 0]);
/// ready.store(1, Release);
/// if ready.load(Acquire) == 1 {
///     assert_eq!(settings.read(), [10, 20, 30, 1]);
/// }
/// ```
///
/// BPF has atomic read-modify-write for 4 and 8 bytes only: `fetch_add` on a `u8` or `u16` is atomic here, but a program's own
/// addition to it is a load and a store, between which changes are lost.
///
/// In read-only memory the only load that is sure not to write is a relaxed one. There `Acquire` is a relaxed load and an
/// acquire fence; `SeqCst` has a full fence before and after.
pub struct Field<'m, T, A> {
    at: NonNull<T>,
    lives: PhantomData<&'m ()>,
    /// Invariant: another type, even a subtype, may have another `MapValue`, and so other scalars.
    of: PhantomData<fn(T) -> T>,
    access: PhantomData<A>,
}

// SAFETY: a Field reaches memory by atomic accesses only, so any thread may hold and use it. It holds no T: `read` makes a
// new one on the thread that reads.
unsafe impl<T, A> Send for Field<'_, T, A> {}
// SAFETY: as above.
unsafe impl<T, A> Sync for Field<'_, T, A> {}

impl<T, A> Clone for Field<'_, T, A> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, A> Copy for Field<'_, T, A> {}

impl<'m, T, A> Field<'m, T, A> {
    /// # Safety
    ///
    /// For `'m`:
    ///
    /// - `at` is aligned for `T`, and `size_of::<T>()` bytes from there on are mapped or allocated, readable, and writable if
    ///   `A` is [`ReadWrite`];
    /// - whatever in this process accesses them through an address derived from the same mapping or allocation does so
    ///   atomically, with the widths of `T`'s scalars: that is, through a `Field` of the same `T` or projected from one, or by
    ///   the same units of BTF (`Typed`).
    ///
    /// A `Field` of `T` stays one: it is invariant in `T`, so it does not coerce to a type with another `MapValue`.
    #[inline(always)]
    pub(crate) unsafe fn new(at: NonNull<T>) -> Self {
        Field { at, lives: PhantomData, of: PhantomData, access: PhantomData }
    }

    /// Returns the part of type `F` that `place` finds. For the derive.
    ///
    /// # Safety
    ///
    /// From the address of a `T`, `place` derives that of a field of type `F` in it, aligned for `F`; it accesses nothing. Those
    /// bytes are never accessed but as an `F`. (A derive projects a struct to the fields that it declares, as the types that it
    /// declares, so two derives of one struct agree.)
    #[doc(hidden)]
    #[inline(always)]
    pub unsafe fn project<F>(self, place: unsafe fn(*mut T) -> *mut F) -> Field<'m, F, A> {
        // SAFETY: `at` is the address of a T that lies in one mapping or allocation.
        let at = unsafe { place(self.at.as_ptr()) };
        // SAFETY: a field of what is not at null is not at null.
        let at = unsafe { NonNull::new_unchecked(at) };
        // SAFETY: aligned, says the caller; inside T, so as long-lived and as writable as all of it; accessed as an F only.
        unsafe { Field::new(at) }
    }

    /// The word at byte `offset`.
    ///
    /// # Safety
    ///
    /// `size_of::<W>()` bytes from `offset` on lie inside `T`, that address is aligned for `W`, and those bytes are never
    /// accessed but as a `W`.
    #[inline(always)]
    pub(super) unsafe fn word<W>(self, offset: usize) -> Field<'m, W, A> {
        // SAFETY: inside T, so inside the same mapping or allocation.
        let at = unsafe { self.at.cast::<u8>().add(offset) };
        // SAFETY: aligned, and accessed as a W only, says the caller; as long-lived and as writable as all of T.
        unsafe { Field::new(at.cast()) }
    }

    /// The address.
    pub(super) fn address(self) -> NonNull<T> {
        self.at
    }

    /// The address modulo 8.
    #[inline(always)]
    pub(super) fn place(self) -> usize {
        // Known when compiling where T says so.
        if align_of::<T>() >= 8 { 0 } else { self.at.addr().get() % 8 }
    }
}

impl<'m, T: MapValue, A: Access> Field<'m, T, A> {
    /// Returns the view: for a derived struct, a pointer for each of its fields; for anything else, this pointer.
    #[inline(always)]
    pub fn view(self) -> T::View<'m, A> {
        T::view(self)
    }

    /// Copies the value out: as by one relaxed load a scalar. Each scalar is whole; the value as a whole may be caught
    /// in the middle of an update.
    #[inline]
    pub fn read(self) -> T {
        self.read_plain().unwrap_or_else(|| T::read_from(self))
    }

    /// Copies the value out by its bytes, where that takes fewer steps than scalar by scalar.
    #[inline(always)]
    pub(super) fn read_plain(self) -> Option<T> {
        let wide = WIDE.filter(|_| T::PLAIN.any_bytes() && T::PLAIN.is_quicker())?;
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: `size_of::<T>()` bytes are readable and accessed only atomically (see `new`); the others are the local's own.
        unsafe { wide.load_one(self.at.as_ptr().cast(), value.as_mut_ptr().cast(), size_of::<T>()) };
        // SAFETY: all of it was written, and any bytes are a T.
        Some(unsafe { value.assume_init() })
    }
}

impl<T: MapValue> Field<'_, T, ReadWrite> {
    /// Copies `value` in: as by one relaxed store a scalar, no padding. Others may see some of the scalars before the rest.
    #[inline]
    pub fn write(self, value: T) {
        self.write_from(&value);
    }

    /// The same, without taking the value: by its bytes, where that takes fewer steps than scalar by scalar.
    #[inline(always)]
    pub(crate) fn write_from(self, value: &T) {
        match WIDE.filter(|_| T::PLAIN.no_padding() && T::PLAIN.is_quicker()) {
            // SAFETY: the value's bytes are all initialised, for there is no padding; as many are writable and accessed only
            // atomically (see `new`).
            Some(wide) => unsafe {
                wide.store_one(ptr::from_ref(value).cast(), self.at.as_ptr().cast(), size_of::<T>());
            },
            None => T::write_to(self, value),
        }
    }
}

impl<'m, T> Field<'m, T, ReadWrite> {
    /// Returns a read-only pointer to the same.
    #[inline(always)]
    pub fn read_only(self) -> Field<'m, T, ReadOnly> {
        // SAFETY: what may be read and written may be read; accessed by the same widths.
        unsafe { Field::new(self.at) }
    }
}

impl<'m, S: Scalar, A: Access> Field<'m, S, A> {
    /// The atomic that these bytes are.
    ///
    /// In read-only memory (`A` is not [`ReadWrite`]) it must only be loaded from, relaxed: see `core::sync::atomic`,
    /// "Atomic accesses to read-only memory", which allows that for up to 8 bytes on every 64-bit target.
    #[inline(always)]
    fn bits(self) -> &'m <S::Bits as Bits>::Atomic {
        // SAFETY: `at` is aligned for S and S::Bits's atomic has S's size and alignment (asserted in scalar.rs); the bytes are
        // readable for 'm; every bit pattern is one of the atomic; all other accesses of this program through this mapping are
        // atomic and of this width. Those of the kernel, of other processes and through other mappings are not made by this
        // program: the machine defines what a load sees of them, and any bits are valid. The reference allows changes behind
        // it, because all of the atomic is in an UnsafeCell.
        unsafe { self.at.cast().as_ref() }
    }

    /// Loads the scalar: one instruction, no system call.
    ///
    /// # Panics
    ///
    /// If `order` is `Release` or `AcqRel`.
    #[inline(always)]
    #[track_caller]
    pub fn load(self, order: Ordering) -> S {
        let bits =
            if A::WRITABLE { S::Bits::load(self.bits(), order) } else { load_read_only::<S>(self.bits(), order) };
        S::from_bits(bits)
    }
}

#[inline(always)]
#[track_caller]
fn load_read_only<S: Scalar>(atomic: &<S::Bits as Bits>::Atomic, order: Ordering) -> S::Bits {
    match order {
        Ordering::Relaxed => S::Bits::load(atomic, Ordering::Relaxed),
        Ordering::Acquire => {
            let bits = S::Bits::load(atomic, Ordering::Relaxed);
            fence(Ordering::Acquire);
            bits
        }
        Ordering::SeqCst => {
            fence(Ordering::SeqCst);
            let bits = S::Bits::load(atomic, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            bits
        }
        _ => panic!("there is no such thing as a release load"),
    }
}

impl<S: Scalar> Field<'_, S, ReadWrite> {
    /// Stores the scalar, and nothing beside it: one instruction, no system call.
    ///
    /// # Panics
    ///
    /// If `order` is `Acquire` or `AcqRel`.
    #[inline(always)]
    #[track_caller]
    pub fn store(self, value: S, order: Ordering) {
        S::Bits::store(self.bits(), value.to_bits(), order);
    }

    /// Stores `value` and returns what was there, in one step.
    #[inline(always)]
    pub fn swap(self, value: S, order: Ordering) -> S {
        S::from_bits(S::Bits::swap(self.bits(), value.to_bits(), order))
    }

    /// Stores `new` if `current` is there, in one step. `Ok` and `Err` hold what was there.
    ///
    /// Floats are compared by their bits: a NaN equals itself, 0.0 does not equal -0.0. Any byte but 0 is `true`; while somebody
    /// keeps replacing one such byte by another, comparing with `true` tries again.
    ///
    /// # Errors
    ///
    /// What was there instead of `current`; memory is unchanged.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`.
    #[inline]
    #[track_caller]
    pub fn compare_exchange(self, current: S, new: S, success: Ordering, failure: Ordering) -> Result<S, S> {
        let mut expected = current.to_bits();
        loop {
            match S::Bits::compare_exchange(self.bits(), expected, new.to_bits(), success, failure) {
                Ok(bits) => return Ok(S::from_bits(bits)),
                // A `true` that is not 1.
                Err(found) if found != expected && current.is_bits(found) => expected = found,
                Err(found) => return Err(S::from_bits(found)),
            }
        }
    }

    /// Replaces the value by what `change` makes of it, and again if it was changed meanwhile, until that takes or `change`
    /// gives `None`. `Ok` and `Err` hold the last value seen.
    ///
    /// # Errors
    ///
    /// The value for which `change` gave `None`; memory is unchanged.
    ///
    /// # Panics
    ///
    /// If `fetch` is `Release` or `AcqRel`.
    #[inline]
    #[track_caller]
    pub fn fetch_update(self, set: Ordering, fetch: Ordering, mut change: impl FnMut(S) -> Option<S>) -> Result<S, S> {
        let mut seen = S::Bits::load(self.bits(), fetch);
        while let Some(new) = change(S::from_bits(seen)) {
            match S::Bits::compare_exchange(self.bits(), seen, new.to_bits(), set, fetch) {
                Ok(bits) => return Ok(S::from_bits(bits)),
                Err(found) => seen = found,
            }
        }
        Err(S::from_bits(seen))
    }
}

macro_rules! fetch {
    ($($(#[doc = $doc:literal])+ $name:ident: $operation:ident;)*) => {$(
        $(#[doc = $doc])+
        #[inline(always)]
        pub fn $name(self, value: S, order: Ordering) -> S {
            S::fetch(self.as_atomic(), Operation::$operation, value, order)
        }
    )*};
}

impl<'m, S: Integer> Field<'m, S, ReadWrite> {
    fetch! {
        /// Adds, wrapping around, and returns what was there.
        fetch_add: Add;
        /// Subtracts, wrapping around, and returns what was there.
        fetch_sub: Sub;
        /// Bitwise "and"; returns what was there.
        fetch_and: And;
        /// Bitwise "or"; returns what was there.
        fetch_or: Or;
        /// Bitwise "xor"; returns what was there.
        fetch_xor: Xor;
        /// Keeps the smaller; returns what was there.
        fetch_min: Min;
        /// Keeps the larger; returns what was there.
        fetch_max: Max;
    }

    /// Returns the scalar as an atomic of the standard library, for code that takes one.
    ///
    /// A `bool` has none, because a program may store a byte that is neither 0 nor 1, and a read-only field has none,
    /// because an atomic offers to write.
    #[inline(always)]
    pub fn as_atomic(self) -> &'m S::Atomic {
        // SAFETY: as for `bits`: S::Atomic has S's size and alignment (asserted in scalar.rs), any bits are an integer, and the
        // memory is writable for 'm, because A is ReadWrite.
        unsafe { self.at.cast().as_ref() }
    }
}

impl<'m, T: MapValue, const N: usize, A: Access> Field<'m, [T; N], A> {
    /// Returns the elements as a run, `size_of::<T>()` bytes apart.
    #[inline(always)]
    pub fn slice(self) -> Slice<'m, T, A, false> {
        // SAFETY: the bytes of [T; N] are N values of T, packed; the contract of `Field::new` holds for each because it holds
        // for all of them together.
        unsafe { Slice::new(self.at.cast(), N) }
    }

    /// Returns the number of elements.
    #[expect(clippy::len_without_is_empty, reason = "N is known")]
    #[inline(always)]
    pub fn len(self) -> usize {
        N
    }

    /// Returns the views of all elements, in order.
    #[inline]
    pub fn iter(self) -> Iter<'m, T, A, false> {
        self.slice().iter()
    }

    /// Returns the view of element `index`.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline(always)]
    #[track_caller]
    pub fn at(self, index: usize) -> T::View<'m, A> {
        self.slice().at(index)
    }

    /// Returns the view of element `index`, if there is one.
    #[inline(always)]
    pub fn get(self, index: usize) -> Option<T::View<'m, A>> {
        self.slice().get(index)
    }
}

/// Prints the value that is there now.
impl<S: Scalar, A: Access> fmt::Debug for Field<'_, S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load(Ordering::Relaxed).fmt(f)
    }
}

/// Prints the values that are there now.
impl<T: MapValue, const N: usize, A: Access> fmt::Debug for Field<'_, [T; N], A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.slice().fmt(f)
    }
}
