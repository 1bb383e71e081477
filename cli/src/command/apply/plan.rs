//! From settings to changes: found, checked, written all or none.

use std::collections::HashMap;

use bpfvar::{Change, Value, Var};

use super::report::{Changed, Report, Unchanged};
use crate::cli::Switching;
use crate::command::set::{Unwritable, unwritable};
use crate::error::{Failure, Result};
use crate::resolve::Resolver;
use crate::settings::{Fault, Group, Setting};
use crate::value::read;

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

/// What became of the search for the variables of a group.
pub(super) enum Sought<'s> {
    /// There is no such program or map, or not yet.
    NotLoaded,
    Faulty(Vec<Fault>),
    Found(Vec<Meant<'s>>),
}

/// Looks for the variables of a group.
pub(super) fn seek<'s>(group: &'s Group, resolver: &Resolver, rules: Rules) -> Sought<'s> {
    let fault = |setting: &Setting, failure: &Failure| Fault::of(setting, failure.line(rules.verbose));
    if let Some(first) = group.settings.first() {
        match resolver.is_there(&first.target) {
            Ok(true) => {}
            Ok(false) => return Sought::NotLoaded,
            Err(failure) => return Sought::Faulty(vec![fault(first, &failure)]),
        }
    }
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for setting in &group.settings {
        match resolver.find(&setting.target).and_then(|found| Ok((found.var()?, found.canonical))) {
            Ok((var, canonical)) => {
                let identity = (canonical, var.map().info().id);
                all.push(Meant { setting, var: rules.switch.apply_to(var), identity });
            }
            Err(failure) if failure.is_absence() => return Sought::NotLoaded,
            // It would be so for all of the group.
            Err(failure @ Failure::Ambiguous(_)) => return Sought::Faulty(vec![fault(setting, &failure)]),
            Err(failure) => faults.push(fault(setting, &failure)),
        }
    }
    if faults.is_empty() { Sought::Found(all) } else { Sought::Faulty(faults) }
}

/// Pairs of settings that overlap although they name their variables in different ways.
pub(super) fn overlaps<'s>(all: impl Iterator<Item = (u32, u64, u64, &'s Setting)>) -> Vec<(&'s Setting, &'s Setting)> {
    let mut places: Vec<_> = all.collect();
    places.sort_by_key(|(map, start, ..)| (*map, *start));
    let mut pairs = Vec::new();
    // Of those before, the one that reaches farthest.
    let mut before: Option<(u32, u64, &Setting)> = None;
    for (map, start, end, setting) in places {
        let of_this_map = before.filter(|(known, ..)| *known == map);
        pairs.extend(of_this_map.filter(|(_, reached, _)| start < *reached).map(|(.., other)| (setting, other)));
        if of_this_map.is_none_or(|(_, reached, _)| end > reached) {
            before = Some((map, end, setting));
        }
    }
    pairs
}

impl<'s> Meant<'s> {
    /// Its map, and where it lies in that: from its first bit to behind its last.
    pub(super) fn place(&self) -> (u32, u64, u64, &'s Setting) {
        let info = self.var.map().info();
        let (bits, stride) = (self.var.bits(), info.stride() * 8);
        let (start, end) = match self.var.entry() {
            Some(entry) => (u64::from(entry) * stride + bits.start, u64::from(entry) * stride + bits.end),
            None => (0, u64::from(info.max_entries) * stride),
        };
        (info.id, start, end, self.setting)
    }
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
    pub(super) fn check<'s>(&mut self, all: Vec<Meant<'s>>) -> Result<Vec<Step<'s>>, Vec<Fault>> {
        let (mut steps, mut faults) = (Vec::new(), Vec::new());
        for Meant { setting, var, .. } in all {
            match self.change(setting, &var) {
                Ok(change) => steps.push(Step { setting, so: so(&change), change }),
                Err(failure) => faults.push(Fault::of(setting, failure.line(self.rules.verbose))),
            }
        }
        if faults.is_empty() { Ok(steps) } else { Err(faults) }
    }

    fn change(&mut self, setting: &Setting, var: &Var) -> Result<Change> {
        let map = var.map();
        if !self.maps.contains_key(&map.info().id) {
            self.maps.insert(map.info().id, unwritable(map)?);
        }
        match &self.maps[&map.info().id] {
            None => Ok(var.change(&setting.input)?),
            Some(unwritable) if self.rules.rewrite && unwritable.rewritable => Ok(var.change_by_rewrite(&setting.input)?),
            // Which call would fail, and how.
            Some(_) if self.rules.verbose => Ok(var.change(&setting.input)?),
            Some(unwritable) => Err(Failure::new(format!("{}: {map} {}", setting.target.text, unwritable.why))),
        }
    }
}

/// The value, if the variable has it in its bytes or as it is shown: nobody sees what is behind the end of a text. What cannot be
/// read, as it is half written, does not have it.
fn so(change: &Change) -> Option<Value> {
    let (old, new) = (change.old().ok()?, change.new().ok()?);
    (old == new || change.changes_nothing().is_ok_and(|same| same)).then_some(old)
}

/// Tells what writing a group would do.
pub(super) fn foresee(steps: Vec<Step<'_>>, report: &mut Report) -> Result<()> {
    for Step { setting, change, so } in steps {
        match so {
            Some(value) => report.unchanged.push(Unchanged::new(setting, value)),
            // Of what is half written, neither value is known.
            None => report.changed.push(Changed::new(setting, read(change.var())?.ok(), change.new().ok())),
        }
    }
    Ok(())
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
            let pairs = other.into_iter().zip(applied);
            report.changed.extend(pairs.map(|(step, did)| Changed::new(step.setting, Some(did.old), Some(did.new))));
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
