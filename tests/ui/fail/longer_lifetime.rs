//! A lifetime only ever gets shorter.

use bpfvar::{Field, Iter, ReadOnly, SeqView, Slice, SwitchView};

fn field<'a>(field: Field<'a, u64, ReadOnly>) -> Field<'static, u64, ReadOnly> {
    field
}

fn slice<'a>(slice: Slice<'a, u64, ReadOnly>) -> Slice<'static, u64, ReadOnly> {
    slice.range(..)
}

fn iter<'a>(iter: Iter<'a, u64, ReadOnly>) -> Iter<'static, u64, ReadOnly> {
    iter
}

fn seq<'a>(seq: SeqView<'a, u64, ReadOnly>) -> Field<'static, u64, ReadOnly> {
    seq.relaxed()
}

fn switch<'a>(switch: SwitchView<'a, u64, ReadOnly>) -> SwitchView<'static, u64, ReadOnly> {
    switch
}

fn main() {}
