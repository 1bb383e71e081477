//! Reads and changes the global variables and array maps of BPF programs as plain shared memory.
//!
//! An array map created with `BPF_F_MMAPABLE`, as the global variables of a program are, lives in kernel memory that a process can
//! map. A load or store is then one instruction instead of a system call, and changing one variable leaves its neighbours alone.
//! This crate maps such maps and returns typed, atomic pointers into them, in safe Rust, whatever programs and other processes do
//! to the memory.
//!
//! | I have | I want | I use |
//! |---|---|---|
//! | a running program, by name, id or pin | its variables | [`Globals::by_name`], [`by_id`](Globals::by_id), [`by_pin`](Globals::by_pin) |
//! | a program or map of aya or libbpf-rs | its variables | [`Globals::by_fd`] |
//! | a program and a Rust struct | all variables bound at once | [`derive(Bind)`](Bind) |
//! | a program that is loaded anew | to stay bound | [`Follower`] |
//! | a variable | to access it often | [`Var::bind`], which returns a [`Shared`] |
//! | a variable, but no Rust type | to read, set or add | [`Var::read`], [`Var::set`], [`Var::add`] |
//! | several settings | to check, compare, apply and undo them | [`Var::change`], [`Change::apply_all`] |
//! | an array map | it as an array of my type | [`Array::from_pin`], [`from_id`](Array::from_id), [`from_borrowed_fd`](Array::from_borrowed_fd) |
//! | a type | a new map of it | [`Array::builder`] |
//! | code that takes an `Array` | to test it without a kernel | [`Array::in_process`] |
//! | a C enum, flags, a newtype | it as a field | [`Checked`], [`derive(Repr)`](Repr), `#[repr(transparent)]` |
//! | somebody else's `Pod` type | it as a value | [`Zerocopy`], `Bytemuck` |
//! | fields that belong together | a copy of one moment | [`Seq`], and `BPFVAR_SEQ` in the program |
//! | settings that belong together | to change them as one | [`SwitchWriter`], and `BPFVAR_SWITCH` in the program |
//! | counters of every CPU | their sum, on cache lines apart | [`PerCpu`], and `BPFVAR_PERCPU` in the program |
//! | contents that never change again | plain `&T` | [`Frozen`] |
//! | an object file or a program | its types and variables as Rust | the crate `bpfvar-generate`, `bpfvar generate` |
//! | a type known by BTF only | its members, enumerators, offsets | [`Var::ty`], [`btf`] |
//! | any map or program | its info, pins, values by system call | [`Map`], [`Program`] |
//! | a program | where it is attached | [`Link`] |
//!
//! # Variables of a running program
//!
//! ```no_run
//! use bpfvar::{Bind, Globals, Shared};
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! #[derive(Bind)]
//! struct Count {
//!     sampling: Shared<u32>,                     // size, kind and signedness are checked against BTF
//!     #[bind("config.rate")] rate: Shared<u64>,
//! }
//!
//! let globals = Globals::by_name("count")?;
//! let count = Count::bind(&globals)?;            // no lifetime: keep it, clone it, send it to threads
//! count.sampling.store(100, Relaxed);            // one instruction
//! globals.var("config.mode")?.set("FAST")?;      // by text: type and range are checked first
//! println!("{}", globals.var("config")?.read()?);
//! # Ok::<(), bpfvar::Error>(())
//! ```
//!
//! # Array maps of your own types
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
//! let third = stats.at(3);                     // a view: a pointer and a lifetime, nothing is copied
//! third.packets.fetch_add(1, Relaxed);         // one locked instruction, no system call
//! let seen: Stats = third.read();              // each scalar whole; the struct as a whole may be mid-update
//! let all: Vec<Stats> = stats.snapshot();      // the same for all entries
//! # Ok::<(), bpfvar::Error>(())
//! ```
//!
//! # Maps that are reached by keys
//!
//! Hashes and LPM tries cannot be mapped. A [`KeyedMap`] copies their entries by system call, typed by BTF, and only reads:
//!
//! ```no_run
//! # let globals = bpfvar::Globals::by_name("count")?;
//! for entry in globals.keyed_map("flows")?.entries() {
//!     let (flow, traffic) = entry?;
//!     println!("{flow}: {traffic}");
//! }
//! # Ok::<(), bpfvar::Error>(())
//! ```
//!
//! # What is whole, what is consistent
//!
//! | what | seen by others | cost |
//! |---|---|---|
//! | a scalar of up to 8 bytes, aligned as C does | whole, old or new, always | one instruction |
//! | a struct or an array: [`Array::read`], [`snapshot`](Array::snapshot), [`Var::read`] | each scalar whole; some may be old beside some that are new | on x86-64 about that of `memcpy`, else a load a scalar |
//! | the same, written: [`Array::write`], [`Var::set`] | each scalar whole; others see some before the rest | the same, with stores |
//! | [`Seq<T>`](Seq), read | **consistent**: as it was at one moment, or [`Torn`](error::Torn) | 1.9 to 2.1 times a plain read, no system call |
//! | [`Seq<T>`](Seq), written from user space | **consistent** for programs (`bpfvar_seq_read`) and for processes | 0.2 µs, one system call |
//! | [`Switch<T>`](Switch), read by programs | **consistent**: one version in one run | one load |
//! | [`Switch<T>`](Switch), read from user space | **consistent** | as `Seq` |
//! | [`Switch<T>`](Switch), written: [`SwitchWriter::update`] | **all at once**, and no program sees the old value when it returns | 8 ms, 10 to 50 ms beside busy programs |
//! | [`PerCpu<T>`](PerCpu), `sum` | each scalar whole; not of one moment | a cache line for each CPU |
//! | `PerCpu<Seq<T>>` | each slot **consistent**; the slots are not of one moment | |
//! | several variables, several entries of a map | neither: each for itself | |
//! | an entry of a [`KeyedMap`] | a copy; what programs change in place may be half old, half new | a system call |
//!
//! The other side is one header for programs in C, `bpfvar.bpf.h`, in the folder `include` of this crate: copy it (MIT). Programs without it get the
//! first three rows. `cargo bench --bench together` measures.
//!
//! # Tests without a kernel
//!
//! ```
//! use bpfvar::Array;
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! fn total(counters: &Array<u64>) -> u64 {
//!     counters.sum(|counter| counter)
//! }
//!
//! let counters = Array::<u64>::in_process(4); // process memory: no kernel, no privileges
//! counters.at(2).store(5, Relaxed);
//! assert_eq!(total(&counters), 5);
//! ```
//!
//! # Requirements
//!
//! Linux on a 64-bit machine. Mapping needs 5.5. Creating maps needs `CAP_BPF` (`CAP_SYS_ADMIN` before 5.8), opening them by
//! id and fetching BTF `CAP_SYS_ADMIN`. A descriptor or a pin needs no privilege beyond the right to open it; but before Linux 5.19,
//! where `kernel.unprivileged_bpf_disabled` is not 0 (Debian sets 2), `CAP_BPF` too.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `bytemuck` | [`Bytemuck<T>`](https://docs.rs/bpfvar/latest/bpfvar/struct.Bytemuck.html) as a value |
//! | `serde` | `Serialize` for values and for what the kernel says of maps and programs, `Deserialize` for [`Input`] |
//! | `json` | structs and arrays from JSON text; includes `serde` |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("bpfvar needs Linux on a 64-bit machine: it maps kernel memory and counts on 8-byte atomics");

/// Compiles the README's code with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// What the derive emits names `::bpfvar`, also in here.
extern crate self as bpfvar;

mod array;
pub mod error;
mod frozen;
mod globals;
mod kernel;
mod mapped;
mod memory;
mod sys;
mod together;
mod typed_map;
mod types;
mod value;
mod view;

pub use array::{Array, FreezeError};
pub use bpfvar_derive::{Bind, MapValue, Repr};
pub use error::{Cause, Error, Result};
pub use frozen::Frozen;
pub use globals::{Bind, Follower, FromMap, FromVar, Globals, Reload};
pub use kernel::{
    AttachType, Attachment, Ids, Link, LinkInfo, LinkType, Map, MapBuilder, MapFlags, MapInfo, MapType, Program,
    ProgramInfo, ProgramType,
};
pub use memory::{Access, ReadOnly, ReadWrite};
pub use together::{PerCpu, Run, SwitchWriter};
pub use typed_map::{AccessMode, Applied, Change, Entries, KeyedEntry, KeyedMap, Step, TypedMap, Var, VarPath};
pub use types::Btf;
pub use types::explore::Linkage;
pub use value::{Input, Value};
#[cfg(feature = "bytemuck")]
pub use view::Bytemuck;
pub use view::{
    CacheLine, CacheLineView, Checked, Field, Integer, Iter, MapValue, Repr, Scalar, Seq, SeqView, Shared, Slice,
    Switch, SwitchView, Zerocopy,
};

/// Types as BTF has them, for those who walk them: generators of code, tools that show types.
///
/// [`Btf::sections`] and [`Btf::types`] start from the BTF of an object file, [`Var::ty`] from a variable of a running program.
/// All of it was checked when the BTF was parsed: walks end, members lie inside their structs.
pub mod btf {
    pub use crate::types::Bits;
    pub use crate::types::explore::{Kind, Member, Section, SectionVar, Type};
}

/// Holds what the derives name beside the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::globals::Binder;
    pub use crate::view::{Layout as ValueLayout, Plain, PlainStruct};
}
