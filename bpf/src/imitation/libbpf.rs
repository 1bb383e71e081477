//! Loading as libbpf does.

use std::collections::HashSet;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use aya_obj::{EbpfSectionKind, Object};
use bpfvar::Map;
use bpfvar_testkit::{host, load_btf};

use super::kconfig;
use super::parts;
use crate::btf::{Btf, Linkage, Section};
use crate::elf::Elf;
use crate::loaded::{Loaded, LoadedMap, LoadedProgram};
use crate::source::Source;

const NAME_LEN: usize = 15;
/// `BPF_PSEUDO_MAP_VALUE`: an instruction's two halves are a map and an offset in its first value.
const PSEUDO_MAP_VALUE: u8 = 2;

/// Loads an object as libbpf does: section maps that can be mapped, with types, and named after the object.
///
/// # Panics
///
/// If the kernel refuses; see [`Source::needs`].
pub fn load(source: Source) -> Loaded {
    load_as(source, None)
}

/// The same, with another name for its program: for tests that look for it by name beside others that load the object, too.
///
/// # Panics
///
/// As [`load`].
pub fn load_named(source: Source, program: &str) -> Loaded {
    load_as(source, Some(program))
}

/// The types of an object, as libbpf gives them to the kernel. Needs none.
pub fn types(source: Source) -> Btf {
    laid_out(&Elf::read(source.bytes())).0
}

/// The same, and the section that the file has not.
fn laid_out(elf: &Elf) -> (Btf, Option<Section>) {
    let mut btf = Btf::parse(elf.btf);
    let kconfig = kconfig::lay_out(&btf);
    btf.fix_up(elf, kconfig.clone());
    (btf, kconfig)
}

fn load_as(source: Source, program: Option<&str>) -> Loaded {
    let elf = Elf::read(source.bytes());
    let (mut btf, kconfig) = laid_out(&elf);
    btf.sanitize(host::kernel());
    let btf_fd = load_btf(btf.bytes()).expect("the kernel takes the types");
    let new = SectionMaps { object: source.name(), btf: &btf, btf_fd: btf_fd.as_fd() };

    let mut object = parts::parse(source);
    let mut maps = parts::relocate(&mut object, |name, map| match map.section_kind() {
        EbpfSectionKind::BtfMaps => parts::declared_map(name, map, btf_fd.as_fd()),
        EbpfSectionKind::Rodata => new.make(name, map.data(), true),
        _ => new.make(name, map.data(), false),
    });
    if let Some(section) = kconfig {
        let map = new.make(&section.name, &kconfig::contents(&btf, &section), true);
        relocate_externs(&mut object, &elf, &section, map.as_fd().as_raw_fd());
        maps.push(LoadedMap { name: section.name, map });
    }
    let programs = parts::load_programs(&mut object, btf_fd.as_fd(), program);
    // A loader that ends, as bpftool does, leaves those that a program uses.
    let used: HashSet<u32> = programs.iter().flat_map(maps_of).collect();
    maps.retain(|map| used.contains(&map.map.info().id));
    Loaded { name: source.name().to_owned(), programs, maps, btf: Some(btf), _pins: Vec::new() }
}

fn maps_of(program: &LoadedProgram) -> Vec<u32> {
    bpfvar::Program::from_id(program.id()).expect("it was loaded just now").info().map_ids.clone()
}

struct SectionMaps<'a> {
    object: &'a str,
    btf: &'a Btf,
    btf_fd: BorrowedFd<'a>,
}

impl SectionMaps<'_> {
    fn make(&self, section: &str, contents: &[u8], read_only: bool) -> Map {
        let name = map_name(self.object, section);
        let mut builder = Map::builder().name(&name).value_size(contents.len() as u32);
        let types = self.btf.section(section);
        // Nobody outside the object could name a static variable.
        let has_global = |types: &Section| types.variables.iter().any(|variable| variable.linkage != Linkage::Static);
        if !types.as_ref().is_some_and(has_global) {
            builder = builder.unmappable();
        }
        if let Some(types) = types {
            builder = builder.btf(self.btf_fd, 0, types.id);
        }
        if read_only {
            builder = builder.rdonly_prog();
        }
        let map = builder.create().expect("the kernel takes the map");
        map.update(0, contents).expect("it is not frozen yet");
        if read_only {
            map.freeze().expect("nobody has mapped it");
        }
        map
    }
}

/// `count.bss`: as much of the object's name as fits before a section's name, for which 7 characters are kept at least; a
/// section with a second dot stands alone.
fn map_name(object: &str, section: &str) -> String {
    let room = if section[1..].contains('.') { 0 } else { NAME_LEN - section.len().clamp(7, NAME_LEN) };
    let name: String = object.chars().take(room).chain(section.chars()).take(NAME_LEN).collect();
    name.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'), "_")
}

/// aya-obj passes over relocations against what is undefined.
fn relocate_externs(object: &mut Object, elf: &Elf<'_>, kconfig: &Section, map_fd: i32) {
    for used in &elf.extern_uses {
        for function in object.functions.values_mut().filter(|function| function.section_index.0 == used.section_index)
        {
            let Some(offset) = used.offset.checked_sub(function.section_offset) else { continue };
            let Some([low, high, ..]) = function.instructions.get_mut(offset / 8..) else { continue };
            low.set_src_reg(PSEUDO_MAP_VALUE);
            low.imm = map_fd;
            high.imm = kconfig.variable(&used.name).offset as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::map_name;

    #[test]
    fn names_are_cut_as_libbpf_cuts_them() {
        assert_eq!(map_name("count", ".bss"), "count.bss");
        assert_eq!(map_name("a_long_object", ".bss"), "a_long_o.bss");
        assert_eq!(map_name("a_long_object", ".rodata"), "a_long_o.rodata");
        assert_eq!(map_name("a_long_object", ".kconfig"), "a_long_.kconfig");
        assert_eq!(map_name("count", ".data.custom"), ".data.custom");
        assert_eq!(map_name("count", ".rodata.str1.1"), ".rodata.str1.1");
        assert_eq!(map_name("count", ".rodata.too_long_a_name"), ".rodata.too_lon");
        assert_eq!(map_name("a-b", ".bss"), "a_b.bss");
    }
}
