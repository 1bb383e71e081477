//! Targets that stay found: a program that is loaded anew has new maps, and its variables are found in those.

use std::collections::HashSet;

use bpfvar::{Program, Var};

use crate::error::{Failure, Result};
use crate::loaded::Loaded;
use crate::resolve::Resolver;
use crate::target::Target;

/// Targets with the variables that they name now.
pub(crate) struct Live {
    followed: Vec<Followed>,
    loaded: Loaded,
}

/// A target, and what it names.
pub(crate) struct Followed {
    pub(crate) target: Target,
    /// Each with its label. Empty while the target is gone.
    pub(crate) vars: Vec<(String, Var)>,
    /// The ids of their maps that no program used when they were found: that none uses them later says nothing.
    unused: HashSet<u32>,
}

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// No program uses its maps any more, and there is no successor yet.
    Gone,
    /// It was found anew: in the maps of a program that was loaded since.
    Found,
}

impl Live {
    /// Finds all targets, or fails with the first that is not there.
    pub(crate) fn find(targets: &[Target]) -> Result<Live> {
        let (live, mut missing) = Live::find_present(targets)?;
        if missing.is_empty() { Ok(live) } else { Err(missing.swap_remove(0)) }
    }

    /// Finds those targets that are there. The others are found when they are loaded; why each is not there is said in their order.
    pub(crate) fn find_present(targets: &[Target]) -> Result<(Live, Vec<Failure>)> {
        let loaded = Loaded::look()?;
        let (resolver, used) = (Resolver::default(), used_maps()?);
        let (mut followed, mut missing) = (Vec::new(), Vec::new());
        for target in targets {
            let vars = resolver.select(target).unwrap_or_else(|failure| {
                missing.push(failure);
                Vec::new()
            });
            followed.push(Followed { target: target.clone(), unused: without_users(&vars, &used), vars });
        }
        Ok((Live { followed, loaded }, missing))
    }

    /// The targets, in the order in which they were given.
    pub(crate) fn followed(&self) -> &[Followed] {
        &self.followed
    }

    /// Looks whether programs came or went, and finds anew the targets that this concerns: by index, what became of each. While
    /// nothing came or went this is one system call for each loaded program.
    pub(crate) fn poll(&mut self) -> Result<Vec<(usize, Turn)>> {
        if !self.loaded.changed()? {
            return Ok(Vec::new());
        }
        let used = used_maps()?;
        let mut lost = Vec::new();
        for (index, followed) in self.followed.iter_mut().enumerate() {
            let was_there = !followed.vars.is_empty();
            if !was_there || !without_users(&followed.vars, &used).is_subset(&followed.unused) {
                // The old maps are let go first: while they are held, they have the names of the new ones.
                followed.vars.clear();
                lost.push((index, was_there));
            }
        }
        let resolver = Resolver::default();
        let mut turns = Vec::new();
        for (index, was_there) in lost {
            let followed = &mut self.followed[index];
            let found = resolver.select(&followed.target).unwrap_or_default();
            if !found.is_empty() && without_users(&found, &used).is_empty() {
                followed.vars = found;
                followed.unused.clear();
                turns.push((index, Turn::Found));
            } else if was_there {
                turns.push((index, Turn::Gone));
            }
        }
        Ok(turns)
    }
}

/// The ids of the maps that programs use.
fn used_maps() -> Result<HashSet<u32>> {
    Ok(Program::all()?.into_iter().flat_map(|program| program.map_ids).collect())
}

/// The ids of those maps of some variables that no program uses.
fn without_users(vars: &[(String, Var)], used: &HashSet<u32>) -> HashSet<u32> {
    vars.iter().map(|(_, var)| var.map().info().id).filter(|id| !used.contains(id)).collect()
}
