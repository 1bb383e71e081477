use bpfvar::{Array, Run, Switch};

fn main() {
    let switches = Array::<Switch<u64>>::in_process(1);
    // What a run sees is of one version for no longer than the run.
    let kept = {
        let run = Run::begin();
        run.current(switches.at(0))
    };
    println!("{kept:?}");
}
