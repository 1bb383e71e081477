//! Fields that are called as the methods of views and fields are, or as what the derive declares.

#![allow(non_snake_case)]

use bpfvar::{Array, MapValue, ReadWrite};

#[derive(MapValue)]
#[repr(C)]
struct Names {
    read: u8,
    write: u8,
    load: u8,
    store: u8,
    view: u8,
    at: u8,
    field: u8,
    value: u8,
    fmt: u8,
    clone: u8,
    finish: u8,
    __f: u8,
    __field: u8,
    __value: u8,
    __debug: u8,
    __m: u8,
    __A: u8,
}

/// Types that are called as parameters often are.
#[derive(MapValue)]
#[repr(C)]
struct A(u8);

#[derive(MapValue)]
#[repr(C)]
struct T {
    a: A,
    m: [A; 2],
}

fn main() {
    let array = Array::<Names>::in_process(1);
    let view: NamesView<'_, ReadWrite> = array.at(0);
    view.read.write(1);
    view.__value.write(2);
    let mut names = view.read();
    assert_eq!((names.read, names.write, names.__value), (1, 0, 2));
    names.write = 3;
    view.write(names);
    assert_eq!(view.write.read(), 3);

    let array = Array::<T>::in_process(1);
    array.at(0).m.at(1).0.write(4);
    assert_eq!(array.read(0).m[1].0, 4);
}
