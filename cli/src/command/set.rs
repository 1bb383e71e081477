//! `bpfvar set`.

use bpfvar::{AccessMode, Applied, Change, MapType, TypedMap, Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::{Members, Written};
use crate::cli::Switching;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::Assignment;
use crate::value::text;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar set count.sampling=100                     count.sampling: 1 -> 100
  bpfvar set count.config.mode=FAST count.label=eth1
  bpfvar set 'count.config.limits[2]={\"burst\": 7}'  members that are not named stay as they are
  bpfvar set count.flags=0x1f

All targets are found and all values checked before the first is written; if a write fails, those before it are undone. A scalar is \
written by one atomic store, a bitfield so that its neighbours keep what programs store meanwhile, structs and arrays scalar by scalar. \
Variables that are declared by BPFVAR_SWITCH or BPFVAR_SEQ (`bpfvar show` says so) change as one: all that one command sets in such a \
variable is one switch.

How targets and values are written: bpfvar --help")]
pub(crate) struct Args {
    /// What to set, and to what
    #[arg(required = true, value_name = "TARGET=VALUE", add = ArgValueCompleter::new(complete::assignments))]
    assignments: Vec<Assignment>,
    /// Write sections that cannot be mapped by rewriting them whole
    ///
    /// For sections that are reached by system call only, such as aya's. The whole section, or the whole entry of an array
    /// map, is read and written back with the change in it: whatever programs store to any of its variables in between IS
    /// LOST. Sections that can be mapped are written as usual.
    #[arg(long)]
    rewrite: bool,
    #[command(flatten)]
    switch: Switching,
}

pub(super) fn run(Args { assignments, rewrite, switch }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let found = resolver.find_all(assignments.iter().map(|assignment| &assignment.target))?;
    // All are checked before the first is written.
    let mut changes = Vec::new();
    for (found, assignment) in found.iter().zip(assignments) {
        let var = switch.apply_to(found.var()?);
        let change = change(&var, &assignment.value, *rewrite, &found.text, out.verbose)?;
        changes.push(change);
    }
    // If one fails, those before it are undone.
    let applied = Change::apply_all(changes)?;
    print(&found.iter().map(|found| found.text.as_str()).zip(applied).collect::<Vec<_>>(), out)
}

fn change(var: &Var, value: &str, rewrite: bool, target: &str, verbose: bool) -> Result<Change> {
    match unwritable(var.map())? {
        None => Ok(var.change(value)?),
        // Which call would fail, and how.
        Some(_) if verbose && !rewrite => Ok(var.change(value)?),
        Some(Unwritable { rewritable: true, .. }) if rewrite => Ok(var.change_by_rewrite(value)?),
        Some(Unwritable { why, .. }) => Err(Failure::new(format!("{target}: {} {why}", var.map()))),
    }
}

/// Why variables cannot be written through memory.
#[derive(Clone, Debug)]
pub(super) struct Unwritable {
    /// Behind the name of the map.
    pub(super) why: String,
    /// Whether `--rewrite` would do.
    pub(super) rewritable: bool,
}

pub(super) fn unwritable(section: &TypedMap) -> Result<Option<Unwritable>> {
    let because = |why: &str, rewritable| Some(Unwritable { why: why.to_owned(), rewritable });
    Ok(match section.access()? {
        AccessMode::Mapped => None,
        _ if section.as_map().is_frozen()? => {
            because("is frozen, for good: it can be read, and only loading the program anew sets it", false)
        }
        _ if section.info().map_type == MapType::PERCPU_ARRAY => {
            because("is a per-CPU array: the kernel copies it for each CPU, and bpfvar only reads it", false)
        }
        AccessMode::SystemCallReadOnly => because("was opened to read only; check owner and mode of the pin", false),
        _ => {
            let what =
                if section.section().is_some() { "the whole section" } else { "each whole entry that it lies in" };
            let why = format!(
                "cannot be mapped for writing; --rewrite writes it by reading and writing back {what}, which loses what programs \
                 store to it meanwhile"
            );
            because(&why, true)
        }
    })
}

fn print(written: &[(&str, Applied)], out: &mut Output) -> Result<()> {
    if out.quiet || written.is_empty() {
        return Ok(());
    }
    if out.json {
        let mut all: Vec<(String, Written<'_>)> = Vec::new();
        for (target, Applied { old, new, .. }) in written {
            // No key twice, whatever was set twice.
            match all.iter_mut().find(|(known, _)| known == target) {
                Some((_, known)) => known.new = new,
                None => all.push(((*target).to_owned(), Written { old, new })),
            }
        }
        return out.json(&Members(&all));
    }
    written.iter().try_for_each(|(target, applied)| changed(target, &applied.old, &applied.new, out))
}

/// `count.sampling: 1 -> 100`.
pub(super) fn changed(target: &str, old: &Value, new: &Value, out: &mut Output) -> Result<()> {
    let (target, new) = (out.ink(Ink::Name, &clean(target)), out.ink(Ink::Changed, &text(new)));
    out.line(format_args!("{target}: {} -> {new}", text(old)))
}
