//! Local structs, two of the same name.
#![deny(warnings)]

use bpfvar::{Array, MapValue};

fn first<T: Default>() -> u64 {
    #[derive(MapValue)]
    #[repr(C)]
    struct Stats {
        packets: u64,
    }

    let stats = Array::<Stats>::in_process(1);
    stats.at(0).write(Stats { packets: 1 });
    stats.at(0).packets.read()
}

fn second() -> [u32; 2] {
    #[derive(MapValue)]
    #[repr(C)]
    struct Stats<T> {
        drops: T,
    }

    let stats = Array::<Stats<[u32; 2]>>::in_process(1);
    stats.at(0).drops.at(1).write(2);
    stats.read(0).drops
}

fn main() {
    assert_eq!(first::<u8>(), 1);
    assert_eq!(second(), [0, 2]);
}
