use bpfvar::Array;
use std::sync::atomic::Ordering::Relaxed;

fn change(values: &Array<bool>) {
    values.at(0).fetch_add(true, Relaxed);
}

fn main() {}
