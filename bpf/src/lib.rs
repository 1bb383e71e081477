//! BPF programs in C, compiled, and what loads them: for the tests of bpfvar and of its tool. Never published.
//!
//! The objects are committed (`bpf/build` makes them), so that no test needs clang. [`load`] puts one into the kernel so that
//! nobody can tell it from what libbpf makes of it; [`load_as_aya`] does as aya does. The real ones are at hand to hold them
//! against: [`load_by_bpftool`] and [`load_by_aya`].

mod as_aya;
mod as_libbpf;
mod btf;
mod by_aya;
mod by_bpftool;
mod elf;
mod kconfig;
mod loaded;
mod parts;
mod source;

pub use as_aya::load_as_aya;
pub use as_libbpf::{load, load_named};
pub use btf::{Btf, Linkage, Section, Variable};
pub use by_aya::load_by_aya;
pub use by_bpftool::load_by_bpftool;
pub use loaded::{Loaded, LoadedMap, LoadedProgram};
pub use source::Source;
