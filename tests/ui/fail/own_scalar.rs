use bpfvar::{MapValue, Scalar};

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Wide([u64; 2]);

impl Scalar for Wide {}

fn main() {}
