//! Targets that are maps which are reached by keys, or entries of those.

use std::collections::HashSet;

use bpfvar::{Entries, KeyedEntry, KeyedMap, Map, MapInfo, ProgramInfo, Value, Var};

use super::objects::is_name_of;
use super::{Object, Resolver, refuse_pattern};
use crate::entries;
use crate::error::{Failure, Result};
use crate::key::{self, Split};
use crate::pattern::{has_wildcard, is_pattern};
use crate::target::{Origin, Target, splits};

/// In place of a key: all entries.
const ALL: &str = "*";

/// What a target names.
pub(crate) enum Selected {
    /// Variables, each with its label.
    Vars(Vec<(String, Var)>),
    /// What is reached by keys.
    Keyed(Keyed),
}

/// A map that is reached by keys, with the target as it was typed.
#[derive(Clone)]
pub(crate) struct Keyed {
    pub(crate) text: String,
    pub(crate) map: KeyedMap,
    /// The entry, or the part of one; None for all of them.
    pub(crate) entry: Option<KeyedEntry>,
    /// What was typed before the brackets.
    name: String,
    /// What of all entries is meant: `.packets`, or nothing for all of each.
    part: String,
}

impl Keyed {
    /// All entries, or that part of each which is meant.
    pub(crate) fn entries(&self) -> bpfvar::Result<Entries> {
        self.map.entries().at(&self.part)
    }

    /// The same of one key.
    pub(crate) fn entry_of(&self, key: &Value) -> bpfvar::Result<KeyedEntry> {
        self.map.entry(key)?.at(&self.part)
    }

    /// How to name that: `flows[{"port":80}].packets`.
    pub(crate) fn label(&self, key: &Value) -> String {
        format!("{}{}", entries::label(&self.name, key), self.part)
    }

    /// How to name an entry, where any is meant.
    pub(crate) fn example(&self) -> String {
        format!("{}[KEY]{}", self.name, self.part)
    }

    /// What tells what it is, without what a user calls the program: `flows.packets`.
    pub(crate) fn path(&self) -> String {
        self.entry.as_ref().map_or_else(|| format!("{}{}", self.map.name(), self.part), |entry| entry.path().to_owned())
    }

    /// The error for an entry that is not there.
    pub(crate) fn no_entry(&self) -> Failure {
        let key = self.entry.as_ref().map_or_else(String::new, |entry| key::text(&entry.key()));
        Failure::new(format!("{}: there is no entry {key} in {}", self.text, self.map))
    }
}

impl Resolver {
    /// What a target names. A variable goes before a map of its name.
    pub(crate) fn look_up(&self, target: &Target) -> Result<Selected> {
        let maps = self.keyed_maps(target);
        if matches!(&maps, Ok(maps) if maps.is_empty()) {
            return self.select(target).map(Selected::Vars);
        }
        match self.select(target) {
            Ok(vars) => Ok(Selected::Vars(vars)),
            Err(_) => self.one_keyed(target, maps?).map(Selected::Keyed),
        }
    }

    /// What of a target is reached by keys; None if it is variables. For commands that take no pattern.
    pub(crate) fn keyed(&self, target: &Target) -> Result<Option<Keyed>> {
        refuse_pattern(target)?;
        Ok(match self.look_up(target)? {
            Selected::Keyed(keyed) => Some(keyed),
            Selected::Vars(_) => None,
        })
    }

    /// One of several, or an error that tells them apart; then the entry in it.
    fn one_keyed(&self, target: &Target, maps: Vec<(KeyedMap, &str)>) -> Result<Keyed> {
        let split = Split::of(&target.rest);
        let (map, tail) = match maps.as_slice() {
            [(map, tail)] => (map, *tail),
            several => {
                let programs = self.programs().unwrap_or_default();
                let way = |(map, tail): &(KeyedMap, &str)| {
                    let behind = split.map_or("", |split| &target.rest[split.before.len()..]);
                    format!("map:{}{tail}{behind} ({})", map.info().id, users(programs, map))
                };
                return Err(self.ambiguous(target, several.iter().map(way).collect()));
            }
        };
        let before = split.map_or(target.rest.len(), |split| split.before.len());
        let name = &target.text[..target.text.len() - target.rest.len() + before - tail.len()];
        let new = |entry, part: &str| {
            let (text, map) = (target.text.clone(), map.clone());
            Keyed { text, map, entry, name: name.to_owned(), part: part.to_owned() }
        };
        match split {
            None if tail.is_empty() => Ok(new(None, "")),
            Some(Split { key: ALL, behind, .. }) if tail.is_empty() && !is_pattern(behind) => {
                let all = new(None, behind);
                // That there is such a part, also where there is no entry.
                all.entries()?;
                Ok(all)
            }
            Some(_) if tail.is_empty() && target.is_pattern() => Err(Failure::new(format!(
                "{}: {map} has entries, which are chosen by their keys; the only pattern for them is {name}[{ALL}], all of them, and what \
                 follows is no pattern",
                target.text
            ))),
            Some(Split { key, behind, .. }) if tail.is_empty() => Ok(new(Some(map.entry(key)?.at(behind)?), "")),
            _ => {
                let key = map.entries().find_map(|entry| Some(key::text(&entry.ok()?.0)));
                let key = key.unwrap_or_else(|| "KEY".to_owned());
                Err(Failure::new(format!(
                    "{}: {map} has entries, which are chosen by their keys: {name}[{key}]{tail}",
                    target.text
                )))
            }
        }
    }

    /// The maps that are reached by keys and that a target may mean, each with what follows its name before a bracket.
    pub(super) fn keyed_maps<'t>(&self, target: &'t Target) -> Result<Vec<(KeyedMap, &'t str)>> {
        let before = Split::of(&target.rest).map_or(target.rest.as_str(), |split| split.before);
        let mut found = Vec::new();
        // Patterns in names mean variables.
        if has_wildcard(before) {
            return Ok(found);
        }
        match &target.origin {
            Origin::Id { number, programs, maps } => {
                if *maps {
                    found.extend(opened(*number)?.map(|map| (map, before)));
                }
                if *programs {
                    found.extend(self.keyed_maps_of(*number, before));
                }
            }
            Origin::Pin(path) => match Map::from_pin(path) {
                Ok(map) if is_keyed(map.info()) => found.push((KeyedMap::open(map)?, before)),
                Ok(_) => {}
                // It is a program's, or not there, which is said where variables are looked for.
                Err(_) => {
                    if let Ok(Object::Program(id)) = self.open_pin(path) {
                        found.extend(self.keyed_maps_of(id, before));
                    }
                }
            },
            Origin::Process(pid) => found.extend(self.keyed_maps_in(*pid, before)),
            Origin::Name { programs, maps } => {
                let mut is_known = false;
                for (name, tail) in splits(before) {
                    if *maps {
                        for info in self.maps()?.iter().filter(|info| is_name_of(name, &info.name)) {
                            is_known = true;
                            if is_keyed(info) {
                                found.extend(opened(info.id)?.map(|map| (map, tail)));
                            }
                        }
                    }
                    if *programs {
                        for id in self.programs_named(name)? {
                            is_known = true;
                            found.extend(self.keyed_maps_of(id, tail));
                        }
                    }
                }
                // A name may be that of the process which loaded the programs.
                if !is_known && *programs && *maps {
                    for (name, tail) in splits(before) {
                        let pids = self.owners().pids_named(name);
                        found.extend(pids.into_iter().flat_map(|pid| self.keyed_maps_in(pid, tail)));
                    }
                }
            }
        }
        // Two ways to say the same are one.
        let mut seen = HashSet::new();
        found.retain(|(map, _)| seen.insert(map.info().id));
        Ok(found)
    }

    /// Those of the programs that a process holds.
    fn keyed_maps_in<'t>(&self, pid: u32, path: &'t str) -> Vec<(KeyedMap, &'t str)> {
        let programs = self.owners().programs_of(|owner| owner.pid == pid).into_iter();
        programs.flat_map(|id| self.keyed_maps_of(id, path)).collect()
    }

    /// Those of a program that `path` starts with the name of.
    fn keyed_maps_of<'t>(&self, program: u32, path: &'t str) -> Vec<(KeyedMap, &'t str)> {
        let Ok(globals) = self.open(Object::Program(program)) else { return Vec::new() };
        let path = path.trim_start_matches('.');
        let mut found = Vec::new();
        for (name, tail) in splits(path).filter(|(name, _)| !name.is_empty()) {
            let named = globals.keyed_maps().iter().filter(|map| is_name_of(name, map.name()));
            found.extend(named.map(|map| (map.clone(), tail)));
        }
        found
    }
}

fn is_keyed(info: &MapInfo) -> bool {
    KeyedMap::TYPES.contains(&info.map_type)
}

/// The map of this id, if there is one and it is reached by keys.
fn opened(id: u32) -> Result<Option<KeyedMap>> {
    match Map::from_id(id) {
        Ok(map) if is_keyed(map.info()) => Ok(Some(KeyedMap::open(map)?)),
        // That it is not there is said where variables are looked for.
        _ => Ok(None),
    }
}

fn users(programs: &[ProgramInfo], map: &KeyedMap) -> String {
    let users = programs.iter().filter(|program| program.uses(map.info().id));
    let users: Vec<String> = users.map(|program| format!("program {}", program.id)).collect();
    if users.is_empty() { "used by none".to_owned() } else { format!("used by {}", users.join(" and ")) }
}
