//! `bpfvar set`.

use bpfvar::{Change, Reach, Value, Var};

use super::{Members, Written};
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::Assignment;
use crate::value::text;

pub(super) fn run(assignments: &[Assignment], rewrite: bool, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let found = resolver.find_all(assignments.iter().map(|assignment| &assignment.target))?;
    // All are checked before the first is written.
    let mut changes = Vec::new();
    for (found, assignment) in found.iter().zip(assignments) {
        let var = found.var()?;
        let change = change(&var, &assignment.value, rewrite, &found.text, out.verbose)?;
        changes.push(change);
    }
    let mut written: Vec<(String, (Value, Value))> = Vec::new();
    for (change, found) in changes.into_iter().zip(&found) {
        match change.apply() {
            Ok(values) => written.push((found.text.clone(), values)),
            Err(error) => {
                print(&written, out)?;
                return Err(error.into());
            }
        }
    }
    print(&written, out)
}

fn change<'s>(var: &Var<'s>, value: &str, rewrite: bool, target: &str, verbose: bool) -> Result<Change<'s>> {
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

pub(super) fn unwritable(var: &Var<'_>, target: &str) -> Result<Option<Unwritable>> {
    let section = var.section();
    let because = |why: &str, rewritable| Some(Unwritable { why: format!("{target}: {section} {why}"), rewritable });
    Ok(match section.reach()? {
        Reach::Mapped => None,
        _ if section.map().is_frozen()? => {
            because("is frozen, for good: it can be read, and only loading the program anew sets it", false)
        }
        Reach::SystemCallReadOnly => because("was opened to read only; check owner and mode of the pin", false),
        _ => {
            let what = if section.is_data() { "the whole section" } else { "each whole entry that it lies in" };
            let why = format!(
                "cannot be mapped for writing; `set --rewrite` writes it by reading and writing back {what}, which loses what programs \
                 store to it meanwhile"
            );
            because(&why, true)
        }
    })
}

fn print(written: &[(String, (Value, Value))], out: &mut Output) -> Result<()> {
    if out.quiet || written.is_empty() {
        return Ok(());
    }
    if out.json {
        let mut all: Vec<(String, Written<'_>)> = Vec::new();
        for (target, (old, new)) in written {
            // No key twice, whatever was set twice.
            match all.iter_mut().find(|(known, _)| known == target) {
                Some((_, known)) => known.new = new,
                None => all.push((target.clone(), Written { old, new })),
            }
        }
        return out.json(&Members(&all));
    }
    written.iter().try_for_each(|(target, (old, new))| changed(target, old, new, out))
}

/// `count.sampling: 1 -> 100`.
pub(super) fn changed(target: &str, old: &Value, new: &Value, out: &mut Output) -> Result<()> {
    let (target, new) = (out.ink(Ink::Name, &clean(target)), out.ink(Ink::Changed, &text(new)));
    out.line(format_args!("{target}: {} -> {new}", text(old)))
}
