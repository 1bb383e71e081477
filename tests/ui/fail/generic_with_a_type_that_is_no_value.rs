use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Pair<T> {
    a: T,
    b: T,
}

fn pairs() -> bpfvar::Array<Pair<String>> {
    bpfvar::Array::in_process(1)
}

fn main() {}
