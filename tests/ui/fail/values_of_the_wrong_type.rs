//! No array, view or handle is of what has invalid bytes, an owner, or insides that change.

use bpfvar::{Bytemuck, Checked, MapValue, Seq, Switch, Zerocopy};
use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::atomic::AtomicU64;

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
enum Mode {
    Off,
}

fn is_a_value<T: MapValue>() {}

fn main() {
    is_a_value::<Mode>();
    is_a_value::<NonZeroU64>();
    is_a_value::<Option<u64>>();
    is_a_value::<Box<u64>>();
    is_a_value::<Vec<u64>>();
    is_a_value::<Cell<u64>>();
    is_a_value::<AtomicU64>();
    is_a_value::<&'static u64>();
    is_a_value::<*const u64>();
    is_a_value::<Zerocopy<bool>>();
    is_a_value::<Zerocopy<AtomicU64>>();
    is_a_value::<Bytemuck<bool>>();
    is_a_value::<Checked<Mode>>();
    is_a_value::<Seq<char>>();
    is_a_value::<Switch<String>>();
}
