use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(packed, align(32))]
struct Stats<'a> {
    name: &'a u64,
    letter: char,
    length: usize,
}

fn main() {}
