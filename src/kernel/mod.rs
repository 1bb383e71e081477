//! What the kernel holds: maps, their info, how they are made, found and pinned. No memory, no type of a value.

mod builder;
mod cause;
mod element;
mod info;
mod map;

pub use builder::MapBuilder;
pub use info::{MapFlags, MapInfo, MapType};
pub use map::{Ids, Map};
