use bpfvar::{Array, PerCpu};

fn main() {
    let view = Array::<u64>::in_process(1).at(0);
    view.read();
    let slice = Array::<u64>::in_process(1).slice();
    slice.read(0);
    let counter = PerCpu::<u64>::in_process(1).at(0);
    counter.read();
    let field = Array::<u64>::in_process(1).share(0).field();
    field.read();
}
