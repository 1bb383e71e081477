//! Which variable is compared with which.

use std::collections::{HashMap, HashSet};

use bpfvar::{Step, TypedMap, Value, VarPath};

use crate::difference::{Difference, add};
use crate::error::{Failure, Result};
use crate::resolve::Resolver;
use crate::saved::{Saved, SavedSection, SavedVariable};
use crate::table::{Contents, JsonSection, JsonVar};

/// What stands on one side.
pub(super) struct Side {
    /// As the user named it.
    name: String,
    saved: Saved,
    /// Whether it may hold what the other side is not about.
    may_hold_more: bool,
    /// Whether it is a map or a variable, and so may be compared with one of another name.
    is_part: bool,
}

/// Two variables of one name, or one of which there is no other.
pub(super) struct Pair {
    /// The name of the section, for those that share a name.
    section: String,
    name: String,
    old: Option<SavedVariable>,
    new: Option<SavedVariable>,
}

impl Side {
    pub(super) fn of_file(path: &str, saved: Saved) -> Side {
        Side { name: path.to_owned(), saved, may_hold_more: true, is_part: false }
    }

    pub(super) fn of_target(target: &str, saved: Saved, is_part: bool) -> Side {
        Side { name: target.to_owned(), saved, may_hold_more: false, is_part }
    }

    /// What is there now of what a file holds: maps of the same names, that programs of the same names use.
    pub(super) fn now(&self, resolver: &Resolver) -> Result<Side> {
        let programs = resolver.programs()?;
        let mut sections = Vec::new();
        for saved in &self.saved.sections {
            let users: HashSet<&str> = self.saved.users(saved).collect();
            let is_it = |map: &&TypedMap| {
                let mut uses = programs.iter().filter(|program| program.uses(map.info().id));
                let is_used = if users.is_empty() {
                    uses.next().is_none()
                } else {
                    uses.any(|program| users.contains(program.name.as_str()))
                };
                map.name() == saved.name && map.info().name == saved.map.name && is_used
            };
            let found: Vec<&TypedMap> = resolver.system()?.maps().iter().filter(is_it).collect();
            match found.as_slice() {
                [] => {}
                [map] => sections.push(JsonSection::new(map, programs, vars(map, saved)?)),
                several => {
                    let ids: Vec<String> = several.iter().map(|map| format!("map:{}", map.info().id)).collect();
                    return Err(Failure::new(format!(
                        "{}: {} of {} could be any of {}; name what to compare with, as in bpfvar diff {0} prog:ID",
                        self.name,
                        saved.name,
                        saved.map.name,
                        ids.join(", ")
                    )));
                }
            }
        }
        let programs = programs.iter().map(Into::into).collect();
        let saved = Saved::of(&Contents { programs, sections, keyed_maps: Vec::new() })?;
        // It was made for the file: what it lacks is gone.
        Ok(Side { name: "now".to_owned(), saved, may_hold_more: true, is_part: false })
    }

    /// Leaves of a file what belongs to the other side: sections of programs that have the names of its programs. If there are none,
    /// all is meant.
    fn narrow(&mut self, other: &Side) {
        let names: HashSet<&str> = other.saved.sections.iter().flat_map(|section| other.saved.users(section)).collect();
        let is_of_them = |section: &SavedSection| self.saved.users(section).any(|user| names.contains(user));
        let kept: Vec<SavedSection> =
            self.saved.sections.iter().filter(|section| is_of_them(section)).cloned().collect();
        if !kept.is_empty() {
            self.saved.sections = kept;
        }
        if other.is_part {
            let is_there = |section: &SavedSection| other.saved.sections.iter().any(|other| other.name == section.name);
            self.saved.sections.retain(is_there);
            if let [SavedSection { variables, .. }] = other.saved.sections.as_slice() {
                if let [one] = variables.as_slice() {
                    for section in &mut self.saved.sections {
                        section.variables = section.variables.iter().filter_map(|var| part(var, one)).collect();
                    }
                }
            }
        }
    }
}

/// What was saved of a variable or of a part of one: `config.rate` is in what was saved of `config`.
fn part(saved: &SavedVariable, wanted: &SavedVariable) -> Option<SavedVariable> {
    if saved.name == wanted.name {
        return Some(saved.clone());
    }
    let path: VarPath = wanted.name.strip_prefix(&saved.name)?.parse().ok()?;
    let step = |value: &Value, step: &Step| match (value, step) {
        (Value::Struct(members), Step::Member(name)) => {
            members.iter().find(|(member, _)| member == name).map(|(_, value)| value.clone())
        }
        (Value::Array(elements), Step::Index(index)) => elements.get(usize::try_from(*index).ok()?).cloned(),
        _ => None,
    };
    let value = path.steps().iter().try_fold(saved.value.clone()?, |value, next| step(&value, next))?;
    // A file has no types of parts.
    Some(SavedVariable { value: Some(value), ..wanted.clone() })
}

/// The variables of a section that a saved one is compared with: all; but if it holds parts of variables, those.
fn vars(map: &TypedMap, saved: &SavedSection) -> Result<Vec<JsonVar>> {
    let known: HashSet<String> = map.vars().map(|var| var.path().to_owned()).collect();
    let parts = saved.variables.iter().filter(|var| !known.contains(&var.name));
    let parts: Vec<_> =
        parts.filter_map(|var| if saved.data { map.var(&var.name).ok() } else { part_of(map, &var.name) }).collect();
    let vars = if parts.is_empty() {
        map.vars().collect()
    } else {
        let whole = map.vars().filter(|var| saved.variables.iter().any(|saved| saved.name == var.path()));
        whole.chain(parts).collect::<Vec<_>>()
    };
    vars.iter().map(|var| JsonVar::new(var, u64::MAX)).collect()
}

/// An entry of a map that is no section, or a part of one: `stats[3].packets`.
fn part_of(map: &TypedMap, name: &str) -> Option<bpfvar::Var> {
    let path = name.strip_prefix(&map.info().name)?;
    map.vars().next()?.at(path).ok()
}

/// What is compared with what.
pub(super) fn pairs(mut left: Side, mut right: Side) -> Result<Vec<Pair>> {
    match (left.may_hold_more, right.may_hold_more) {
        (true, false) => left.narrow(&right),
        (false, true) => right.narrow(&left),
        _ => {}
    }
    let any_name = left.is_part && right.is_part;
    let mut pairs = Vec::new();
    let mut rest: Vec<SavedSection> = right.saved.sections.clone();
    for section in &left.saved.sections {
        let alone = any_name && left.saved.sections.len() == 1 && rest.len() == 1;
        let found = if alone { Some(0) } else { find(section, &rest, &left, &right)? };
        let new = found.map_or_else(Vec::new, |index| rest.remove(index).variables);
        add_pairs(&section.name, &section.variables, new, any_name, &mut pairs);
    }
    for section in rest {
        add_pairs(&section.name, &[], section.variables, false, &mut pairs);
    }
    Ok(pairs)
}

/// The section of the same name; of several, that in a map of the same name, and used by programs of the same names.
fn find(section: &SavedSection, among: &[SavedSection], left: &Side, right: &Side) -> Result<Option<usize>> {
    let mut found: Vec<usize> = (0..among.len())
        .filter(|index| among[*index].name == section.name && among[*index].data == section.data)
        .collect();
    let users: HashSet<&str> = left.saved.users(section).collect();
    let has_user = |index: &usize| right.saved.users(&among[*index]).any(|user| users.contains(user));
    let has_name = |index: &usize| among[*index].map.name == section.map.name;
    for is_nearer in [&has_name as &dyn Fn(&usize) -> bool, &has_user] {
        if found.len() > 1 && found.iter().any(is_nearer) {
            found.retain(is_nearer);
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [index] => Ok(Some(*index)),
        _ => Err(Failure::new(format!(
            "{} has {} sections {}, and any of them could be compared with that of {}; dump one program, as in bpfvar dump prog:ID --json",
            right.name,
            found.len(),
            section.name,
            left.name
        ))),
    }
}

fn add_pairs(section: &str, old: &[SavedVariable], mut new: Vec<SavedVariable>, any_name: bool, pairs: &mut Vec<Pair>) {
    let alone = any_name && old.len() == 1 && new.len() == 1;
    let mut add =
        |name: &str, old, new| pairs.push(Pair { section: section.to_owned(), name: name.to_owned(), old, new });
    for old in old {
        let found = new.iter().position(|new| alone || new.name == old.name);
        add(&old.name, Some(old.clone()), found.map(|index| new.remove(index)));
    }
    new.into_iter().for_each(|new| add(&new.name.clone(), None, Some(new)));
}

/// Where all of them differ, and how many are not compared because a value was left out.
pub(super) fn differences(pairs: &[Pair]) -> (Vec<Difference>, usize) {
    let mut count: HashMap<&str, usize> = HashMap::new();
    pairs.iter().for_each(|pair| *count.entry(&pair.name).or_default() += 1);
    let (mut all, mut left_out) = (Vec::new(), 0);
    for Pair { section, name, old, new } in pairs {
        let name = if count[name.as_str()] == 1 { name.clone() } else { format!("{section}.{name}") };
        let is_left_out = |var: &Option<SavedVariable>| var.as_ref().is_some_and(|var| var.value.is_none());
        if is_left_out(old) || is_left_out(new) {
            left_out += 1;
            continue;
        }
        let mut found = Vec::new();
        let value = |var: &Option<SavedVariable>| var.as_ref().and_then(|var| var.value.clone());
        add(&name, value(old).as_ref(), value(new).as_ref(), &mut found);
        if let (Some(old), Some(new)) = (old, new) {
            if old.ty != new.ty {
                let types = Some((old.ty.clone(), new.ty.clone()));
                match found.iter_mut().find(|difference| difference.name == name) {
                    Some(difference) => difference.types = types,
                    None => found.insert(0, Difference { name, old: None, new: None, types }),
                }
            }
        }
        all.extend(found);
    }
    (all, left_out)
}
