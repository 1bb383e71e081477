use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Nothing;

fn main() {}
