//! Globals by name: sections of real programs, read and written by what their BTF says.
//!
//! Needs root. A test that cannot run says so; in CI it fails instead.

mod bind;
mod changes;
mod created;
mod fields;
mod foreign;
mod forged;
mod globals;
mod hostile;
mod owned;
mod reach;
mod reading;
mod stale;
mod writing;

use bpfvar::Globals;
use bpfvar_objects::{Loaded, Source, load};
use bpfvar_testkit::host;

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

/// The value of a variable as text.
fn text(globals: &Globals, path: &str) -> String {
    globals.var(path).unwrap().read().unwrap().to_string()
}
