use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Node {
    next: *const u64,
}

fn main() {}
