//! Targets that stay found: a program that is loaded anew has new maps, and its variables are found in those.

use std::collections::HashSet;

use bpfvar::{Program, Var};

use crate::error::{Failure, Result};
use crate::loaded::Loaded;
use crate::resolve::{Keyed, Resolver, Selected};
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
    /// What is reached by keys, in place of variables. None while the target is gone.
    pub(crate) keyed: Option<Keyed>,
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
        let (mut all, mut missing) = (Vec::new(), Vec::new());
        for target in targets {
            let mut followed = Followed::new(target);
            if let Err(failure) = followed.find(&resolver) {
                missing.push(failure);
            }
            followed.unused = followed.without_users(&used);
            all.push(followed);
        }
        Ok((Live { followed: all, loaded }, missing))
    }

    /// The targets, in the order in which they were given.
    pub(crate) fn followed(&self) -> &[Followed] {
        &self.followed
    }

    /// Looks whether programs came or went, and finds anew the targets that this concerns: by index, what became of each. While
    /// nothing came or went and nothing is gone, this is one system call for each loaded program.
    pub(crate) fn poll(&mut self) -> Result<Vec<(usize, Turn)>> {
        if self.has_changed()? { self.find_anew() } else { Ok(Vec::new()) }
    }

    /// Whether programs came or went since the last look, or a target is gone: a pin may come later than its program. Then whoever has
    /// taken variables of a target lets go of them, and has the targets found anew: while the old maps are held, they have the names
    /// of the new ones.
    pub(crate) fn has_changed(&mut self) -> Result<bool> {
        Ok(self.loaded.changed()? || !self.followed.iter().all(Followed::is_there))
    }

    /// Finds the targets anew that no program uses any more, and those that were gone.
    pub(crate) fn find_anew(&mut self) -> Result<Vec<(usize, Turn)>> {
        let used = used_maps()?;
        let mut lost = Vec::new();
        for (index, followed) in self.followed.iter_mut().enumerate() {
            let was_there = followed.is_there();
            if !was_there || !followed.without_users(&used).is_subset(&followed.unused) {
                followed.let_go();
                lost.push((index, was_there));
            }
        }
        let resolver = Resolver::default();
        let mut turns = Vec::new();
        for (index, was_there) in lost {
            let followed = &mut self.followed[index];
            // It may be there again, but only in a map that nobody uses any more.
            let found = followed.find(&resolver).is_ok() && followed.without_users(&used).is_empty();
            if found {
                followed.unused.clear();
                turns.push((index, Turn::Found));
                continue;
            }
            followed.let_go();
            if was_there {
                turns.push((index, Turn::Gone));
            }
        }
        Ok(turns)
    }
}

impl Followed {
    fn new(target: &Target) -> Followed {
        Followed { target: target.clone(), vars: Vec::new(), keyed: None, unused: HashSet::new() }
    }

    pub(crate) fn is_there(&self) -> bool {
        !self.vars.is_empty() || self.keyed.is_some()
    }

    fn find(&mut self, resolver: &Resolver) -> Result<()> {
        match resolver.look_up(&self.target)? {
            Selected::Vars(vars) => self.vars = vars,
            Selected::Keyed(keyed) => self.keyed = Some(keyed),
        }
        Ok(())
    }

    fn let_go(&mut self) {
        self.vars.clear();
        self.keyed = None;
    }

    /// The ids of its maps that no program uses.
    fn without_users(&self, used: &HashSet<u32>) -> HashSet<u32> {
        let vars = self.vars.iter().map(|(_, var)| var.map().info().id);
        let keyed = self.keyed.iter().map(|keyed| keyed.map.info().id);
        vars.chain(keyed).filter(|id| !used.contains(id)).collect()
    }
}

/// The ids of the maps that programs use.
fn used_maps() -> Result<HashSet<u32>> {
    Ok(Program::all()?.into_iter().flat_map(|program| program.map_ids).collect())
}
