//! What else could have been meant. Only asked when nothing was found, so it may take its time.

use bpfvar::error::ObjectKind;
use bpfvar::{Error, Globals, KeyedMap, ProgramInfo, Var};

use super::objects::is_array;
use super::{Object, Resolver, labels};
use crate::error::{Failure, other_type};
use crate::target::{Origin, Target, splits};

impl Resolver {
    /// The error for a target whose object is there, with names like the one that is not.
    pub(super) fn with_hint(&self, target: &Target, failure: Failure, candidates: &[(Object, &str)]) -> Failure {
        let Failure::Library(Error::NotFound { kind, ref name, ref known, .. }) = failure else { return failure };
        if kind == ObjectKind::Member {
            let near: Vec<&str> = known.iter().filter(|known| alike(known, name)).map(String::as_str).collect();
            let hint = format!("{}; did you mean {}?", failure.line(false), near.join(" or "));
            return if near.is_empty() { failure } else { Failure::new(hint) };
        }
        let (mut names, mut reason) = (Vec::new(), None);
        for (object, rest) in candidates {
            let Ok(globals) = self.open(*object) else { continue };
            let path = rest.trim_start_matches('.');
            let wanted = path.split(['.', '[']).next().unwrap_or(path);
            reason = reason.or_else(|| self.why_not(&globals, wanted));
            let prefix = target.text.strip_suffix(rest).unwrap_or(&target.text);
            // Of several objects of one name, each under a name of its own. The programs of a process are one.
            let all = match candidates.iter().filter(|(_, other)| other == rest).count() {
                1 => labels(prefix, globals.maps()),
                _ if self.are_of_one_process(candidates) => labels(prefix, globals.maps()),
                _ => globals.maps().iter().flat_map(|section| self.named(section)).collect(),
            };
            names.extend(all.into_iter().filter(|(_, var)| alike(name_of(var), wanted)).map(|(label, _)| label));
        }
        names.sort();
        names.dedup();
        match (reason, names.is_empty()) {
            (Some(reason), _) => Failure::new(format!("{}: {reason}", target.text)),
            (None, true) => failure,
            (None, false) => Failure::new(format!("{}; did you mean {}?", failure.line(false), names.join(" or "))),
        }
    }

    /// Why an object has no variable of a name, where the library cannot know.
    fn why_not(&self, globals: &Globals, wanted: &str) -> Option<String> {
        if let Some((name, behind)) = wanted.split_once('@') {
            let offsets = globals.vars().filter(|var| name_of(var) == name).map(|var| var.offset().to_string());
            let offsets: Vec<String> = offsets.collect();
            return (!offsets.is_empty()).then(|| {
                let found = offsets.join(" and ");
                format!("what follows @ is the byte in its section at which a variable starts: {name:?} is at {found}, not at {behind:?}")
            });
        }
        let info = globals.program()?;
        let maps = self.maps().unwrap_or_default();
        let other = |map: &&bpfvar::MapInfo| map.name == wanted && !is_array(map);
        if let Some(map) = maps.iter().filter(|map| info.uses(map.id)).find(other) {
            return Some(other_type(&map.object(), map.map_type, map.btf_id != 0));
        }
        globals.vars().next().is_none().then(|| format!("{info} {}", why_none(info)))
    }

    /// The error for a target that no program and no map has the name of.
    pub(super) fn nothing(&self, target: &Target) -> Failure {
        let text = &target.rest;
        if let Origin::Name { maps: true, .. } = target.origin {
            let maps = self.maps().unwrap_or_default();
            let named = splits(text).find_map(|(name, _)| maps.iter().find(|info| info.name == name));
            if let Some(info) = named.filter(|info| !is_array(info)) {
                return Failure::new(other_type(&info.object(), info.map_type, info.btf_id != 0));
            }
        }
        let first = splits(text).last().map_or(text.as_str(), |(name, _)| name);
        let what = match target.origin {
            Origin::Name { programs: true, maps: false } => "program",
            Origin::Name { programs: false, .. } => "map",
            _ => "program or map",
        };
        let missing = format!("{text}: there is no {what} {first:?}");
        let mut near = self.variables_called(text);
        if near.is_empty() {
            near = self.objects_like(first);
        }
        near.truncate(5);
        Failure::Absent(if near.is_empty() {
            format!("{missing}; targets are PROGRAM.VARIABLE or MAP.VARIABLE, and `bpfvar list` shows what there is")
        } else {
            format!("{missing}; did you mean {}?", near.join(" or "))
        })
    }

    /// Programs and maps with a name like this; of several with one name, each with its id.
    fn objects_like(&self, name: &str) -> Vec<String> {
        let programs = self.programs().unwrap_or_default().iter();
        let programs = programs.map(|info| (info.name.as_str(), Object::Program(info.id)));
        let maps = self.maps().unwrap_or_default().iter();
        let maps = maps.filter(|info| is_array(info) || KeyedMap::TYPES.contains(&info.map_type));
        let maps = maps.map(|info| (info.name.as_str(), Object::Map(info.id)));
        let mut near: Vec<(&str, Object)> = programs.chain(maps).filter(|(other, _)| alike(other, name)).collect();
        near.sort();
        let is_shared = |name: &str| near.iter().filter(|(other, _)| *other == name).count() > 1;
        let say = |(name, object): &(&str, Object)| {
            if is_shared(name) { format!("{object} ({name})") } else { (*name).to_owned() }
        };
        near.iter().map(say).collect()
    }

    /// Somebody may have left the program's name out.
    fn variables_called(&self, text: &str) -> Vec<String> {
        let name = text.split(['.', '[']).next().unwrap_or(text);
        let Ok(all) = self.system() else { return Vec::new() };
        let sections = all.maps().iter().filter(|section| section.section().is_some());
        let named = sections.flat_map(|section| self.named(section)).filter(|(_, var)| name_of(var) == name);
        let mut found: Vec<String> = named.map(|(label, _)| label).collect();
        found.sort();
        found
    }
}

/// Why a program shows no variables, behind its name.
pub(crate) fn why_none(info: &ProgramInfo) -> &'static str {
    match (info.btf_id, info.map_ids.is_empty()) {
        (0, _) => {
            "was loaded without BTF, and so has no variables that bpfvar can know: compile with -g, and look whether the loader said that \
             the kernel refused its BTF"
        }
        (_, true) => "has no variables: it uses no map, and so no section",
        _ => {
            "has no variables that BTF describes: none of the maps that it uses is a section or an array map with types"
        }
    }
}

/// Without the offset that tells it from others of its name.
pub(super) fn name_of(var: &Var) -> &str {
    var.path().split('@').next().unwrap_or(var.path())
}

/// Whether one may be a slip of the other.
pub(super) fn alike(one: &str, other: &str) -> bool {
    one != other && !one.is_empty() && strsim::jaro_winkler(one, other) > 0.87
}
