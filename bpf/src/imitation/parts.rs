//! What both imitations share: aya-obj's view of an object, made into maps and programs.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use aya_obj::generated::bpf_insn;
use aya_obj::{Object, ProgramSection};
use bpfvar::Map;
use bpfvar_testkit::insn::Insn;
use bpfvar_testkit::{MapSpec, ProgramSpec, ProgramType};

use crate::loaded::{LoadedMap, LoadedProgram};
use crate::source::Source;

const F_MMAPABLE: u32 = 1 << 10;
const MAP_TYPE_ARRAY: u32 = 2;

pub(crate) fn parse(source: Source) -> Object {
    Object::parse(source.bytes()).unwrap_or_else(|error| panic!("aya-obj cannot read {source:?}: {error:?}"))
}

/// A map of `.maps`, with the types of its key and value.
pub(crate) fn declared_map(name: &str, map: &aya_obj::Map, btf: BorrowedFd<'_>) -> Map {
    let aya_obj::Map::Btf(declared) = map else { panic!("{name:?} is not in .maps") };
    let types = (declared.def.btf_key_type_id, declared.def.btf_value_type_id);
    if map.map_type() == MAP_TYPE_ARRAY {
        let builder = Map::builder().name(&name[..name.len().min(15)]).value_size(map.value_size());
        let builder = builder.entries(map.max_entries()).btf(btf, types.0, types.1);
        return match map.map_flags() {
            F_MMAPABLE => builder.create(),
            0 => builder.unmappable().create(),
            flags => panic!("no object has an array with flags {flags:#x}"),
        }
        .expect("the kernel takes the map");
    }
    let spec = MapSpec {
        map_type: map.map_type(),
        key_size: map.key_size(),
        value_size: map.value_size(),
        max_entries: map.max_entries(),
        map_flags: map.map_flags(),
        name,
        btf: Some((btf, types.0, types.1)),
    };
    Map::from_fd(spec.create().expect("the kernel takes the map")).expect("a map")
}

/// Makes all maps by `make`, in the order of their names, and puts them into the instructions.
pub(crate) fn relocate(object: &mut Object, mut make: impl FnMut(&str, &aya_obj::Map) -> Map) -> Vec<LoadedMap> {
    let maps: BTreeMap<_, _> = mem::take(&mut object.maps).into_iter().collect();
    let loaded: Vec<_> =
        maps.iter().map(|(name, map)| LoadedMap { name: name.clone(), map: make(name, map) }).collect();
    let fds = maps.iter().zip(&loaded).map(|((name, map), made)| (name.as_str(), made.map.as_fd().as_raw_fd(), map));
    let text = text_sections(object);
    object.relocate_maps(fds, &text).expect("all maps are there");
    loaded
}

/// Brings functions that are called together with their callers, then loads the programs; under `rename`, if there is one.
pub(crate) fn load_programs(object: &mut Object, btf: BorrowedFd<'_>, rename: Option<&str>) -> Vec<LoadedProgram> {
    let text = text_sections(object);
    object.relocate_calls(&text).expect("all functions are there");
    let programs: BTreeMap<_, _> = object.programs.iter().collect();
    let load = |(name, program): (&String, &aya_obj::Program)| {
        assert!(matches!(program.section, ProgramSection::SocketFilter), "no object has other programs");
        let function = &object.functions[&program.function_key()];
        let insns: Vec<Insn> = function.instructions.iter().map(insn).collect();
        let func_info: Vec<_> = function.func_info.func_info.iter().map(|info| [info.insn_off, info.type_id]).collect();
        let line_info = function.line_info.line_info.iter();
        let line_info: Vec<_> =
            line_info.map(|info| [info.insn_off, info.file_name_off, info.line_off, info.line_col]).collect();
        let spec = ProgramSpec {
            program_type: ProgramType::SocketFilter,
            insns: &insns,
            license: &program.license,
            name: rename.unwrap_or(name),
            btf: Some(btf),
            func_info: &func_info,
            line_info: &line_info,
        };
        LoadedProgram { name: name.clone(), program: spec.load().expect("the kernel takes the program") }
    };
    programs.into_iter().map(load).collect()
}

fn text_sections(object: &Object) -> HashSet<usize> {
    object.functions.keys().map(|(section_index, _)| *section_index).collect()
}

fn insn(insn: &bpf_insn) -> Insn {
    Insn::raw(insn.code, insn.dst_reg(), insn.src_reg(), insn.off, insn.imm)
}
