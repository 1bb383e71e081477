use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Packet {
    length: u64,
    bytes: [u8],
}

fn main() {}
