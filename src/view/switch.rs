//! A value in two slots, of which one is current: all of it changes at once.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::Layout;
use super::protocol::{Versions, slot_of};
use super::seq::TRIES;
use super::{Field, MapValue};
use crate::error::Torn;
use crate::memory::{Access, ReadWrite};

/// A value in shared memory that changes as one: `BPFVAR_SWITCH(type)` of `bpfvar.bpf.h`. User space writes it; all that a BPF
/// program reads through `bpfvar_current` in one run is of one version.
///
/// There are two slots. A [`SwitchWriter`](crate::SwitchWriter) writes the one that is not in use, makes it the current one by one
/// store, and waits until no program can still read the other. [`Var::switch`](crate::Var::switch) and
/// [`Array::switch`](crate::Array::switch) give one. The view, [`SwitchView`], reads.
///
/// # Layout
///
/// Three words of 8 bytes, then two `T`, aligned:
/// `struct { struct bpfvar_switch { __u64 version, settled, writer; } bpfvar_switch; T slots[2]; }`. The lowest bit of `version`
/// is the current slot. No program can still be before version `settled`. `writer` is the thread that writes.
///
/// # Examples
///
/// ```
/// use bpfvar::{Array, MapValue, Switch};
///
/// #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
/// #[repr(C)]
/// struct Config { rate: u64, mode: u32, burst: u32 }
///
/// let configs = Array::<Switch<Config>>::in_process(1);
/// configs.write(0, Switch::new(Config { rate: 1000, mode: 0, burst: 1 }));
/// let config = configs.switch(0)?;
/// let version = config.update(|config| { config.rate = 5; config.mode = 1 })?; // one switch
/// assert_eq!(config.read()?, Config { rate: 5, mode: 1, burst: 1 });
/// assert_eq!(version, 1);
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Switch<T> {
    bpfvar_switch: bpfvar_switch,
    slots: [T; 2],
}

/// What is before the slots. Its name is that of the C struct, as it goes into BTF.
#[derive(bpfvar_derive::MapValue, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[map_value(view = "SwitchHead")]
#[repr(C)]
pub(crate) struct bpfvar_switch {
    pub(crate) version: u64,
    pub(crate) settled: u64,
    pub(crate) writer: u64,
}

/// Where its fields are. Nothing is accessed.
impl<T> Switch<T> {
    /// # Safety
    ///
    /// `switch` is the address of one.
    unsafe fn head_of(switch: *mut Self) -> *mut bpfvar_switch {
        // SAFETY: inside of it, says the caller.
        unsafe { &raw mut (*switch).bpfvar_switch }
    }

    /// # Safety
    ///
    /// `switch` is the address of one.
    unsafe fn slots_of(switch: *mut Self) -> *mut [T; 2] {
        // SAFETY: as above.
        unsafe { &raw mut (*switch).slots }
    }
}

impl<T: Clone> Switch<T> {
    /// Makes one, at version 0, for [`Array::write`](crate::Array::write).
    pub fn new(value: T) -> Switch<T> {
        Switch { bpfvar_switch: bpfvar_switch::default(), slots: [value.clone(), value] }
    }
}

impl<T> Switch<T> {
    /// Returns the current value.
    pub fn into_current(self) -> T {
        let slot = slot_of(self.version());
        let [even, odd] = self.slots;
        if slot == 0 { even } else { odd }
    }

    /// Returns the version.
    pub fn version(&self) -> u64 {
        self.bpfvar_switch.version
    }
}

/// A pointer to a [`Switch`]: its view. One word; copied freely. It only reads; a [`SwitchWriter`](crate::SwitchWriter) writes.
pub struct SwitchView<'m, T, A> {
    at: Field<'m, Switch<T>, A>,
}

impl<T, A> Clone for SwitchView<'_, T, A> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, A> Copy for SwitchView<'_, T, A> {}

impl<'m, A: Access> SwitchHead<'m, A> {
    #[inline(always)]
    pub(crate) fn versions(self) -> Versions<Field<'m, u64, A>> {
        Versions { version: self.version, settled: self.settled }
    }
}

impl<'m, T: MapValue, A: Access> SwitchView<'m, T, A> {
    /// What is before the slots.
    #[inline(always)]
    pub(crate) fn head(self) -> SwitchHead<'m, A> {
        // SAFETY: a field of a `Switch`, by syntax and so aligned, and accessed as what it is only.
        let head = unsafe { self.at.project(Switch::head_of) };
        head.view()
    }

    /// A slot: 0 or 1.
    #[inline(always)]
    pub(crate) fn slot(self, slot: usize) -> Field<'m, T, A> {
        // SAFETY: as in `head`.
        let slots = unsafe { self.at.project(Switch::slots_of) };
        slots.slice().field(slot)
    }

    /// Returns a copy of the current value, all of one version. No system call, no allocation.
    ///
    /// # Errors
    ///
    /// [`Torn`] if in each of 2,000 tries somebody switched meanwhile, which no writer of this crate can: it waits longer than
    /// that.
    #[inline]
    pub fn read(self) -> Result<T, Torn> {
        self.read_versioned().map(|(_, value)| value)
    }

    /// Returns the version and a copy of its value: what [`SwitchWriter::update_from`](crate::SwitchWriter::update_from) starts
    /// from.
    ///
    /// # Errors
    ///
    /// As [`SwitchView::read`].
    #[inline]
    pub fn read_versioned(self) -> Result<(u64, T), Torn> {
        let copy = |slot| self.slot(slot).read();
        self.head().versions().read(TRIES, copy).map_err(|version| Torn::new(version, version))
    }

    /// Returns the version: how many times it was switched. One load with acquire.
    #[inline]
    pub fn version(self) -> u64 {
        self.head().version.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Returns the pointer to all of it.
    #[inline(always)]
    pub fn field(self) -> Field<'m, Switch<T>, A> {
        self.at
    }
}

/// Prints the current slot.
impl<T: MapValue, A: Access> fmt::Debug for SwitchView<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::view(self.slot(slot_of(self.version()))).fmt(f)
    }
}

impl<T: MapValue> MapValue for Switch<T> {
    type View<'m, A: Access> = SwitchView<'m, T, A>;

    #[inline(always)]
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
        SwitchView { at: field }
    }

    /// The current slot as by [`SwitchView::read`], the other one relaxed.
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
        let view = SwitchView { at: field };
        let head = view.head();
        let read = |slot| view.slot(slot).read();
        let copy = |_| bpfvar_switch_and(head, read);
        let (version, (settled, writer, slots)) =
            head.versions().read(TRIES, copy).unwrap_or_else(|version| (version, bpfvar_switch_and(head, read)));
        Switch { bpfvar_switch: bpfvar_switch { version, settled, writer }, slots }
    }

    /// Both slots and the version, one after the other: for a switch that no program uses yet. Who writes it is left alone.
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        let view = SwitchView { at: field };
        let [even, odd] = &value.slots;
        view.slot(0).write_from(even);
        view.slot(1).write_from(odd);
        let bpfvar_switch { version, settled, writer: _ } = value.bpfvar_switch;
        view.head().settled.store(settled, Relaxed);
        view.head().version.store(version, Release);
    }

    fn layout() -> Layout {
        // SAFETY: both fields follow.
        let layout = unsafe { Layout::structure::<Self>("Switch") };
        // SAFETY: as in `SwitchView::head`; views access these fields only.
        let layout = unsafe { layout.with::<Self, bpfvar_switch>("bpfvar_switch", Switch::head_of) };
        // SAFETY: as above.
        unsafe { layout.with::<Self, [T; 2]>("slots", Switch::slots_of) }
    }
}

/// What is beside the version.
fn bpfvar_switch_and<T, A: Access>(head: SwitchHead<'_, A>, read: impl Fn(usize) -> T) -> (u64, u64, [T; 2]) {
    (head.settled.load(Relaxed), head.writer.load(Relaxed), [read(0), read(1)])
}
