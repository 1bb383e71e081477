//! The commands, one module each.

mod add;
mod cas;
mod completions;
mod dump;
mod freeze;
mod get;
mod list;
mod man;
mod set;
mod show;
mod watch;

use bpfvar::Var;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::cli::{Command, Switching};
use crate::error::{Failure, Result};
use crate::output::Output;

/// Runs a command.
pub(crate) fn run(command: Command, out: &mut Output) -> Result<()> {
    match command {
        Command::List { filter } => list::run(filter.as_deref(), out),
        Command::Get { targets, per_cpu } => get::run(&targets, per_cpu, out),
        Command::Set { assignments, rewrite, switch } => set::run(&assignments, rewrite, switch, out),
        Command::Add { target, amount, switch } => add::run(&target, &amount, switch, out),
        Command::Cas { target, old, new, switch } => cas::run(&target, &old, &new, switch, out),
        Command::Dump { target } => dump::run(target.as_ref(), out),
        Command::Watch { targets, interval, samples } => watch::run(&targets, interval, samples, out),
        Command::Show { target } => show::run(&target, out),
        Command::Freeze { target } => freeze::run(&target, out),
        Command::Completions { shell } => completions::run(shell, out),
        Command::Man { what } => man::run(what.as_deref(), out),
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
    match set::unwritable(var, target)? {
        Some(set::Unwritable { rewritable: true, .. }) if !out.verbose => Err(Failure::new(format!(
            "{target}: {} cannot be mapped for writing, and {command} needs a mapped section: it is one atomic step in memory, which no \
             system call makes",
            var.map()
        ))),
        Some(unwritable) if !out.verbose => Err(Failure::new(unwritable.why)),
        _ => Ok(()),
    }
}

/// What a write did, as JSON.
#[derive(Debug, Serialize)]
struct Written<'a> {
    old: &'a bpfvar::Value,
    new: &'a bpfvar::Value,
}
