//! What the derive says of a field's bytes is of the type that the field has: also if a macro, which is expanded each time that the
//! derive names the type, said another one.

use bpfvar::__private::{Plain, PlainStruct};
use bpfvar::MapValue;

#[derive(MapValue)]
#[repr(C)]
struct Flag {
    flag: bool,
}

fn main() {
    // SAFETY: not true, and it does not compile.
    let plain: Plain<Flag> = unsafe { PlainStruct::start() };
    // SAFETY: as above.
    let _ = unsafe { PlainStruct::with::<Flag, u8>(plain, |flag| unsafe { &raw mut (*flag).flag }) };
}
