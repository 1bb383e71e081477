use bpfvar::MapValue;

mod inner {
    #[repr(C)]
    pub struct Inner {
        packets: u64,
    }
}

#[derive(MapValue)]
#[repr(C)]
struct Outer {
    inner: crate::inner::Inner,
}

fn main() {}
