//! Loaders of our own, which put into the kernel what libbpf and aya put there.

mod aya;
mod kconfig;
mod libbpf;
mod parts;

pub use aya::load_as_aya;
pub use libbpf::{load, load_named, types};
