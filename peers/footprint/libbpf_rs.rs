//! Opens a map by its id and prints its first counter, by libbpf-rs.

use std::env;
use std::error::Error;

use libbpf_rs::{MapCore, MapFlags, MapHandle};

fn main() -> Result<(), Box<dyn Error>> {
    let id = env::args().nth(1).ok_or("usage: footprint-libbpf-rs MAP-ID")?.parse()?;
    let counters = MapHandle::from_map_id(id)?;
    let value = counters.lookup(&0_u32.to_ne_bytes(), MapFlags::ANY)?.ok_or("no first entry")?;
    println!("{}", u64::from_ne_bytes(value.as_slice().try_into()?));
    Ok(())
}
