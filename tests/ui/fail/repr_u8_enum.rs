use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(u8)]
enum Mode {
    Off,
    On,
}

fn main() {}
