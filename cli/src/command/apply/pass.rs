//! One look at all groups: what is there and not done yet is checked and written.

use std::collections::{HashMap, HashSet};

use super::plan::{Checker, Rules, foresee, overlaps, seek, write};
use super::report::{NotLoaded, NotWritten, Report};
use crate::resolve::Resolver;
use crate::settings::{Fault, Group, Setting, Settings, twice};

/// What became of the groups, pass by pass.
pub(super) struct Passes {
    rules: Rules,
    /// Whether nothing is written.
    is_dry: bool,
    states: HashMap<String, State>,
    /// The objects and maps in which groups were set last, also of groups that have failed since.
    set: HashMap<String, Vec<(String, u32)>>,
}

#[derive(Debug, PartialEq)]
enum State {
    NotLoaded,
    Failed(Vec<Fault>),
    Done,
}

/// What one group that is wrong means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Nothing is written.
    StopsAll,
    StopsItself,
}

impl Passes {
    pub(super) fn new(rules: Rules, is_dry: bool) -> Passes {
        Passes { rules, is_dry, states: HashMap::new(), set: HashMap::new() }
    }

    /// Looks at all groups. Tells only what is new: what was done for the same maps is not done again, and what fails as it did
    /// is not told again. Maps are let go at the end.
    pub(super) fn pass(&mut self, settings: &Settings, wrong: Wrong, mut stop: impl FnMut() -> bool) -> Report {
        let resolver = Resolver::default();
        let mut report = Report { written: !self.is_dry, ..Report::default() };
        let mut found = Vec::new();
        for group in &settings.groups {
            if let Some(all) = seek(group, &resolver, self.rules) {
                found.push((group, all));
                continue;
            }
            let before = self.states.insert(group.name.clone(), State::NotLoaded);
            if before != Some(State::NotLoaded) {
                let error = format!("{} is not loaded; what is set for it waits", group.name);
                report.not_loaded.extend(NotLoaded::new(group, error));
            }
        }
        let pairs = overlaps(found.iter().flat_map(|(_, all)| all.iter().flatten()));
        let mut checker = Checker::new(self.rules);
        let mut ready = Vec::new();
        for (group, all) in found {
            let maps: Vec<_> = all.iter().flatten().map(|meant| meant.identity.clone()).collect();
            let is_of_group = |setting: &Setting| setting.target.object() == group.name;
            let mut of_group = pairs.iter().filter(|(one, other)| is_of_group(one) || is_of_group(other)).peekable();
            if of_group.peek().is_none() && self.set.get(&group.name) == Some(&maps) {
                self.states.insert(group.name.clone(), State::Done);
                continue;
            }
            let overlapping =
                of_group.map(|(one, other)| if is_of_group(one) { twice(one, other) } else { twice(other, one) });
            match (checker.check(all), overlapping.collect::<Vec<_>>()) {
                (Ok(steps), none) if none.is_empty() => ready.push((group, maps, steps)),
                (checked, overlapping) => {
                    let faults = checked.err().into_iter().flatten().chain(overlapping).collect();
                    self.fail(group, faults, &mut report);
                }
            }
        }
        report.written &= wrong == Wrong::StopsItself || report.failed.is_empty();
        let mut is_stopped = false;
        for (group, maps, steps) in ready {
            is_stopped = is_stopped || stop();
            let done = if !report.written {
                foresee(steps, &mut report);
                Ok(())
            } else if is_stopped {
                Err(Fault::of(&group.settings[0], format!("interrupted; nothing of {} was changed", group.name)))
            } else {
                write(&group.name, steps, self.rules, &mut report)
            };
            match done {
                Ok(()) => {
                    self.states.insert(group.name.clone(), State::Done);
                    self.set.insert(group.name.clone(), maps);
                }
                Err(fault) => self.fail(group, vec![fault], &mut report),
            }
        }
        report
    }

    fn fail(&mut self, group: &Group, faults: Vec<Fault>, report: &mut Report) {
        let before = self.states.get(&group.name);
        if !matches!(before, Some(State::Failed(known)) if *known == faults) {
            let at_fault: HashSet<&str> = faults.iter().filter_map(|fault| fault.target.as_deref()).collect();
            let others = group.settings.iter().filter(|setting| !at_fault.contains(setting.target.text.as_str()));
            report.not_written.extend(others.map(NotWritten::new));
            report.failed.extend(faults.iter().cloned());
        }
        self.states.insert(group.name.clone(), State::Failed(faults));
    }

    /// Whether a group failed at the last pass.
    pub(super) fn has_failed(&self) -> bool {
        self.states.values().any(|state| matches!(state, State::Failed(_)))
    }

    /// The groups whose program or map is not there.
    pub(super) fn not_loaded<'s>(&self, settings: &'s Settings) -> impl Iterator<Item = &'s Group> {
        settings.groups.iter().filter(|group| self.states.get(&group.name) == Some(&State::NotLoaded))
    }
}
