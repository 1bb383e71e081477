use bpfvar::Repr;

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
enum NoRepr {
    Off,
}

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
enum WithFields {
    Off,
    Rate(u32),
}

#[derive(Repr, Clone, Copy)]
#[repr(C)]
union Word {
    whole: u32,
}

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
struct Pointer(*const u8);

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
struct Two(u32, u32);

fn main() {}
