use bpfvar::MapValue;

#[derive(MapValue)]
#[map_value(crate = "::elsewhere")]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {}
