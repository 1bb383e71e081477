use bpfvar::{Array, MapValue, ReadOnly};

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn change(stats: &Array<Stats, ReadOnly>) {
    stats.write(0, Stats { packets: 1 });
}

fn main() {}
