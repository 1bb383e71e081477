//! What is exported: found, read, and found anew when a program is loaded anew.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use bpfvar::Var;

use super::catalog::Catalog;
use super::claims::Claims;
use super::config::Selection;
use super::encode::{self, Format};
use super::exported::{Exported, Place, Problems};
use super::family::{Family, Metric};
use super::group::{self, Group};
use super::origin::Origins;
use crate::error::{Failure, Result};
use crate::live::{Live, Turn};
use crate::output::Output;
use crate::resolve::{Keyed, Resolver};
use crate::target::Target;
use crate::value::whole;

/// Targets, and what is read of them.
pub(super) struct Exporter {
    live: Live,
    /// In the order of the targets.
    exported: Vec<Exported>,
    catalog: Catalog,
    claims: Claims,
    groups: Vec<Group>,
    since: SystemTime,
    took: Duration,
}

impl Exporter {
    /// Finds what is to be exported. What is not there is an error, or waited for.
    pub(super) fn new(selections: Vec<Selection>, wait: bool, out: &mut Output) -> Result<Exporter> {
        let targets: Vec<Target> = selections.iter().map(|selection| selection.target.clone()).collect();
        let live = if wait {
            let (live, missing) = Live::find_present(&targets)?;
            missing.iter().try_for_each(|failure| out.warn(&format!("{}; waiting for it", failure.line(false))))?;
            live
        } else {
            Live::find(&targets)?
        };
        for (followed, Selection { wish, .. }) in live.followed().iter().zip(&selections) {
            if let Some(keyed) = &followed.keyed {
                let place = wish.as_ref().map_or_else(String::new, |wish| format!("{}: ", wish.place));
                return Err(Failure::new(format!("{place}{}", not_exported(keyed))));
            }
        }
        let keyed = left_out_of_programs(&targets);
        let mut names: Vec<&str> = Vec::new();
        let mut exported = Vec::new();
        for (target, Selection { wish, .. }) in targets.iter().zip(selections) {
            let name = group::name_of(target);
            let group = names.iter().position(|known| *known == name).unwrap_or(names.len());
            if group == names.len() {
                names.push(name);
            }
            exported.push(Exported::new(wish, group));
        }
        let groups = names.into_iter().map(Group::new).collect();
        let (catalog, claims) = (Catalog::new(), Claims::default());
        let (since, took) = (SystemTime::now(), Duration::ZERO);
        let mut exporter = Exporter { live, exported, catalog, claims, groups, since, took };
        let Exporter { live, exported, .. } = &mut exporter;
        exported.iter_mut().zip(live.followed()).for_each(|(exported, followed)| exported.start_anew(followed));
        let mut problems = exporter.plan()?;
        if !problems.refused.is_empty() {
            return Err(problems.refused.swap_remove(0));
        }
        problems.left_out.iter().chain(&keyed).try_for_each(|line| out.warn(line))?;
        exporter.update_groups();
        Ok(exporter)
    }

    /// How many metrics there are.
    pub(super) fn size(&self) -> usize {
        self.exported.iter().flat_map(|exported| &exported.sources).map(|source| source.items.len()).sum()
    }

    /// Reads all that is there now, and writes it.
    pub(super) fn scrape(&mut self, format: Format, out: &mut Output) -> Result<String> {
        self.observe(out)?;
        Ok(encode::text(&self.families(), format))
    }

    /// Reads all that is there now.
    pub(super) fn observe(&mut self, out: &mut Output) -> Result<()> {
        let start = Instant::now();
        self.follow(out)?;
        for failure in self.plan()?.refused {
            out.warn(&failure.line(out.verbose))?;
        }
        let now = SystemTime::now();
        let followed = self.live.followed();
        let vars = self.exported.iter().zip(followed).flat_map(|(exported, followed)| {
            let read = exported.sources.iter().filter(|source| !source.items.is_empty());
            read.map(|source| &followed.vars[source.index].1)
        });
        let vars: Vec<&Var> = vars.collect();
        let mut values = vars.iter().zip(Var::read_all(vars.iter().copied()));
        for exported in &mut self.exported {
            let group = &mut self.groups[exported.group];
            group.torn += exported.pending.len() as u64;
            for source in exported.sources.iter_mut().filter(|source| !source.items.is_empty()) {
                let Some((var, value)) = values.next() else { break };
                match whole(value)? {
                    Ok(value) => group.resets += source.observe(value, var, now),
                    Err(_) => {
                        group.torn += 1;
                        source.forget();
                    }
                }
            }
        }
        self.took = start.elapsed();
        Ok(())
    }

    /// What was read last.
    pub(super) fn families(&self) -> Vec<Family<'_>> {
        let family = |head| Family { head, metrics: Vec::new() };
        let mut families: Vec<Family<'_>> = self.catalog.heads().iter().map(family).collect();
        let sources = self.exported.iter().flat_map(|exported| &exported.sources);
        for item in sources.flat_map(|source| &source.items) {
            if let Some(point) = &item.point {
                let metric = Metric { labels: &item.labels, point: Cow::Borrowed(point), created: item.created };
                families[item.family].metrics.push(metric);
            }
        }
        families.extend(group::families(&self.groups, self.since, self.took));
        families
    }

    /// Looks whether programs came or went, and what became of the targets.
    fn follow(&mut self, out: &mut Output) -> Result<()> {
        let mut found_anew = BTreeSet::new();
        for (index, turn) in self.live.poll()? {
            let group = self.exported[index].group;
            self.claims.release(index);
            self.exported[index].start_anew(&self.live.followed()[index]);
            self.groups[group].loaded = None;
            if let Some(keyed) = &self.live.followed()[index].keyed {
                out.warn(&not_exported(keyed))?;
            } else if turn == Turn::Found {
                found_anew.insert(group);
            }
        }
        for group in found_anew {
            self.groups[group].reloads += u64::from(self.groups[group].was_found);
        }
        for (name, is_up) in self.update_groups() {
            let now = if is_up {
                "it is there"
            } else {
                "it was unloaded, or loaded anew without all that is exported; waiting for it"
            };
            out.warn(&format!("{name}: {now}"))?;
        }
        Ok(())
    }

    /// Works out what is exported of the variables that are to be looked at.
    fn plan(&mut self) -> Result<Problems> {
        let mut problems = Problems::default();
        if self.exported.iter().all(|exported| exported.pending.is_empty()) {
            return Ok(problems);
        }
        let origins = Origins::look()?;
        let Exporter { live, exported, catalog, claims, groups, .. } = self;
        for (index, (exported, followed)) in exported.iter_mut().zip(live.followed()).enumerate() {
            exported.plan(followed, Place { index, catalog, claims, origins: &origins }, &mut problems);
            let group = &mut groups[exported.group];
            let loaded = followed.vars.iter().filter_map(|(_, var)| origins.loaded(var.map().info().id));
            group.loaded = loaded.chain(group.loaded).min();
        }
        Ok(problems)
    }

    /// Sees which groups are there. Returns those of which that has changed.
    fn update_groups(&mut self) -> Vec<(String, bool)> {
        let (before, groups): (Vec<bool>, _) =
            (self.groups.iter().map(|group| group.is_up).collect(), &mut self.groups);
        groups.iter_mut().for_each(|group| group.is_up = true);
        for (exported, followed) in self.exported.iter().zip(self.live.followed()) {
            let (group, is_there) = (&mut groups[exported.group], !followed.vars.is_empty());
            group.is_up &= is_there;
            group.was_found |= is_there;
        }
        let changed = groups.iter().zip(before).filter(|(group, before)| group.is_up != *before);
        changed.map(|(group, _)| (group.name().to_owned(), group.is_up)).collect()
    }
}

/// That a target is reached by keys.
fn not_exported(keyed: &Keyed) -> String {
    format!(
        "{}: {} is reached by keys, and is not exported: only variables and array maps are; `bpfvar get` and `bpfvar watch` show it",
        keyed.text, keyed.map
    )
}

/// What is not exported of whole programs as it is reached by keys.
fn left_out_of_programs(targets: &[Target]) -> Vec<String> {
    let resolver = Resolver::default();
    let line = |target: &Target| {
        // A pattern means variables, and what is not there is said elsewhere.
        let left_out = resolver.find(target).ok()?.left_out()?;
        Some(format!("{left_out}; `bpfvar get` and `bpfvar watch` show it"))
    };
    targets.iter().filter_map(line).collect()
}
