use bpfvar::{Array, MapValue, ReadOnly};
use std::sync::atomic::Ordering::Relaxed;

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn change(stats: &Array<Stats, ReadOnly>) {
    let _ = stats.at(0).packets.compare_exchange(0, 1, Relaxed, Relaxed);
}

fn main() {}
