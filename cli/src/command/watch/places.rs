//! Where what is watched is: found once, or found anew when its program is loaded anew.

use bpfvar::Var;

use crate::error::{Failure, Result};
use crate::live::{Live, Turn};
use crate::resolve::{Keyed, Resolver, Selected};
use crate::target::Target;

/// What some targets name, by the order in which they were given.
pub(super) enum Places {
    Fixed(Vec<Selected>),
    Followed(Live),
}

impl Places {
    /// Finds all targets, or fails with the first that is not there.
    pub(super) fn find(targets: &[Target]) -> Result<Places> {
        let resolver = Resolver::default();
        Ok(Places::Fixed(targets.iter().map(|target| resolver.look_up(target)).collect::<Result<_>>()?))
    }

    /// Finds those targets that are there, and keeps looking for the others: why they are not there, each with its index. What
    /// cannot come by loading a program fails.
    pub(super) fn follow(targets: &[Target]) -> Result<(Places, Vec<(usize, Failure)>)> {
        let (live, missing) = Live::find_present(targets)?;
        let absent = live.followed().iter().enumerate().filter(|(_, followed)| !followed.is_there());
        let mut missing: Vec<(usize, Failure)> = absent.map(|(index, _)| index).zip(missing).collect();
        match missing.iter().position(|(_, failure)| !failure.is_absence()) {
            Some(first) => Err(missing.swap_remove(first).1),
            None => Ok((Places::Followed(live), missing)),
        }
    }

    /// The variables of a target, each with its label. Empty while they are gone, and for what is reached by keys.
    pub(super) fn vars(&self, index: usize) -> &[(String, Var)] {
        match self {
            Places::Fixed(all) => match &all[index] {
                Selected::Vars(vars) => vars,
                Selected::Keyed(_) => &[],
            },
            Places::Followed(live) => &live.followed()[index].vars,
        }
    }

    /// What is reached by keys.
    pub(super) fn keyed(&self, index: usize) -> Option<&Keyed> {
        match self {
            Places::Fixed(all) => match &all[index] {
                Selected::Keyed(keyed) => Some(keyed),
                Selected::Vars(_) => None,
            },
            Places::Followed(live) => live.followed()[index].keyed.as_ref(),
        }
    }

    /// The variables of all targets.
    pub(super) fn all_vars(&self) -> impl Iterator<Item = &Var> {
        (0..self.len()).flat_map(|index| self.vars(index)).map(|(_, var)| var)
    }

    /// What of all targets is reached by keys.
    pub(super) fn all_keyed(&self) -> impl Iterator<Item = &Keyed> {
        (0..self.len()).filter_map(|index| self.keyed(index))
    }

    fn len(&self) -> usize {
        match self {
            Places::Fixed(all) => all.len(),
            Places::Followed(live) => live.followed().len(),
        }
    }

    /// Whether targets have to be found anew. Whoever has taken something of them lets go of it first.
    pub(super) fn has_changed(&mut self) -> Result<bool> {
        match self {
            Places::Fixed(_) => Ok(false),
            Places::Followed(live) => live.has_changed(),
        }
    }

    /// Finds targets anew: by index, what became of each.
    pub(super) fn find_anew(&mut self) -> Result<Vec<(usize, Turn)>> {
        match self {
            Places::Fixed(_) => Ok(Vec::new()),
            Places::Followed(live) => live.find_anew(),
        }
    }
}
