//! Other people's types: read and written whole, through zerocopy's or bytemuck's traits.
#![allow(unsafe_code)]

use std::fmt;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Field, Layout, MapValue, Plain};
use crate::memory::{Access, ReadWrite, each_word, with_word};

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
/// Where there are no [bulk copies](crate::Slice#speed), it is also the better way to bytes: a `[u8; 256]` is 256 loads of a byte, a
/// `Zerocopy<[u8; 256]>` is 32 loads of a word.
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
        // SAFETY: these bytes are accessed by this file's functions only. A field of a `Zerocopy<T>` offers `read`, `write` and
        // the parts here; a pointer into `Zerocopy.0` takes the unsafe `Field::project`, which only the derive calls, for the
        // structs that it stands on; and it cannot stand on this one.
        unsafe { load_bytes(field, value.as_mut_bytes()) };
        Zerocopy(value)
    }

    #[inline]
    fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
        // SAFETY: as in `read_from`.
        unsafe { load_bytes(field, value.0.as_mut_bytes()) };
    }

    #[inline]
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        // SAFETY: as in `read_from`.
        unsafe { store_bytes(field, value.0.as_bytes()) };
    }

    // SAFETY: any bytes are a `T: FromBytes`, and a `T: IntoBytes` has no padding. It is `repr(transparent)`.
    const PLAIN: Plain<Self> = unsafe { Plain::words() };

    fn layout() -> Layout {
        Layout::words::<Self>()
    }
}

impl<T: FromBytes + IntoBytes + Immutable + 'static, A: Access> Field<'_, Zerocopy<T>, A> {
    /// Copies one member out: the bytes of an `F` at this offset. `F` is the type of the member, such as `u16`; nothing checks
    /// that it is.
    ///
    /// ```
    /// use bpfvar::{Array, Zerocopy};
    /// use std::mem::offset_of;
    ///
    /// #[derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable)]
    /// #[repr(C)]
    /// struct Rule { from: u16, to: u16, action: u32 }
    ///
    /// let rules = Array::<Zerocopy<Rule>>::in_process(8);
    /// rules.at(2).write_at(offset_of!(Rule, to), 8080_u16);
    /// assert_eq!(rules.at(2).read_at::<u16>(offset_of!(Rule, to)), 8080);
    /// ```
    ///
    /// # Panics
    ///
    /// If the bytes do not lie inside the value.
    #[track_caller]
    pub fn read_at<F: FromBytes + IntoBytes>(self, offset: usize) -> F {
        let mut value = F::new_zeroed();
        // SAFETY: these bytes are accessed by this file's functions only (see `Zerocopy::read_from`).
        unsafe { load_part(self, offset, value.as_mut_bytes()) };
        value
    }
}

impl<T: FromBytes + IntoBytes + Immutable + 'static> Field<'_, Zerocopy<T>, ReadWrite> {
    /// Copies one member in: the bytes of an `F` at this offset. The rest of the words that hold them keeps what others store
    /// meanwhile, by a compare-and-swap a word. See [`read_at`](Field::read_at).
    ///
    /// # Panics
    ///
    /// If the bytes do not lie inside the value.
    #[track_caller]
    pub fn write_at<F: IntoBytes + Immutable>(self, offset: usize, value: F) {
        // SAFETY: these bytes are accessed by this file's functions only (see `Zerocopy::read_from`).
        unsafe { store_part(self, offset, value.as_bytes()) };
    }
}

/// Prints the bytes that are there now.
impl<T: FromBytes + IntoBytes + Immutable + 'static, A: Access> fmt::Debug for Field<'_, Zerocopy<T>, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().0.as_bytes().fmt(f)
    }
}

/// A value whose type is `bytemuck::Pod`: read and written whole, without the derive of this crate. Feature `bytemuck`. Its
/// bytes are copied as those of a [`Zerocopy`]. That any bytes are a value is the promise of the type's `unsafe impl Pod`; a derive
/// of bytemuck makes that promise for what it sees of a struct, before attribute macros change it.
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
        // SAFETY: these bytes are accessed by this file's functions only, as those of a `Zerocopy` are (see there).
        unsafe { load_bytes(field, bytemuck::bytes_of_mut(&mut value)) };
        Bytemuck(value)
    }

    #[inline]
    fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
        // SAFETY: as in `read_from`.
        unsafe { load_bytes(field, bytemuck::bytes_of_mut(&mut value.0)) };
    }

    #[inline]
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        // SAFETY: as in `read_from`.
        unsafe { store_bytes(field, bytemuck::bytes_of(&value.0)) };
    }

    // SAFETY: any bytes are a `T: Pod`, which has no padding. It is `repr(transparent)`.
    const PLAIN: Plain<Self> = unsafe { Plain::words() };

    fn layout() -> Layout {
        Layout::words::<Self>()
    }
}

#[cfg(feature = "bytemuck")]
impl<T: bytemuck::Pod, A: Access> Field<'_, Bytemuck<T>, A> {
    /// Copies one member out: the bytes of an `F` at this offset. See the same of a [`Zerocopy`].
    ///
    /// # Panics
    ///
    /// If the bytes do not lie inside the value.
    #[track_caller]
    pub fn read_at<F: bytemuck::Pod>(self, offset: usize) -> F {
        let mut value = F::zeroed();
        // SAFETY: these bytes are accessed by this file's functions only (see `Zerocopy::read_from`).
        unsafe { load_part(self, offset, bytemuck::bytes_of_mut(&mut value)) };
        value
    }
}

#[cfg(feature = "bytemuck")]
impl<T: bytemuck::Pod> Field<'_, Bytemuck<T>, ReadWrite> {
    /// Copies one member in: the bytes of an `F` at this offset. See the same of a [`Zerocopy`].
    ///
    /// # Panics
    ///
    /// If the bytes do not lie inside the value.
    #[track_caller]
    pub fn write_at<F: bytemuck::Pod>(self, offset: usize, value: F) {
        // SAFETY: these bytes are accessed by this file's functions only (see `Zerocopy::read_from`).
        unsafe { store_part(self, offset, bytemuck::bytes_of(&value)) };
    }
}

/// Prints the bytes that are there now.
#[cfg(feature = "bytemuck")]
impl<T: bytemuck::Pod, A: Access> fmt::Debug for Field<'_, Bytemuck<T>, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bytemuck::bytes_of(&self.read().0).fmt(f)
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
/// The bytes of this `T` are accessed by the functions of this file only.
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
        with_word!(width, Word => {
            // SAFETY: inside T and aligned for the word, says `each_word`. The words are the same at each access, for the
            // value's place and size decide them, and nobody else accesses these bytes.
            let word = unsafe { field.word::<Word>(offset) };
            to.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        });
    });
}

/// Copies all bytes of the value in, word by word.
///
/// # Safety
///
/// The bytes of this `T` are accessed by the functions of this file only.
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
        with_word!(width, Word => {
            let mut word = [0; size_of::<Word>()];
            word.copy_from_slice(from);
            // SAFETY: as in `load_words`.
            let to = unsafe { field.word::<Word>(offset) };
            to.store(Word::from_ne_bytes(word), Relaxed);
        });
    });
}

/// Copies the bytes from `start` on out, by the words that hold them.
///
/// # Panics
///
/// If they do not lie inside the value.
///
/// # Safety
///
/// The bytes of this `T` are accessed by the functions of this file only.
unsafe fn load_part<T: MapValue, A: Access>(field: Field<'_, T, A>, start: usize, bytes: &mut [u8]) {
    let part = check_part(start, bytes.len(), size_of::<T>());
    each_word(field.place(), size_of::<T>(), |offset, width| {
        let Some(common) = common(&part, offset, width) else { return };
        with_word!(width, Word => {
            // SAFETY: as in `load_words`.
            let word = unsafe { field.word::<Word>(offset) }.load(Relaxed).to_ne_bytes();
            bytes[common.start - start..common.end - start]
                .copy_from_slice(&word[common.start - offset..common.end - offset]);
        });
    });
}

/// Copies the bytes from `start` on in, and leaves the rest of the words that hold them alone, by compare-and-swap.
///
/// # Panics
///
/// If they do not lie inside the value.
///
/// # Safety
///
/// As for [`load_part`].
unsafe fn store_part<T: MapValue>(field: Field<'_, T, ReadWrite>, start: usize, bytes: &[u8]) {
    let part = check_part(start, bytes.len(), size_of::<T>());
    each_word(field.place(), size_of::<T>(), |offset, width| {
        let Some(common) = common(&part, offset, width) else { return };
        with_word!(width, Word => {
            // SAFETY: as in `load_words`.
            let word = unsafe { field.word::<Word>(offset) };
            let change = |seen: Word| {
                let mut new = seen.to_ne_bytes();
                new[common.start - offset..common.end - offset]
                    .copy_from_slice(&bytes[common.start - start..common.end - start]);
                Some(Word::from_ne_bytes(new))
            };
            // It is never refused: `change` always has a new word.
            let _ = word.fetch_update(Relaxed, Relaxed, change);
        });
    });
}

#[track_caller]
fn check_part(start: usize, len: usize, size: usize) -> Range<usize> {
    match start.checked_add(len) {
        Some(end) if end <= size => start..end,
        _ => panic!("{len} bytes at offset {start} do not lie inside a value of {size} bytes"),
    }
}

/// The bytes that a part and a word have in common, if there are any.
fn common(part: &Range<usize>, offset: usize, width: usize) -> Option<Range<usize>> {
    let common = part.start.max(offset)..part.end.min(offset + width);
    (!common.is_empty()).then_some(common)
}
