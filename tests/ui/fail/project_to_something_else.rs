use bpfvar::{Array, Field, ReadWrite, Shared};

// The handle would hold the memory of `one` and point into that of `other`.
fn swapped(one: &Shared<u64>, other: &Shared<u64>) -> Shared<u64> {
    one.project(|_| other.field())
}

fn borrowed(one: &Shared<u64>, array: &Array<u64>) -> Shared<u64> {
    one.project(|_| array.at(0))
}

// Nor does a field leave the closure.
fn kept<'a>(one: &'a Shared<u64>) -> Field<'static, u64, ReadWrite> {
    let mut kept = None;
    one.project(|field| {
        kept = Some(field);
        field
    });
    kept.unwrap()
}

fn outlived() -> Field<'static, u64, ReadWrite> {
    Array::<u64>::in_process(1).share(0).field()
}

fn main() {}
