use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Rule {
    ports: (u16, u16),
}

fn main() {}
