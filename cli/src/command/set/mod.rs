//! `bpfvar set`.

mod setting;
mod step;

use bpfvar::{AccessMode, Applied, Change, MapType, Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::{Members, Written, writable};
use crate::cli::Switching;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::value::text;
use setting::Setting;
use step::Step;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar set count.sampling=100                     count.sampling: 1 -> 100
  bpfvar set count.config.mode=FAST count.label=eth1
  bpfvar set 'count.config.limits[2]={\"burst\": 7}'  members that are not named stay as they are
  bpfvar set count.flags=0x1f
  bpfvar set count.sampling+=5 'count.flags|=0x10'  one atomic step each
  bpfvar set 'count.flags&=~DEBUG|TRACE'            clears two flags of an enum

All targets are found and all values checked before the first is written; if a write fails, those before it are undone. A scalar is \
written by one atomic store, a bitfield so that its neighbours keep what programs store meanwhile, structs and arrays scalar by scalar. \
Variables that are declared by BPFVAR_SWITCH or BPFVAR_SEQ (`bpfvar show` says so) change as one: all that one command sets in such a \
variable is one switch.

Operators: += -= add and subtract, |= &= &=~ ^= set, keep, clear and flip bits of whole numbers, enumerators and bools. Each is \
one atomic step from the value that is there, so nothing that a program stores atomically meanwhile is lost. What follows is a value \
of the variable's type, or several with | between them; quote it for the shell. A result that does not fit is refused. \
With TARGET=VALUE in one command: everything is checked first, then the values are written, then the steps are made in their order. \
They are steps of their own: if one fails after all, because its variable changed meanwhile, the values that were written are undone, and \
steps that were made stay, and are named.

How targets and values are written: bpfvar --help")]
pub(crate) struct Args {
    /// What to set, and to what; or TARGET+=VALUE, or another operator
    #[arg(required = true, value_name = "TARGET=VALUE", add = ArgValueCompleter::new(complete::assignments))]
    settings: Vec<Setting>,
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

pub(super) fn run(Args { settings, rewrite, switch }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let found = resolver.find_all(settings.iter().map(Setting::target))?;
    // All are checked before the first is written.
    let (mut changes, mut steps) = (Vec::new(), Vec::new());
    for (found, setting) in found.iter().zip(settings) {
        let (target, var) = (found.text.as_str(), switch.apply_to(found.var()?));
        match setting {
            Setting::Assignment(assignment) => {
                changes.push((target, change(&var, &assignment.value, *rewrite, target, out.verbose)?));
            }
            Setting::Operation(operation) => {
                writable(&var, target, &operation.operator.to_string(), out)?;
                steps.push((target, Step::new(var, operation)?));
            }
        }
    }
    let (targets, changes): (Vec<&str>, Vec<Change>) = changes.into_iter().unzip();
    // If one fails, those before it are undone.
    let applied = Change::apply_all(changes)?;
    let mut written: Vec<Replaced<'_>> = Vec::new();
    for (target, step) in &steps {
        match step.make() {
            Ok((old, new)) => written.push(Replaced { target, old, new }),
            Err(error) => return Err(broken_off(error.into(), applied, &written, out.verbose)),
        }
    }
    let applied = targets.into_iter().zip(applied);
    let applied = applied.map(|(target, Applied { old, new, .. })| Replaced { target, old, new });
    print(&applied.chain(written).collect::<Vec<_>>(), out)
}

/// What was written to a target.
struct Replaced<'a> {
    target: &'a str,
    old: Value,
    new: Value,
}

/// The error for a step that failed although it was checked: the values that were written are undone, the steps before it are not.
fn broken_off(failure: Failure, applied: Vec<Applied>, made: &[Replaced<'_>], verbose: bool) -> Failure {
    let mut line = failure.line(verbose);
    if !applied.is_empty() {
        line += match applied.into_iter().rev().try_for_each(Applied::undo) {
            Ok(()) => "; the values that were written before it are undone",
            Err(_) => "; the values that were written before it could not all be undone",
        };
    }
    let made: Vec<&str> = made.iter().map(|replaced| replaced.target).collect();
    if !made.is_empty() {
        line += &format!("; the steps before it stay: {}", made.join(", "));
    }
    Failure::new(line)
}

fn change(var: &Var, value: &str, rewrite: bool, target: &str, verbose: bool) -> Result<Change> {
    match unwritable(var, target)? {
        None => Ok(var.change(value)?),
        // Which call would fail, and how.
        Some(_) if verbose && !rewrite => Ok(var.change(value)?),
        Some(Unwritable { rewritable: true, .. }) if rewrite => Ok(var.change_by_rewrite(value)?),
        Some(Unwritable { why, .. }) => Err(Failure::new(why)),
    }
}

/// Why a variable cannot be written through memory.
pub(super) struct Unwritable {
    pub(super) why: String,
    /// Whether `--rewrite` would do.
    pub(super) rewritable: bool,
}

pub(super) fn unwritable(var: &Var, target: &str) -> Result<Option<Unwritable>> {
    let section = var.map();
    let because = |why: &str, rewritable| Some(Unwritable { why: format!("{target}: {section} {why}"), rewritable });
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
                "cannot be mapped for writing; `set --rewrite` writes it by reading and writing back {what}, which loses what programs \
                 store to it meanwhile"
            );
            because(&why, true)
        }
    })
}

fn print(written: &[Replaced<'_>], out: &mut Output) -> Result<()> {
    if out.quiet || written.is_empty() {
        return Ok(());
    }
    if out.json {
        let mut all: Vec<(String, Written<'_>)> = Vec::new();
        for Replaced { target, old, new } in written {
            // No key twice, whatever was set twice.
            match all.iter_mut().find(|(known, _)| known == target) {
                Some((_, known)) => known.new = new,
                None => all.push(((*target).to_owned(), Written { old, new })),
            }
        }
        return out.json(&Members(&all));
    }
    written.iter().try_for_each(|Replaced { target, old, new }| changed(target, old, new, out))
}

/// `count.sampling: 1 -> 100`.
pub(super) fn changed(target: &str, old: &Value, new: &Value, out: &mut Output) -> Result<()> {
    let (target, new) = (out.ink(Ink::Name, &clean(target)), out.ink(Ink::Changed, &text(new)));
    out.line(format_args!("{target}: {} -> {new}", text(old)))
}
