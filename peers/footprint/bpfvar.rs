//! Opens a map by its id and prints its first counter, by bpfvar.

use std::env;
use std::error::Error;

use bpfvar::{Array, ReadOnly};

fn main() -> Result<(), Box<dyn Error>> {
    let id = env::args().nth(1).ok_or("usage: footprint-bpfvar MAP-ID")?.parse()?;
    let counters = Array::<u64, ReadOnly>::from_id(id)?;
    println!("{}", counters.at(0).read());
    Ok(())
}
