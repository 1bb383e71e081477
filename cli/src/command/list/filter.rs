//! What of all that is there is to be shown.

use std::collections::{HashMap, HashSet};

use bpfvar::{KeyedMap, Map, MapInfo, MapType, Program, ProgramInfo, TypedMap, Var};

use crate::error::{Failure, other_type};
use crate::group::Group;
use crate::resolve::why_none;
use crate::table::program_name;

/// A text that names have to have, in small letters; or the kind and the id of something.
pub(super) struct Filter {
    text: Option<String>,
    /// The whole names of the programs, in small letters, as far as they are needed.
    names: HashMap<u32, String>,
    /// The programs that a text means, by their ids.
    programs: HashSet<u32>,
}

impl Filter {
    pub(super) fn new(text: Option<&str>, groups: &[Group<'_>]) -> Filter {
        let mut filter = Filter { text: text.map(str::to_lowercase), names: HashMap::new(), programs: HashSet::new() };
        let all = || groups.iter().flat_map(|group| &group.programs);
        if filter.text.is_none() {
            return filter;
        }
        let whole = |info: &ProgramInfo| Program::from_id(info.id).and_then(|program| program.full_name());
        // As `list` shows them.
        let name = |info: &ProgramInfo| whole(info).unwrap_or_else(|_| info.name.clone()).to_lowercase();
        filter.names = all().map(|program| (program.id, name(program))).collect();
        let fitting = groups.iter().flat_map(|group| {
            let whole = filter.fits_group(group);
            group.programs.iter().filter(|program| whole || filter.fits_program(program)).collect::<Vec<_>>()
        });
        filter.programs = fitting.map(|program| program.id).collect();
        filter
    }

    pub(super) fn is_set(&self) -> bool {
        self.text.is_some()
    }

    fn fits(&self, name: &str) -> bool {
        self.text.as_ref().is_none_or(|text| name.to_lowercase().contains(text))
    }

    fn is(&self, exactly: &str) -> bool {
        self.text.as_deref() == Some(exactly)
    }

    /// Whether it is the kind and a name or the number of something: `prog:12`, `map:count.bss`.
    fn is_called(&self, kind: &str, name: &str, id: u32) -> bool {
        let called = |kind: &str| {
            let rest = self.text.as_ref().and_then(|text| text.strip_prefix(kind)?.strip_prefix(':'));
            // The heading of a section goes on with the map's name.
            let rest = rest.map(|rest| rest.split_whitespace().next().unwrap_or(rest));
            rest.is_some_and(|rest| rest == id.to_string() || !rest.is_empty() && rest == name.to_lowercase())
        };
        called(kind) || self.is(&format!("id:{id}"))
    }

    fn fits_group(&self, group: &Group<'_>) -> bool {
        let mut owners = group.owners.iter();
        self.fits(&group.name) || owners.any(|owner| self.fits(&owner.name) || self.is(&format!("pid:{}", owner.pid)))
    }

    fn fits_program(&self, program: &ProgramInfo) -> bool {
        let whole = self.names.get(&program.id).map_or("", String::as_str);
        let shown = self.is(&format!("{whole} (id {})", program.id));
        self.fits(&program.name) || self.fits(whole) || shown || self.is_called("prog", &program.name, program.id)
    }

    /// Whether it means the program, or the object that the program belongs to.
    pub(super) fn means(&self, program: &ProgramInfo) -> bool {
        !self.is_set() || self.programs.contains(&program.id)
    }

    fn fits_map(&self, info: &MapInfo) -> bool {
        self.fits(&info.name) || self.is_called("map", &info.name, info.id)
    }

    /// Whether it means a program that uses a map.
    fn means_user(&self, map: &MapInfo, programs: &[ProgramInfo]) -> bool {
        programs.iter().any(|program| program.uses(map.id) && self.means(program))
    }

    /// The variables that it leaves; all, if it is the name of what they lie in.
    pub(super) fn vars(&self, map: &TypedMap, programs: &[ProgramInfo]) -> Vec<Var> {
        let whole = self.shows_whole(map, programs);
        map.vars()
            .filter(|var| {
                whole
                    || self.fits(var.path())
                    || self.is_target(map, var, programs)
                    || self.fits_member(var, var.path())
            })
            .collect()
    }

    /// Whether it is in the name of a member, at any depth: `config.limits[].burst`. Of arrays one element is looked at.
    fn fits_member(&self, var: &Var, path: &str) -> bool {
        if !self.is_set() {
            return false;
        }
        let member = |name: String| {
            let path = format!("{path}.{name}");
            self.fits(&path) || var.at(&format!(".{name}")).is_ok_and(|var| self.fits_member(&var, &path))
        };
        match var.members() {
            members if !members.is_empty() => members.into_iter().any(member),
            _ => var.at("[0]").is_ok_and(|element| self.fits_member(&element, &format!("{path}[]"))),
        }
    }

    /// Whether all of a map is shown, even if that is no variable.
    pub(super) fn shows_whole(&self, map: &TypedMap, programs: &[ProgramInfo]) -> bool {
        self.fits(map.name()) || self.fits_map(map.info()) || self.means_user(map.info(), programs)
    }

    /// Whether a map that is reached by keys is shown.
    pub(super) fn shows_keyed(&self, map: &KeyedMap, programs: &[ProgramInfo]) -> bool {
        self.fits_map(map.info()) || self.means_user(map.info(), programs)
    }

    /// Whether it is the start of how to say a variable: `count.samp`, `prog:12.sampling`.
    fn is_target(&self, map: &TypedMap, var: &Var, programs: &[ProgramInfo]) -> bool {
        let Some(text) = self.text.as_ref().filter(|text| text.contains('.')) else { return false };
        let info = map.info();
        let starts = |object: &str| {
            let (path, offset) = (var.path(), var.offset());
            format!("{object}.{path}@{offset}").to_lowercase().starts_with(text)
        };
        let mut users = programs.iter().filter(|program| program.uses(info.id));
        starts(&format!("map:{}", info.id))
            || starts(&info.name)
            || users.any(|program| starts(&program.name) || starts(&format!("prog:{}", program.id)))
    }

    /// Why nothing is left.
    pub(super) fn nothing(&self, programs: &[ProgramInfo]) -> Failure {
        let Some(text) = &self.text else { return Failure::Told };
        if let Some(program) = programs.iter().find(|program| self.means(program)) {
            return Failure::new(format!("{} {}", program_name(program), why_none(program)));
        }
        let maps = Map::ids().filter_map(|id| Map::from_id(id.ok()?).ok());
        let map = maps.map(|map| map.info().clone()).find(|info| self.fits_map(info));
        Failure::new(match map {
            Some(info) if info.map_type != MapType::ARRAY => {
                other_type(&info.object(), info.map_type, info.btf_id != 0)
            }
            Some(info) => format!(
                "{info} has no values that BTF describes; `bpftool map dump id {}` shows them as bytes",
                info.id
            ),
            None => format!(
                "no object, process, program, map, section or variable has {text:?} in its name; `bpfvar list` shows all"
            ),
        })
    }
}
