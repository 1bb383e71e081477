use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C, packed)]
struct Header {
    kind: u8,
    length: u64,
}

fn main() {}
