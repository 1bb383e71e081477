use bpfvar::{MapValue, Zerocopy};
use zerocopy::{FromBytes, Immutable, IntoBytes};

#[derive(FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8192))]
struct Wide([u64; 1024]);

#[derive(MapValue)]
#[repr(C)]
struct Outer {
    wide: Zerocopy<Wide>,
}

fn main() {}
