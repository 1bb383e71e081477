//! How to name what was found, so that nothing else has the name.

use std::collections::HashMap;

use bpfvar::{TypedMap, Var};

use super::{Object, Resolver, labels};

/// How many programs and maps have each name.
pub(super) type Names = HashMap<String, usize>;

impl Resolver {
    /// What the variables of a section are behind: the name of a program that uses it, where nothing else has that name, or its
    /// id; for a map that is no section, and for one that no program uses, its own name or id.
    fn name_of(&self, section: &TypedMap) -> String {
        let map = section.info();
        let is_unique = |name: &str| !name.is_empty() && self.names().get(name) == Some(&1);
        let mut users = self.programs().unwrap_or_default().iter().filter(|program| program.uses(map.id));
        if section.section().is_some() {
            if let Some(program) = users.clone().find(|program| is_unique(&program.name)).or_else(|| users.next()) {
                return if is_unique(&program.name) {
                    program.name.clone()
                } else {
                    Object::Program(program.id).to_string()
                };
            }
        }
        if is_unique(&map.name) { map.name.clone() } else { Object::Map(map.id).to_string() }
    }

    /// The variables of a section, or the map that is no section, each with a target that names nothing else.
    pub(crate) fn named(&self, section: &TypedMap) -> Vec<(String, Var)> {
        let name = self.name_of(section);
        if section.section().is_none() {
            return section.vars().map(|var| (name.clone(), var)).collect();
        }
        let in_a_map =
            |label: &str| splits_at_dots(label).any(|start| start != name && self.names().contains_key(start));
        let named = labels(&name, std::slice::from_ref(section)).into_iter().map(|(label, var)| {
            // A variable `bss` of a program `count` has the name of the map `count.bss`.
            let label = if in_a_map(&label) { format!("map:{}.{}", section.info().id, var.path()) } else { label };
            (label, var)
        });
        named.collect()
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let programs = self.programs().unwrap_or_default().iter().map(|info| &info.name);
            // Only typed ones are found by a name.
            let maps = self.system().into_iter().flat_map(|all| all.maps()).map(|map| &map.info().name);
            let mut names = Names::new();
            programs.chain(maps).for_each(|name| *names.entry(name.clone()).or_default() += 1);
            names
        })
    }
}

/// The starts of a target that may be a name: up to each of its dots, and all of it.
fn splits_at_dots(label: &str) -> impl Iterator<Item = &str> {
    label.match_indices('.').map(|(at, _)| &label[..at]).chain([label])
}
