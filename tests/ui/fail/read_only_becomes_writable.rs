//! What is only read does not become what is written, by no coercion and no conversion. The other way there is `read_only`.

use bpfvar::{Array, Field, MapValue, PerCpu, ReadOnly, ReadWrite, Seq, SeqView, Shared, Slice, Switch, SwitchView};

fn array(array: &Array<u64, ReadOnly>) -> &Array<u64> {
    array
}

fn field(field: Field<'_, u64, ReadOnly>) -> Field<'_, u64, ReadWrite> {
    field
}

fn slice(slice: Slice<'_, u64, ReadOnly>) -> Slice<'_, u64, ReadWrite> {
    slice.into()
}

fn shared(shared: Shared<u64, ReadOnly>) -> Shared<u64> {
    shared.project(|field| field)
}

fn per_cpu(counters: PerCpu<u64, ReadOnly>) -> PerCpu<u64> {
    counters
}

fn seq(seq: SeqView<'_, u64, ReadOnly>) -> SeqView<'_, u64, ReadWrite> {
    Seq::view(seq.field())
}

fn switch(switch: SwitchView<'_, u64, ReadOnly>) -> SwitchView<'_, u64, ReadWrite> {
    Switch::view(switch.field())
}

// Nor is one written where the other is asked for.
fn copy(field: Field<'_, u64, ReadOnly>, array: &Array<u64>) {
    let fields = [field, array.at(0)];
}

fn main() {}
