//! Types that are no more than their bytes: which of them can be copied without a look at each scalar.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::MapValue;

/// What is true of `T`, if anything is known of it.
///
/// Only this crate and what the derive emits can make one that says something, and it is of the type that it is true of. So
/// [`MapValue::PLAIN`], of a trait that is safe to write by hand, can be believed.
#[doc(hidden)]
pub struct Plain<T> {
    facts: Facts,
    of: PhantomData<fn(T) -> T>,
}

#[derive(Clone, Copy, Debug)]
struct Facts {
    /// Any bytes are a value.
    any_bytes: bool,
    /// So many bytes of it are those of scalars whose bytes are always initialised; the rest is padding, or unknown.
    filled: usize,
    /// By so many accesses are they read or written scalar by scalar.
    scalars: usize,
}

impl<T: MapValue> Plain<T> {
    /// Nothing is known of it.
    pub const fn unknown() -> Plain<T> {
        Plain::of(Facts { any_bytes: false, filled: 0, scalars: 0 })
    }

    const fn of(facts: Facts) -> Plain<T> {
        Plain { facts, of: PhantomData }
    }

    /// A scalar. `any_bytes` says whether any bytes are one.
    ///
    /// # Safety
    ///
    /// `T` is an integer, a float or a bool, and has its layout; any bytes are one if `any_bytes` says so.
    pub(super) const unsafe fn scalar(any_bytes: bool) -> Plain<T> {
        Plain::of(Facts { any_bytes, filled: size_of::<T>(), scalars: 1 })
    }

    /// Bytes that are accessed as words.
    ///
    /// # Safety
    ///
    /// Any bytes are a `T`, and a `T` has no padding.
    pub(super) const unsafe fn words() -> Plain<T> {
        Plain::of(Facts { any_bytes: true, filled: size_of::<T>(), scalars: size_of::<T>().div_ceil(8) })
    }

    /// What is true of an `F` is true of a `T`.
    ///
    /// # Safety
    ///
    /// `T` is `repr(transparent)` around an `F`, and values of it are made of any.
    pub(super) const unsafe fn same_as<F: MapValue>() -> Plain<T> {
        Plain::of(F::PLAIN.facts)
    }

    /// Whether any bytes are a value: then one is read by copying its bytes. Padding, if there is any, is copied too.
    pub(super) const fn any_bytes(&self) -> bool {
        self.facts.any_bytes
    }

    /// Whether it is all scalars: then one is written by copying its bytes.
    pub(super) const fn no_padding(&self) -> bool {
        // Of a type without bytes it is not known whether it is written by what the user wrote.
        self.facts.filled == size_of::<T>() && self.facts.filled != 0
    }

    /// Whether also a single one is copied faster by its bytes than scalar by scalar: if it has more scalars than words, or is
    /// worth a call.
    pub(super) const fn is_quicker(&self) -> bool {
        self.facts.scalars > size_of::<T>().div_ceil(8) || size_of::<T>() >= 128
    }
}

impl<T: MapValue, const N: usize> Plain<[T; N]> {
    /// An array.
    pub(super) const fn array() -> Plain<[T; N]> {
        let Facts { any_bytes, filled, scalars } = T::PLAIN.facts;
        // The elements lie one behind the other, so the array has their padding N times and no other.
        Plain::of(Facts { any_bytes, filled: filled * N, scalars: scalars.saturating_mul(N) })
    }
}

/// Makes the [`Plain`] of a derived struct. The struct is a parameter of the functions and not of this type: whose type it is that
/// the derive calls by its path, a user's crate may have a say in, but not of which struct it says something.
#[doc(hidden)]
#[derive(Debug)]
pub enum PlainStruct {}

impl PlainStruct {
    /// Starts a struct whose fields follow by [`PlainStruct::with`].
    ///
    /// # Safety
    ///
    /// All fields of `T` follow, each as often as there are such.
    pub const unsafe fn start<T: MapValue>() -> Plain<T> {
        Plain::of(Facts { any_bytes: true, filled: 0, scalars: 0 })
    }

    /// Adds a field. Its place is never asked for: it is there so that only a field of this very type compiles, also where the type is
    /// written by a macro, which may write another one each time.
    ///
    /// # Safety
    ///
    /// `place` gives a field of `T`, which is no other's that was added.
    pub const unsafe fn with<T: MapValue, F: MapValue>(
        plain: Plain<T>,
        _place: unsafe fn(*mut T) -> *mut F,
    ) -> Plain<T> {
        let (of, field) = (plain.facts, F::PLAIN.facts);
        Plain::of(Facts {
            any_bytes: of.any_bytes && field.any_bytes,
            filled: of.filled + field.filled,
            scalars: of.scalars.saturating_add(field.scalars),
        })
    }
}
