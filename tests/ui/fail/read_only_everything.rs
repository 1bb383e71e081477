//! Nothing that writes is there for what is only read: for each owner and view that is not in a file of its own.

use bpfvar::{Array, PerCpu, ReadOnly, Shared, Slice};
use std::sync::atomic::Ordering::Relaxed;

fn array(array: &Array<u64, ReadOnly>) {
    array.fill(1);
    array.copy_from(&[1]);
    array.field(0).write(1);
    array.iter().next().unwrap().store(1, Relaxed);
}

fn slice(slice: Slice<'_, u64, ReadOnly>) {
    slice.fill(1);
    slice.copy_from(&[1]);
    slice.write(0, 1);
    slice.range(..).at(0).store(1, Relaxed);
}

fn shared(shared: &Shared<u64, ReadOnly>) {
    shared.store(1, Relaxed);
    shared.write(1);
    shared.swap(1, Relaxed);
    shared.fetch_add(1, Relaxed);
    shared.as_atomic();
    shared.field().fetch_update(Relaxed, Relaxed, |old| Some(old + 1)).unwrap();
}

fn per_cpu(counters: &PerCpu<u64, ReadOnly>) {
    counters.at(0).store(1, Relaxed);
    counters.share(0).store(1, Relaxed);
}

fn main() {}
