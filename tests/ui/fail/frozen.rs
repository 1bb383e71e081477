use bpfvar::{Frozen, Map};

fn opened_without_a_promise(map: Map) -> Frozen<u64> {
    Frozen::from_map(map).unwrap()
}

// A byte may be 2, and a reference must not be made of an address.
fn of_any_type(map: Map, other: Map) {
    let _: Frozen<bool> = unsafe { Frozen::from_map(map).unwrap() };
    let _: Frozen<&'static u64> = unsafe { Frozen::from_map(other).unwrap() };
}

fn written(mut frozen: Frozen<u64>) {
    frozen[0] = 1;
}

fn outlives(frozen: Frozen<u64>) -> &'static u64 {
    &frozen[0]
}

fn main() {}
