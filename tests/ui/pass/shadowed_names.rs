//! Every name that the derive could mean is taken by something else.
#![allow(dead_code, unused_macros, non_camel_case_types, non_upper_case_globals)]

use bpfvar::MapValue;

mod core {}
mod std {}

struct Option;
struct Result;
struct Some;
struct None;
struct Ok;
struct Err;
struct Ordering;
struct Field;
struct Access;
struct ReadWrite;
struct A;
struct M;
struct T;
trait Copy {}
trait Clone {}
trait Debug {}
trait Send {}
trait Sync {}
trait Sized {}
macro_rules! assert {
    ($($any:tt)*) => {
        compile_error!("not this one");
    };
}
macro_rules! offset_of {
    ($($any:tt)*) => {
        compile_error!("not this one");
    };
}

// What a parameter could be called.
static value: u8 = 0;
const field: u8 = 0;
const f: u8 = 0;

/// Has the methods that the derive calls on its own types, for all types and by value, which would win.
trait Everything: ::std::marker::Sized {
    fn field(self) {}
    fn finish(self) {}
    fn debug_struct(self) {}
    fn debug_tuple(self) {}
    fn project(self) {}
    fn view(self) {}
    fn load(self) {}
    fn store(self) {}
    fn read(self) {}
    fn write(self) {}
}

impl<Any> Everything for Any {}

// What they name is what lies in the map.
type u64 = ::std::primitive::u16;
type bool = ::std::primitive::u8;

#[derive(MapValue)]
#[repr(C)]
struct View {
    a: u64,
    b: bool,
}

#[derive(MapValue)]
#[repr(C)]
struct String(View, [u64; 2]);

// By its bare name it would be taken for the standard library's.
#[derive(MapValue)]
#[repr(C)]
struct Strings(self::String);

fn main() {
    let array = bpfvar::Array::<Strings>::in_process(1);
    let string = array.at(0).0;
    string.0.write(View { a: 65535_u16, b: 2_u8 });
    ::std::assert_eq!(string.read().0.b, 2_u8);
    ::std::assert_eq!(
        ::std::format!("{string:?}"),
        "StringView(ViewView { a: 65535, b: 2 }, [0, 0])"
    );
}
