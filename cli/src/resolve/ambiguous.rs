//! What a target could be, if it could be several things.

use std::collections::HashSet;

use bpfvar::TypedMap;

use super::{Found, Object, Resolver};
use crate::error::Failure;
use crate::owner::Owner;
use crate::target::{Origin, Target};

impl Resolver {
    /// The error for a target that could be any of these, each as it can be said.
    pub(super) fn ambiguous(&self, target: &Target, mut ways: Vec<String>) -> Failure {
        let mut seen = HashSet::new();
        ways.retain(|way| seen.insert(way.clone()));
        Failure::Ambiguous(format!("{} could be any of {}; say which by its id", target.text, ways.join(", ")))
    }

    /// Parts of objects, as they can be said: if a process was named, by the processes.
    pub(super) fn ways(&self, target: &Target, found: &[&Found]) -> Vec<String> {
        let by_process = found.iter().map(|found| self.by_process(target, found.object)).collect::<Option<Vec<_>>>();
        match by_process {
            Some(ways) if (1..ways.len()).all(|index| !ways[..index].contains(&ways[index])) => ways,
            _ => found.iter().map(|found| self.way(found)).collect(),
        }
    }

    /// A target that starts with the name of a process, with the number of the one that holds an object.
    pub(super) fn by_process(&self, target: &Target, object: Object) -> Option<String> {
        let (Object::Program(id), Origin::Name { .. }) = (object, &target.origin) else { return None };
        let [owner] = self.owners().of_program(id) else { return None };
        let rest = target.rest.strip_prefix(&owner.name)?;
        let program = self.programs().unwrap_or_default().iter().find(|program| program.id == id)?;
        let is_named = rest.starts_with(['.', '[']) && program.name != owner.name;
        is_named.then(|| format!("pid:{}{rest} ({})", owner.pid, owner.name))
    }

    /// Whether they are programs that one process holds, and nobody else.
    pub(super) fn are_of_one_process(&self, candidates: &[(Object, &str)]) -> bool {
        let owner = |object: &Object| match *object {
            Object::Program(id) => match self.owners().of_program(id) {
                [owner] => Some(owner.pid),
                _ => None,
            },
            _ => None,
        };
        let first = candidates.first().and_then(|(object, _)| owner(object));
        first.is_some() && candidates.iter().all(|(object, _)| owner(object) == first)
    }

    /// How to say it, what it is, and whose.
    fn way(&self, found: &Found) -> String {
        let map = |section: &TypedMap| format!("{} of map {}", section.name(), section.info().id);
        let what = match (found.object, found.sections()) {
            (Object::Process(_), _) => return self.called(found.object),
            (Object::Program(_), [section]) => {
                let name = found.globals.program().map(|info| info.name.as_str()).unwrap_or_default();
                format!("{} used by program {name:?}", map(section))
            }
            (Object::Map(_), [section]) if section.section().is_some() => {
                let id = section.info().id;
                let users = self.programs().unwrap_or_default().iter().filter(|program| program.uses(id));
                let users: Vec<String> = users.map(|program| format!("program {}", program.id)).collect();
                format!(
                    "{} used by {}",
                    map(section),
                    if users.is_empty() { "none".to_owned() } else { users.join(" and ") }
                )
            }
            (Object::Map(_), _) => "a map".to_owned(),
            (Object::Program(_), []) => "a program without variables".to_owned(),
            (Object::Program(_), sections) => {
                let maps: Vec<&str> = sections.iter().map(|section| section.info().name.as_str()).collect();
                format!("a program with {}", maps.join(", "))
            }
        };
        let held = match self.owners_of(found.object).as_slice() {
            [] => String::new(),
            owners => format!(", held by {}", owners.join(" and ")),
        };
        format!("{} ({what}{held})", found.canonical)
    }

    /// An object by its id, with those who hold it: `prog:12 (opensnoop, pid 4711)`.
    pub(super) fn called(&self, object: Object) -> String {
        match self.owners_of(object).as_slice() {
            [] => object.to_string(),
            owners => format!("{object} ({})", owners.join(" and ")),
        }
    }

    fn owners_of(&self, object: Object) -> Vec<String> {
        let say = |owner: &Owner| format!("{}, pid {}", owner.name, owner.pid);
        match object {
            Object::Program(id) => self.owners().of_program(id).iter().map(say).collect(),
            Object::Map(id) => {
                let owners = self.owners().of_map(id).iter().map(say).collect::<Vec<_>>();
                let users = self.programs().unwrap_or_default().iter().filter(|program| program.uses(id));
                let of_users = users.flat_map(|program| self.owners().of_program(program.id)).map(say);
                let mut all: Vec<String> = owners.into_iter().chain(of_users).collect();
                all.sort();
                all.dedup();
                all
            }
            Object::Process(pid) => self.owners().name_of(pid).map(str::to_owned).into_iter().collect(),
        }
    }
}
