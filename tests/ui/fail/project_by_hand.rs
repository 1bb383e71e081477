//! Which part of its memory a view is of, safe code does not say.

use bpfvar::{Array, Field, ReadWrite};

fn beyond(array: &Array<u64>) -> Field<'_, u64, ReadWrite> {
    array.field(0).project(|at| at.wrapping_add(1))
}

fn main() {}
