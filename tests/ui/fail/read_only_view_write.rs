use bpfvar::{Array, MapValue, ReadOnly};

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn change(stats: &Array<Stats, ReadOnly>) {
    stats.at(0).write(Stats { packets: 1 });
}

fn main() {}
