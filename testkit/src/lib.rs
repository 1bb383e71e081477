//! What the tests, benches and examples of bpfvar need of the kernel beyond maps: small BPF programs, assembled here, loaded
//! and run; a bpffs of one's own; threads with fewer rights. Never published.
//!
//! It knows nothing of bpfvar: maps come as descriptors.
#![allow(unsafe_code)]

pub mod host;
pub mod insn;
mod map;
mod program;

pub use map::{raw_map, spin_lock_map};
pub use program::{Attached, Program, ProgramType};
