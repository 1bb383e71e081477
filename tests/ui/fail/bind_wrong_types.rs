use bpfvar::{Bind, Field, ReadWrite, Shared};

// A value is a copy, a reference would be plain, and a view borrows from nobody.
#[derive(Bind)]
struct Count {
    packets: u64,
    drops: &'static u64,
    mode: Field<'static, u32, ReadWrite>,
    name: Shared<String>,
}

#[derive(Bind)]
enum Either {
    Packets(Shared<u64>),
}

#[derive(Bind)]
union Overlaid {
    packets: u64,
}

fn main() {}
