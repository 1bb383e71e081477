//! Where kernel and memory meet: a region of a map's memory, and the one way in which its bytes are accessed.

mod mapping;
mod typed;
mod values;

pub(crate) use mapping::map_entries;
pub(crate) use typed::{Put, Typed};
pub(crate) use values::Values;
