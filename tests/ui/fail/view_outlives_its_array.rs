use bpfvar::{Array, MapValue};

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {
    let view = {
        let stats = Array::<Stats>::in_process(1);
        stats.at(0)
    };
    view.read();
}
