//! From a target to what it names in the kernel.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use bpfvar::{Cause, Error, Globals, Map, MapInfo, MapType, Program, ProgramInfo, Section, Var};

use crate::error::{Failure, Result};
use crate::target::{Origin, Target, splits};

mod hint;

/// Finds targets. What it has opened it keeps, so that several targets in one program share its mappings.
#[derive(Default)]
pub(crate) struct Resolver {
    programs: OnceCell<Vec<ProgramInfo>>,
    maps: OnceCell<Vec<MapInfo>>,
    opened: RefCell<HashMap<Object, Rc<Globals>>>,
}

/// A program or a map, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Program(u32),
    Map(u32),
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Object::Program(id) => write!(f, "prog:{id}"),
            Object::Map(id) => write!(f, "map:{id}"),
        }
    }
}

/// What a target names.
pub(crate) struct Found {
    /// The target as it was typed.
    pub(crate) text: String,
    /// An unmistakable way to say it.
    pub(crate) canonical: String,
    object: Object,
    globals: Rc<Globals>,
    place: Place,
}

/// Which part of an object is meant.
#[derive(Clone, Debug)]
enum Place {
    All,
    Section(usize),
    /// In the section of that number: a variable's path, or what follows the name of an array map.
    Var(usize, String),
}

impl Found {
    /// The sections that it is, or lies in.
    pub(crate) fn sections(&self) -> &[Section] {
        match self.place {
            Place::All => self.globals.sections(),
            Place::Section(index) | Place::Var(index, _) => std::slice::from_ref(&self.globals.sections()[index]),
        }
    }

    /// The program, if all of one is meant.
    pub(crate) fn program(&self) -> Option<&ProgramInfo> {
        match self.place {
            Place::All => self.globals.program(),
            _ => None,
        }
    }

    /// Whether it is one variable or a part of one.
    pub(crate) fn is_var(&self) -> bool {
        matches!(self.place, Place::Var(..))
    }

    /// The one variable.
    pub(crate) fn var(&self) -> Result<Var<'_>> {
        if let Place::Var(index, path) = &self.place {
            return Ok(var_in(&self.globals.sections()[*index], path)?);
        }
        let names = labels(&self.text, self.sections());
        let names: Vec<String> = names.into_iter().take(5).map(|(label, _)| label).collect();
        Err(Failure::new(match names.is_empty() {
            true => format!("{} has no variables that BTF describes; name one that has (bpfvar list)", self.text),
            false => format!("{} is not one variable; name one of it, such as {}", self.text, names.join(", ")),
        }))
    }

    /// All variables that are meant, each with how to say it.
    pub(crate) fn vars(&self) -> Result<Vec<(String, Var<'_>)>> {
        match self.place {
            Place::Var(..) => Ok(vec![(self.text.clone(), self.var()?)]),
            _ => Ok(labels(&self.text, self.sections())),
        }
    }

    /// What tells it from all else. Two ways to say the same are one.
    fn identity(&self) -> Result<Identity> {
        let maps = self.sections().iter().map(|section| section.map().info().id).collect();
        let part = match self.place {
            Place::Var(..) => {
                let var = self.var()?;
                Some((var.entry(), var.offset(), var.size(), var.type_name()))
            }
            _ => None,
        };
        Ok(Identity { maps, part })
    }
}

#[derive(PartialEq)]
struct Identity {
    maps: Vec<u32>,
    part: Option<(Option<u32>, u64, u64, String)>,
}

/// Each variable of some sections with how to say it behind the name of its object; of several with one name, by offset.
pub(crate) fn labels<'s>(object: &str, sections: &'s [Section]) -> Vec<(String, Var<'s>)> {
    let vars: Vec<Var<'s>> = sections.iter().flat_map(Section::vars).collect();
    let mut count: HashMap<String, u32> = HashMap::new();
    for var in &vars {
        *count.entry(var.path().to_owned()).or_default() += 1;
    }
    let label = |var: &Var<'s>| match count[var.path()] {
        1 => format!("{object}.{}", var.path()),
        _ => format!("{object}.{}@{}", var.path(), var.offset()),
    };
    vars.into_iter().map(|var| (label(&var), var)).collect()
}

fn var_in<'s>(section: &'s Section, path: &str) -> bpfvar::Result<Var<'s>> {
    match section.vars().next() {
        Some(map) if !section.is_data() => map.at(path),
        _ => section.var(path),
    }
}

impl Resolver {
    /// What a target names.
    pub(crate) fn find(&self, target: &Target) -> Result<Found> {
        let candidates = self.candidates(target)?;
        let mut found: Vec<Found> = Vec::new();
        let mut refused: Option<Failure> = None;
        for (object, rest) in &candidates {
            match self.look(target, *object, rest) {
                Ok(more) => found.extend(more),
                // The first is that of the longest name.
                Err(failure) => refused = refused.or(Some(failure)),
            }
        }
        let mut apart: Vec<(Identity, Found)> = Vec::new();
        for found in found {
            let identity = found.identity()?;
            if !apart.iter().any(|(known, _)| *known == identity) {
                apart.push((identity, found));
            }
        }
        if apart.len() > 1 {
            let ways: Vec<String> = apart.iter().map(|(_, found)| self.way(found)).collect();
            return Err(Failure::new(format!(
                "{} could be any of {}; say which by its id",
                target.text,
                ways.join(", ")
            )));
        }
        match (apart.pop(), refused) {
            (Some((_, found)), _) => Ok(found),
            (None, Some(failure)) => Err(self.with_hint(target, failure, &candidates)),
            (None, None) => Err(self.nothing(target)),
        }
    }

    /// All targets, or the first error.
    pub(crate) fn find_all<'t>(&self, targets: impl IntoIterator<Item = &'t Target>) -> Result<Vec<Found>> {
        targets.into_iter().map(|target| self.find(target)).collect()
    }

    /// How to say it, and what it is.
    fn way(&self, found: &Found) -> String {
        let map = |section: &Section| format!("{} of map {}", section.name(), section.map().info().id);
        let what = match (found.object, found.sections()) {
            (Object::Program(_), [section]) => {
                let name = found.globals.program().map(|info| info.name.clone()).unwrap_or_default();
                format!("{} used by program {name:?}", map(section))
            }
            (Object::Map(_), [section]) if section.is_data() => {
                let id = section.map().info().id;
                let users = self.programs().unwrap_or_default().iter().filter(|program| program.map_ids.contains(&id));
                let users: Vec<String> = users.map(|program| format!("program {}", program.id)).collect();
                format!("{} used by {}", map(section), if users.is_empty() { "none".to_owned() } else { users.join(" and ") })
            }
            (Object::Map(_), _) => "a map".to_owned(),
            (Object::Program(_), _) => "a program".to_owned(),
        };
        format!("{} ({what})", found.canonical)
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
                    return Err(Failure::new(format!("there is no {what} with id {number}; `bpfvar list` shows what there is")));
                }
                all
            }
            Origin::Pin(path) => vec![(self.open_pin(path)?, rest)],
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
                all
            }
        })
    }

    /// What `rest` names in an object: more than one if a variable has the name of a section.
    fn look(&self, target: &Target, object: Object, rest: &str) -> Result<Vec<Found>> {
        let globals = self.open(object)?;
        let new = |place| Found {
            text: target.text.clone(),
            canonical: format!("{object}{rest}"),
            object,
            globals: globals.clone(),
            place,
        };
        let sections = globals.sections();
        // A map of its own is one variable.
        if let (Object::Map(_), [section]) = (object, sections) {
            if !section.is_data() {
                var_in(section, rest)?;
                return Ok(vec![new(Place::Var(0, rest.to_owned()))]);
            }
        }
        if rest.is_empty() {
            return Ok(vec![new(if matches!(object, Object::Map(_)) { Place::Section(0) } else { Place::All })]);
        }
        let mut found = Vec::new();
        let mut refused = None;
        for (index, section) in sections.iter().enumerate().filter(|(_, section)| section.is_data()) {
            match rest.strip_prefix(section.name()) {
                Some("") => found.push(new(Place::Section(index))),
                Some(path) if path.starts_with('.') => match section.var(&path[1..]) {
                    Ok(_) => found.push(new(Place::Var(index, path[1..].to_owned()))),
                    Err(error) => refused = Some(error),
                },
                _ => {}
            }
        }
        let path = rest.strip_prefix('.').unwrap_or(rest);
        match globals.var(path) {
            Ok(var) => {
                let id = var.section().map().info().id;
                let index = sections.iter().position(|section| section.map().info().id == id).unwrap_or(0);
                let map = var.section().map().info().name.as_str();
                let path = if sections[index].is_data() { path } else { path.strip_prefix(map).unwrap_or(path) };
                found.push(new(Place::Var(index, path.to_owned())));
            }
            Err(error) => refused = refused.or(Some(error)),
        }
        match (found.is_empty(), refused) {
            (true, Some(error)) => Err(error.into()),
            _ => Ok(found),
        }
    }

    fn open(&self, object: Object) -> bpfvar::Result<Rc<Globals>> {
        if let Some(known) = self.opened.borrow().get(&object) {
            return Ok(known.clone());
        }
        let globals = match object {
            Object::Program(id) => Globals::of_program_id(id),
            Object::Map(id) => Map::from_id(id).and_then(Globals::of_map),
        };
        Ok(self.keep(object, globals?))
    }

    /// A pin is a map's or a program's.
    fn open_pin(&self, path: &std::path::Path) -> Result<Object> {
        match Map::from_pin(path) {
            Ok(map) => {
                let object = Object::Map(map.info().id);
                self.keep(object, Globals::of_map(map)?);
                Ok(object)
            }
            Err(Error::NotAMap { .. }) => {
                let program = Program::from_pin(path)?;
                let object = Object::Program(program.info().id);
                self.keep(object, Globals::of_program(&program)?);
                Ok(object)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&self, object: Object, globals: Globals) -> Rc<Globals> {
        self.opened.borrow_mut().entry(object).or_insert(Rc::new(globals)).clone()
    }

    /// What the kernel says of all programs, asked once.
    pub(crate) fn programs(&self) -> Result<&[ProgramInfo]> {
        if self.programs.get().is_none() {
            let _ = self.programs.set(Program::all()?);
        }
        Ok(self.programs.get().map_or(&[], Vec::as_slice))
    }

    fn maps(&self) -> Result<&[MapInfo]> {
        if self.maps.get().is_none() {
            let _ = self.maps.set(all_maps()?);
        }
        Ok(self.maps.get().map_or(&[], Vec::as_slice))
    }

    /// By what the kernel keeps of the name, or by all of it.
    fn programs_named(&self, name: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for info in self.programs()? {
            let cut = info.name.len() == NAME_LEN && name.len() > NAME_LEN && name.starts_with(&info.name);
            let whole = || Program::from_id(info.id).and_then(|program| program.full_name()).is_ok_and(|full| full == name);
            if info.name == name && !name.is_empty() || cut && whole() {
                ids.push(info.id);
            }
        }
        Ok(ids)
    }

    /// The same. What a map was called before the kernel cut its name, only a section tells.
    fn maps_named(&self, name: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for info in self.maps()?.iter().filter(|info| info.map_type == MapType::ARRAY) {
            let cut = info.name.len() == NAME_LEN && name.len() > NAME_LEN && name.starts_with(&info.name);
            let whole = || match self.open(Object::Map(info.id)) {
                Ok(globals) => globals.sections().iter().any(|section| match section.is_data() {
                    true => name.ends_with(section.name()),
                    false => !name[NAME_LEN..].contains(['.', '[']),
                }),
                Err(_) => false,
            };
            if info.name == name && !name.is_empty() || cut && whole() {
                ids.push(info.id);
            }
        }
        Ok(ids)
    }
}

/// As much of a name as the kernel keeps.
const NAME_LEN: usize = 15;

fn all_maps() -> Result<Vec<MapInfo>> {
    let mut maps = Vec::new();
    for id in Map::ids() {
        match Map::from_id(id?) {
            Ok(map) => maps.push(map.info().clone()),
            Err(error) if error.cause() == Some(Cause::NoSuchId) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(maps)
}

fn exists<T>(result: bpfvar::Result<T>) -> Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.cause() == Some(Cause::NoSuchId) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
