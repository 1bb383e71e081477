//! A switch is written by its writer only, and its slots are seen by name by nobody: the idle one is about to change.

use bpfvar::{Array, MapValue, Run, Switch};

#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Config {
    rate: u64,
}

fn main() {
    let switches = Array::<Switch<Config>>::in_process(1);
    let view = switches.at(0);
    view.write(Config { rate: 1 });
    view.slot(1).write(Config { rate: 1 });
    view.slots.at(1).rate;
    view.rate;
    // Nor does a run that is over lend it, nor one that never began.
    Run(0).current(view);
}
