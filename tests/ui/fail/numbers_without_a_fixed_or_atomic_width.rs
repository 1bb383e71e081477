use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Numbers {
    length: usize,
    offset: isize,
    bytes: u128,
    balance: i128,
    in_an_array: [[usize; 2]; 3],
}

fn main() {}
