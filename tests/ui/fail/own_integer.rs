use bpfvar::{Integer, MapValue};

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Wide([u64; 2]);

impl Integer for Wide {
    type Atomic = ();
    type Sum = u64;
}

fn main() {}
