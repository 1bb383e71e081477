use bpfvar::{Array, ReadOnly, Seq, Switch};

fn main() {
    let seqs: Array<Seq<u64>, ReadOnly> = Array::from_id(1).unwrap();
    // What is only read is not written as one either.
    seqs.at(0).write(7).unwrap();
    seqs.at(0).update(|value| *value += 1).unwrap();
    let switches: Array<Switch<u64>, ReadOnly> = Array::from_id(1).unwrap();
    switches.switch(0).unwrap();
}
