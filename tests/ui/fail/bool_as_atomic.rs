use bpfvar::Array;
use std::sync::atomic::Ordering::Relaxed;

fn change(values: &Array<bool>) {
    values.at(0).as_atomic().store(true, Relaxed);
}

fn main() {}
