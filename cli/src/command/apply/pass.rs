//! One look at all groups: what is there and not done yet is checked and written.

use std::collections::{HashMap, HashSet};

use super::plan::{Checker, Rules, Sought, foresee, overlaps, seek, write};
use super::report::{NotLoaded, NotWritten, Report};
use crate::error::Result;
use crate::resolve::Resolver;
use crate::settings::{Fault, Group, Settings, twice};

/// What became of the groups, pass by pass.
pub(super) struct Passes {
    rules: Rules,
    /// Whether nothing is written.
    is_dry: bool,
    states: HashMap<String, State>,
}

#[derive(Debug, PartialEq)]
enum State {
    NotLoaded,
    Failed(Vec<Fault>),
    /// In these objects and maps.
    Done(Vec<(String, u32)>),
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
        Passes { rules, is_dry, states: HashMap::new() }
    }

    /// Looks at all groups. Tells only what is new: what was done for the same maps is not done again, and what fails as it did
    /// is not told again. Maps are let go at the end.
    pub(super) fn pass(&mut self, settings: &Settings, wrong: Wrong, mut stop: impl FnMut() -> bool) -> Result<Report> {
        let resolver = Resolver::default();
        let mut report = Report { written: !self.is_dry, ..Report::default() };
        let mut found = Vec::new();
        for group in &settings.groups {
            match seek(group, &resolver, self.rules) {
                Sought::Found(all) => found.push((group, all)),
                Sought::Faulty(faults) => self.fail(group, faults, &mut report),
                Sought::NotLoaded => {
                    let before = self.states.insert(group.name.clone(), State::NotLoaded);
                    if before != Some(State::NotLoaded) {
                        let error = format!("{} is not loaded; what is set for it waits", group.name);
                        report.not_loaded.extend(NotLoaded::new(group, error));
                    }
                }
            }
        }
        let pairs = overlaps(found.iter().flat_map(|(_, all)| all.iter().map(|meant| meant.place())));
        let overlapping: HashSet<&str> =
            pairs.iter().flat_map(|(one, other)| [one.target.object(), other.target.object()]).collect();
        let mut checker = Checker::new(self.rules);
        let mut ready = Vec::new();
        for (group, all) in found {
            let maps: Vec<_> = all.iter().map(|meant| meant.identity.clone()).collect();
            if overlapping.contains(group.name.as_str()) {
                let of_this = pairs.iter().filter(|(one, _)| one.target.object() == group.name);
                self.fail(group, of_this.map(|(one, other)| twice(one, other)).collect(), &mut report);
            } else if self.states.get(&group.name) != Some(&State::Done(maps.clone())) {
                match checker.check(all) {
                    Ok(steps) => ready.push((group, maps, steps)),
                    Err(faults) => self.fail(group, faults, &mut report),
                }
            }
        }
        report.written &= wrong == Wrong::StopsItself || report.failed.is_empty();
        for (group, maps, steps) in ready {
            let done = if !report.written {
                foresee(steps, &mut report).map(Ok)?
            } else if stop() {
                Err(Fault::of(&group.settings[0], format!("interrupted; nothing of {} was changed", group.name)))
            } else {
                write(&group.name, steps, self.rules, &mut report)
            };
            match done {
                Ok(()) => drop(self.states.insert(group.name.clone(), State::Done(maps))),
                Err(fault) => self.fail(group, vec![fault], &mut report),
            }
        }
        Ok(report)
    }

    fn fail(&mut self, group: &Group, faults: Vec<Fault>, report: &mut Report) {
        let state = State::Failed(faults);
        if let (true, State::Failed(faults)) = (self.states.get(&group.name) != Some(&state), &state) {
            let at_fault = |text: &String| faults.iter().any(|fault| fault.target.as_ref() == Some(text));
            let others = group.settings.iter().filter(|setting| !at_fault(&setting.target.text));
            report.not_written.extend(others.map(NotWritten::new));
            report.failed.extend(faults.iter().cloned());
        }
        self.states.insert(group.name.clone(), state);
    }

    /// The groups whose program or map is not there.
    pub(super) fn not_loaded<'s>(&self, settings: &'s Settings) -> impl Iterator<Item = &'s Group> {
        settings.groups.iter().filter(|group| self.states.get(&group.name) == Some(&State::NotLoaded))
    }
}
