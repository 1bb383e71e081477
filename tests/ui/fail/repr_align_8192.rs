use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C, align(8192))]
struct Line {
    packets: u64,
}

fn main() {}
