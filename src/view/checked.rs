//! Scalars that stand for a value of another type, or for none: C's enums, flags, newtypes.
#![allow(unsafe_code)]

use std::any::type_name;
use std::fmt::{self, Debug};
use std::sync::atomic::Ordering::Relaxed;

use super::layout::Layout;
use super::scalar::sealed::Sealed;
use super::{Field, MapValue, Plain, Scalar};
use crate::memory::{Access, ReadWrite};

/// A type for some or all of whose values a scalar stands: an enum, a set of flags, a newtype.
///
/// `#[derive(Repr)]` implements it for enums without fields and with a `#[repr(u32)]` or the like, and for
/// `#[repr(transparent)]` structs around a scalar. For other types it takes four lines:
///
/// ```
/// use bpfvar::Repr;
///
/// bitflags::bitflags! {
///     #[derive(Clone, Copy, Debug, PartialEq)]
///     struct Flags: u32 { const DROP = 1; const LOG = 2; }
/// }
///
/// impl Repr for Flags {
///     type Scalar = u32;
///     fn to_scalar(self) -> u32 { self.bits() }
///     fn from_scalar(bits: u32) -> Option<Flags> { Flags::from_bits(bits) }
/// }
/// assert_eq!(Flags::from_scalar(3), Some(Flags::DROP | Flags::LOG));
/// assert_eq!(Flags::from_scalar(4), None);
/// ```
///
/// The trait is safe: an implementation converts values and touches no memory. Use such a type in shared memory as
/// [`Checked<T>`](Checked).
pub trait Repr: Copy + Debug + PartialEq + 'static {
    /// What it is in memory: an integer for an enum or flags.
    type Scalar: Scalar;

    /// Returns the scalar that stands for the value.
    fn to_scalar(self) -> Self::Scalar;

    /// Returns the value that the scalar stands for, if it stands for one.
    fn from_scalar(scalar: Self::Scalar) -> Option<Self>;
}

/// A scalar in shared memory that should stand for a `T`, and may not: a BPF program can store any number into a C enum.
///
/// It is itself a [`Scalar`]: a field of a derived struct, a `Shared<Checked<Mode>>`, loaded and stored whole. A number that
/// stands for no `T` is kept as it is; [`Checked::get`] returns it as the error. `Debug` prints the value, or the number and that
/// it is unknown. Against BTF it is what its scalar is: an enum of its size, or an integer.
///
/// # Examples
///
/// ```
/// use bpfvar::{Array, Checked, MapValue, Repr};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// #[derive(Repr, Clone, Copy, Debug, PartialEq)]
/// #[repr(u32)]
/// enum Mode { Slow, Fast, Off = 7 }
///
/// #[derive(MapValue, Clone, Copy, Debug)]
/// #[repr(C)]
/// struct Config { rate: u64, mode: Checked<Mode>, burst: u32 }
///
/// let configs = Array::<Config>::in_process(1);
/// let mode = configs.at(0).mode;
/// mode.store(Mode::Off.into(), Relaxed);
/// assert_eq!(mode.load(Relaxed).get(), Ok(Mode::Off));
/// mode.store(Checked::from_scalar(99), Relaxed); // as a program might
/// assert_eq!(mode.load(Relaxed).get(), Err(99));
/// assert_eq!(format!("{:?}", mode.load(Relaxed)), "99 (unknown)");
/// ```
#[repr(transparent)]
pub struct Checked<T: Repr>(T::Scalar);

impl<T: Repr> Checked<T> {
    /// Returns the value, or the scalar that stands for none.
    ///
    /// # Errors
    ///
    /// The scalar.
    #[inline]
    pub fn get(self) -> Result<T, T::Scalar> {
        T::from_scalar(self.0).ok_or(self.0)
    }

    /// Returns the scalar as it is in memory.
    #[inline]
    pub fn scalar(self) -> T::Scalar {
        self.0
    }

    /// Makes one of any scalar.
    #[inline]
    pub fn from_scalar(scalar: T::Scalar) -> Self {
        Checked(scalar)
    }
}

impl<T: Repr> From<T> for Checked<T> {
    #[inline]
    fn from(value: T) -> Self {
        Checked(value.to_scalar())
    }
}

impl<T: Repr> Clone for Checked<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Repr> Copy for Checked<T> {}

impl<T: Repr> PartialEq for Checked<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Repr> PartialEq<T> for Checked<T> {
    #[inline]
    fn eq(&self, other: &T) -> bool {
        T::from_scalar(self.0) == Some(*other)
    }
}

impl<T: Repr> Debug for Checked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Ok(value) => value.fmt(f),
            Err(scalar) => write!(f, "{scalar:?} (unknown)"),
        }
    }
}

impl<T: Repr> Sealed for Checked<T> {}

// SAFETY: it is `repr(transparent)`, so of the size and alignment of its scalar, whose bits and layout it has.
unsafe impl<T: Repr> Scalar for Checked<T> {
    type Bits = <T::Scalar as Scalar>::Bits;

    #[inline(always)]
    fn to_bits(self) -> Self::Bits {
        self.0.to_bits()
    }

    #[inline(always)]
    fn from_bits(bits: Self::Bits) -> Self {
        Checked(T::Scalar::from_bits(bits))
    }

    #[inline]
    fn is_bits(self, bits: Self::Bits) -> bool {
        self.0.is_bits(bits)
    }
}

impl<T: Repr> MapValue for Checked<T> {
    type View<'m, A: Access> = Field<'m, Checked<T>, A>;

    #[inline]
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
        field
    }

    #[inline]
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
        field.load(Relaxed)
    }

    #[inline]
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        field.store(*value, Relaxed);
    }

    // SAFETY: it is `repr(transparent)`, and made of any scalar.
    const PLAIN: Plain<Self> = unsafe { Plain::same_as::<T::Scalar>() };

    fn layout() -> Layout {
        let name = type_name::<T>();
        Layout::newtype_of::<Self, T::Scalar>(name.rsplit("::").next().unwrap_or(name))
    }
}
