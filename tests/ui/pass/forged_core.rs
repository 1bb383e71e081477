//! `::core` is what the user's crate makes of it. Where the derive finds a field must not depend on that.
#![forbid(unsafe_code)]

extern crate self as core;

pub use std::{assert, clone, fmt, marker};

pub mod mem {
    pub use std::mem::{align_of, size_of};

    macro_rules! forged {
        ($($any:tt)*) => {
            1 << 20
        };
    }
    pub(crate) use forged as offset_of;
}

#[derive(bpfvar::MapValue)]
#[repr(C)]
pub struct Value {
    first: u64,
    second: u64,
}

fn main() {
    let array = bpfvar::Array::<Value>::in_process(1);
    array.at(0).second.write(7);
    std::assert_eq!((array.read(0).first, array.read(0).second), (0, 7));
}
