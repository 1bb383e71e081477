use bpfvar::Array;
use std::sync::atomic::Ordering::Relaxed;

fn change(values: &Array<f64>) {
    values.at(0).fetch_add(1.0, Relaxed);
}

fn main() {}
