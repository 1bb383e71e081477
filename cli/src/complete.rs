//! Candidates for the shell: targets that are there now, and the values that a variable can have.

use std::ffi::OsStr;

use bpfvar::{Program, Value, Var};
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use crate::key;
use crate::output::clean;
use crate::resolve::{Keyed, Resolver, labels};
use crate::target::Target;

/// The environment variable by which a shell's script asks.
pub(crate) const VARIABLE: &str = "BPFVAR_COMPLETE";

/// More elements of an array are no help.
const MOST_ELEMENTS: usize = 64;

/// What can be typed, with what it is.
type Candidates = Vec<(String, Option<String>)>;

/// Programs and maps, their variables behind a dot, members behind another.
pub(crate) fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let resolver = Resolver::default();
    let mut names = members(&resolver, current);
    if names.is_empty() {
        names = if current.starts_with("pid:") { processes(&resolver) } else { variables(&resolver) };
    }
    candidates(names, current)
}

/// Whole maps and sections: what can be frozen.
pub(crate) fn maps(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let resolver = Resolver::default();
    let (Ok(all), programs) = (resolver.system(), resolver.programs().unwrap_or_default()) else { return Vec::new() };
    let mut names = Candidates::new();
    for section in all.maps() {
        let map = section.info();
        let part = if section.section().is_some() { section.name().to_owned() } else { format!(".{}", map.name) };
        for program in programs.iter().filter(|program| program.uses(map.id)) {
            names.push((format!("{}{part}", program.name), None));
            // Numbers only for those who have started to type one.
            if current.starts_with("prog:") {
                names.push((format!("prog:{}{part}", program.id), None));
            }
        }
        names.push((map.name.clone(), None));
        if current.starts_with("map:") {
            names.push((format!("map:{}", map.id), Some(map.name.clone())));
        }
    }
    candidates(names, current)
}

/// Programs, whole maps and sections, files: what code is generated for.
pub(crate) fn origins(current: &OsStr) -> Vec<CompletionCandidate> {
    let programs = Program::all().unwrap_or_default().into_iter().map(|program| (program.name, None));
    let mut all = current.to_str().map(|current| candidates(programs.collect(), current)).unwrap_or_default();
    all.extend(maps(current));
    all.extend(PathCompleter::file().complete(current));
    all
}

/// `TARGET=`, and behind the `=` the values that have names.
pub(crate) fn assignments(current: &OsStr) -> Vec<CompletionCandidate> {
    let assigned = current.to_str().and_then(|current| current.split_once('='));
    if let Some((target, _)) = assigned {
        // An operator may stand before the equals sign.
        let values = values(target.strip_suffix(['+', '-', '|', '&', '^']).unwrap_or(target))
            .into_iter()
            .map(|(value, help)| (format!("{target}={value}"), help));
        return candidates(values.collect(), current.to_str().unwrap_or_default());
    }
    let candidates = targets(current).into_iter().map(|candidate| {
        let mut text = candidate.get_value().to_owned();
        text.push("=");
        CompletionCandidate::new(text).help(candidate.get_help().cloned())
    });
    candidates.collect()
}

/// Those that go on from what was typed, each once.
fn candidates(mut names: Candidates, current: &str) -> Vec<CompletionCandidate> {
    names.retain(|(name, _)| name.starts_with(current));
    names.sort();
    names.dedup_by(|(one, _), (other, _)| one == other);
    let candidate = |(name, help): (String, Option<String>)| {
        CompletionCandidate::new(name).help(help.map(|help| clean(&help).into()))
    };
    names.into_iter().map(candidate).collect()
}

/// All variables by the names of the programs and of the maps.
fn variables(resolver: &Resolver) -> Candidates {
    let Ok(all) = resolver.system() else { return Candidates::new() };
    let programs = resolver.programs().unwrap_or_default();
    let mut names = Candidates::new();
    for section in all.maps() {
        let map = section.info();
        let own = std::slice::from_ref(section);
        for program in programs.iter().filter(|program| program.uses(map.id) && section.section().is_some()) {
            names.extend(with_types(labels(&program.name, own)));
        }
        if section.section().is_some() {
            names.extend(with_types(labels(&map.name, own)));
        } else {
            names.extend(section.vars().map(|var| (map.name.clone(), Some(var.type_name()))));
        }
    }
    for map in all.keyed_maps() {
        let users = programs.iter().filter(|program| program.uses(map.info().id));
        let all = users.map(|program| format!("{}.{}", program.name, map.name())).chain([map.name().to_owned()]);
        names.extend(all.map(|name| (name, Some(format!("{} by {}", map.value_type(), map.key_type())))));
    }
    names
}

/// The processes that hold programs, by their numbers, with their names.
fn processes(resolver: &Resolver) -> Candidates {
    let owners = resolver.owners();
    let holding = resolver.programs().unwrap_or_default().iter().flat_map(|program| owners.of_program(program.id));
    holding.map(|owner| (format!("pid:{}", owner.pid), Some(owner.name.clone()))).collect()
}

/// What goes on from a target that is complete up to its last dot or bracket.
fn members(resolver: &Resolver, current: &str) -> Candidates {
    let end = current.rfind(['.', '[']).unwrap_or(0);
    let (base, behind) = current.split_at(end);
    let Ok(target) = base.parse::<Target>() else { return Candidates::new() };
    if let Ok(Some(keyed)) = resolver.keyed(&target) {
        return keyed_parts(&keyed).into_iter().map(|(part, help)| (format!("{base}{part}"), help)).collect();
    }
    let Ok(found) = resolver.find(&target) else { return Candidates::new() };
    let Ok(var) = found.var() else {
        return with_types(labels(base, found.sections())).collect();
    };
    let parts = parts(&var).into_iter().filter(|part| part.starts_with(&behind[..behind.len().min(1)]));
    parts.map(|part| (format!("{base}{part}"), var.at(&part).ok().map(|part| part.type_name()))).collect()
}

fn parts(var: &Var) -> Vec<String> {
    let members = var.members().into_iter().map(|name| format!(".{name}"));
    let indices = var.indices().unwrap_or_default();
    members.chain(indices.take(MOST_ELEMENTS).map(|index| format!("[{index}]"))).collect()
}

/// The values of a variable that have names.
fn values(target: &str) -> Candidates {
    let resolver = Resolver::default();
    let found = target.parse::<Target>().ok().and_then(|target| resolver.select(&target).ok());
    let Some((_, var)) = found.and_then(|vars| vars.into_iter().next()) else { return Candidates::new() };
    let named = var.enumerators().into_iter().map(|(name, number)| (name.to_owned(), Some(number.to_string())));
    let mut values: Candidates = named.collect();
    if let Ok(Value::Bool(_)) = var.read() {
        values.extend(["true", "false"].map(|value| (value.to_owned(), None)));
    }
    values
}

/// Variables with their types.
fn with_types(labels: Vec<(String, Var)>) -> impl Iterator<Item = (String, Option<String>)> {
    labels.into_iter().map(|(label, var)| (label, Some(var.type_name())))
}

/// Keys that no shell takes apart, or what is in an entry.
fn keyed_parts(keyed: &Keyed) -> Candidates {
    match &keyed.entry {
        Some(entry) => {
            let parts = entry.read().ok().flatten().map_or_else(Vec::new, |value| parts_of(&value));
            let help = |part: &str| entry.at(part).ok().map(|part| part.type_name());
            parts.into_iter().map(|part| (part.clone(), help(&part))).collect()
        }
        None => {
            let keys = keyed.map.entries().take(MOST_ELEMENTS).filter_map(|entry| Some(key::text(&entry.ok()?.0)));
            let is_plain =
                |key: &String| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            keys.filter(is_plain).map(|key| (format!("[{key}]"), Some(keyed.map.value_type()))).collect()
        }
    }
}

/// What is in a value.
fn parts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Struct(members) => members.iter().map(|(name, _)| format!(".{name}")).collect(),
        Value::Array(elements) => (0..elements.len().min(MOST_ELEMENTS)).map(|index| format!("[{index}]")).collect(),
        _ => Vec::new(),
    }
}
