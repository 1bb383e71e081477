//! Nothing is in scope but the derive.
#![no_implicit_prelude]

use ::bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Named {
    a: u64,
    b: [u32; 2],
}

#[derive(MapValue)]
#[repr(C)]
struct Numbered<T, const N: usize>([T; N], Named);

fn main() {
    let array = ::bpfvar::Array::<Numbered<u16, 4>>::in_process(1);
    array.at(0).1.b.at(1).write(7);
    ::std::assert_eq!(array.read(0).1.b, [0, 7]);
    ::std::assert_eq!(
        ::std::format!("{:?}", array.at(0)),
        "NumberedView([0, 0, 0, 0], NamedView { a: 0, b: [0, 7] })",
    );
}
