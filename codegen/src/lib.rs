//! Accesses to shared memory, a function each, and the same by raw pointer where a function is named `raw_`. `tests/listings.rs`
//! compares the machine code of the two, and keeps that of all of them in `listings/`.
#![allow(unsafe_code, missing_docs)]

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use bpfvar::{Array, Field, MapValue, ReadOnly, ReadWrite, Shared, Slice};

#[derive(MapValue, Clone, Copy)]
#[repr(C)]
pub struct Stats {
    pub packets: u64,
    pub drops: u32,
    pub mode: u32,
    pub sizes: [u64; 14],
}

/// The same, as it is by hand.
#[repr(C)]
pub struct RawStats {
    packets: AtomicU64,
    drops: AtomicU32,
    mode: AtomicU32,
    sizes: [AtomicU64; 14],
}

type Values<'m> = Slice<'m, Stats, ReadWrite>;

// Through a view.

#[unsafe(no_mangle)]
pub fn view_load(value: Field<'_, Stats, ReadWrite>) -> u32 {
    value.view().drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn raw_view_load(value: &RawStats) -> u32 {
    value.drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn view_load_read_only(value: Field<'_, Stats, ReadOnly>) -> u32 {
    value.view().drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn raw_view_load_read_only(value: &RawStats) -> u32 {
    value.drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn view_store(value: Field<'_, Stats, ReadWrite>, drops: u32) {
    value.view().drops.store(drops, Relaxed);
}

#[unsafe(no_mangle)]
pub fn raw_view_store(value: &RawStats, drops: u32) {
    value.drops.store(drops, Relaxed);
}

#[unsafe(no_mangle)]
pub fn view_fetch_add(value: Field<'_, Stats, ReadWrite>, by: u64) -> u64 {
    value.view().packets.fetch_add(by, Relaxed)
}

#[unsafe(no_mangle)]
pub fn raw_view_fetch_add(value: &RawStats, by: u64) -> u64 {
    value.packets.fetch_add(by, Relaxed)
}

/// The result is not used, so it takes no exchange.
#[unsafe(no_mangle)]
pub fn view_count(value: Field<'_, Stats, ReadWrite>) {
    value.view().packets.fetch_add(1, Relaxed);
}

#[unsafe(no_mangle)]
pub fn raw_view_count(value: &RawStats) {
    value.packets.fetch_add(1, Relaxed);
}

/// An index that is known into an array whose length is known: no check.
#[unsafe(no_mangle)]
pub fn view_element_load(value: Field<'_, Stats, ReadWrite>) -> u64 {
    value.view().sizes.at(5).load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn raw_view_element_load(value: &RawStats) -> u64 {
    value.sizes[5].load(Relaxed)
}

// An entry of an array: one check against a length that is not known, by hand and here.

#[unsafe(no_mangle)]
pub fn entry_load_constant(values: Values<'_>) -> u32 {
    values.at(3).drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn entry_load_variable(values: Values<'_>, index: usize) -> u32 {
    values.at(index).drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn entry_store_variable(values: Values<'_>, index: usize, drops: u32) {
    values.at(index).drops.store(drops, Relaxed);
}

#[unsafe(no_mangle)]
pub fn entry_fetch_add_variable(values: Values<'_>, index: usize, by: u64) -> u64 {
    values.at(index).packets.fetch_add(by, Relaxed)
}

/// Two checks: of the entry and of the element.
#[unsafe(no_mangle)]
pub fn entry_element_load_variable(values: Values<'_>, index: usize, size: usize) -> u64 {
    values.at(index).sizes.at(size).load(Relaxed)
}

/// With a checked index nothing panics.
#[unsafe(no_mangle)]
pub fn entry_get_variable(values: Values<'_>, index: usize) -> u64 {
    values.get(index).map_or(0, |value| value.packets.load(Relaxed))
}

#[unsafe(no_mangle)]
pub fn raw_entry_get_variable(values: &[RawStats], index: usize) -> u64 {
    values.get(index).map_or(0, |value| value.packets.load(Relaxed))
}

/// The same by the array itself, whose length and address are loaded first.
#[unsafe(no_mangle)]
pub fn array_load_constant(array: &Array<Stats>) -> u32 {
    array.at(3).drops.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn array_fetch_add_variable(array: &Array<Stats>, index: usize) {
    array.at(index).packets.fetch_add(1, Relaxed);
}

// A variable that was resolved by name: a handle.

#[unsafe(no_mangle)]
pub fn shared_load(variable: &Shared<u64>) -> u64 {
    variable.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn raw_shared_load(variable: &&AtomicU64) -> u64 {
    variable.load(Relaxed)
}

#[unsafe(no_mangle)]
pub fn shared_store(variable: &Shared<u64>, value: u64) {
    variable.store(value, Relaxed);
}

#[unsafe(no_mangle)]
pub fn raw_shared_store(variable: &&AtomicU64, value: u64) {
    variable.store(value, Relaxed);
}

#[unsafe(no_mangle)]
pub fn shared_fetch_add(variable: &Shared<u64>, by: u64) -> u64 {
    variable.fetch_add(by, Relaxed)
}

#[unsafe(no_mangle)]
pub fn raw_shared_fetch_add(variable: &&AtomicU64, by: u64) -> u64 {
    variable.fetch_add(by, Relaxed)
}

#[unsafe(no_mangle)]
pub fn shared_view_store(variable: &Shared<Stats>, mode: u32) {
    variable.view().mode.store(mode, Relaxed);
}

#[unsafe(no_mangle)]
pub fn raw_shared_view_store(variable: &&RawStats, mode: u32) {
    variable.mode.store(mode, Relaxed);
}

// One field of all entries: no check inside of the loop.

#[unsafe(no_mangle)]
pub fn field_of_all_total(values: Values<'_>) -> u64 {
    values.iter().map(|value| value.packets.load(Relaxed)).fold(0, u64::wrapping_add)
}

/// # Safety
///
/// There are `len`.
#[unsafe(no_mangle)]
pub unsafe fn raw_field_of_all_total(first: *const RawStats, len: usize) -> u64 {
    // SAFETY: below len.
    let value = |index| unsafe { &*first.wrapping_add(index) };
    (0..len).map(|index| value(index).packets.load(Relaxed)).fold(0, u64::wrapping_add)
}

/// Four sums, as each addition waits for the one before.
#[unsafe(no_mangle)]
pub fn field_of_all_sum(values: Values<'_>) -> u64 {
    values.sum(|value| value.packets)
}

#[unsafe(no_mangle)]
pub fn field_of_all_store(values: Values<'_>, mode: u32) {
    for value in values {
        value.mode.store(mode, Relaxed);
    }
}

/// # Safety
///
/// There are `len`.
#[unsafe(no_mangle)]
pub unsafe fn raw_field_of_all_store(first: *const RawStats, len: usize, mode: u32) {
    for index in 0..len {
        // SAFETY: below len.
        let value = unsafe { &*first.wrapping_add(index) };
        value.mode.store(mode, Relaxed);
    }
}

/// An element of the array in each entry. One comparison of lengths.
#[unsafe(no_mangle)]
pub fn field_of_all_load(values: Values<'_>, to: &mut [u64]) {
    values.load_each_to(to, |value| value.sizes.at(2));
}

/// Two iterators: a look at both ends in each step, by hand and here.
#[unsafe(no_mangle)]
pub fn field_of_all_zip(values: Values<'_>, to: &mut [u64]) {
    for (value, to) in values.iter().zip(to) {
        *to = value.sizes.at(2).load(Relaxed);
    }
}

/// All elements of one array.
#[unsafe(no_mangle)]
pub fn elements_total(value: Field<'_, Stats, ReadWrite>) -> u64 {
    value.view().sizes.iter().map(|size| size.load(Relaxed)).fold(0, u64::wrapping_add)
}

#[unsafe(no_mangle)]
pub fn raw_elements_total(value: &RawStats) -> u64 {
    (0..14).map(|index| value.sizes[index].load(Relaxed)).fold(0, u64::wrapping_add)
}
