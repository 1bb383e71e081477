//! The commands, one module each: what it takes, and what it does.

pub(crate) mod add;
pub(crate) mod apply;
pub(crate) mod cas;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod dump;
pub(crate) mod export;
pub(crate) mod freeze;
pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod save;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod top;
pub(crate) mod watch;

use std::ops::Range;

use bpfvar::Var;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::access::{Unwritable, unwritable};
use crate::cli::{Command, Switching};
use crate::error::{Failure, Result};
use crate::output::Output;

/// Runs a command.
pub(crate) fn run(command: Command, out: &mut Output) -> Result<()> {
    match &command {
        Command::List(args) => list::run(args, out),
        Command::Get(args) => get::run(args, out),
        Command::Save(args) => save::run(args, out),
        Command::Set(args) => set::run(args, out),
        Command::Add(args) => add::run(args, out),
        Command::Apply(args) => apply::run(args, out),
        Command::Cas(args) => cas::run(args, out),
        Command::Diff(args) => diff::run(args, out),
        Command::Dump(args) => dump::run(args, out),
        Command::Watch(args) => watch::run(args, out),
        Command::Top(args) => top::run(args, out),
        Command::Show(args) => show::run(args, out),
        Command::Freeze(args) => freeze::run(args, out),
        Command::Generate(args) => generate::run(args, out),
        Command::Export(args) => export::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
    }
}

/// A JSON object whose members keep their order.
struct Members<'a, T>(&'a [(String, T)]);

impl<T: Serialize> Serialize for Members<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

impl Switching {
    /// The variable, with what was said of those that use it.
    fn apply_to(self, var: Var) -> Var {
        if self.allow_sleepable { var.allow_sleepable() } else { var }
    }
}

/// Refuses what cannot be changed in one step, in words that fit the tool; --verbose asks for the library's.
fn writable(var: &Var, target: &str, command: &str, out: &Output) -> Result<()> {
    match unwritable(var.map())? {
        Some(Unwritable { rewritable: true, .. }) if !out.verbose => Err(Failure::new(format!(
            "{target}: {} cannot be mapped for writing, and {command} needs a mapped section: it is one atomic step in memory, which no \
             system call makes",
            var.map()
        ))),
        Some(unwritable) if !out.verbose => Err(Failure::new(format!("{target}: {} {}", var.map(), unwritable.why))),
        _ => Ok(()),
    }
}

/// The map that a variable lies in, and which bits of all that is in the map it takes.
fn extent(var: &Var) -> (u32, Range<u64>) {
    let (info, bits) = (var.map().info(), var.bits());
    let stride = info.stride() * 8;
    let range = match var.entry().map(u64::from) {
        Some(entry) => entry * stride + bits.start..entry * stride + bits.end,
        None => 0..u64::from(info.max_entries) * stride,
    };
    (info.id, range)
}

/// What a write did, as JSON.
#[derive(Debug, Serialize)]
struct Written<'a> {
    old: &'a bpfvar::Value,
    new: &'a bpfvar::Value,
}
