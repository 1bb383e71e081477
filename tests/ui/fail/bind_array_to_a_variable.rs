use bpfvar::{Array, Bind};

#[derive(Bind)]
struct Count {
    stats: Array<u64>,
}

fn main() {}
