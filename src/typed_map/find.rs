//! From the path that a user gives to the variable that it names.

use super::{TypedMap, Var};
use crate::error::{Advice, Error, Object, ObjectKind, Result};

/// The variable, or the part of one, that a path names, in any of the maps of `object`.
pub(crate) fn find(maps: &[TypedMap], path: &str, object: impl Fn() -> Object) -> Result<Var> {
    let mut found: Vec<Var> = Vec::new();
    let mut longest = 0;
    for var in maps.iter().flat_map(TypedMap::vars) {
        let name = var.name();
        let goes_on = path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '@']));
        // A static variable `f.x` goes before a member `x` of a variable `f`.
        if goes_on && name.len() >= longest {
            if name.len() > longest {
                found.clear();
            }
            longest = name.len();
            found.push(var);
        }
    }
    if found.is_empty() {
        found = of_functions(maps, path);
        longest = found.first().map_or(0, |var| short_name(var.name()).len());
    }
    let mut steps = &path[longest..];
    if let Some(behind) = steps.strip_prefix('@').filter(|_| !found.is_empty()) {
        let end = behind.find(['.', '[']).unwrap_or(behind.len());
        let wanted: Option<u64> = behind[..end].parse().ok();
        found.retain(|var| Some(var.offset()) == wanted);
        steps = &behind[end..];
    }
    match found.as_slice() {
        [var] => var.at(steps),
        [] => Err(Error::NotFound {
            object: Box::new(object()),
            kind: ObjectKind::Variable,
            name: path.to_owned(),
            known: maps.iter().flat_map(TypedMap::vars).map(|var| var.path().to_owned()).collect(),
            advice: None,
        }),
        several => Err(Error::Ambiguous {
            object: Box::new(object()),
            kind: ObjectKind::Variable,
            name: path[..longest].to_owned(),
            candidates: several.iter().map(Var::object).collect(),
            advice: Advice::ChooseByOffset,
        }),
    }
}

/// Static variables of functions, `func.local`, that `path` names without their function.
fn of_functions(maps: &[TypedMap], path: &str) -> Vec<Var> {
    let end = path.find(['.', '[', '@']).unwrap_or(path.len());
    let vars = maps.iter().flat_map(TypedMap::vars);
    vars.filter(|var| var.name().contains('.') && short_name(var.name()) == &path[..end]).collect()
}

fn short_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
