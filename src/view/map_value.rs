//! The trait of everything that can be a value of a map.
#![allow(unsafe_code)]

use std::fmt::Debug;

use super::layout::{Class, Layout};
use super::{Field, Plain};
use crate::memory::{Access, ReadWrite};

/// A type that a map's values, or a part of them, can have.
///
/// It is implemented for `u8` to `u64`, `i8` to `i64`, `f32`, `f64`, `bool` and arrays of these; by `#[derive(MapValue)]` for
/// `#[repr(C)]` structs of them; by [`Checked`](crate::Checked) for enums and flags; and by [`Zerocopy`](crate::Zerocopy) and
/// `Bytemuck` for other people's types. A value's layout in memory is its layout in Rust, which for `repr(C)` is C's: declare the
/// struct as the BPF program does.
///
/// Implement it through the derive. The trait is safe: an implementation can call only what a [`Field`] offers, and what a
/// `Field` may touch is fixed by its type.
///
/// # The derive
///
/// For `struct Stats` it makes `struct StatsView<'m, A>` with a public field for each field, a [`Field`] or a nested view;
/// `read()`, which copies the whole struct, scalar by scalar; and, where `A` is [`ReadWrite`], `write(value)`. Padding is
/// not written. All of these are pointers: a view that is used in place costs nothing.
///
/// | attribute on the struct | |
/// |---|---|
/// | `#[map_value(view = "Name")]` | names the view |
/// | `#[map_value(crate = "path")]` | where bpfvar is, if it is not `::bpfvar` (renamed in Cargo.toml, or re-exported) |
///
/// Refused, each with its reason: structs without `repr(C)` or `repr(transparent)`, packed ones, alignment above 4096, zero size, enums, unions,
/// references and pointers, `usize`, `isize`, `u128`, `i128`, `char`, lifetimes. Types and constants as parameters are fine.
///
/// # Types made by others
///
/// What bindgen, libbpf-cargo's skeletons and C headers hold, and what to declare for it:
///
/// | in the program's struct | in yours |
/// |---|---|
/// | an integer, `float`, `double`, `bool` (a skeleton's `MaybeUninit<bool>`) | the same scalar: any byte but 0 is `true` |
/// | `enum mode`, flags | `Checked<Mode>` with `#[derive(Repr)]` ([`Checked`](crate::Checked)), or the integer of its size |
/// | a newtype, `#[repr(transparent)] struct Ip(u32)` | the same with this derive |
/// | `char name[16]` (`[c_char; 16]`) | `[u8; 16]`, `[i8; 16]` |
/// | `__int128` | `Zerocopy<u128>`, which is read as two words |
/// | a pointer | `u64` |
/// | a bitfield, a union, a packed struct | a field whose name starts with `_` and that covers it; the parts by name, with [`Var`](crate::Var) |
/// | padding that a generator named, `__pad_4: [u8; 4]` | the same |
/// | `BPFVAR_SEQ(struct stats)`, `BPFVAR_SWITCH(struct config)` of `bpfvar.bpf.h` | [`Seq<Stats>`](crate::Seq), [`Switch<Config>`](crate::Switch) |
/// | a whole foreign struct with `Pod`, or zerocopy's traits | [`Zerocopy<T>`](crate::Zerocopy), `Bytemuck<T>`; a member by `read_at` and `write_at` |
///
/// # Examples
///
/// ```
/// use bpfvar::{Array, MapValue};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
/// #[repr(C)]
/// struct Stats { packets: u64, drops: u32, mode: u32, sizes: [u64; 16] }
///
/// let stats = Array::<Stats>::in_process(4);
/// let third = stats.at(3);
/// third.packets.fetch_add(1, Relaxed);
/// third.sizes.at(5).store(7, Relaxed);
/// assert_eq!(third.read().sizes[5], 7);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a BPF map",
    label = "not a scalar, an array or a struct with `#[derive(MapValue)]`",
    note = "values are `u8` to `u64`, `i8` to `i64`, `f32`, `f64`, `bool`, arrays of these, and `#[repr(C)]` structs with `#[derive(bpfvar::MapValue)]`",
    note = "an enum or flags: `#[derive(bpfvar::Repr)]`, and `bpfvar::Checked<T>` as the field",
    note = "a type with zerocopy's or bytemuck's traits can be read and written whole as `bpfvar::Zerocopy<T>` or `bpfvar::Bytemuck<T>`"
)]
pub trait MapValue: Sized + 'static {
    /// What [`Array::at`](crate::Array::at) gives: a pointer to such a value, or a struct of pointers to its fields.
    type View<'m, A: Access>: Copy + Debug + Send + Sync;

    /// The view of the value at `field`.
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A>;

    /// Copies the value out, each scalar by one relaxed load. The value as a whole may be caught half changed.
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self;

    /// As [`MapValue::read_from`], in place.
    #[inline]
    fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
        *value = Self::read_from(field);
    }

    /// Copies `value` in, each scalar by one relaxed store. Others may see some of them before the rest.
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self);

    /// What is known of the type's bytes. For the derive.
    #[doc(hidden)]
    const PLAIN: Plain<Self> = Plain::unknown();

    /// Returns what the type says of its layout, which is compared with BTF and made into BTF. For the derive.
    #[doc(hidden)]
    fn layout() -> Layout {
        Layout::opaque::<Self>()
    }
}

macro_rules! scalars {
    ($($scalar:ty: $class:ident),*) => {$(
        impl MapValue for $scalar {
            type View<'m, A: Access> = Field<'m, $scalar, A>;

            #[inline]
            fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
                field
            }

            #[inline]
            fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
                field.load(std::sync::atomic::Ordering::Relaxed)
            }

            #[inline]
            fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
                field.store(*value, std::sync::atomic::Ordering::Relaxed);
            }

            // SAFETY: a scalar. Any bytes are a number, and not any byte is a bool.
            const PLAIN: Plain<Self> = unsafe { Plain::scalar(!matches!(Class::$class, Class::Bool)) };

            fn layout() -> Layout {
                Layout::scalar::<$scalar>(stringify!($scalar), Class::$class)
            }
        }
    )*};
}

scalars! {
    u8: Unsigned, u16: Unsigned, u32: Unsigned, u64: Unsigned,
    i8: Signed, i16: Signed, i32: Signed, i64: Signed,
    f32: Float, f64: Float, bool: Bool
}

impl<T: MapValue, const N: usize> MapValue for [T; N] {
    type View<'m, A: Access> = Field<'m, [T; N], A>;

    #[inline]
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
        field
    }

    #[inline]
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
        field.read_plain().unwrap_or_else(|| {
            let elements = field.slice();
            std::array::from_fn(|index| elements.read(index))
        })
    }

    #[inline]
    fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
        field.slice().copy_to(value);
    }

    #[inline]
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        field.slice().copy_from(value);
    }

    const PLAIN: Plain<Self> = Plain::array();

    fn layout() -> Layout {
        Layout::array::<T, N>()
    }
}
