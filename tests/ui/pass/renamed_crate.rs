//! bpfvar under another name and behind a re-export, while `::bpfvar` is something else.

extern crate bpfvar as other;
extern crate core as bpfvar;

mod facade {
    pub mod inner {
        pub use other::{Access, Field, MapValue, ReadWrite, __private};
    }
}

#[derive(other::MapValue)]
#[map_value(crate = "other")]
#[repr(C)]
struct Renamed {
    a: u64,
    b: [u32; 2],
}

#[derive(facade::inner::MapValue)]
#[map_value(crate = "crate::facade::inner")]
#[repr(C)]
struct Reexported<T>(T, Renamed);

fn main() {
    let array = other::Array::<Reexported<u8>>::in_process(1);
    array.at(0).1.write(Renamed { a: 1, b: [2, 3] });
    assert_eq!(array.read(0).1.b, [2, 3]);
}
