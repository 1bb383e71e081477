//! Maps and programs of loaders that know nothing of bpfvar, reached by their descriptors while their programs run.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use aya::Ebpf;
use aya::maps::Map as AyaMap;
use aya::programs::Program as AyaProgram;
use bpfvar::{AccessMode, Array, Bind, Globals, Map, MapValue, ReadOnly, Shared, TypedMap};
use bpfvar_objects::Source;
use bpfvar_testkit::host;
use libbpf_rs::{MapCore, Object, ObjectBuilder};

/// An entry of the map `stats` of `maps.bpf.c`.
#[derive(Clone, Copy, Debug, PartialEq, MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
    drops: u32,
    mode: u32,
    sizes: [u64; 4],
}

/// What a daemon keeps of `count.bpf.c`.
#[derive(Bind)]
struct Count {
    packets: Shared<u64>,
    version: Shared<u32, ReadOnly>,
    #[bind("config.rate")]
    rate: Shared<u64>,
}

/// Runs a program of anybody's on this CPU.
fn run(program: impl AsFd, times: u32) -> u32 {
    let fd = program.as_fd().try_clone_to_owned().expect("a descriptor is left");
    bpfvar_testkit::Program::from(fd).run(times)
}

fn by_libbpf_rs(source: Source) -> Object {
    let mut builder = ObjectBuilder::default();
    builder.name(source.name()).expect("no NUL in a name");
    let open = builder.open_memory(source.bytes()).expect("libbpf reads the object");
    open.load().expect("libbpf loads the object")
}

fn by_aya(source: Source) -> Ebpf {
    let mut ebpf = Ebpf::load(source.bytes()).expect("aya loads the maps");
    for (name, program) in ebpf.programs_mut() {
        let AyaProgram::SocketFilter(program) = program else { panic!("{name} is no socket filter") };
        program.load().expect("the kernel takes the program");
    }
    ebpf
}

fn read(globals: &Globals, path: &str) -> String {
    globals.var(path).unwrap().read().unwrap().to_string()
}

#[test]
fn globals_of_a_libbpf_rs_program() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let object = by_libbpf_rs(Source::Count);
    let theirs = object.progs().find(|program| program.name() == "count").unwrap();
    let globals = Globals::by_fd(&theirs).unwrap();

    assert_eq!(run(&theirs, 5), 1000);
    let count = Count::bind(&globals).unwrap();
    assert_eq!((count.packets.load(Relaxed), count.version.load(Relaxed)), (5, 3));
    // The program sees what is stored, and the store is seen by the next run.
    count.rate.store(77, Relaxed);
    assert_eq!(run(&theirs, 1), 77);
    globals.var("config.mode").unwrap().set("OFF").unwrap();
    assert_eq!(run(&theirs, 1), 0);
    assert_eq!(count.packets.load(Relaxed), 7);
    count.packets.store(100, Relaxed);
    run(&theirs, 1);
    assert_eq!(read(&globals, "packets"), "101");
    assert!(globals.var("version").unwrap().set("4").is_err(), ".rodata is frozen");
    drop(object);
    assert_eq!(count.packets.load(Relaxed), 101, "the handle holds the memory");
}

#[test]
fn a_section_map_of_libbpf_rs() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let object = by_libbpf_rs(Source::Count);
    let theirs = object.maps().find(|map| map.name() == "count.data").unwrap();
    let data = TypedMap::open(Map::from_borrowed_fd(theirs.as_fd()).unwrap()).unwrap();
    assert_eq!(data.access().unwrap(), AccessMode::Mapped);
    let program = object.progs().next().unwrap();
    data.var("config.rate").unwrap().set("55").unwrap();
    assert_eq!(run(&program, 1), 55);
}

#[test]
fn an_array_map_of_libbpf_rs() {
    if !host::ready(Source::Maps.needs()) {
        return;
    }
    let object = by_libbpf_rs(Source::Maps);
    let theirs = object.maps().find(|map| map.name() == "stats").unwrap();
    let program = object.progs().next().unwrap();
    assert_stats(&Array::from_borrowed_fd(theirs.as_fd()).unwrap(), |times| run(&program, times));
}

#[test]
fn an_array_map_of_aya() {
    if !host::ready(Source::Maps.needs()) {
        return;
    }
    let ebpf = by_aya(Source::Maps);
    let AyaMap::Array(theirs) = ebpf.map("stats").unwrap() else { panic!("stats is an array") };
    let AyaProgram::SocketFilter(program) = ebpf.program("use_maps").unwrap() else { panic!("a socket filter") };
    let fd = program.fd().unwrap();
    assert_stats(&Array::from_borrowed_fd(theirs.fd()).unwrap(), |times| run(fd, times));
}

/// The program adds to what was stored, and its own stores are seen.
fn assert_stats(stats: &Array<Stats>, run: impl Fn(u32) -> u32) {
    assert_eq!(run(3), 3);
    assert_eq!((stats.len(), stats.at(2).packets.read(), stats.at(2).drops.read()), (4, 3, 2));
    assert_eq!(stats.at(1).sizes.read(), [0, 3, 0, 0]);
    stats.at(0).packets.write(1000);
    run(2);
    assert_eq!((stats.at(0).packets.read(), stats.at(3).packets.read()), (1002, 5));
}

/// aya makes section maps without BPF_F_MMAPABLE: they are read by system call, and written only as a whole.
#[test]
fn globals_of_an_aya_program() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let ebpf = by_aya(Source::Count);
    let AyaProgram::SocketFilter(program) = ebpf.program("count").unwrap() else { panic!("a socket filter") };
    let fd = program.fd().unwrap();
    let globals = Globals::by_fd(fd).unwrap();

    assert_eq!(run(fd, 5), 1000);
    assert_eq!(read(&globals, "packets"), "5");
    let rate = globals.var("config.rate").unwrap();
    assert_eq!(rate.map().access().unwrap(), AccessMode::SystemCall);
    let error = rate.bind::<u64, ReadOnly>().unwrap_err().to_string();
    assert!(error.contains("Var::read_as"), "{error}");
    let refusal = rate.set("77").unwrap_err().to_string();
    assert!(refusal.contains("BPF_F_MMAPABLE"), "{refusal}");
    rate.change_by_rewrite("77").unwrap().apply().unwrap();
    assert_eq!(run(fd, 1), 77);

    // The map alone has no types; its program leads to them.
    let AyaMap::Array(theirs) = ebpf.map(".bss").unwrap() else { panic!(".bss is an array") };
    let bss = TypedMap::open(Map::from_borrowed_fd(theirs.fd()).unwrap()).unwrap();
    assert_eq!(bss.var("packets").unwrap().read().unwrap().to_string(), "6");
}
