//! Memory that others may change at any time: where it is, how long, and whether this process may write it. No kernel
//! object, no type of a value.

mod access;
mod region;
mod wide;
mod word;

pub use access::{Access, ReadOnly, ReadWrite};
pub(crate) use region::{MAX_ALIGN, Region};
pub(crate) use wide::{WIDE, Wide};
pub(crate) use word::{each_word, with_word};
