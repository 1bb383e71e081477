//! What a change is made on is a copy for the time of the change: the idle slot of a switch, the value under a lock.

use bpfvar::{Array, Seq, Switch};

fn main() {
    let switches = Array::<Switch<u64>>::in_process(1);
    let writer = switches.switch(0).unwrap();
    let mut kept: Option<&mut u64> = None;
    writer.update(|value| kept = Some(value)).unwrap();
    writer.publish(|value| kept = Some(value)).unwrap();
    writer.update_from(0, |value| kept = Some(value)).unwrap();

    let seqs = Array::<Seq<u64>>::in_process(1);
    seqs.at(0).update(|value| kept = Some(value)).unwrap();
}
