//! A run of values: those of a map, or the elements of an array inside one.
#![allow(unsafe_code)]

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::ops::{Bound, Range, RangeBounds};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use super::{Field, Integer, MapValue, Scalar};
use crate::memory::{Access, ReadWrite, WIDE, Wide};

/// Values of type `T` in a row, in shared memory, for `'m`: all entries of an array, some of them
/// ([`Array::range`](crate::Array::range)), or the elements of an array inside a value ([`Field::slice`]). A pointer and a
/// length; copied freely.
///
/// The values of a map are `PADDED`: they start at multiples of 8 bytes. Elements of an array inside a value are not.
///
/// Every method that copies does so as by one relaxed access a scalar, in rising order: each scalar is whole, the run is not
/// a moment's picture.
///
/// # Speed
///
/// On x86-64 runs are copied by the widest moves that the vendors promise to tear no scalar: 16 bytes where the processor has AVX, else
/// 8. That is about the speed of `memcpy`, whatever the scalars are. It holds for types of which any bytes are a value, when reading,
/// and for types without padding, when writing: scalars but `bool`, [`Checked`](crate::Checked), arrays and derived structs of these,
/// [`Zerocopy`](crate::Zerocopy) and `Bytemuck`. Where values of a map have a gap behind them, as their size is no multiple of 8, those of
/// more than 8 bytes are read by 8 bytes or more, all others and all that is written by an access a scalar. A type with a `bool` in it is read, and any type elsewhere is copied, by an access a scalar.
pub struct Slice<'m, T, A, const PADDED: bool = true> {
    first: NonNull<u8>,
    len: usize,
    of: PhantomData<Field<'m, T, A>>,
}

impl<T, A, const PADDED: bool> Clone for Slice<'_, T, A, PADDED> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, A, const PADDED: bool> Copy for Slice<'_, T, A, PADDED> {}

// SAFETY: a Slice is `len` Fields, which are Send.
unsafe impl<T, A, const PADDED: bool> Send for Slice<'_, T, A, PADDED> {}
// SAFETY: a Slice is `len` Fields, which are Sync.
unsafe impl<T, A, const PADDED: bool> Sync for Slice<'_, T, A, PADDED> {}

impl<'m, T: MapValue, A: Access, const PADDED: bool> Slice<'m, T, A, PADDED> {
    /// How far apart the values are: those of a map by their size rounded up to 8 bytes, elements of an array by their size.
    const STRIDE: usize = if PADDED { size_of::<T>().next_multiple_of(8) } else { size_of::<T>() };

    /// # Safety
    ///
    /// For each of `len` addresses, [`Slice::STRIDE`] bytes apart from `first` on, the contract of [`Field::new`] holds for
    /// `'m`. If `PADDED`, they are multiples of 8, and all of a stride is readable and accessed only atomically, the gap too.
    #[inline(always)]
    pub(crate) unsafe fn new(first: NonNull<u8>, len: usize) -> Self {
        Slice { first, len, of: PhantomData }
    }

    /// The value at `index`.
    ///
    /// # Safety
    ///
    /// `index < len`
    #[inline(always)]
    unsafe fn field_unchecked(self, index: usize) -> Field<'m, T, A> {
        // SAFETY: `index < len`, so the address is one of those in the contract of `new`, inside one mapping or allocation;
        // the product cannot overflow because the whole run lies in the address space.
        let at = unsafe { self.first.add(index * Self::STRIDE) };
        // SAFETY: the contract of `new`.
        unsafe { Field::new(at.cast()) }
    }

    #[inline(always)]
    fn checked(self, index: usize) -> Option<Field<'m, T, A>> {
        // SAFETY: compared first.
        (index < self.len).then(|| unsafe { self.field_unchecked(index) })
    }

    /// Returns a pointer to the whole value `index`. Generic code finds the operations of a scalar there, where
    /// [`at`](Slice::at) gives a view whose type it does not know.
    ///
    /// ```
    /// use bpfvar::{Array, Integer};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// fn count<T: Integer>(counters: &Array<T>, index: usize, by: T) {
    ///     counters.field(index).fetch_add(by, Relaxed);
    /// }
    /// # count(&Array::<u32>::in_process(2), 1, 5);
    /// ```
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline(always)]
    #[track_caller]
    pub fn field(self, index: usize) -> Field<'m, T, A> {
        match self.checked(index) {
            Some(field) => field,
            None => out_of_bounds(index, self.len),
        }
    }

    /// Returns the number of values.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Returns whether there are no values.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Returns the view of value `index`: nothing is copied.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline(always)]
    #[track_caller]
    pub fn at(self, index: usize) -> T::View<'m, A> {
        T::view(self.field(index))
    }

    /// Returns the view of value `index`, if there is one.
    #[inline(always)]
    pub fn get(self, index: usize) -> Option<T::View<'m, A>> {
        self.checked(index).map(T::view)
    }

    /// Returns the views of all values, in order.
    #[inline]
    pub fn iter(self) -> Iter<'m, T, A, PADDED> {
        Iter { slice: self, left: 0..self.len }
    }

    /// Returns some of the values.
    ///
    /// # Panics
    ///
    /// If the range ends after the last value or before it starts.
    #[inline]
    #[track_caller]
    pub fn range(self, range: impl RangeBounds<usize>) -> Self {
        let Range { start, end } = resolve(&range, self.len);
        if start > end || end > self.len {
            bad_range(start, end, self.len);
        }
        // SAFETY: `start <= len`, so this is inside the run or right behind it.
        let first = unsafe { self.first.add(start * Self::STRIDE) };
        // SAFETY: a part of the addresses in the contract of `new`.
        unsafe { Slice::new(first, end - start) }
    }

    /// Copies value `index` out.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline]
    #[track_caller]
    pub fn read(self, index: usize) -> T {
        self.field(index).read()
    }

    /// Copies all values out. Allocates once. A value passes through the stack; where values are large, [`Slice::copy_to`] is
    /// the better way, which fills them in place.
    #[inline]
    pub fn snapshot(self) -> Vec<T> {
        let Some(wide) = Self::WIDE_READ else { return self.fields().map(Field::read).collect() };
        let mut values = Vec::with_capacity(self.len);
        // SAFETY: the vector has room for `len` values, which is its own.
        unsafe { self.load(wide, values.as_mut_ptr()) };
        // SAFETY: `len` values were written.
        unsafe { values.set_len(self.len) };
        values
    }

    /// Copies all values out into `values`.
    ///
    /// # Panics
    ///
    /// If `values` has another length.
    #[inline]
    #[track_caller]
    pub fn copy_to(self, values: &mut [T]) {
        if values.len() != self.len {
            other_length(values.len(), self.len);
        }
        match Self::WIDE_READ {
            // SAFETY: as long as the run, and exclusively borrowed.
            Some(wide) => unsafe { self.load(wide, values.as_mut_ptr()) },
            None => {
                for (field, value) in self.fields().zip(values) {
                    T::read_into(field, value);
                }
            }
        }
    }

    /// How values are read by their bytes, where any bytes are one and where that is faster than scalar by scalar: not where each
    /// is one word beside a gap.
    const WIDE_READ: Option<Wide> = match WIDE {
        Some(wide) if T::PLAIN.any_bytes() && (Self::STRIDE == size_of::<T>() || size_of::<T>() > 8) => Some(wide),
        _ => None,
    };

    /// Copies all values out by their bytes.
    ///
    /// # Safety
    ///
    /// Any bytes are a `T`. `len` values from `to` on may be written, and nobody else accesses them.
    #[inline]
    unsafe fn load(self, wide: Wide, to: *mut T) {
        let (from, to) = (self.first.as_ptr().cast_const(), to.cast::<u8>());
        if Self::STRIDE == size_of::<T>() {
            // SAFETY: the values, one behind the other, are readable and accessed only atomically (see `new`). `to` is the
            // caller's.
            return unsafe { wide.load(from, to, self.len * size_of::<T>()) };
        }
        if size_of::<T>() == 12 {
            // SAFETY: PADDED, so values start at multiples of 8, 16 bytes apart, and the gaps are readable, too (see `new`). `to` is
            // the caller's.
            return unsafe { wide.load_twelves(from, to, self.len) };
        }
        for index in 0..self.len {
            // SAFETY: `index < len`.
            let from = unsafe { self.field_unchecked(index) }.address();
            // SAFETY: `index < len`, so inside.
            let to = unsafe { to.add(index * size_of::<T>()) };
            // SAFETY: the value is readable and accessed only atomically (see `new`). `to` is the caller's.
            unsafe { wide.load_one(from.as_ptr().cast(), to, size_of::<T>()) };
        }
    }

    /// Adds up a scalar of every value: `stats.sum(|value| value.packets)`. The sum is a `u64` or `i64` and wraps around.
    #[inline]
    pub fn sum<I: Integer>(self, scalar: impl Fn(T::View<'m, A>) -> Field<'m, I, A>) -> I::Sum {
        // SAFETY: `add_up` asks for what is below len, says the contract of `Integer`.
        I::add_up(self.len, |index| scalar(T::view(unsafe { self.field_unchecked(index) })).read())
    }

    /// Loads a scalar of every value: `stats.load_each(|value| value.packets)`. Allocates once.
    #[inline]
    pub fn load_each<S: Scalar>(self, scalar: impl Fn(T::View<'m, A>) -> Field<'m, S, A>) -> Vec<S> {
        self.fields().map(|field| scalar(T::view(field)).load(Relaxed)).collect()
    }

    /// Loads a scalar of every value into `scalars`: in fewer steps than by [`iter`](Slice::iter) and `zip`, which looks at the
    /// ends of both in each.
    ///
    /// # Panics
    ///
    /// If `scalars` has another length.
    #[inline]
    #[track_caller]
    pub fn load_each_to<S: Scalar>(self, scalars: &mut [S], scalar: impl Fn(T::View<'m, A>) -> Field<'m, S, A>) {
        if scalars.len() != self.len {
            other_length(scalars.len(), self.len);
        }
        for (index, to) in scalars.iter_mut().enumerate() {
            // SAFETY: `scalars` has `len` places.
            let field = unsafe { self.field_unchecked(index) };
            *to = scalar(T::view(field)).load(Relaxed);
        }
    }

    #[inline(always)]
    fn fields(self) -> impl ExactSizeIterator<Item = Field<'m, T, A>> {
        // SAFETY: below len.
        (0..self.len).map(move |index| unsafe { self.field_unchecked(index) })
    }
}

impl<T: MapValue, const PADDED: bool> Slice<'_, T, ReadWrite, PADDED> {
    /// Copies `value` into value `index`.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline]
    #[track_caller]
    pub fn write(self, index: usize, value: T) {
        self.field(index).write(value);
    }

    /// Copies `values` in.
    ///
    /// # Panics
    ///
    /// If `values` has another length.
    #[inline]
    #[track_caller]
    pub fn copy_from(self, values: &[T]) {
        if values.len() != self.len {
            other_length(values.len(), self.len);
        }
        if let Some(wide) = WIDE.filter(|_| T::PLAIN.no_padding() && Self::STRIDE == size_of::<T>()) {
            let (from, to) = (values.as_ptr().cast(), self.first.as_ptr());
            // SAFETY: without padding all bytes of the values are initialised. As many, one behind the other, are writable and
            // accessed only atomically (see `new`).
            return unsafe { wide.store(from, to, size_of_val(values)) };
        }
        for (field, value) in self.fields().zip(values) {
            field.write_from(value);
        }
    }

    /// Copies `value` into every one.
    #[inline]
    pub fn fill(self, value: T) {
        for field in self.fields() {
            field.write_from(&value);
        }
    }
}

impl<'m, T: MapValue, A: Access, const PADDED: bool> IntoIterator for Slice<'m, T, A, PADDED> {
    type Item = T::View<'m, A>;
    type IntoIter = Iter<'m, T, A, PADDED>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Prints the values that are there now.
impl<T: MapValue, A: Access, const PADDED: bool> fmt::Debug for Slice<'_, T, A, PADDED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Iterator over the views of a [`Slice`].
pub struct Iter<'m, T, A, const PADDED: bool = true> {
    slice: Slice<'m, T, A, PADDED>,
    /// Always inside `0..slice.len`.
    left: Range<usize>,
}

impl<'m, T: MapValue, A: Access, const PADDED: bool> Iter<'m, T, A, PADDED> {
    #[inline(always)]
    fn view(&self, index: usize) -> T::View<'m, A> {
        // SAFETY: `index` came out of `left`.
        T::view(unsafe { self.slice.field_unchecked(index) })
    }
}

impl<'m, T: MapValue, A: Access, const PADDED: bool> Iterator for Iter<'m, T, A, PADDED> {
    type Item = T::View<'m, A>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left.next().map(|index| self.view(index))
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.left.nth(n).map(|index| self.view(index))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl<T: MapValue, A: Access, const PADDED: bool> DoubleEndedIterator for Iter<'_, T, A, PADDED> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left.next_back().map(|index| self.view(index))
    }
}

impl<T: MapValue, A: Access, const PADDED: bool> ExactSizeIterator for Iter<'_, T, A, PADDED> {}

impl<T: MapValue, A: Access, const PADDED: bool> FusedIterator for Iter<'_, T, A, PADDED> {}

impl<T, A, const PADDED: bool> Clone for Iter<'_, T, A, PADDED> {
    fn clone(&self) -> Self {
        Iter { slice: self.slice, left: self.left.clone() }
    }
}

impl<T: MapValue, A: Access, const PADDED: bool> fmt::Debug for Iter<'_, T, A, PADDED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

fn resolve(range: &impl RangeBounds<usize>, len: usize) -> Range<usize> {
    // A bound of usize::MAX, excluded at the start or included at the end, lies behind any run; so does usize::MAX itself.
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    start..end
}

#[cold]
#[inline(never)]
#[track_caller]
fn out_of_bounds(index: usize, len: usize) -> ! {
    panic!("index {index} is out of bounds: there are {len} values")
}

#[cold]
#[inline(never)]
#[track_caller]
fn bad_range(start: usize, end: usize, len: usize) -> ! {
    panic!("range {start}..{end} is out of bounds: there are {len} values")
}

#[cold]
#[inline(never)]
#[track_caller]
fn other_length(found: usize, len: usize) -> ! {
    panic!("a slice of {found} values was given, but there are {len}")
}
