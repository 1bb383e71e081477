use bpfvar::MapValue;

#[derive(MapValue)]
struct Stats {
    packets: u64,
}

fn main() {}
