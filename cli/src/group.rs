//! Programs that were loaded together, as people think of them: objects.

use std::collections::{BTreeSet, HashMap};

use bpfvar::{Globals, KeyedMap, ProgramInfo, TypedMap};

use crate::owner::{Owner, Owners};

/// Programs of one object, with the maps that they use.
#[derive(Debug, Default)]
pub(crate) struct Group<'a> {
    /// What the loader called it, as far as the names of its sections tell; else the name of its first program.
    pub(crate) name: String,
    pub(crate) programs: Vec<&'a ProgramInfo>,
    /// The typed maps. A map that is no section may be in several groups.
    pub(crate) maps: Vec<&'a TypedMap>,
    /// The maps that are reached by keys; these, too, may be in several groups.
    pub(crate) keyed: Vec<&'a KeyedMap>,
    /// The processes that hold any of the programs.
    pub(crate) owners: Vec<Owner>,
}

/// All programs in groups, in the order in which the first of each was loaded.
///
/// A loader gives the kernel one BTF for an object, so programs of one BTF are one object's. So are those that share a section and
/// the processes that hold them; a section that is shared by way of a pin makes no object of its users.
pub(crate) fn groups<'a>(programs: &'a [ProgramInfo], all: &'a Globals, owners: &Owners) -> Vec<Group<'a>> {
    let mut users: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, program) in programs.iter().enumerate() {
        program.map_ids.iter().for_each(|map| users.entry(*map).or_default().push(index));
    }
    let mut first_of = Joined((0..programs.len()).collect());
    let mut of_btf: HashMap<u32, usize> = HashMap::new();
    for (index, program) in programs.iter().enumerate().filter(|(_, program)| program.btf_id != 0) {
        first_of.join(*of_btf.entry(program.btf_id).or_insert(index), index);
    }
    for section in all.maps().iter().filter(|map| map.section().is_some()) {
        let Some([first, others @ ..]) = users.get(&section.info().id).map(Vec::as_slice) else { continue };
        let held = |index: usize| owners.of_program(programs[index].id);
        others.iter().filter(|other| held(**other) == held(*first)).for_each(|other| first_of.join(*first, *other));
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut place: HashMap<usize, usize> = HashMap::new();
    for (index, program) in programs.iter().enumerate() {
        let at = *place.entry(first_of.first(index)).or_insert_with(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[at].programs.push(program);
        groups[at].owners.extend_from_slice(owners.of_program(program.id));
    }
    let users_of = |map: u32| -> BTreeSet<usize> {
        users.get(&map).into_iter().flatten().map(|user| place[&first_of.first(*user)]).collect()
    };
    for map in all.maps() {
        users_of(map.info().id).into_iter().for_each(|at| groups[at].maps.push(map));
    }
    for map in all.keyed_maps() {
        users_of(map.info().id).into_iter().for_each(|at| groups[at].keyed.push(map));
    }
    for group in &mut groups {
        group.owners.sort();
        group.owners.dedup();
        group.name = group.own_name().unwrap_or_else(|| group.programs[0].name.clone());
    }
    groups
}

impl Group<'_> {
    /// libbpf puts the name of the object, as much of it as fits, before that of the section.
    fn own_name(&self) -> Option<String> {
        let names = self.maps.iter().filter(|map| map.section().is_some()).map(|map| map.info().name.as_str());
        names.filter_map(object_name).max_by_key(|name| name.len()).map(str::to_owned)
    }
}

/// What stands before the section in the name of a map: `opensnoo.rodata`.
fn object_name(map: &str) -> Option<&str> {
    let sections = [".rodata", ".data", ".bss", ".kconfig", ".kconfi"];
    sections.iter().find_map(|section| map.split_once(section)).map(|(name, _)| name).filter(|name| !name.is_empty())
}

/// Numbers that belong together: each has one that is as small or smaller.
struct Joined(Vec<usize>);

impl Joined {
    /// The smallest of those that a number belongs to.
    fn first(&self, mut number: usize) -> usize {
        while self.0[number] != number {
            number = self.0[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_has_one_first() {
        let mut joined = Joined((0..6).collect());
        joined.join(4, 2);
        joined.join(5, 4);
        joined.join(1, 3);
        let first: Vec<usize> = (0..6).map(|number| joined.first(number)).collect();
        assert_eq!(first, [0, 1, 2, 1, 2, 2]);
        joined.join(5, 3);
        assert!((1..6).all(|number| joined.first(number) == 1));
    }

    #[test]
    fn the_object_is_named_before_the_section() {
        assert_eq!(object_name("opensnoo.rodata"), Some("opensnoo"));
        assert_eq!(object_name("biolate.kconfig"), Some("biolate"));
        assert_eq!(object_name("count.data.custom"), Some("count"));
        assert_eq!(object_name(".bss"), None);
        assert_eq!(object_name("stats"), None);
    }
}
