#![deny(unused_must_use)]

use bpfvar::{Array, MapValue};

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {
    Array::<Stats>::in_process(1).at(0);
}
