use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Nothing {
    none: [u64; 0],
}

fn main() {}
