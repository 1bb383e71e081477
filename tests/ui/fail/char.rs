use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Letter {
    letter: char,
}

fn main() {}
