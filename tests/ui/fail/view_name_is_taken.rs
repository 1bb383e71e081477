use bpfvar::MapValue;

struct StatsView;

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {}
