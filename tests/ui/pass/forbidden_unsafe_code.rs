//! The `unsafe` in the derive's output is the derive's, not that of the crate that uses it.
#![forbid(unsafe_code)]

#[derive(bpfvar::MapValue)]
#[repr(C)]
struct Stats<T> {
    packets: u64,
    sizes: [T; 4],
}

fn main() {
    let array = bpfvar::Array::<Stats<u16>>::in_process(1);
    array.at(0).sizes.at(3).write(1);
    assert_eq!(array.read(0).sizes, [0, 0, 0, 1]);
}
