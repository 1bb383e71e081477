//! From settings to changes: found, checked, written all or none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bpfvar::{Applied, Change, Value, Var};

use super::report::{Changed, Report, Unchanged};
use crate::access::{Unwritable, unwritable};
use crate::cli::Switching;
use crate::command::extent;
use crate::enumerator::unnamed;
use crate::error::{Failure, Result};
use crate::resolve::{Resolver, Selected};
use crate::settings::{Fault, Group, Setting};

/// How to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) rewrite: bool,
    pub(super) switch: Switching,
    /// Whether errors name the system call.
    pub(super) verbose: bool,
}

/// A setting with the variable that it is about.
pub(super) struct Meant<'s> {
    pub(super) setting: &'s Setting,
    var: Var,
    /// The object by its id, and the map: what is loaded anew has others.
    pub(super) identity: (String, u32),
}

/// Looks for the variables of a group. None if its program or map is not there, or not yet.
pub(super) fn seek<'s>(group: &'s Group, resolver: &Resolver, rules: Rules) -> Option<Vec<Result<Meant<'s>, Fault>>> {
    let fault = |setting: &Setting, failure: &Failure| Err(Fault::of(setting, failure.line(rules.verbose)));
    let first = group.settings.first()?;
    if let Some(setting) = group.settings.iter().find(|setting| setting.target.is_pattern()) {
        let rule = format!("{}: a setting names one variable, and this is a pattern", setting.target.text);
        return Some(vec![fault(setting, &Failure::new(rule))]);
    }
    match resolver.is_there(&first.target) {
        Ok(true) => {}
        Ok(false) => {
            // It is there, but no variable.
            let Ok(Selected::Keyed(keyed)) = resolver.look_up(&first.target) else { return None };
            let rule =
                format!("{}: {} is reached by keys, and its entries are only read", first.target.text, keyed.map);
            return Some(vec![fault(first, &Failure::new(rule))]);
        }
        Err(failure) => return Some(vec![fault(first, &failure)]),
    }
    let mut all = Vec::with_capacity(group.settings.len());
    for setting in &group.settings {
        all.push(match resolver.find(&setting.target).and_then(|found| Ok((found.var()?, found.canonical))) {
            Ok((var, canonical)) => {
                let identity = (canonical, var.map().info().id);
                Ok(Meant { setting, var: rules.switch.apply_to(var), identity })
            }
            Err(failure) if failure.is_absence() => return None,
            // It would be so for all of the group.
            Err(failure @ Failure::Ambiguous(_)) => return Some(vec![fault(setting, &failure)]),
            Err(failure) => fault(setting, &failure),
        });
    }
    Some(all)
}

/// Pairs of settings that overlap although they name their variables in different ways.
pub(super) fn overlaps<'m, 's: 'm>(all: impl Iterator<Item = &'m Meant<'s>>) -> Vec<(&'s Setting, &'s Setting)> {
    let mut extents: Vec<_> = all.map(|meant| (extent(&meant.var), meant.setting)).collect();
    extents.sort_by_key(|((map, bits), _)| (*map, bits.start));
    let mut pairs = Vec::new();
    // Of those before, the one that reaches farthest.
    let mut before: Option<(u32, u64, &Setting)> = None;
    for ((map, bits), setting) in extents {
        let of_this_map = before.filter(|(known, ..)| *known == map);
        pairs.extend(of_this_map.filter(|(_, end, _)| bits.start < *end).map(|(.., other)| (setting, other)));
        if of_this_map.is_none_or(|(_, end, _)| end < bits.end) {
            before = Some((map, bits.end, setting));
        }
    }
    pairs
}

/// A setting, checked and ready to be written.
pub(super) struct Step<'s> {
    setting: &'s Setting,
    change: Change,
    /// The value, if the variable has it already.
    so: Option<Value>,
}

/// Checks values, and whether maps can be written.
pub(super) struct Checker {
    rules: Rules,
    maps: HashMap<u32, Option<Unwritable>>,
}

impl Checker {
    pub(super) fn new(rules: Rules) -> Checker {
        Checker { rules, maps: HashMap::new() }
    }

    /// All steps of a group, or all that is wrong with it.
    pub(super) fn check<'s>(&mut self, all: Vec<Result<Meant<'s>, Fault>>) -> Result<Vec<Step<'s>>, Vec<Fault>> {
        let (mut steps, mut faults) = (Vec::new(), Vec::new());
        for meant in all {
            match meant.and_then(|Meant { setting, var, .. }| {
                let change = self.change(setting, &var);
                let change = change.map_err(|failure| Fault::of(setting, failure.line(self.rules.verbose)))?;
                Ok(Step { setting, so: so(&change), change })
            }) {
                Ok(step) => steps.push(step),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(steps) } else { Err(faults) }
    }

    fn change(&mut self, setting: &Setting, var: &Var) -> Result<Change> {
        let map = var.map();
        let unwritable = match self.maps.entry(map.info().id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(unwritable(map)?),
        };
        match unwritable {
            None => Ok(var.change(&setting.input)?),
            Some(unwritable) if self.rules.rewrite && unwritable.rewritable => {
                Ok(var.change_by_rewrite(&setting.input)?)
            }
            // Which call would fail, and how.
            Some(_) if self.rules.verbose => Ok(var.change(&setting.input)?),
            Some(unwritable) => Err(Failure::new(format!("{}: {map} {}", setting.target.text, unwritable.why))),
        }
    }
}

/// The value, if the variable has it already. What cannot be read, as it is half written, does not have it.
fn so(change: &Change) -> Option<Value> {
    let (old, new) = (change.old().ok()?, change.new().ok()?);
    (change.changes_nothing().is_ok_and(|same| same) || is_same(&old, &new)).then_some(old)
}

/// Whether two values have the same bits, but for those behind the end of a text, which nobody sees.
fn is_same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        // Any byte but 0 is true, and a program may compare with 1.
        (Value::Bool(_), _) => false,
        (Value::F32(old), Value::F32(new)) => old.to_bits() == new.to_bits(),
        (Value::F64(old), Value::F64(new)) => old.to_bits() == new.to_bits(),
        (Value::Array(old), Value::Array(new)) => old.iter().zip(new).all(|(old, new)| is_same(old, new)),
        (Value::Struct(old), Value::Struct(new)) => old.iter().zip(new).all(|((_, old), (_, new))| is_same(old, new)),
        (old, new) => old == new,
    }
}

/// What is said of a setting although it is right, each with its place.
fn slips(setting: &Setting, var: &Var, old: Option<&Value>, new: Option<&Value>) -> Vec<String> {
    let unnamed = new.map_or_else(Vec::new, |new| unnamed(&setting.target.text, var, old, new));
    unnamed.into_iter().map(|line| format!("{}: {line}", setting.place)).collect()
}

/// Tells what writing a group would do.
pub(super) fn foresee(steps: Vec<Step<'_>>, report: &mut Report) {
    for Step { setting, change, so } in steps {
        match so {
            Some(value) => report.unchanged.push(Unchanged::new(setting, value)),
            // Of what is half written, neither value is known.
            None => {
                let (old, new) = (change.old().ok(), change.new().ok());
                report.warnings.extend(slips(setting, change.var(), old.as_ref(), new.as_ref()));
                report.changed.push(Changed::new(setting, old, new));
            }
        }
    }
}

/// Writes a group, all or none.
///
/// # Errors
///
/// The first that failed, and whether what was written before it was undone.
pub(super) fn write(name: &str, steps: Vec<Step<'_>>, rules: Rules, report: &mut Report) -> Result<(), Fault> {
    let (so, other): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.so.is_some());
    let error = match Change::apply_all(other.iter().map(|step| step.change.clone())) {
        Ok(applied) => {
            for (Step { setting, change, .. }, Applied { old, new, .. }) in other.into_iter().zip(applied) {
                report.warnings.extend(slips(setting, change.var(), Some(&old), Some(&new)));
                report.changed.push(Changed::new(setting, Some(old), Some(new)));
            }
            let so = so.into_iter().filter_map(|step| Some(Unchanged::new(step.setting, step.so?)));
            report.unchanged.extend(so);
            return Ok(());
        }
        Err(error) => error,
    };
    let is_culprit = |step: &&Step<'_>| step.change.var().object() == *error.object();
    let culprit = other.iter().find(is_culprit).or(other.first()).map(|step| step.setting);
    // The library undid what it had done, which can fail where it takes a system call or a lock.
    let stays = |step: &&Step<'_>| step.change.changes_nothing().unwrap_or(false);
    let stuck: Vec<&str> = other.iter().filter(stays).map(|step| step.setting.target.text.as_str()).collect();
    let undone = match stuck.as_slice() {
        [] => format!("nothing of {name} was changed"),
        stuck => format!("and undoing failed, so that these have their new values: {}", stuck.join(", ")),
    };
    let line = format!("{}; {undone}", Failure::Library(error).line(rules.verbose));
    Err(culprit.map_or(Fault { target: None, place: None, error: line.clone() }, |setting| Fault::of(setting, line)))
}
