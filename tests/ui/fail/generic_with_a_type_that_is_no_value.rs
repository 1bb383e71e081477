use bpfvar::{Array, MapValue};

#[derive(MapValue)]
#[repr(C)]
struct Pair<T> {
    a: T,
    b: T,
}

fn first(_: &Array<Pair<String>>) {}

fn main() {}
