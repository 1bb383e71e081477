//! Whether what is watched is still what a program uses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bpfvar::Program;
use serde::Serialize;

use super::places::Places;
use super::view::View;
use crate::error::Result;
use crate::output::Output;

const BETWEEN_CHECKS: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
struct Warning<'a> {
    /// The map's id.
    map: u32,
    warning: &'a str,
}

/// The maps that are watched and not known to be stale.
pub(super) struct Stale {
    fresh: BTreeMap<u32, Watched>,
    /// Those that it was warned of.
    gone: BTreeSet<u32>,
    /// Those of them that a program used before.
    lost: BTreeSet<u32>,
    last: Option<Instant>,
}

/// A map, as far as it is of interest here.
struct Watched {
    name: String,
    is_section: bool,
}

impl Stale {
    pub(super) fn new(places: &Places) -> Stale {
        let vars = places.all_vars().map(|var| {
            let section = var.map();
            (section.info().id, Watched { name: section.to_string(), is_section: section.section().is_some() })
        });
        let keyed = places
            .all_keyed()
            .map(|keyed| (keyed.map.info().id, Watched { name: keyed.map.to_string(), is_section: false }));
        Stale { fresh: vars.chain(keyed).collect(), gone: BTreeSet::new(), lost: BTreeSet::new(), last: None }
    }

    pub(super) fn is_due(&self) -> bool {
        !self.fresh.is_empty() && self.last.is_none_or(|last| last.elapsed() >= BETWEEN_CHECKS)
    }

    /// Whether no program uses a map any more.
    pub(super) fn is_gone(&self, map: u32) -> bool {
        self.gone.contains(&map)
    }

    /// Whether a program used a map, and none does any more.
    pub(super) fn is_lost(&self, map: u32) -> bool {
        self.lost.contains(&map)
    }

    /// Warns of each map once. One list of programs serves for all of them.
    pub(super) fn check(&mut self, view: &mut View, out: &mut Output) -> Result<()> {
        let first = self.last.replace(Instant::now()).is_none();
        let Ok(programs) = Program::all() else {
            // Nobody but root may ask.
            self.fresh.clear();
            return Ok(());
        };
        let used = |id: &u32| programs.iter().any(|program| program.uses(*id));
        let stale: Vec<u32> = self.fresh.keys().filter(|id| !used(id)).copied().collect();
        for id in stale {
            let Some(Watched { name, is_section }) = self.fresh.remove(&id) else { continue };
            // A map that is no section may well be used by nobody from the start.
            if first && !is_section {
                continue;
            }
            let warning = format!(
                "{name}: no program uses it any more: the program was unloaded, or loaded anew with new variables; `watch --follow` goes on \
                 with what comes after it"
            );
            self.gone.insert(id);
            if !first {
                self.lost.insert(id);
            }
            view.warn(&Warning { map: id, warning: &warning }, &warning, out)?;
        }
        Ok(())
    }
}
