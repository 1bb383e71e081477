//! Memory that others may change at any time: where it is, how long, and whether this process may write it. No kernel
//! object, no type of a value.

mod access;
mod region;

pub use access::{Access, ReadOnly, ReadWrite};
pub(crate) use region::{MAX_ALIGN, Region};
