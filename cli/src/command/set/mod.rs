//! `bpfvar set`.

pub(crate) mod setting;
mod step;

use std::ops::Range;

use bpfvar::{Applied, Change, Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::{Members, Written, extent, writable};
use crate::access::{Unwritable, unwritable};
use crate::cli::Switching;
use crate::complete;
use crate::difference;
use crate::enumerator::unnamed;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::Target;
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
  bpfvar set '*.sampling=0' 'count.hist[*]=0'       all that fit, or none of them
  bpfvar set '*.flags|=TRACE'                       a step for each that fits

All targets are found and all values checked before the first is written; if a write fails, those before it are undone. A scalar is \
written by one atomic store, a bitfield so that its neighbours keep what programs store meanwhile, structs and arrays scalar by scalar. \
Variables that are declared by BPFVAR_SWITCH or BPFVAR_SEQ (`bpfvar show` says so) change as one: all that one command sets in such a \
variable is one switch.

Of structs and arrays a line is printed for each scalar that changed. A number that an enum has no enumerator for is stored, with a \
warning.

Operators: += -= add and subtract, |= &= &=~ ^= set, keep, clear and flip bits of whole numbers, enumerators and bools. Each is \
one atomic step from the value that is there, so nothing that a program stores atomically meanwhile is lost. What follows is a value \
of the variable's type, or several with | between them; quote it for the shell. A result that does not fit is refused. \
With TARGET=VALUE in one command: everything is checked first, then the values are written, then the steps are made in their order. \
They are steps of their own, also those of a pattern, one for each variable that fits: if one fails after all, because its variable \
changed meanwhile, the values that were written are undone, and steps that were made stay, and are named.

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
    let named = settings.iter().map(|setting| named(&resolver, setting.target())).collect::<Result<Vec<_>>>()?;
    // All are checked before the first is written.
    let (mut changes, mut steps) = (Vec::new(), Vec::new());
    for (vars, setting) in named.into_iter().zip(settings) {
        for (label, var) in vars {
            let var = switch.apply_to(var);
            match setting {
                Setting::Assignment(assignment) => {
                    let change = change(&var, &assignment.value, *rewrite, &label, out.verbose)?;
                    changes.push((label, change));
                }
                Setting::Operation(operation) => {
                    writable(&var, &label, &operation.operator.to_string(), out)?;
                    let step = Step::new(var, &label, operation)?;
                    steps.push((label, step));
                }
            }
        }
    }
    check_twice(&changes)?;
    let vars: Vec<Var> = changes.iter().map(|(_, change)| change.var().clone()).collect();
    let (labels, changes): (Vec<String>, Vec<Change>) = changes.into_iter().unzip();
    // If one fails, those before it are undone.
    let applied = Change::apply_all(changes)?;
    let mut written: Vec<Replaced<'_>> = Vec::new();
    for (target, step) in &steps {
        match step.make() {
            Ok((old, new)) => written.push(Replaced { target, var: step.var(), old, new }),
            Err(error) => return Err(broken_off(error.into(), applied, &written, out.verbose)),
        }
    }
    let applied = labels.iter().zip(&vars).zip(applied);
    let applied = applied.map(|((target, var), Applied { old, new, .. })| Replaced { target, var, old, new });
    let written: Vec<_> = applied.chain(written).collect();
    print(&written, out)?;
    let warnings = written.iter().flat_map(|Replaced { target, var, old, new }| unnamed(target, var, Some(old), new));
    warnings.collect::<Vec<_>>().iter().try_for_each(|warning| out.warn(warning))
}

/// The one variable that a target names, or those that fit a pattern. All of a program is set by nobody who means it.
fn named(resolver: &Resolver, target: &Target) -> Result<Vec<(String, Var)>> {
    if target.is_pattern() {
        return resolver.select(target);
    }
    let found = resolver.find(target)?;
    Ok(vec![(found.text.clone(), found.var()?)])
}

/// What was written to a target.
struct Replaced<'a> {
    target: &'a str,
    var: &'a Var,
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

/// Refuses two values for one variable, also by different names or as a part of it. A step may follow a value.
fn check_twice(changes: &[(String, Change)]) -> Result<()> {
    let extents: Vec<(u32, Range<u64>)> = changes.iter().map(|(_, change)| extent(change.var())).collect();
    for (index, (map, bits)) in extents.iter().enumerate() {
        let same =
            |(other, others): &(u32, Range<u64>)| map == other && bits.start < others.end && others.start < bits.end;
        if let Some(before) = extents[..index].iter().position(same) {
            let (before, label) = (&changes[before].0, &changes[index].0);
            let what =
                if before == label { format!("{label} is set") } else { format!("{before} and {label} set the same") };
            return Err(Failure::new(format!("{what} twice; give one value, nothing was written")));
        }
    }
    Ok(())
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

fn print(written: &[Replaced<'_>], out: &mut Output) -> Result<()> {
    if out.quiet || written.is_empty() {
        return Ok(());
    }
    if out.json {
        let mut all: Vec<(String, Written<'_>)> = Vec::new();
        for Replaced { target, old, new, .. } in written {
            // No key twice: steps may follow a value, and each other.
            match all.iter_mut().find(|(known, _)| known == target) {
                Some((_, known)) => known.new = new,
                None => all.push(((*target).to_owned(), Written { old, new })),
            }
        }
        return out.json(&Members(&all));
    }
    written.iter().try_for_each(|Replaced { target, old, new, .. }| changed(target, old, new, out))
}

/// So many lines are of use.
const MOST_LINES: usize = 100;

/// `count.sampling: 1 -> 100`; of structs and arrays a line for each scalar that has another value now.
pub(super) fn changed(target: &str, old: &Value, new: &Value, out: &mut Output) -> Result<()> {
    let mut parts = Vec::new();
    match new {
        Value::Struct(_) | Value::Array(_) => difference::add(target, Some(old), Some(new), &mut parts),
        _ => return line(target, Some(old), Some(new), out),
    }
    for part in parts.iter().take(MOST_LINES) {
        line(&part.name, part.old.as_ref(), part.new.as_ref(), out)?;
    }
    let target = out.ink(Ink::Name, &clean(target));
    match parts.len() {
        0 => out.line(format_args!("{target}: already so")),
        1..=MOST_LINES => Ok(()),
        count => out.line(format_args!("{target}: and {} more", count - MOST_LINES)),
    }
}

fn line(target: &str, old: Option<&Value>, new: Option<&Value>, out: &mut Output) -> Result<()> {
    let [old, new] = [old, new].map(|value| value.map_or_else(|| "(not there)".to_owned(), text));
    let (target, new) = (out.ink(Ink::Name, &clean(target)), out.ink(Ink::Changed, &new));
    out.line(format_args!("{target}: {old} -> {new}"))
}
