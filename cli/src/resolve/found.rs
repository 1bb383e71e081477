//! What a target turned out to be.

use std::collections::HashMap;
use std::rc::Rc;

use bpfvar::{Globals, KeyedMap, ProgramInfo, TypedMap, Var};

use super::{Object, why_none};
use crate::error::{Failure, Result};

/// What a target names.
pub(crate) struct Found {
    /// The target as it was typed.
    pub(crate) text: String,
    /// An unmistakable way to say it.
    pub(crate) canonical: String,
    pub(super) object: Object,
    pub(super) globals: Rc<Globals>,
    pub(super) place: Place,
}

/// Which part of an object is meant.
#[derive(Clone, Debug)]
pub(super) enum Place {
    All,
    Map(TypedMap),
    Var(Var),
}

impl Found {
    /// The sections that it is, or lies in.
    pub(crate) fn sections(&self) -> &[TypedMap] {
        match &self.place {
            Place::All => self.globals.maps(),
            Place::Map(map) => std::slice::from_ref(map),
            Place::Var(var) => std::slice::from_ref(var.map()),
        }
    }

    /// The maps that are reached by keys, if all of a program is meant.
    pub(crate) fn keyed_maps(&self) -> &[KeyedMap] {
        match self.place {
            Place::All => self.globals.keyed_maps(),
            _ => &[],
        }
    }

    /// What to say of the maps that are reached by keys and no variables, if all of a program is meant.
    pub(crate) fn left_out(&self) -> Option<String> {
        let names: Vec<&str> = self.keyed_maps().iter().map(KeyedMap::name).collect();
        let (last, rest) = names.split_last()?;
        let names = if rest.is_empty() { (*last).to_owned() } else { format!("{} and {last}", rest.join(", ")) };
        Some(format!("{}: what is reached by keys is left out: {names}", self.text))
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
        matches!(self.place, Place::Var(_))
    }

    /// Whether it is a map or section, or all of a program, and no part.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(&self.place, Place::Var(var) if var.path() != var.map().name())
    }

    /// The one variable.
    pub(crate) fn var(&self) -> Result<Var> {
        if let Place::Var(var) = &self.place {
            return Ok(var.clone());
        }
        let names = labels(&self.text, self.sections());
        let names: Vec<String> = names.into_iter().take(5).map(|(label, _)| label).collect();
        if let (Some(map), true) = (self.keyed_maps().first(), names.is_empty()) {
            let (text, name) = (&self.text, map.name());
            return Err(Failure::new(format!(
                "{text} has no variables; its maps are reached by keys, such as {text}.{name}"
            )));
        }
        if let (Some(info), true) = (self.program(), names.is_empty()) {
            return Err(Failure::new(format!("{}: {info} {}", self.text, why_none(info))));
        }
        Err(Failure::new(if names.is_empty() {
            format!("{} has no variables that BTF describes; `bpfvar list` shows what has", self.text)
        } else {
            format!("{} is not one variable; name one of its variables, such as {}", self.text, names.join(", "))
        }))
    }

    /// All variables that are meant, each with how to name it. An error if there are none.
    pub(crate) fn vars(&self) -> Result<Vec<(String, Var)>> {
        let vars = match &self.place {
            Place::Var(var) => vec![(self.text.clone(), var.clone())],
            _ => labels(&self.text, self.sections()),
        };
        if vars.is_empty() { self.var().map(|_| vars) } else { Ok(vars) }
    }

    /// What tells it from all else. Two ways to say the same are one.
    pub(super) fn identity(&self) -> Identity {
        let maps = self.sections().iter().map(|section| section.info().id).collect();
        let part = match &self.place {
            Place::Var(var) => Some((var.entry(), var.offset(), var.size(), var.type_name())),
            _ => None,
        };
        Identity { maps, part }
    }
}

#[derive(PartialEq)]
pub(super) struct Identity {
    maps: Vec<u32>,
    part: Option<(Option<u32>, u64, u64, String)>,
}

/// Each variable of some sections with how to say it behind the name of its object: of several with one name in one section the
/// path has the offset, and of those in several sections the label has the section.
pub(crate) fn labels(object: &str, sections: &[TypedMap]) -> Vec<(String, Var)> {
    let vars: Vec<Var> = sections.iter().flat_map(TypedMap::vars).collect();
    let mut count: HashMap<String, u32> = HashMap::new();
    for var in &vars {
        *count.entry(var.path().to_owned()).or_default() += 1;
    }
    let label = |var: &Var| match count[var.path()] {
        1 => format!("{object}.{}", var.path()),
        // Its name starts with a dot.
        _ if var.map().section().is_some() => format!("{object}{}.{}", var.map().name(), var.path()),
        _ => format!("map:{}", var.map().info().id),
    };
    vars.into_iter().map(|var| (label(&var), var)).collect()
}

pub(super) fn var_in(section: &TypedMap, path: &str) -> bpfvar::Result<Var> {
    match section.vars().next() {
        Some(map) if section.section().is_none() => map.at(path),
        _ => section.var(path),
    }
}
