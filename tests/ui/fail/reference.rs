use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    name: &'static u64,
}

fn main() {}
