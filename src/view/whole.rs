//! Other people's types: read and written whole, through zerocopy's or bytemuck's traits.
#![allow(unsafe_code)]

use std::fmt;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Field, Layout, MapValue};
use crate::memory::{Access, ReadWrite};

/// A value whose type has zerocopy's traits `FromBytes`, `IntoBytes` and `Immutable`: read and written whole, without the
/// derive of this crate.
///
/// ```
/// use bpfvar::{Array, Zerocopy};
/// use zerocopy::{FromBytes, Immutable, IntoBytes};
///
/// #[derive(FromBytes, IntoBytes, Immutable, Debug, PartialEq)]
/// #[repr(C)]
/// struct Mac([u8; 6]);
///
/// let macs = Array::<Zerocopy<Mac>>::in_process(8);
/// macs.at(2).write(Zerocopy(Mac([2, 0, 0, 0, 0, 1])));
/// assert_eq!(macs.at(2).read().0, Mac([2, 0, 0, 0, 0, 1]));
/// ```
///
/// Also the better way to bytes: a `[u8; 256]` is 256 loads of a byte, a `Zerocopy<[u8; 256]>` is 32 loads of a word.
///
/// # Access width
///
/// The bytes are copied in relaxed words, in rising order. A word is the widest of 8, 4, 2 and 1 bytes that its offset in
/// the map is a multiple of and that does not reach behind the value. So every scalar of up to 8 bytes that the type aligns
/// as C does is inside one word and never torn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Zerocopy<T>(
    /// The value.
    pub T,
);

impl<T: FromBytes + IntoBytes + Immutable + 'static> MapValue for Zerocopy<T> {
    type View<'m, A: Access> = Field<'m, Zerocopy<T>, A>;

    #[inline]
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
        field
    }

    #[inline]
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
        let mut value = T::new_zeroed();
        // SAFETY: these bytes are accessed here and in `write_to` only.
        unsafe { load_bytes(field, value.as_mut_bytes()) };
        Zerocopy(value)
    }

    #[inline]
    fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
        // SAFETY: these bytes are accessed here, in `read_from` and in `write_to` only.
        unsafe { load_bytes(field, value.0.as_mut_bytes()) };
    }

    #[inline]
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        // SAFETY: these bytes are accessed here and in `read_from` only.
        unsafe { store_bytes(field, value.0.as_bytes()) };
    }

    fn layout() -> Layout {
        Layout::words::<Self>()
    }
}

/// Prints the bytes that are there now.
impl<T: FromBytes + IntoBytes + Immutable + 'static, A: Access> fmt::Debug for Field<'_, Zerocopy<T>, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().0.as_bytes().fmt(f)
    }
}

/// A value whose type is `bytemuck::Pod`: read and written whole, without the derive of this crate. Feature `bytemuck`. Its
/// bytes are copied as those of a [`Zerocopy`].
///
/// ```
/// use bpfvar::{Array, Bytemuck};
///
/// #[derive(bytemuck::Pod, bytemuck::Zeroable, Clone, Copy, Debug, PartialEq)]
/// #[repr(C)]
/// struct Rule { from: u16, to: u16, action: u32 }
///
/// let rules = Array::<Bytemuck<Rule>>::in_process(8);
/// rules.at(2).write(Bytemuck(Rule { from: 80, to: 8080, action: 1 }));
/// assert_eq!(rules.at(2).read().0.to, 8080);
/// ```
#[cfg(feature = "bytemuck")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Bytemuck<T>(
    /// The value.
    pub T,
);

#[cfg(feature = "bytemuck")]
impl<T: bytemuck::Pod> MapValue for Bytemuck<T> {
    type View<'m, A: Access> = Field<'m, Bytemuck<T>, A>;

    #[inline]
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
        field
    }

    #[inline]
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
        let mut value = T::zeroed();
        // SAFETY: these bytes are accessed here and in `write_to` only.
        unsafe { load_bytes(field, bytemuck::bytes_of_mut(&mut value)) };
        Bytemuck(value)
    }

    #[inline]
    fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
        // SAFETY: these bytes are accessed here, in `read_from` and in `write_to` only.
        unsafe { load_bytes(field, bytemuck::bytes_of_mut(&mut value.0)) };
    }

    #[inline]
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        // SAFETY: these bytes are accessed here and in `read_from` only.
        unsafe { store_bytes(field, bytemuck::bytes_of(&value.0)) };
    }

    fn layout() -> Layout {
        Layout::words::<Self>()
    }
}

/// Prints the bytes that are there now.
#[cfg(feature = "bytemuck")]
impl<T: bytemuck::Pod, A: Access> fmt::Debug for Field<'_, Bytemuck<T>, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bytemuck::bytes_of(&self.read().0).fmt(f)
    }
}

/// Calls `access` with offset and width of every word that a value of `len` bytes is accessed in. `place` is an address of
/// which only the lowest three bits count.
#[inline(always)]
pub(super) fn each_word(place: usize, len: usize, mut access: impl FnMut(usize, usize)) {
    // Narrow words up to where 8 bytes are aligned and from where they no longer fit. Those between are a loop of their own,
    // which is unrolled.
    let head = (place.wrapping_neg() % 8).min(len);
    let tail = len - (len - head) % 8;
    narrow_words(place, 0..head, &mut access);
    for offset in (head..tail).step_by(8) {
        access(offset, 8);
    }
    narrow_words(place, tail..len, &mut access);
}

#[inline(always)]
fn narrow_words(place: usize, bytes: Range<usize>, access: &mut impl FnMut(usize, usize)) {
    let mut offset = bytes.start;
    while offset < bytes.end {
        let aligned = 1 << (place + offset).trailing_zeros().min(2);
        let fits = 1 << (bytes.end - offset).ilog2().min(2);
        let width = aligned.min(fits);
        access(offset, width);
        offset += width;
    }
}

/// Runs `$copy` with the place of `$field`'s first byte: as a constant where it is 8-aligned, as all values of a map are, so
/// that the loop over words unrolls to one access a word.
macro_rules! with_place {
    ($field:expr, |$place:ident| $copy:expr) => {
        match $field.place() {
            0 => {
                let $place = 0;
                $copy
            }
            $place => $copy,
        }
    };
}

/// Copies all bytes of the value out, word by word.
///
/// # Safety
///
/// The bytes of this `T` are accessed by this function and [`store_bytes`] only.
#[inline]
unsafe fn load_bytes<T: MapValue, A: Access>(field: Field<'_, T, A>, bytes: &mut [u8]) {
    assert!(bytes.len() == size_of::<T>());
    // SAFETY: the caller's promise.
    with_place!(field, |place| unsafe { load_words(field, bytes, place) });
}

/// # Safety
///
/// As for [`load_bytes`]; `bytes` is as long as the value, and `place` is its address modulo 8.
#[inline(always)]
unsafe fn load_words<T: MapValue, A: Access>(field: Field<'_, T, A>, bytes: &mut [u8], place: usize) {
    each_word(place, bytes.len(), |offset, width| {
        let to = &mut bytes[offset..offset + width];
        macro_rules! load {
            ($word:ty) => {{
                // SAFETY: inside T and aligned for the word, says `each_word`. The words are the same at each access, for the
                // value's place and size decide them, and nobody else accesses these bytes.
                let word = unsafe { field.word::<$word>(offset) };
                to.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
            }};
        }
        match width {
            8 => load!(u64),
            4 => load!(u32),
            2 => load!(u16),
            _ => load!(u8),
        }
    });
}

/// Copies all bytes of the value in, word by word.
///
/// # Safety
///
/// The bytes of this `T` are accessed by this function and [`load_bytes`] only.
#[inline]
unsafe fn store_bytes<T: MapValue>(field: Field<'_, T, ReadWrite>, bytes: &[u8]) {
    assert!(bytes.len() == size_of::<T>());
    // SAFETY: the caller's promise.
    with_place!(field, |place| unsafe { store_words(field, bytes, place) });
}

/// # Safety
///
/// As for [`store_bytes`]; `bytes` is as long as the value, and `place` is its address modulo 8.
#[inline(always)]
unsafe fn store_words<T: MapValue>(field: Field<'_, T, ReadWrite>, bytes: &[u8], place: usize) {
    each_word(place, bytes.len(), |offset, width| {
        let from = &bytes[offset..offset + width];
        macro_rules! store {
            ($word:ty) => {{
                let mut word = [0; size_of::<$word>()];
                word.copy_from_slice(from);
                // SAFETY: as in `load_words`.
                let to = unsafe { field.word::<$word>(offset) };
                to.store(<$word>::from_ne_bytes(word), Relaxed);
            }};
        }
        match width {
            8 => store!(u64),
            4 => store!(u32),
            2 => store!(u16),
            _ => store!(u8),
        }
    });
}
