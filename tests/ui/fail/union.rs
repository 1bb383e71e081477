use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
union Word {
    whole: u64,
    halves: [u32; 2],
}

fn main() {}
