//! A pointer that owns a share of what it points into.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Field, Integer, MapValue, Scalar};
use crate::memory::{Access, ReadOnly, ReadWrite, Region};

/// A value in shared memory, held by a handle that owns a share of the mapping: for structs that live as long as a daemon, for
/// threads and tasks. No lifetime.
///
/// [`Var::bind`](crate::Var::bind) gives one to a variable of a running program, [`Array::share`](crate::Array::share) to an
/// entry of an array, [`Shared::project`] to a part of either. Two words; cloning it counts a reference. The memory stays
/// mapped until the last handle is dropped, in whatever order, whether the program still runs or not.
///
/// | `T` | offers |
/// |---|---|
/// | any | [`view`](Shared::view), which is what [`Array::at`](crate::Array::at) gives; [`read`](Shared::read), [`write`](Shared::write) |
/// | [`Scalar`] | [`load`](Shared::load), [`store`](Shared::store), [`swap`](Shared::swap), [`compare_exchange`](Shared::compare_exchange), [`fetch_update`](Shared::fetch_update) |
/// | [`Integer`] | [`fetch_add`](Shared::fetch_add) and its kin, [`as_atomic`](Shared::as_atomic) |
///
/// An access is that of a [`Field`], which documents memory ordering: one instruction after the pointer is loaded. No reference
/// count is touched, nothing is checked.
///
/// # Examples
///
/// ```
/// use bpfvar::{Array, Shared};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// struct Daemon { packets: Shared<u64> }
///
/// let array = Array::<[u64; 2]>::in_process(4);
/// let daemon = Daemon { packets: array.share(3).project(|value| value.at(1)) };
/// drop(array); // the handle holds the memory
/// std::thread::spawn(move || daemon.packets.fetch_add(1, Relaxed)).join().unwrap();
/// ```
pub struct Shared<T, A = ReadWrite> {
    /// Lives as long as the region, and leaves here only for as long as `self` is borrowed.
    field: Field<'static, T, A>,
    region: Arc<Region>,
}

impl<T, A> Shared<T, A> {
    /// # Safety
    ///
    /// The contract of [`Field::new`] holds for `field` for as long as the region lives.
    pub(crate) unsafe fn new(field: Field<'_, T, A>, region: Arc<Region>) -> Self {
        // SAFETY: the address is that of a field already, and its contract holds while the region lives, says the caller. The
        // region lives as long as the handle, and the field is lent for no longer.
        Shared { field: unsafe { Field::new(field.address()) }, region }
    }

    /// Returns the pointer, for as long as the handle is borrowed. Generic code finds all operations there.
    #[inline(always)]
    pub fn field(&self) -> Field<'_, T, A> {
        self.field
    }
}

impl<T: MapValue, A: Access> Shared<T, A> {
    /// Returns the view: a pointer, or for a derived struct a pointer for each field. Nothing is copied.
    #[inline(always)]
    pub fn view(&self) -> T::View<'_, A> {
        T::view(self.field)
    }

    /// Copies the value out: as by one relaxed load a scalar. Each scalar is whole; the value as a whole may be caught
    /// in the middle of an update.
    #[inline]
    pub fn read(&self) -> T {
        self.field.read()
    }

    /// Returns a handle to a part: `config.project(|config| config.view().limits.at(2).field())`. It owns a share of its own.
    ///
    /// ```
    /// use bpfvar::{Array, MapValue, Shared};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// #[derive(MapValue, Clone, Copy)]
    /// #[repr(C)]
    /// struct Config { rate: u64, mode: u32, burst: u32 }
    ///
    /// let configs = Array::<Config>::in_process(2);
    /// let burst: Shared<u32> = configs.share(1).project(|config| config.view().burst);
    /// burst.store(10, Relaxed);
    /// assert_eq!(configs.read(1).burst, 10);
    /// ```
    pub fn project<F>(&self, part: impl for<'m> FnOnce(Field<'m, T, A>) -> Field<'m, F, A>) -> Shared<F, A> {
        let field = part(self.field());
        // SAFETY: `part` works for every lifetime 'm, so what it returns is a part of the field that it is given, which
        // lives as long as the region, or it lives for ever.
        unsafe { Shared::new(field, Arc::clone(&self.region)) }
    }
}

impl<T: MapValue> Shared<T, ReadWrite> {
    /// Copies `value` in: as by one relaxed store a scalar, no padding. Others may see some of the scalars before the rest.
    #[inline]
    pub fn write(&self, value: T) {
        self.field.write(value);
    }
}

impl<T> Shared<T, ReadWrite> {
    /// Returns a handle that cannot write, for the part of the program that must not. It shares the mapping.
    pub fn read_only(&self) -> Shared<T, ReadOnly> {
        Shared { field: self.field.read_only(), region: Arc::clone(&self.region) }
    }
}

impl<S: Scalar, A: Access> Shared<S, A> {
    /// Loads the scalar: [`Field::load`].
    ///
    /// # Panics
    ///
    /// If `order` is `Release` or `AcqRel`.
    #[inline(always)]
    #[track_caller]
    pub fn load(&self, order: Ordering) -> S {
        self.field.load(order)
    }
}

impl<S: Scalar> Shared<S, ReadWrite> {
    /// Stores the scalar and nothing beside it: [`Field::store`].
    ///
    /// # Panics
    ///
    /// If `order` is `Acquire` or `AcqRel`.
    #[inline(always)]
    #[track_caller]
    pub fn store(&self, value: S, order: Ordering) {
        self.field.store(value, order);
    }

    /// Stores `value` and returns what was there, in one step.
    #[inline(always)]
    pub fn swap(&self, value: S, order: Ordering) -> S {
        self.field.swap(value, order)
    }

    /// Stores `new` if `current` is there, in one step: [`Field::compare_exchange`].
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
    pub fn compare_exchange(&self, current: S, new: S, success: Ordering, failure: Ordering) -> Result<S, S> {
        self.field.compare_exchange(current, new, success, failure)
    }

    /// Replaces the value by what `change` makes of it, in one step: [`Field::fetch_update`].
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
    pub fn fetch_update(&self, set: Ordering, fetch: Ordering, change: impl FnMut(S) -> Option<S>) -> Result<S, S> {
        self.field.fetch_update(set, fetch, change)
    }
}

macro_rules! fetch {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {$(
        $(#[doc = $doc])+
        #[inline(always)]
        pub fn $name(&self, value: S, order: Ordering) -> S {
            self.field.$name(value, order)
        }
    )*};
}

impl<S: Integer> Shared<S, ReadWrite> {
    fetch! {
        /// Adds, wrapping around, and returns what was there.
        fetch_add;
        /// Subtracts, wrapping around, and returns what was there.
        fetch_sub;
        /// Combines by bitwise "and" and returns what was there.
        fetch_and;
        /// Combines by bitwise "or" and returns what was there.
        fetch_or;
        /// Combines by bitwise "xor" and returns what was there.
        fetch_xor;
        /// Keeps the smaller value and returns what was there.
        fetch_min;
        /// Keeps the larger value and returns what was there.
        fetch_max;
    }

    /// Returns the scalar as an atomic of the standard library, for code that takes one: [`Field::as_atomic`].
    #[inline(always)]
    pub fn as_atomic(&self) -> &S::Atomic {
        self.field.as_atomic()
    }
}

impl<T, A> Clone for Shared<T, A> {
    fn clone(&self) -> Self {
        Shared { field: self.field, region: Arc::clone(&self.region) }
    }
}

/// Prints the value that is there now.
impl<T: MapValue, A: Access> fmt::Debug for Shared<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
