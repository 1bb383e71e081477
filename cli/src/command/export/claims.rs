//! Who exports what: nothing is exported twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::family::Labels;

/// What the targets export, each known by its place.
#[derive(Default)]
pub(super) struct Claims {
    /// Scalars, by the id of their map and their path in it.
    scalars: HashMap<(u32, String), usize>,
    /// Series, by their family and their labels.
    series: HashMap<(usize, Labels), usize>,
}

impl Claims {
    /// Whether another target exports the scalar.
    pub(super) fn is_taken(&self, map: u32, path: &str, target: usize) -> bool {
        self.scalars.get(&(map, path.to_owned())).is_some_and(|owner| *owner != target)
    }

    pub(super) fn take_scalar(&mut self, map: u32, path: &str, target: usize) {
        self.scalars.entry((map, path.to_owned())).or_insert(target);
    }

    /// Returns whether nobody had the series.
    pub(super) fn take_series(&mut self, family: usize, labels: &Labels, target: usize) -> bool {
        match self.series.entry((family, labels.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(target);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// All that a target exports is free again.
    pub(super) fn release(&mut self, target: usize) {
        self.scalars.retain(|_, owner| *owner != target);
        self.series.retain(|_, owner| *owner != target);
    }
}
