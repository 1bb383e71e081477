use bpfvar::{Array, MapValue};

#[derive(MapValue)]
#[repr(C)]
struct Stats {
    packets: [u64; 2],
}

fn main() {
    let stats = Array::<Stats>::in_process(1);
    let packets = stats.at(0).packets.at(1);
    drop(stats);
    packets.read();
}
