use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Handler {
    call: fn(u64) -> u64,
}

fn main() {}
