//! Nobody gets a plain reference into memory that others write: neither `&` nor `&mut`, of a value or of its bytes.

use bpfvar::{Array, PerCpu, Seq, Shared, Switch};

fn shared_references(array: &Array<u64>, handle: &Shared<u64>, counters: &PerCpu<u64>) {
    let _: &u64 = &*array.at(0);
    let _: &u64 = &array[0];
    let _: &u64 = array.at(0).as_ref();
    let _: &[u64] = array.slice();
    let _: &[u64] = array.as_ref();
    let _: &u64 = handle;
    let _: &u64 = &*handle.field();
    let _: &u64 = &counters[0];
}

fn mutable_references(array: &mut Array<u64>, handle: &mut Shared<u64>) {
    array[0] = 1;
    *array.at(0) = 1;
    *handle = 1;
    let _: &mut u64 = array.at(0).as_mut();
    array.iter_mut();
    for value in array {
        *value += 1;
    }
}

fn of_values_that_change_together(seqs: &Array<Seq<u64>>, switches: &Array<Switch<u64>>) {
    let _: &u64 = &*seqs.at(0);
    let _: &u64 = &*switches.at(0);
}

fn main() {}
