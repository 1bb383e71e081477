use bpfvar::MapValue;

pub struct __BindgenBitfieldUnit<T>(T);

#[derive(MapValue)]
#[repr(C)]
struct Task {
    bits: __BindgenBitfieldUnit<[u8; 4]>,
    on: std::mem::MaybeUninit<bool>,
    next: *mut Task,
}

fn main() {}
