//! What else could have been meant. Only asked when nothing was found, so it may take its time.

use bpfvar::{Error, Globals};

use super::{Object, Resolver, labels};
use crate::error::Failure;
use crate::target::{Origin, Target, splits};

impl Resolver {
    /// The error for a target whose object is there, with names like the one that is not.
    pub(super) fn with_hint(&self, target: &Target, failure: Failure, candidates: &[(Object, &str)]) -> Failure {
        let Failure::Library(Error::NotFound { .. }) = failure else { return failure };
        let mut names = Vec::new();
        for (object, rest) in candidates {
            let Ok(globals) = self.open(*object) else { continue };
            let wanted = rest.trim_start_matches('.');
            let wanted = wanted.split(['.', '[']).next().unwrap_or(wanted);
            let prefix = target.text.strip_suffix(rest).unwrap_or(&target.text);
            for var in globals.vars().filter(|var| alike(var.path(), wanted)) {
                names.push(format!("{prefix}.{}", var.path()));
            }
        }
        names.sort();
        names.dedup();
        match names.is_empty() {
            true => failure,
            false => Failure::new(format!("{}; did you mean {}?", failure.line(false), names.join(" or "))),
        }
    }

    /// The error for a target that no program and no map has the name of.
    pub(super) fn nothing(&self, target: &Target) -> Failure {
        let text = &target.rest;
        let first = splits(text).last().map_or(text.as_str(), |(name, _)| name);
        let what = match target.origin {
            Origin::Name { programs: true, maps: false } => "program",
            Origin::Name { programs: false, .. } => "map",
            _ => "program or map",
        };
        let missing = format!("{text}: there is no {what} {first:?}");
        let mut near = self.variables_called(text);
        if near.is_empty() {
            let programs = self.programs().unwrap_or_default().iter().map(|info| &info.name);
            let maps = self.maps().unwrap_or_default().iter().map(|info| &info.name);
            near = programs.chain(maps).filter(|name| alike(name, first)).cloned().collect();
            near.sort();
            near.dedup();
        }
        near.truncate(5);
        Failure::new(match near.is_empty() {
            true => format!(
                "{missing}; targets are PROGRAM.VARIABLE or MAP.VARIABLE, and `bpfvar list` shows what there is"
            ),
            false => format!("{missing}; did you mean {}?", near.join(" or ")),
        })
    }

    /// Somebody may have left the program's name out.
    fn variables_called(&self, text: &str) -> Vec<String> {
        let name = text.split(['.', '[']).next().unwrap_or(text);
        let Ok(all) = Globals::of_system() else { return Vec::new() };
        let mut found = Vec::new();
        for section in all.sections().iter().filter(|section| section.is_data()) {
            let id = section.map().info().id;
            let user = self.programs().unwrap_or_default().iter().find(|info| info.map_ids.contains(&id));
            let object = user.map_or_else(|| section.map().info().name.clone(), |info| info.name.clone());
            let labels = labels(&object, std::slice::from_ref(section));
            found.extend(labels.into_iter().filter(|(_, var)| var.path() == name).map(|(label, _)| label));
        }
        found.sort();
        found.dedup();
        found
    }
}

/// Whether one may be a slip of the other.
fn alike(one: &str, other: &str) -> bool {
    one != other && !one.is_empty() && strsim::jaro_winkler(one, other) > 0.87
}
