//! The leaves of every value: what one atomic instruction can move.
//!
//! Soundness rests on this file: `Field` believes what these traits say of sizes, and `Slice::sum` what `add_up` asks for.
#![allow(unsafe_code)]

use std::fmt::Debug;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering,
};

use super::MapValue;

/// A scalar: an integer of 8 to 64 bits, `f32`, `f64` or `bool`. Sealed.
///
/// In memory it is an unsigned integer of its own size, loaded and stored whole. A `bool` is true if its byte is not zero,
/// whatever a program stored there, and is stored as 0 or 1. Floats are their bits.
///
/// # Safety
///
/// Only this crate implements it.
///
/// - `Bits` has the size and alignment of the type.
/// - The type's layout (`MapValue::layout`) is that of one scalar of this size.
pub unsafe trait Scalar: MapValue + Copy + Debug + PartialEq + sealed::Sealed {
    #[doc(hidden)]
    type Bits: Bits;

    #[doc(hidden)]
    fn to_bits(self) -> Self::Bits;

    #[doc(hidden)]
    fn from_bits(bits: Self::Bits) -> Self;

    /// Whether `bits` stand for this value: for all but `bool`, whether they are the same bits.
    #[doc(hidden)]
    #[inline]
    fn is_bits(self, bits: Self::Bits) -> bool {
        self.to_bits() == bits
    }
}

/// A scalar with arithmetic: an integer of 8 to 64 bits. Sealed.
///
/// # Safety
///
/// Only this crate implements it.
///
/// - `Atomic` has the size and alignment of the type, and any bits are one.
/// - `add_up` calls `value` with indexes below `len` only.
// The bound of `Bits` is that of `Scalar`: rustc 1.85 takes a trait that only an associated type names for unreachable.
pub unsafe trait Integer: Scalar<Bits: Bits> {
    /// The type of the standard library that works on it atomically: `AtomicU64` for `u64`, and so on.
    type Atomic: Sync + 'static;

    /// What [`Slice::sum`](crate::Slice::sum) adds up in: `u64` or `i64`.
    type Sum: Debug;

    #[doc(hidden)]
    fn fetch(atomic: &Self::Atomic, operation: Operation, value: Self, order: Ordering) -> Self;

    #[doc(hidden)]
    fn add_up(len: usize, value: impl Fn(usize) -> Self) -> Self::Sum;
}

/// The read-modify-write operations that integers have beyond what all scalars have.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Min,
    Max,
}

/// What a scalar is in memory: an unsigned integer and the atomic of the same size and alignment. Sealed by being private.
///
/// # Safety
///
/// - `Atomic` has the size and alignment of the type, all of it is in an `UnsafeCell`, and any bits are one.
/// - Each function makes one access of that width.
pub unsafe trait Bits: Copy + Debug + Eq {
    type Atomic: Sync + 'static;

    fn load(atomic: &Self::Atomic, order: Ordering) -> Self;
    fn store(atomic: &Self::Atomic, bits: Self, order: Ordering);
    fn swap(atomic: &Self::Atomic, bits: Self, order: Ordering) -> Self;
    fn compare_exchange(
        atomic: &Self::Atomic,
        current: Self,
        new: Self,
        success: Ordering,
        failure: Ordering,
    ) -> Result<Self, Self>;
}

macro_rules! bits {
    ($($bits:ty: $atomic:ty),*) => {$(
        // SAFETY: the atomic of the standard library for this type, whose size and alignment are asserted below.
        unsafe impl Bits for $bits {
            type Atomic = $atomic;

            #[inline(always)]
            fn load(atomic: &$atomic, order: Ordering) -> Self {
                atomic.load(order)
            }

            #[inline(always)]
            fn store(atomic: &$atomic, bits: Self, order: Ordering) {
                atomic.store(bits, order);
            }

            #[inline(always)]
            fn swap(atomic: &$atomic, bits: Self, order: Ordering) -> Self {
                atomic.swap(bits, order)
            }

            #[inline(always)]
            fn compare_exchange(atomic: &$atomic, current: Self, new: Self, success: Ordering, failure: Ordering) -> Result<Self, Self> {
                atomic.compare_exchange(current, new, success, failure)
            }
        }

        // A reference to the bits may be turned into one to the atomic: see Field.
        const _: () = {
            assert!(size_of::<$bits>() == size_of::<$atomic>());
            assert!(align_of::<$bits>() == align_of::<$atomic>());
        };
    )*};
}

bits!(u8: AtomicU8, u16: AtomicU16, u32: AtomicU32, u64: AtomicU64);

macro_rules! integers {
    ($($int:ty: $bits:ty, $atomic:ty, $sum:ty;)*) => {$(
        // SAFETY: the unsigned integer of the same width.
        unsafe impl Scalar for $int {
            type Bits = $bits;

            #[inline(always)]
            fn to_bits(self) -> $bits {
                self as $bits
            }

            #[inline(always)]
            fn from_bits(bits: $bits) -> Self {
                bits as $int
            }
        }

        // SAFETY: the atomic of the standard library for this type, whose size and alignment are asserted below; `add_up` asks
        // for `first..first + 4` with `first + 4 <= fours <= len`, and for `fours..len`.
        unsafe impl Integer for $int {
            type Atomic = $atomic;
            type Sum = $sum;

            #[inline(always)]
            fn fetch(atomic: &$atomic, operation: Operation, value: Self, order: Ordering) -> Self {
                match operation {
                    Operation::Add => atomic.fetch_add(value, order),
                    Operation::Sub => atomic.fetch_sub(value, order),
                    Operation::And => atomic.fetch_and(value, order),
                    Operation::Or => atomic.fetch_or(value, order),
                    Operation::Xor => atomic.fetch_xor(value, order),
                    Operation::Min => atomic.fetch_min(value, order),
                    Operation::Max => atomic.fetch_max(value, order),
                }
            }

            #[inline]
            fn add_up(len: usize, value: impl Fn(usize) -> Self) -> $sum {
                // Four sums, as each addition waits for the one before it.
                let mut sums: [$sum; 4] = [0; 4];
                let fours = len / 4 * 4;
                for first in (0..fours).step_by(4) {
                    for (index, sum) in (first..).zip(&mut sums) {
                        *sum = sum.wrapping_add(value(index).into());
                    }
                }
                let rest = (fours..len).map(|index| value(index).into());
                rest.chain(sums).fold(0, <$sum>::wrapping_add)
            }
        }

        const _: () = {
            assert!(size_of::<$int>() == size_of::<$atomic>());
            assert!(align_of::<$int>() == align_of::<$atomic>());
        };
    )*};
}

integers! {
    u8: u8, AtomicU8, u64;
    u16: u16, AtomicU16, u64;
    u32: u32, AtomicU32, u64;
    u64: u64, AtomicU64, u64;
    i8: u8, AtomicI8, i64;
    i16: u16, AtomicI16, i64;
    i32: u32, AtomicI32, i64;
    i64: u64, AtomicI64, i64;
}

// SAFETY: the unsigned integer of the same width.
unsafe impl Scalar for f32 {
    type Bits = u32;

    #[inline(always)]
    fn to_bits(self) -> u32 {
        f32::to_bits(self)
    }

    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        f32::from_bits(bits)
    }
}

// SAFETY: the unsigned integer of the same width.
unsafe impl Scalar for f64 {
    type Bits = u64;

    #[inline(always)]
    fn to_bits(self) -> u64 {
        f64::to_bits(self)
    }

    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}

// SAFETY: a bool is a byte.
unsafe impl Scalar for bool {
    type Bits = u8;

    #[inline(always)]
    fn to_bits(self) -> u8 {
        self.into()
    }

    #[inline(always)]
    fn from_bits(bits: u8) -> Self {
        bits != 0
    }

    #[inline(always)]
    fn is_bits(self, bits: u8) -> bool {
        self == (bits != 0)
    }
}

pub(super) mod sealed {
    /// `Field` accesses a scalar through its bits, so nobody else may say what those are. They have its size and alignment.
    pub trait Sealed {}

    macro_rules! sealed {
        ($($scalar:ty),*) => {$(
            impl Sealed for $scalar {}

            const _: () = {
                assert!(size_of::<$scalar>() == size_of::<<$scalar as super::Scalar>::Bits>());
                assert!(align_of::<$scalar>() == align_of::<<$scalar as super::Scalar>::Bits>());
            };
        )*};
    }

    sealed!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool);
}
