//! `view = "..."` names the view, also where the name that it would have is taken.

use bpfvar::{Array, MapValue};

struct StatsView;

#[derive(MapValue)]
#[map_value(view = "Look")]
#[repr(C)]
struct Stats {
    packets: u64,
}

fn main() {
    let _ = StatsView;
    let array = Array::<Stats>::in_process(1);
    let look: Look<'_> = array.at(0);
    look.packets.write(1);
    assert_eq!(format!("{look:?}"), "Look { packets: 1 }");
}
