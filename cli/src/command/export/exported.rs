//! What is exported of one target.

use std::collections::HashMap;
use std::time::SystemTime;

use bpfvar::Var;

use super::catalog::Catalog;
use super::claims::Claims;
use super::config::{Wish, WishedKind};
use super::origin::Origins;
use super::plan::Plan;
use super::source::{Item, Source};
use crate::error::{Failure, Result};
use crate::live::Followed;
use crate::target::Origin;
use crate::value::{is_slots, read};

/// Of a whole program, arrays with more numbers are left out: each number is a series, which costs whoever stores it.
const MOST_UNASKED: usize = 256;
/// Of a whole program, variables with more bytes are not even read to count their numbers.
const MOST_BYTES: u64 = 1 << 20;
/// So many numbers of one variable are never meant.
const MOST: usize = 100_000;

/// A target's variables as metrics.
pub(super) struct Exported {
    wish: Option<Wish>,
    /// The place of its group.
    pub(super) group: usize,
    pub(super) sources: Vec<Source>,
    /// The places of variables that are to be looked at, or that somebody was writing when they were.
    pub(super) pending: Vec<usize>,
    /// Its maps by their ids, and since when their counters count, where that is known. A map may outlive its program, and then
    /// counts on with the next one.
    since: HashMap<u32, Option<SystemTime>>,
    /// Whether it was in other maps before.
    is_anew: bool,
}

/// Where a target stands among all others.
pub(super) struct Place<'a> {
    pub(super) index: usize,
    pub(super) catalog: &'a mut Catalog,
    pub(super) claims: &'a mut Claims,
    pub(super) origins: &'a Origins,
}

/// What is not exported, and why.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) refused: Vec<Failure>,
    /// What nobody asked for by its name.
    pub(super) left_out: Vec<String>,
}

impl Exported {
    pub(super) fn new(wish: Option<Wish>, group: usize) -> Exported {
        let (sources, pending) = (Vec::new(), Vec::new());
        Exported { wish, group, sources, pending, since: HashMap::new(), is_anew: false }
    }

    /// Its variables were found, or are gone: all of them are to be looked at.
    pub(super) fn start_anew(&mut self, followed: &Followed) {
        self.sources.clear();
        self.pending = (0..followed.vars.len()).collect();
        if !followed.vars.is_empty() {
            self.is_anew = !self.since.is_empty();
            self.since.retain(|map, _| followed.vars.iter().any(|(_, var)| var.map().info().id == *map));
        }
    }

    /// Works out what is exported of those variables of its target that are pending.
    pub(super) fn plan(&mut self, followed: &Followed, mut place: Place<'_>, problems: &mut Problems) {
        for index in std::mem::take(&mut self.pending) {
            let (label, var) = &followed.vars[index];
            let is_asked = self.wish.is_some() || *label == followed.target.text;
            if has_too_many(var, is_asked) {
                problems.too_many(label, is_asked);
                continue;
            }
            let value = match read(var) {
                Ok(Ok(value)) => value,
                Ok(Err(_)) => {
                    self.pending.push(index);
                    continue;
                }
                Err(error) => {
                    problems.refused.push(error.into());
                    continue;
                }
            };
            match self.source(followed, index, value, &mut place) {
                Ok(source) if source.items.len() > most(is_asked) => problems.too_many(label, is_asked),
                Ok(source) => self.take(source, followed, is_asked, &mut place, problems),
                Err(failure) => problems.refused.push(failure),
            }
        }
    }

    /// Takes what nobody else exports.
    fn take(
        &mut self,
        mut source: Source,
        followed: &Followed,
        is_asked: bool,
        place: &mut Place<'_>,
        problems: &mut Problems,
    ) {
        let (label, var) = &followed.vars[source.index];
        let map = var.map().info().id;
        let is_free = |path: &String| !place.claims.is_taken(map, path, place.index);
        let is_wished = self.wish.as_ref().is_none_or(|wish| wish.kind != Some(WishedKind::None));
        if is_asked && is_wished && source.items.is_empty() && source.paths.iter().any(is_free) {
            problems.refused.push(Failure::new(format!("{label}: {var} has no number that could be exported")));
        }
        source.paths.iter().for_each(|path| place.claims.take_scalar(map, path, place.index));
        source.items.retain(|item| {
            let is_new = place.claims.take_series(item.family, &item.labels, place.index);
            match is_new {
                true => {}
                // A pattern may find two instances of one tool.
                false if followed.target.is_pattern() => problems.left_out.push(format!(
                    "{label}: left out, as another one has the same labels; export it by `pid:N`, or with `labels` in --config"
                )),
                false => problems.refused.push(twice(label, place.catalog, item)),
            }
            is_new
        });
        self.sources.push(source);
    }

    fn source(
        &mut self,
        followed: &Followed,
        index: usize,
        value: bpfvar::Value,
        place: &mut Place<'_>,
    ) -> Result<Source> {
        let (label, var) = &followed.vars[index];
        let (target, map) = (&followed.target, var.map());
        let is_map = var.linkage().is_none() && var.path() == map.info().name;
        // The only value of a map is an entry like those of others.
        let entry = if is_map && var.entry() == Some(0) { Some(var.at("[0]")?) } else { None };
        let var = entry.as_ref().unwrap_or(var);
        let whole = whole_of(var);
        let rest = &var.path()[whole.len()..];
        // Of all in a program, those that share their name with one in another section have that in front of it.
        let named = label.strip_prefix(target.text.as_str()).and_then(|path| path.strip_prefix('.'));
        let program = place.origins.program(map.info(), target);
        let Place { index: own, catalog, claims, origins } = place;
        // What is no section may have been there long before its program, kept by a pin.
        let is_as_old = map.section().is_some() || self.is_anew;
        let loaded = || if is_as_old { origins.loaded(map.info().id) } else { None };
        let created = *self.since.entry(map.info().id).or_insert_with(loaded);
        let mut plan = Plan {
            catalog,
            program: program.as_deref(),
            process: match target.origin {
                Origin::Process(pid) => Some(pid),
                _ => None,
            },
            variable: named.unwrap_or(&whole),
            whole: &whole,
            rest,
            wish: self.wish.as_ref(),
            created,
            is_taken: &|path| claims.is_taken(map.info().id, path, *own),
        };
        plan.source(index, var, value)
    }
}

impl Problems {
    fn too_many(&mut self, label: &str, is_asked: bool) {
        let most = most(is_asked);
        if is_asked {
            let line = format!("{label} has more than {most} numbers, each of which would be a series; name a part");
            self.refused.push(Failure::new(line));
        } else {
            let line =
                format!("{label} is left out: it has more than {most} numbers; name it as a target to export it");
            self.left_out.push(line);
        }
    }
}

fn most(is_asked: bool) -> usize {
    if is_asked { MOST } else { MOST_UNASKED }
}

/// What its size tells, before it is read.
fn has_too_many(var: &Var, is_asked: bool) -> bool {
    let entries = if var.entry().is_some() { 1 } else { u64::from(var.map().info().max_entries) };
    let bytes = if is_slots(var) { 0 } else { var.size().saturating_mul(entries) };
    entries > most(is_asked) as u64 || !is_asked && bytes > MOST_BYTES
}

/// The path of the variable that it is, or is a part of. The names of static variables have dots, too.
fn whole_of(var: &Var) -> String {
    let vars = var.map().vars().map(|whole| whole.path().to_owned());
    let is_part = |whole: &String| {
        var.path().strip_prefix(whole.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    vars.filter(is_part).max_by_key(String::len).unwrap_or_else(|| var.path().to_owned())
}

fn twice(label: &str, catalog: &Catalog, item: &Item) -> Failure {
    let name = catalog.heads().get(item.family).map_or("", |head| &head.name);
    let labels = item.labels.iter().map(|(name, value)| format!("{name}={value:?}"));
    Failure::new(format!(
        "{label}: another target is exported as {name}{{{}}}; tell them apart by `labels` of a [[metric]] in --config",
        labels.collect::<Vec<_>>().join(",")
    ))
}
