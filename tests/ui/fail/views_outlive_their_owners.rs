//! Whatever points into a map lives no longer than what keeps the map's memory: each kind of view, of each owner.

use bpfvar::{Array, Bytemuck, CacheLine, MapValue, PerCpu, Seq, Switch, Zerocopy};

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: [u64; 2],
}

fn slice() -> impl Sized {
    Array::<u64>::in_process(1).slice()
}

fn range() -> impl Sized {
    Array::<u64>::in_process(1).range(..)
}

fn range_of_a_slice() -> impl Sized {
    Array::<u64>::in_process(1).slice().range(..)
}

fn iter() -> impl Sized {
    Array::<u64>::in_process(1).iter()
}

fn view_of_an_iter() -> impl Sized {
    Array::<u64>::in_process(1).iter().next()
}

fn into_iter() -> impl Sized {
    (&Array::<u64>::in_process(1)).into_iter()
}

fn get() -> impl Sized {
    Array::<u64>::in_process(1).get(0)
}

fn field() -> impl Sized {
    Array::<Stats>::in_process(1).field(0)
}

fn elements() -> impl Sized {
    Array::<Stats>::in_process(1).at(0).packets.slice()
}

fn atomic() -> impl Sized {
    Array::<u64>::in_process(1).at(0).as_atomic()
}

fn read_only() -> impl Sized {
    Array::<u64>::in_process(1).at(0).read_only()
}

fn cache_line() -> impl Sized {
    Array::<CacheLine<u64>>::in_process(1).at(0)
}

fn zerocopy() -> impl Sized {
    Array::<Zerocopy<u64>>::in_process(1).at(0)
}

fn bytemuck() -> impl Sized {
    Array::<Bytemuck<u64>>::in_process(1).at(0)
}

fn seq() -> impl Sized {
    Array::<Seq<u64>>::in_process(1).at(0)
}

fn value_of_a_seq() -> impl Sized {
    Array::<Seq<u64>>::in_process(1).at(0).relaxed()
}

fn switch() -> impl Sized {
    Array::<Switch<u64>>::in_process(1).at(0)
}

fn view_of_a_writer() -> impl Sized {
    Array::<Switch<u64>>::in_process(1).switch(0).unwrap().view()
}

fn slot() -> impl Sized {
    PerCpu::<u64>::in_process(1).at(0)
}

fn slots() -> impl Sized {
    PerCpu::<u64>::in_process(1).iter().next()
}

fn view_of_a_handle() -> impl Sized {
    Array::<Stats>::in_process(1).share(0).view()
}

fn field_of_a_handle() -> impl Sized {
    Array::<u64>::in_process(1).share(0).field()
}

fn atomic_of_a_handle() -> impl Sized {
    Array::<u64>::in_process(1).share(0).as_atomic()
}

fn main() {}
