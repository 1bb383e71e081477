use bpfvar::MapValue;

#[repr(C)]
struct Inner {
    packets: u64,
}

#[derive(MapValue)]
#[repr(C)]
struct Outer {
    before: u64,
    inner: Inner,
}

fn main() {}
