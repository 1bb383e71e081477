//! From a target to what it names in the kernel.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use bpfvar::error::ObjectKind;
use bpfvar::{Cause, Error, Globals, Map, MapInfo, ProgramInfo, TypedMap, Var};

use crate::error::{Failure, Result};
use crate::owner::Owners;
use crate::target::{Origin, Target, splits};

mod ambiguous;
mod expand;
mod found;
mod hint;
mod keyed;
mod naming;
mod objects;

pub(crate) use found::{Found, labels};
use found::{Identity, Place, var_in};
pub(crate) use hint::why_none;
use hint::{alike, name_of};
pub(crate) use keyed::{Keyed, Selected};
use naming::Names;

/// Finds targets. What it has opened it keeps, so that several targets in one program share its mappings.
#[derive(Default)]
pub(crate) struct Resolver {
    programs: OnceCell<Vec<ProgramInfo>>,
    maps: OnceCell<Vec<MapInfo>>,
    names: OnceCell<Names>,
    owners: OnceCell<Owners>,
    system: OnceCell<Globals>,
    opened: RefCell<HashMap<Object, Rc<Globals>>>,
    full_names: RefCell<HashMap<u32, Option<Rc<str>>>>,
}

/// A program or a map, by its id; or all programs of a process, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Object {
    Program(u32),
    Map(u32),
    Process(u32),
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Object::Program(id) => write!(f, "prog:{id}"),
            Object::Map(id) => write!(f, "map:{id}"),
            Object::Process(pid) => write!(f, "pid:{pid}"),
        }
    }
}

impl Resolver {
    /// What a target names.
    pub(crate) fn find(&self, target: &Target) -> Result<Found> {
        refuse_pattern(target)?;
        let candidates = self.candidates(target)?;
        let mut found: Vec<Found> = Vec::new();
        let mut refused: Option<Failure> = None;
        for (object, rest) in &candidates {
            match self.look(target, *object, rest) {
                Ok(one) => found.push(one),
                // The first is that of the longest name; but what is there and fails says more than what is not there.
                Err(failure) if !is_missing(&failure) && refused.as_ref().is_none_or(is_missing) => {
                    refused = Some(failure)
                }
                Err(failure) => refused = refused.or(Some(failure)),
            }
        }
        let mut apart: Vec<(Identity, Found)> = Vec::new();
        for found in found {
            let identity = found.identity();
            if !apart.iter().any(|(known, _)| *known == identity) {
                apart.push((identity, found));
            }
        }
        apart.sort_by_key(|(_, found)| found.object);
        if apart.len() > 1 {
            let found: Vec<&Found> = apart.iter().map(|(_, found)| found).collect();
            return Err(self.ambiguous(target, self.ways(target, &found)));
        }
        match (apart.pop(), refused) {
            (Some((_, found)), _) => Ok(found),
            (None, Some(failure)) => Err(self.with_hint(target, failure, &candidates)),
            (None, None) => Err(self.nothing(target)),
        }
    }

    /// Whether there is an object that a target may mean. Cheap, and opens nothing that has only a name.
    pub(crate) fn is_there(&self, target: &Target) -> Result<bool> {
        match self.candidates(target) {
            Err(failure) if failure.is_absence() => Ok(false),
            candidates => Ok(!candidates?.is_empty()),
        }
    }

    /// The variables that a target names, each with its label: one, all of a program, a section or a map, or those that fit a pattern.
    pub(crate) fn select(&self, target: &Target) -> Result<Vec<(String, Var)>> {
        if target.is_pattern() { self.expand(target) } else { self.find(target)?.vars() }
    }

    /// The objects that a target may mean, each with the path in it.
    fn candidates<'t>(&self, target: &'t Target) -> Result<Vec<(Object, &'t str)>> {
        let rest = target.rest.as_str();
        Ok(match &target.origin {
            Origin::Id { number, programs, maps } => {
                let mut all = Vec::new();
                if *programs && exists(self.open(Object::Program(*number)))? {
                    all.push((Object::Program(*number), rest));
                }
                if *maps && exists(Map::from_id(*number))? {
                    all.push((Object::Map(*number), rest));
                }
                if all.is_empty() {
                    let what = match (programs, maps) {
                        (true, true) => "program or map",
                        (true, false) => "program",
                        _ => "map",
                    };
                    return Err(Failure::Absent(format!(
                        "there is no {what} with id {number}; `bpfvar list` shows what there is"
                    )));
                }
                all
            }
            Origin::Pin(path) => vec![(self.open_pin(path)?, rest)],
            Origin::Process(pid) => self.in_process(*pid, rest)?,
            Origin::Name { programs, maps } => {
                let mut all = Vec::new();
                for (name, rest) in splits(rest) {
                    if *programs {
                        all.extend(self.programs_named(name)?.into_iter().map(|id| (Object::Program(id), rest)));
                    }
                    if *maps {
                        all.extend(self.maps_named(name)?.into_iter().map(|id| (Object::Map(id), rest)));
                    }
                }
                // A name may be that of the process which loaded the programs.
                if all.is_empty() && *programs && *maps {
                    for (name, rest) in splits(rest) {
                        for pid in self.owners().pids_named(name) {
                            all.extend(self.in_process(pid, rest)?);
                        }
                    }
                }
                // Or that of the object, by which `list` heads its variables.
                if all.is_empty() && *programs && *maps {
                    for (name, rest) in splits(rest) {
                        all.extend(self.programs_in(name)?.into_iter().map(|id| (Object::Program(id), rest)));
                    }
                }
                all
            }
        })
    }

    /// What `rest` names in an object.
    fn look(&self, target: &Target, object: Object, rest: &str) -> Result<Found> {
        let globals = self.open(object)?;
        let new = |place| Found {
            text: target.text.clone(),
            canonical: format!("{object}{rest}"),
            object,
            globals: globals.clone(),
            place,
        };
        let sections = globals.maps();
        // A map of its own is one variable.
        if let (Object::Map(_), [section]) = (object, sections) {
            if section.section().is_none() {
                return Ok(new(Place::Var(var_in(section, rest)?)));
            }
        }
        if rest.is_empty() {
            return Ok(new(match (object, sections) {
                (Object::Map(_), [section]) => Place::Map(section.clone()),
                _ => Place::All,
            }));
        }
        // A variable goes before a section of the same name.
        let path = rest.strip_prefix('.').unwrap_or(rest);
        let refused = match globals.var(path) {
            Ok(var) => return Ok(new(Place::Var(var))),
            Err(error) => error,
        };
        let mut named: Vec<&TypedMap> = sections.iter().filter(|section| section.section().is_some()).collect();
        // `.data.custom` before `.data`.
        named.sort_by_key(|section| std::cmp::Reverse(section.name().len()));
        let mut refused_there = None;
        // A section may also be named with its own dot behind the one of the path.
        let rest = if rest.starts_with("..") { &rest[1..] } else { rest };
        for section in named {
            let path = rest.strip_prefix(section.name());
            match (path, path.and_then(|path| path.strip_prefix('.'))) {
                (Some(""), _) => return Ok(new(Place::Map(section.clone()))),
                (_, Some(path)) => match section.var(path) {
                    Ok(var) => return Ok(new(Place::Var(var))),
                    Err(error) => refused_there = refused_there.or(Some(error)),
                },
                _ => {}
            }
        }
        Err(refused_there.unwrap_or(refused).into())
    }
}

fn refuse_pattern(target: &Target) -> Result<()> {
    if !target.is_pattern() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is a pattern, and may name several variables where one is needed; `bpfvar get '{0}'` shows which it names",
        target.text
    )))
}

fn is_missing(failure: &Failure) -> bool {
    matches!(failure, Failure::Library(Error::NotFound { kind, .. }) if *kind != ObjectKind::Member)
}

fn exists<T>(result: bpfvar::Result<T>) -> Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.cause() == Some(Cause::NoSuchId) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
