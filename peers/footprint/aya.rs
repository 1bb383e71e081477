//! Opens a map by its id and prints its first counter, by aya.

use std::env;
use std::error::Error;

use aya::maps::{Array, Map, MapData};

fn main() -> Result<(), Box<dyn Error>> {
    let id = env::args().nth(1).ok_or("usage: footprint-aya MAP-ID")?.parse()?;
    let counters = Array::<_, u64>::try_from(Map::Array(MapData::from_id(id)?))?;
    println!("{}", counters.get(&0, 0)?);
    Ok(())
}
