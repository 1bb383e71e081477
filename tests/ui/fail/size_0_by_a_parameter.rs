use bpfvar::{Array, MapValue};

#[derive(MapValue)]
#[repr(C)]
struct Hist<const N: usize> {
    buckets: [u64; N],
}

fn main() {
    Array::<Hist<0>>::in_process(1);
}
