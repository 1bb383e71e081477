use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    #[map_value(view = "Other")]
    packets: u64,
}

fn main() {}
