//! Globals by name: sections of real programs, read and written by what their BTF says.
//!
//! Needs root. A test that cannot run says so; in CI it fails instead.

mod amplified;
mod bind;
mod changes;
mod created;
mod fields;
mod foreign;
mod forged;
mod globals;
mod hostile;
mod keyed;
mod owned;
mod parts;
mod reach;
mod reading;
// Bits are counted from the lowest.
#[cfg(target_endian = "little")]
mod round_trip;
mod stale;
mod wrapped;
mod writing;

use bpfvar::{Globals, MapValue};
use bpfvar_objects::{Loaded, Source, load};
use bpfvar_testkit::host;

/// `struct config` of `count.bpf.c`, and what is in it.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Limit {
    pub(crate) burst: u32,
    pub(crate) delta: i32,
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Config {
    pub(crate) rate: u64,
    pub(crate) mode: u32,
    pub(crate) limits: [Limit; 4],
    pub(crate) enabled: bool,
}

/// An entry of the map `stats` of `maps.bpf.c`.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Stats {
    pub(crate) packets: u64,
    pub(crate) drops: u32,
    pub(crate) mode: u32,
    pub(crate) sizes: [u64; 4],
}

/// An object in the kernel and its globals; None where the test cannot run.
fn loaded(source: Source) -> Option<(Loaded, Globals)> {
    if !host::ready(source.needs()) {
        return None;
    }
    let loaded = load(source);
    // By id: other tests have programs of the same name in the kernel at the same time.
    let globals = Globals::by_id(loaded.programs[0].id()).unwrap();
    Some((loaded, globals))
}

/// The same where the kernel knows all types of the object.
fn loaded_as_declared(source: Source) -> Option<(Loaded, Globals)> {
    if host::ready(source.types_need()) { loaded(source) } else { None }
}

/// The value of a variable as text.
fn text(globals: &Globals, path: &str) -> String {
    globals.var(path).unwrap().read().unwrap().to_string()
}
