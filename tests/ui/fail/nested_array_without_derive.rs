use bpfvar::MapValue;

#[repr(C)]
struct Inner {
    packets: u64,
}

#[derive(MapValue)]
#[repr(C)]
struct Outer {
    inner: [Inner; 4],
}

fn main() {}
