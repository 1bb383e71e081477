//! Candidates for the shell: targets that are there now.

use std::ffi::OsStr;

use bpfvar::{Globals, Program, Value, Var};
use clap_complete::engine::CompletionCandidate;

use crate::key;
use crate::resolve::{Keyed, Resolver, Selected, labels};
use crate::target::Target;

/// The environment variable by which a shell's script asks.
pub(crate) const VARIABLE: &str = "BPFVAR_COMPLETE";

/// Programs and maps, their variables behind a dot, members behind another.
pub(crate) fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let mut names = members(current);
    if names.is_empty() {
        names = variables();
    }
    names.retain(|name| name.starts_with(current));
    candidates(names)
}

/// Whole maps and sections: what can be frozen.
pub(crate) fn maps(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let Ok(all) = Globals::of_system() else { return Vec::new() };
    let programs = Program::all().unwrap_or_default();
    let mut names = Vec::new();
    for section in all.maps() {
        let map = section.info();
        let part = if section.section().is_some() { section.name().to_owned() } else { format!(".{}", map.name) };
        for program in programs.iter().filter(|program| program.uses(map.id)) {
            names.push(format!("{}{part}", program.name));
            // Numbers only for those who have started to type one.
            if current.starts_with("prog:") {
                names.push(format!("prog:{}{part}", program.id));
            }
        }
        names.push(map.name.clone());
        if current.starts_with("map:") {
            names.push(format!("map:{}", map.id));
        }
    }
    names.retain(|name| name.starts_with(current));
    candidates(names)
}

fn candidates(mut names: Vec<String>) -> Vec<CompletionCandidate> {
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// `TARGET=`; behind the `=` there is nothing to offer.
pub(crate) fn assignments(current: &OsStr) -> Vec<CompletionCandidate> {
    let candidates = targets(current).into_iter().map(|candidate| {
        let mut text = candidate.get_value().to_owned();
        text.push("=");
        CompletionCandidate::new(text)
    });
    candidates.collect()
}

/// All variables by the names of the programs and of the maps.
fn variables() -> Vec<String> {
    let Ok(all) = Globals::of_system() else { return Vec::new() };
    let programs = Program::all().unwrap_or_default();
    let mut names = Vec::new();
    for section in all.maps() {
        let map = section.info();
        let own = std::slice::from_ref(section);
        for program in programs.iter().filter(|program| program.uses(map.id) && section.section().is_some()) {
            names.extend(labels(&program.name, own).into_iter().map(|(label, _)| label));
        }
        if section.section().is_some() {
            names.extend(labels(&map.name, own).into_iter().map(|(label, _)| label))
        } else {
            names.push(map.name.clone())
        }
    }
    for map in all.keyed_maps() {
        let users = programs.iter().filter(|program| program.uses(map.info().id));
        names.extend(users.map(|program| format!("{}.{}", program.name, map.name())));
        names.push(map.name().to_owned());
    }
    names
}

/// What goes on from a target that is complete up to its last dot or bracket.
fn members(current: &str) -> Vec<String> {
    let end = current.rfind(['.', '[']).unwrap_or(0);
    let (base, behind) = current.split_at(end);
    let resolver = Resolver::default();
    let Ok(target) = base.parse::<Target>() else { return Vec::new() };
    if let Ok(Selected::Keyed(keyed)) = resolver.look_up(&target) {
        return keyed_parts(&keyed).into_iter().map(|part| format!("{base}{part}")).collect();
    }
    let Ok(found) = resolver.find(&target) else { return Vec::new() };
    let Ok(var) = found.var() else {
        return labels(base, found.sections()).into_iter().map(|(label, _)| label).collect();
    };
    parts(&var)
        .into_iter()
        .filter(|part| part.starts_with(&behind[..behind.len().min(1)]))
        .map(|part| format!("{base}{part}"))
        .collect()
}

fn parts(var: &Var) -> Vec<String> {
    var.read().map_or_else(|_| Vec::new(), |value| parts_of(&value))
}

fn parts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Struct(members) => members.iter().map(|(name, _)| format!(".{name}")).collect(),
        Value::Array(elements) => (0..elements.len().min(MOST_ELEMENTS)).map(|index| format!("[{index}]")).collect(),
        _ => Vec::new(),
    }
}

/// Keys that no shell takes apart, or what is in an entry.
fn keyed_parts(keyed: &Keyed) -> Vec<String> {
    match &keyed.entry {
        Some(entry) => entry.read().ok().flatten().map_or_else(Vec::new, |value| parts_of(&value)),
        None => {
            let keys = keyed.map.entries().take(MOST_ELEMENTS).filter_map(|entry| Some(key::text(&entry.ok()?.0)));
            let is_plain =
                |key: &String| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            keys.filter(is_plain).map(|key| format!("[{key}]")).collect()
        }
    }
}

/// So many are offered.
const MOST_ELEMENTS: usize = 64;
