use bpfvar::MapValue;

#[derive(MapValue)]
#[map_value(view = Other)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {}
