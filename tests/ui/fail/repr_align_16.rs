use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C, align(16))]
struct Line {
    packets: u64,
}

fn main() {}
