//! What is exported: found, read, and found anew when a program is loaded anew.

use std::borrow::Cow;
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
use crate::error::Result;
use crate::live::{Live, Turn};
use crate::output::Output;
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
        let (live, missing) = Live::find_present(&targets)?;
        for failure in missing {
            if !wait {
                return Err(failure);
            }
            out.warn(&format!("{}: waiting for it", failure.line(false)))?;
        }
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
        let origins = Origins::look()?;
        for index in 0..targets.len() {
            let mut problems = exporter.plan(index, &origins)?;
            if !problems.refused.is_empty() {
                return Err(problems.refused.swap_remove(0));
            }
            problems.left_out.iter().try_for_each(|line| out.warn(line))?;
        }
        exporter.update_groups(&origins);
        Ok(exporter)
    }

    /// How many metrics there are, and of how many targets.
    pub(super) fn size(&self) -> (usize, usize) {
        let sources = self.exported.iter().flat_map(|exported| &exported.sources);
        (sources.map(|source| source.items.len()).sum(), self.exported.len())
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
        self.look_again(out)?;
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
        let turns = self.live.poll()?;
        if turns.is_empty() {
            return Ok(());
        }
        for (index, _) in &turns {
            self.claims.release(*index);
            self.exported[*index].sources.clear();
            self.exported[*index].pending.clear();
        }
        let origins = Origins::look()?;
        let mut reloaded = Vec::new();
        for (index, turn) in turns {
            let text = self.live.followed()[index].target.text.clone();
            match turn {
                Turn::Gone => out.warn(&format!("{text}: no program uses it any more; waiting for one that does"))?,
                Turn::Found => {
                    self.exported[index].is_anew = self.groups[self.exported[index].group].was_found;
                    reloaded.push(self.exported[index].group);
                    let refused = self.plan(index, &origins)?.refused;
                    refused.iter().try_for_each(|failure| out.warn(&failure.line(false)))?;
                }
            }
        }
        reloaded.sort_unstable();
        reloaded.dedup();
        for group in reloaded {
            self.groups[group].reloads += u64::from(self.groups[group].was_found);
        }
        self.update_groups(&origins);
        Ok(())
    }

    /// Looks at the variables that somebody was writing before.
    fn look_again(&mut self, out: &mut Output) -> Result<()> {
        if self.exported.iter().all(|exported| exported.pending.is_empty()) {
            return Ok(());
        }
        let origins = Origins::look()?;
        for index in 0..self.exported.len() {
            let pending = std::mem::take(&mut self.exported[index].pending);
            let problems = self.plan_some(index, pending, &origins)?;
            problems.refused.iter().try_for_each(|failure| out.warn(&failure.line(false)))?;
            let torn = self.exported[index].pending.len() as u64;
            self.groups[self.exported[index].group].torn += torn;
        }
        Ok(())
    }

    /// Works out what is exported of all variables of a target.
    fn plan(&mut self, index: usize, origins: &Origins) -> Result<Problems> {
        let all = (0..self.live.followed()[index].vars.len()).collect();
        self.plan_some(index, all, origins)
    }

    fn plan_some(&mut self, index: usize, vars: Vec<usize>, origins: &Origins) -> Result<Problems> {
        let Exporter { live, exported, catalog, claims, .. } = self;
        exported[index].plan(&live.followed()[index], vars, Place { index, catalog, claims, origins })
    }

    fn update_groups(&mut self, origins: &Origins) {
        for (index, group) in self.groups.iter_mut().enumerate() {
            let own = self.exported.iter().zip(self.live.followed()).filter(|(exported, _)| exported.group == index);
            let own: Vec<_> = own.map(|(_, followed)| &followed.vars).collect();
            let maps = own.iter().flat_map(|vars| vars.iter()).map(|(_, var)| var.map().info().id);
            group.loaded = maps.filter_map(|map| origins.loaded(map)).min();
            group.is_up = own.iter().all(|vars| !vars.is_empty());
            group.was_found |= own.iter().any(|vars| !vars.is_empty());
        }
    }
}
