//! Other people's loaders, to compare the imitations with.

#[cfg(feature = "aya")]
mod aya;
mod bpftool;

#[cfg(feature = "aya")]
pub use aya::load_by_aya;
pub use bpftool::load_by_bpftool;
