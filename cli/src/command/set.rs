//! `bpfvar set`.

use bpfvar::{Applied, Change, Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::{Members, Written};
use crate::access::{Unwritable, unwritable};
use crate::cli::Switching;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::{Assignment, Target};
use crate::value::text;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar set count.sampling=100                     count.sampling: 1 -> 100
  bpfvar set count.config.mode=FAST count.label=eth1
  bpfvar set 'count.config.limits[2]={\"burst\": 7}'  members that are not named stay as they are
  bpfvar set count.flags=0x1f
  bpfvar set '*.sampling=0' 'count.hist[*]=0'       all that fit, or none of them

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
    let named =
        assignments.iter().map(|assignment| named(&resolver, &assignment.target)).collect::<Result<Vec<_>>>()?;
    // All are checked before the first is written.
    let (mut changes, mut labels) = (Vec::new(), Vec::new());
    for (vars, assignment) in named.into_iter().zip(assignments) {
        for (label, var) in vars {
            changes.push(change(&switch.apply_to(var), &assignment.value, *rewrite, &label, out.verbose)?);
            labels.push(label);
        }
    }
    // If one fails, those before it are undone.
    let applied = Change::apply_all(changes)?;
    print(&labels.iter().map(String::as_str).zip(applied).collect::<Vec<_>>(), out)
}

/// The one variable that a target names, or those that fit a pattern. All of a program is set by nobody who means it.
fn named(resolver: &Resolver, target: &Target) -> Result<Vec<(String, Var)>> {
    if target.is_pattern() {
        return resolver.select(target);
    }
    let found = resolver.find(target)?;
    Ok(vec![(found.text.clone(), found.var()?)])
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
