//! Views, handles and owners are of one type, also where the compiler could take another: a subtype may have another `MapValue`.

use bpfvar::{Access, Array, Field, Iter, MapValue, PerCpu, ReadWrite, SeqView, Shared, Slice, SwitchView, SwitchWriter};

struct W<T>(std::marker::PhantomData<T>);

impl<T: 'static> MapValue for W<T> {
    type View<'m, A: Access> = ();

    fn view<A: Access>(_: Field<'_, Self, A>) -> Self::View<'_, A> {}

    fn read_from<A: Access>(_: Field<'_, Self, A>) -> Self {
        W(std::marker::PhantomData)
    }

    fn write_to(_: Field<'_, Self, ReadWrite>, _: &Self) {}

    fn layout() -> bpfvar::__private::ValueLayout {
        unimplemented!()
    }
}

type Sub = W<for<'x> fn(&'x ())>;
type Super = W<fn(&'static ())>;

fn array(array: Array<Sub>) -> Array<Super> {
    array
}

fn slice(slice: Slice<'_, Sub, ReadWrite>) -> Slice<'_, Super, ReadWrite> {
    slice
}

fn iter(iter: Iter<'_, Sub, ReadWrite>) -> Iter<'_, Super, ReadWrite> {
    iter
}

fn shared(shared: Shared<Sub>) -> Shared<Super> {
    shared
}

fn per_cpu(counters: PerCpu<Sub>) -> PerCpu<Super> {
    counters
}

fn seq(seq: SeqView<'_, Sub, ReadWrite>) -> SeqView<'_, Super, ReadWrite> {
    seq
}

fn switch(switch: SwitchView<'_, Sub, ReadWrite>) -> SwitchView<'_, Super, ReadWrite> {
    switch
}

fn writer(writer: SwitchWriter<Sub>) -> SwitchWriter<Super> {
    writer
}

fn main() {}
