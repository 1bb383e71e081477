//! From a pattern to the variables that it means.

use std::collections::{HashMap, HashSet};

use bpfvar::{Cause, Var};

use super::{Object, Resolver, alike, labels, name_of};
use crate::error::{Failure, Result, other_type};
use crate::pattern::{PathPattern, StepPattern, behind_name, fits, has_wildcard};
use crate::target::{Origin, Target, splits};

/// So many variables take half a gigabyte.
const MOST: usize = 1 << 20;

/// Where a pattern is looked for.
struct Scope<'t> {
    /// What was named, if it was named without wildcards.
    object: Option<Object>,
    /// All variables there.
    labels: Vec<(String, Var)>,
    /// What follows the name.
    rest: &'t str,
    /// Whether the name is that of a map which is no section: then an entry or a member follows it, and not a variable.
    is_map: bool,
}

/// What fits so far.
#[derive(Default)]
struct Matches {
    found: Vec<(String, Var)>,
    /// Variables, so that none is there twice, however many programs share it.
    known: HashSet<(u32, String)>,
    /// Why the first that had the name does not fit.
    refused: Option<Failure>,
    /// How many do not fit.
    refusals: usize,
}

impl Resolver {
    /// All variables that a pattern means, each with a target that names it. An error if there are none.
    pub(super) fn expand(&self, target: &Target) -> Result<Vec<(String, Var)>> {
        let scopes = self.scopes(target)?;
        let mut matches = Matches::default();
        let mut objects: Vec<Object> = Vec::new();
        for scope in &scopes {
            let before = matches.found.len();
            matches.look(scope, target)?;
            objects.extend(scope.object.filter(|_| matches.found.len() > before));
        }
        // One name that is several objects' is as ambiguous as it is without a pattern.
        let mut of_label: HashMap<&str, &Var> = HashMap::new();
        if matches.found.iter().any(|(label, var)| of_label.insert(label, var).is_some()) {
            let way = |object: &Object| self.by_process(target, *object).unwrap_or_else(|| self.called(*object));
            return Err(self.ambiguous(target, objects.iter().map(way).collect()));
        }
        if !matches.found.is_empty() {
            return Ok(matches.found);
        }
        Err(match matches.refused {
            Some(first) if matches.refusals > 1 => Failure::new(format!(
                "{}: nothing fits: {} variables have the start of it, and none has the rest; the first: {}",
                target.text,
                matches.refusals,
                first.line(false)
            )),
            Some(only) => only,
            None => self.nothing_fits(target, &scopes),
        })
    }

    fn scopes<'t>(&self, target: &'t Target) -> Result<Vec<Scope<'t>>> {
        let mut scopes = Vec::new();
        // Where a name starts with a wildcard there is none without.
        let mut by_pattern_only = false;
        if let Origin::Name { programs, maps } = target.origin {
            by_pattern_only = splits(&target.rest).all(|(name, _)| has_wildcard(name));
            let with_wildcards = || with_wildcards(&target.rest);
            for (name, rest) in with_wildcards() {
                let fitting = if programs { self.programs_fitting(name)? } else { Vec::new() };
                self.add_fitting(&fitting, rest, |map| maps && fits(name, map), &mut scopes)?;
            }
            // A name may be that of the process which loaded the programs.
            if scopes.is_empty() && programs && maps {
                for (name, rest) in with_wildcards() {
                    let fitting = self.owners().programs_of(|owner| fits(name, &owner.name));
                    self.add_fitting(&fitting, rest, |_| false, &mut scopes)?;
                }
            }
        }
        let candidates = if by_pattern_only { Vec::new() } else { self.candidates(target)? };
        for (object, rest) in candidates {
            let prefix = target.text.strip_suffix(rest).unwrap_or(&target.text);
            let globals = match self.open(object) {
                // It went away since it was listed.
                Err(error) if error.cause() == Some(Cause::NoSuchId) => continue,
                globals => globals?,
            };
            let scope = |labels, is_map| Scope { object: Some(object), labels, rest, is_map };
            scopes.push(match (object, globals.maps()) {
                (Object::Map(_), [map]) if map.section().is_none() => {
                    scope(map.vars().map(|var| (prefix.to_owned(), var)).collect(), true)
                }
                (_, sections) => scope(labels(prefix, sections), false),
            });
        }
        Ok(scopes)
    }

    /// A scope for each map whose name fits, or that one of the programs uses.
    fn add_fitting<'t>(
        &self,
        programs: &[u32],
        rest: &'t str,
        map_fits: impl Fn(&str) -> bool,
        scopes: &mut Vec<Scope<'t>>,
    ) -> Result<()> {
        let users = self.programs()?.iter().filter(|program| programs.contains(&program.id));
        let used: HashSet<u32> = users.flat_map(|program| program.map_ids.iter().copied()).collect();
        for section in self.system()?.maps() {
            let info = section.info();
            let by_map = map_fits(&info.name);
            if by_map || used.contains(&info.id) {
                let is_map = by_map && section.section().is_none();
                scopes.push(Scope { object: None, labels: self.named(section), rest, is_map });
            }
        }
        Ok(())
    }

    fn nothing_fits(&self, target: &Target, scopes: &[Scope<'_>]) -> Failure {
        if let Ok([(map, _), ..]) = self.keyed_maps(target).as_deref() {
            return Failure::new(other_type(&map.object(), map.info().map_type, true));
        }
        if scopes.is_empty() && with_wildcards(&target.rest).next().is_none() {
            return self.nothing(target);
        }
        let mut near: Vec<&str> = Vec::new();
        for scope in scopes {
            let wanted = scope.rest.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
            near.extend(
                scope.labels.iter().filter(|(_, var)| alike(name_of(var), wanted)).map(|(label, _)| label.as_str()),
            );
        }
        near.sort_unstable();
        near.dedup();
        near.truncate(5);
        if !near.is_empty() {
            return Failure::new(format!("{}: no variable fits; did you mean {}?", target.text, near.join(" or ")));
        }
        let say = |what| format!("{}: no {what} fits; `bpfvar list` shows what there is", target.text);
        if scopes.is_empty() { Failure::Absent(say("program or map")) } else { Failure::new(say("variable")) }
    }
}

/// Where a text may end a name with wildcards. No name has a bracket.
fn with_wildcards(text: &str) -> impl Iterator<Item = (&str, &str)> {
    splits(text).filter(|(name, _)| has_wildcard(name) && !name.contains('['))
}

impl Matches {
    fn look(&mut self, scope: &Scope<'_>, target: &Target) -> Result<()> {
        for (label, var) in &scope.labels {
            if scope.is_map || scope.rest.is_empty() {
                let refused = self.refused.take();
                self.walk(label, var, scope.rest, target)?;
                // What follows `*` is the name of a variable as well: no map is to blame that has no such member.
                self.refused = if scope.object.is_none() { refused } else { refused.or(self.refused.take()) };
                continue;
            }
            let path = scope.rest.strip_prefix('.').unwrap_or(scope.rest);
            behind_name(path, var.path()).try_for_each(|steps| self.walk(label, var, steps, target))?;
            // A section may be named before the variable, with its own dot behind the one of the path.
            let rest = if scope.rest.starts_with("..") { path } else { scope.rest };
            match var.map().section().and_then(|section| rest.strip_prefix(section)) {
                Some("") => self.walk(label, var, "", target)?,
                Some(behind) => {
                    let Some(path) = behind.strip_prefix('.') else { continue };
                    behind_name(path, var.path()).try_for_each(|steps| self.walk(label, var, steps, target))?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Goes from a variable into it, by a path that may be a pattern.
    fn walk(&mut self, label: &str, var: &Var, path: &str, target: &Target) -> Result<()> {
        // What is no path starts elsewhere in the name.
        let Ok(path) = PathPattern::parse(path) else { return Ok(()) };
        self.step(label.to_owned(), var.clone(), path.steps(), target)
    }

    fn step(&mut self, label: String, var: Var, steps: &[StepPattern], target: &Target) -> Result<()> {
        let Some((step, rest)) = steps.split_first() else {
            if self.known.insert((var.map().info().id, var.path().to_owned())) {
                self.found.push((label, var));
            }
            if self.found.len() > MOST {
                return Err(Failure::new(format!(
                    "{} fits more than {MOST} variables; name a range of them, such as [0..1000]",
                    target.text
                )));
            }
            return Ok(());
        };
        let parts: Vec<String> = match step {
            StepPattern::Members(name) if has_wildcard(name) => {
                let fitting = var.members().into_iter().filter(|member| fits(name, member));
                let parts: Vec<String> = fitting.map(|member| format!(".{member}")).collect();
                if parts.is_empty() {
                    self.refuse(Failure::new(format!("{label}: no member fits {name}")));
                }
                parts
            }
            StepPattern::Members(name) => vec![format!(".{name}")],
            StepPattern::Indices(indices) => {
                let there = match var.indices() {
                    Ok(there) => there,
                    Err(error) => {
                        self.refuse(error.into());
                        return Ok(());
                    }
                };
                match indices.of(&there) {
                    Ok(chosen) if !chosen.is_empty() => chosen.map(|index| format!("[{index}]")).collect(),
                    // The library says why there is none.
                    Ok(_) => vec!["[0]".to_owned()],
                    Err(missing) => vec![format!("[{missing}]")],
                }
            }
        };
        for part in parts {
            match var.at(&part) {
                Ok(inner) => self.step(format!("{label}{part}"), inner, rest, target)?,
                Err(error) => self.refuse(error.into()),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, failure: Failure) {
        self.refusals += 1;
        self.refused.get_or_insert(failure);
    }
}
