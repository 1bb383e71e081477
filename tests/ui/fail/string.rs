use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Task {
    comm: String,
}

fn main() {}
