//! BPF globals and array maps as plain shared memory.
//!
//! An array map made with `BPF_F_MMAPABLE` lives in kernel memory that a process can map. [`Array`] creates or opens such a
//! map, maps it, and hands out typed, atomic, zero-copy views of its values: a load or store is one instruction instead of
//! a system call, and changing one field leaves its neighbours alone.
//!
//! ```no_run
//! use bpfvar::{Array, MapValue};
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
//! #[repr(C)]
//! struct Stats { packets: u64, drops: u32, mode: u32, sizes: [u64; 16] }
//!
//! let stats = Array::<Stats>::builder().name("stats").entries(256).create()?; // or from_fd, from_id, from_pin
//! let third = stats.at(3);                     // a view: a pointer and a lifetime, nothing copied
//! third.packets.fetch_add(1, Relaxed);         // one locked instruction, no system call
//! third.mode.store(2, Relaxed);
//! third.sizes.at(5).load(Relaxed);
//! let seen: Stats = third.read();              // each scalar whole; the struct as a whole may be mid-update
//! let all: Vec<Stats> = stats.snapshot();      // the same for all entries
//! # Ok::<(), bpfvar::Error>(())
//! ```
//!
//! The global variables of a program that somebody else loaded are found by name, through the program's BTF. [`Globals`] gives
//! its sections and variables; from a variable come the same fields and views, once the Rust type was held against BTF, or
//! values for which no Rust type is needed:
//!
//! ```no_run
//! use bpfvar::Globals;
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! let globals = Globals::of_program_named("count")?;      // or by id, pin, descriptor; or of a map
//! let sampling = globals.var("sampling")?.field::<u32>()?; // size, kind, signedness and alignment are BTF's
//! sampling.store(100, Relaxed);                            // from here on as above: one instruction
//! globals.var("config.mode")?.set("FAST")?;                // by text, checked by type and range
//! println!("{}", globals.var("config")?.read()?);
//! # Ok::<(), bpfvar::Error>(())
//! ```
//!
//! | type | holds |
//! |---|---|
//! | [`Array<T, A>`](Array) | a mapped array map of `T`, read-write or read-only; or the same over process memory, for tests |
//! | [`Field`], [`Slice`], the views that the derive makes | pointers into it |
//! | [`Frozen<T>`](Frozen) | contents that nobody writes any more, lent as plain `&T` |
//! | [`Globals`], [`Section`], [`Var`] | the variables of a running program, by name; [`Value`] is one whose type only BTF knows |
//! | [`Map`], [`Program`], [`Btf`] | the kernel's objects: info, pins, freezing, element access by system call |
//! | [`Error`], [`Cause`] | what went wrong and what to do |
//!
//! # Requirements
//!
//! Linux on a 64-bit machine. Mapping needs 5.5, creating maps `CAP_BPF` (`CAP_SYS_ADMIN` before 5.8), opening them by
//! id and fetching BTF `CAP_SYS_ADMIN`; a descriptor or a pin needs no privilege beyond the right to open it.
//!
//! # Features
//!
//! `bytemuck`: [`Bytemuck<T>`](https://docs.rs/bpfvar/latest/bpfvar/struct.Bytemuck.html) as a value. `json`: `Value` as JSON, and
//! structs and arrays from JSON text.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("bpfvar needs Linux on a 64-bit machine: it maps kernel memory and counts on 8-byte atomics");

/// The README's code is compiled with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// What the derive emits names `::bpfvar`, also in here.
extern crate self as bpfvar;

mod array;
mod error;
mod frozen;
mod globals;
mod kernel;
mod mapped;
mod memory;
mod sys;
mod typed_map;
mod types;
mod value;
mod view;

pub use array::{Array, FreezeError};
pub use bpfvar_derive::{Bind, MapValue, Repr};
pub use error::{
    Advice, BindFault, BtfFault, Call, Cause, Error, LayoutMismatch, Object, ObjectKind, Property, Result,
};
pub use frozen::Frozen;
pub use globals::{Bind, Follower, FromMap, FromVar, Globals, Reload};
pub use kernel::{Ids, Map, MapBuilder, MapFlags, MapInfo, MapType, Program, ProgramInfo};
pub use memory::{Access, ReadOnly, ReadWrite};
pub use typed_map::{AccessMode, Applied, Change, Linkage, Step, TypedMap, Var, VarPath};
pub use types::Btf;
pub use value::{Input, Value};
#[cfg(feature = "bytemuck")]
pub use view::Bytemuck;
pub use view::{Checked, Field, Integer, Iter, MapValue, Repr, Scalar, Shared, Slice, Zerocopy};

/// What the derives name beside the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::globals::Binder;
    pub use crate::view::Layout as ValueLayout;
}
