//! BPF programs in C, compiled, and what loads them: for the tests of bpfvar and of its tool. Never published.
//!
//! The objects are committed (`bpf/build` makes them), so that no test needs clang. [`load`] puts one into the kernel so that
//! nobody can tell it from what libbpf makes of it; [`load_as_aya`] does as aya does. The real loaders are here to compare these
//! with: [`load_by_bpftool`], which is libbpf, and with the feature `aya` `load_by_aya`.

mod btf;
mod compiled;
mod elf;
mod imitation;
mod loaded;
mod real;
mod source;

pub use btf::{Btf, Linkage, Section, Variable};
pub use compiled::Compiled;
pub use imitation::{load, load_as_aya, load_named, types};
pub use loaded::{Loaded, LoadedMap, LoadedProgram};
#[cfg(feature = "aya")]
pub use real::load_by_aya;
pub use real::load_by_bpftool;
pub use source::Source;
