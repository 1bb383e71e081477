//! What the tests, benches and examples of bpfvar need of the kernel beyond maps: small BPF programs, assembled here or read
//! from an object file, loaded and run; a bpffs of one's own; threads with fewer rights. Never published.
//!
//! It knows nothing of bpfvar: maps come as descriptors.
#![allow(unsafe_code)]

mod btf;
pub mod faults;
pub mod host;
pub mod insn;
mod map;
mod object;
mod program;
mod token;

pub use btf::Types;
pub use map::{counters_map, delete_entry, opaque_map, raw_map, spin_lock_map, update_entry};
pub use object::{MapSpec, ProgramSpec, load_btf};
pub use program::{Attached, Program, ProgramType};
pub use token::with_token;
