use bpfvar::{Array, MapValue, ReadOnly};
use std::sync::atomic::Ordering::Relaxed;

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn change(stats: &Array<Stats, ReadOnly>) {
    stats.at(0).packets.fetch_add(1, Relaxed);
}

fn main() {}
