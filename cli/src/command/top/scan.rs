//! What is there to show: programs that share variables, with these; maps; or what the targets name.

use std::collections::{BTreeSet, HashSet};

use bpfvar::{Globals, Map, Program, ProgramInfo, TypedMap, Var};

use crate::error::Result;
use crate::loaded::Loaded;
use crate::owner::{Owner, Owners};
use crate::resolve::{Resolver, labels};
use crate::target::Target;

const UNUSED: &str = "no program uses it";

/// Programs or a map, found, with the variables.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    /// Which programs or map it is, and who holds them: `opensnoop (pid 4711)  prog:12 prog:13`.
    pub(super) note: String,
    /// The names of the programs.
    pub(super) programs: Vec<String>,
    /// The target that named it.
    pub(super) target: Option<usize>,
    pub(super) vars: Vec<Named>,
    /// Whether it is the one variable that it has, and no group.
    pub(super) is_var: bool,
}

/// A variable with its name below its program, and as commands name it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) var: Var,
}

impl Named {
    /// The id of its map.
    pub(super) fn map(&self) -> u32 {
        self.var.map().info().id
    }
}

/// Looks what is there, and whether that has changed.
pub(super) struct Scanner {
    targets: Vec<Target>,
    loaded: Loaded,
    maps: Vec<u32>,
}

impl Scanner {
    pub(super) fn new(targets: Vec<Target>) -> Result<Scanner> {
        Ok(Scanner { targets, loaded: Loaded::look()?, maps: ids_of_maps()? })
    }

    /// Whether a program came or went, or a map was made, since the last look.
    pub(super) fn changed(&mut self) -> Result<bool> {
        let maps = ids_of_maps()?;
        let is_new = maps.last() > self.maps.last();
        self.maps = maps;
        Ok(self.loaded.changed()? || is_new)
    }

    /// The maps that programs use. All others must be let go before the next look: while they are held, they are there.
    pub(super) fn used(&self) -> Result<HashSet<u32>> {
        Ok(Program::all()?.into_iter().flat_map(|program| program.map_ids).collect())
    }

    /// What is there; of targets, all but those that are settled.
    ///
    /// # Errors
    ///
    /// What the kernel refuses; and the first time, when nothing can be settled, a target that names nothing.
    pub(super) fn look(&self, settled: Option<&HashSet<usize>>) -> Result<Vec<Found>> {
        if self.targets.is_empty() {
            return Ok(system(&Program::all()?, Globals::of_system()?.maps(), &Owners::look()));
        }
        let mut found = Vec::new();
        let resolver = Resolver::default();
        let is_open = |index: &usize| settled.is_none_or(|settled| !settled.contains(index));
        for (index, target) in self.targets.iter().enumerate().filter(|(index, _)| is_open(index)) {
            match named(&resolver, index, target) {
                Ok(one) => found.push(one),
                Err(failure) if settled.is_none() => return Err(failure),
                // It is gone, and may come again.
                Err(_) => {}
            }
        }
        Ok(found)
    }
}

fn ids_of_maps() -> Result<Vec<u32>> {
    Ok(Map::ids().collect::<bpfvar::Result<_>>()?)
}

/// What a target names.
fn named(resolver: &Resolver, index: usize, target: &Target) -> Result<Found> {
    let found = resolver.find(target)?;
    let vars = found.vars()?;
    let maps: HashSet<u32> = vars.iter().map(|(_, var)| var.map().info().id).collect();
    // A pin needs no right to list programs.
    let programs = resolver.programs().unwrap_or_default();
    let users: Vec<&ProgramInfo> = match found.program() {
        Some(program) => vec![program],
        None => programs.iter().filter(|program| maps.iter().any(|map| program.uses(*map))).collect(),
    };
    let name = target.text.clone();
    let is_var = found.is_var();
    let short = |label: &str| match label.strip_prefix(&name) {
        Some(rest) if !is_var => rest.trim_start_matches('.').to_owned(),
        _ => label.to_owned(),
    };
    let named = |(label, var): (String, Var)| Named { name: short(&label), label, var };
    Ok(Found {
        note: names_of(&users, &name),
        programs: users.iter().map(|program| program.name.clone()).collect(),
        target: Some(index),
        vars: vars.into_iter().map(named).collect(),
        is_var,
        name,
    })
}

/// Everything: programs that share a section are one group, with the maps that nobody else uses; other maps are by themselves.
fn system(programs: &[ProgramInfo], maps: &[TypedMap], owners: &Owners) -> Vec<Found> {
    let (sections, others): (Vec<&TypedMap>, Vec<&TypedMap>) = maps.iter().partition(|map| map.section().is_some());
    let groups = groups(programs, &sections);
    let mut found = Vec::new();
    let mut owned = HashSet::new();
    for group in groups {
        let uses = |map: &&&TypedMap| group.iter().any(|program| program.uses(map.info().id));
        let is_own = |map: &&&TypedMap| {
            let users = programs.iter().filter(|program| program.uses(map.info().id));
            users.into_iter().all(|user| group.iter().any(|program| program.id == user.id))
        };
        let of_group = sections.iter().filter(uses).chain(others.iter().filter(uses).filter(is_own));
        let of_group: Vec<TypedMap> = of_group.map(|map| (*map).clone()).collect();
        if of_group.is_empty() {
            continue;
        }
        owned.extend(of_group.iter().map(|map| map.info().id));
        let names: Vec<String> = group.iter().map(|program| name_of(program)).collect();
        // A command names a variable by the first program that uses it.
        let object = |var: &Var| {
            let id = var.map().info().id;
            let first = group.iter().zip(&names).find(|(program, _)| program.uses(id));
            first.map_or_else(|| format!("map:{id}"), |(_, name)| name.clone())
        };
        let named = |(label, var): (String, Var)| Named {
            name: label.trim_start_matches('.').to_owned(),
            label: if label.starts_with('.') { format!("{}{label}", object(&var)) } else { label },
            var,
        };
        found.push(Found {
            name: names.join(", "),
            note: holders(&group, owners) + &note(&group),
            vars: labels("", &of_group).into_iter().map(named).collect(),
            programs: names,
            target: None,
            is_var: false,
        });
    }
    let alone = maps.iter().filter(|map| !owned.contains(&map.info().id));
    found.extend(alone.filter_map(|map| of_map(map, programs)));
    found
}

/// A map that is no group's.
fn of_map(map: &TypedMap, programs: &[ProgramInfo]) -> Option<Found> {
    let info = map.info();
    let users: Vec<&ProgramInfo> = programs.iter().filter(|program| program.uses(info.id)).collect();
    let object = if info.name.is_empty() { format!("map:{}", info.id) } else { info.name.clone() };
    let is_var = map.section().is_none();
    let vars = if is_var {
        map.vars().next().map(|var| Named { name: object.clone(), label: object.clone(), var }).into_iter().collect()
    } else {
        let named = |(label, var): (String, Var)| Named { name: var.path().to_owned(), label, var };
        labels(&object, std::slice::from_ref(map)).into_iter().map(named).collect::<Vec<_>>()
    };
    let id = format!("map:{}", info.id);
    let note = if users.is_empty() { format!("{id}  {UNUSED}") } else { format!("{id}  {}", note(&users)) };
    let programs = users.iter().map(|program| program.name.clone()).collect();
    (!vars.is_empty()).then_some(Found { name: object, note, programs, target: None, vars, is_var })
}

/// Programs that share a section, directly or by others; each other program alone.
fn groups<'p>(programs: &'p [ProgramInfo], sections: &[&TypedMap]) -> Vec<Vec<&'p ProgramInfo>> {
    let mut groups: Vec<(Vec<&ProgramInfo>, HashSet<u32>)> = Vec::new();
    for program in programs {
        let used = sections.iter().map(|map| map.info().id).filter(|id| program.uses(*id));
        let mut joined = (vec![program], used.collect::<HashSet<u32>>());
        let (same, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, maps)| !maps.is_disjoint(&joined.1));
        groups = others;
        for (programs, maps) in same {
            joined.0.extend(programs);
            joined.1.extend(maps);
        }
        joined.0.sort_by_key(|program| program.id);
        groups.push(joined);
    }
    groups.sort_by_key(|(programs, _)| programs[0].id);
    groups.into_iter().map(|(programs, _)| programs).collect()
}

fn note(programs: &[&ProgramInfo]) -> String {
    programs.iter().map(|program| format!("prog:{}", program.id)).collect::<Vec<_>>().join(" ")
}

/// The processes that hold programs: by them people tell two programs of one name apart.
fn holders(programs: &[&ProgramInfo], owners: &Owners) -> String {
    let all: BTreeSet<&Owner> = programs.iter().flat_map(|program| owners.of_program(program.id)).collect();
    all.into_iter().map(|owner| format!("{owner}  ")).collect()
}

/// Programs by name and id, without what a target says already.
fn names_of(programs: &[&ProgramInfo], target: &str) -> String {
    if programs.is_empty() {
        return UNUSED.to_owned();
    }
    let ids = programs.iter().map(|program| format!("prog:{}", program.id));
    let all: Vec<String> =
        programs.iter().map(|program| program.name.clone()).zip(ids).flat_map(<[String; 2]>::from).collect();
    all.into_iter().filter(|word| word != target && !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The kernel's own name may be cut; the function's is in the program's BTF.
fn name_of(info: &ProgramInfo) -> String {
    let whole = Program::from_id(info.id).and_then(|program| program.full_name());
    match whole.unwrap_or_else(|_| info.name.clone()) {
        name if name.is_empty() => format!("prog:{}", info.id),
        name => name,
    }
}
