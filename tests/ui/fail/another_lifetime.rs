struct W<T>(std::marker::PhantomData<T>);

// Views are views of one type, also where the compiler could take another: a subtype may have another `MapValue`.
fn coerce<'a>(field: bpfvar::Field<'a, W<for<'x> fn(&'x ())>, ()>) -> bpfvar::Field<'a, W<fn(&'static ())>, ()> {
    field
}

fn main() {
    let _ = coerce;
}
