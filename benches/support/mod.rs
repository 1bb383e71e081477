//! What the benches share: comparisons with their table, and the kernel by hand.

pub(crate) mod comparison;
pub(crate) mod raw;
