//! Targets that stay found: a program that is loaded anew has new maps, and its variables are found in those.

use std::collections::HashSet;

use bpfvar::{Program, Var};

use crate::error::Result;
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
    target: Target,
    /// Each with its label. Empty while the target is gone.
    pub(crate) vars: Vec<(String, Var)>,
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
        let loaded = Loaded::look()?;
        let resolver = Resolver::default();
        let find = |target: &Target| Ok(Followed { target: target.clone(), vars: resolver.select(target)? });
        Ok(Live { followed: targets.iter().map(find).collect::<Result<_>>()?, loaded })
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
        let used: HashSet<u32> = Program::all()?.into_iter().flat_map(|program| program.map_ids).collect();
        let mut turns = Vec::new();
        for (index, followed) in self.followed.iter_mut().enumerate() {
            let was_there = !followed.vars.is_empty();
            if was_there && followed.vars.iter().all(|(_, var)| used.contains(&var.map().info().id)) {
                continue;
            }
            // The old maps are let go first: while they are held, they have the names of the new ones.
            followed.vars.clear();
            let is_used = |(_, var): &(String, Var)| used.contains(&var.map().info().id);
            let found = Resolver::default().select(&followed.target).unwrap_or_default();
            if !found.is_empty() && found.iter().all(is_used) {
                followed.vars = found;
                turns.push((index, Turn::Found));
            } else if was_there {
                turns.push((index, Turn::Gone));
            }
        }
        Ok(turns)
    }
}
