use bpfvar::MapValue;

#[derive(MapValue)]
#[map_value(view = "two words")]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {}
