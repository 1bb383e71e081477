//! Loading by aya itself.

use std::os::fd::AsFd;

use aya::Ebpf;
use aya::maps::Map as AyaMap;
use aya::programs::Program as AyaProgram;
use bpfvar::Map;
use bpfvar_testkit::Program;

use crate::loaded::{Loaded, LoadedMap, LoadedProgram};
use crate::source::Source;

/// Loads an object by the crate aya.
///
/// # Errors
///
/// What aya says: it knows no `.kconfig`.
///
/// # Panics
///
/// If the kernel refuses a program.
pub fn load_by_aya(source: Source) -> Result<Loaded, aya::EbpfError> {
    let mut ebpf = Ebpf::load(source.bytes())?;
    let programs = ebpf.programs_mut().map(|(name, program)| {
        let AyaProgram::SocketFilter(program) = program else { panic!("no object has other programs") };
        program.load().expect("the kernel takes the program");
        let fd = program.fd().expect("it is loaded").as_fd().try_clone_to_owned().expect("a descriptor is left");
        LoadedProgram { name: name.to_owned(), program: Program::from(fd) }
    });
    let programs = programs.collect();
    let maps = ebpf.maps().map(|(name, map)| {
        let data = match map {
            AyaMap::Array(data)
            | AyaMap::HashMap(data)
            | AyaMap::LpmTrie(data)
            | AyaMap::LruHashMap(data)
            | AyaMap::PerCpuArray(data)
            | AyaMap::PerCpuHashMap(data)
            | AyaMap::PerCpuLruHashMap(data) => data,
            _ => panic!("no object has other maps"),
        };
        LoadedMap { name: name.to_owned(), map: Map::from_borrowed_fd(data.fd()).expect("a map") }
    });
    let maps = maps.collect();
    Ok(Loaded { name: source.name().to_owned(), programs, maps, btf: None, _pins: Vec::new() })
}
