use bpfvar::{Bind, Shared};

#[derive(Bind)]
struct Pinned {
    #[bind(pin = "/sys/fs/bpf/count")]
    packets: Shared<u64>,
}

#[derive(Bind)]
struct Generic<T> {
    packets: Shared<T>,
}

#[derive(Bind)]
struct Tuple(Shared<u64>);

fn main() {}
