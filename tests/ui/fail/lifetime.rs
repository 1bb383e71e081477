use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Stats<'a> {
    packets: [Count<'a>; 2],
}

fn main() {}
