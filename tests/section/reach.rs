//! The four ways to a section.

use std::os::unix::fs::PermissionsExt;

use bpfvar::{AccessMode, Applied, Cause, Error, Globals, Map, ReadOnly, ReadWrite, TypedMap, Var};
use bpfvar_objects::{Source, load_as_aya};
use bpfvar_testkit::host;

use crate::{loaded, text};

#[test]
fn sections_say_how_they_are_reached() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let reach = |path: &str| globals.var(path).unwrap().map().access().unwrap();
    assert_eq!(reach("zero_u64"), AccessMode::Mapped);
    assert_eq!(reach("custom_rodata"), AccessMode::MappedReadOnly);
    assert_eq!(reach("CONFIG_HZ"), AccessMode::MappedReadOnly);
    assert_eq!(reach("only_static"), AccessMode::SystemCall);
}

#[test]
fn what_cannot_be_mapped_is_read_and_rewritten_only_by_name() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let var = globals.var("only_static").unwrap();
    assert_eq!(text(&globals, "only_static"), "33");
    assert_eq!(var.read_as::<u32>().unwrap(), 33);
    let error = var.set("34").unwrap_err();
    assert!(error.to_string().contains("BPF_F_MMAPABLE"), "{error}");
    assert!(matches!(var.bind::<u32, ReadWrite>().unwrap_err(), Error::Mismatch { .. }));
    assert!(matches!(var.bind::<u32, ReadOnly>().unwrap_err(), Error::Mismatch { .. }));
    assert!(var.add("1").is_err(), "not in one step");
    let Applied { old, new, .. } = var.change_by_rewrite("34").unwrap().apply().unwrap();
    assert_eq!((old.to_string(), new.to_string()), ("33".to_owned(), "34".to_owned()));
    assert_eq!(text(&globals, "only_static"), "34");
    assert!(matches!(var.change_by_rewrite("99999999999").unwrap_err(), Error::Argument { .. }));
}

#[test]
fn sections_as_aya_makes_them_are_described_by_their_program() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let loaded = load_as_aya(Source::Count);
    loaded.run(5);
    let globals = Globals::by_id(loaded.programs[0].id()).unwrap();
    let packets = globals.var("packets").unwrap();
    assert_eq!(packets.map().name(), ".bss");
    assert_eq!(packets.map().info().btf_id, 0);
    assert_eq!(packets.map().access().unwrap(), AccessMode::SystemCall);
    assert_eq!(text(&globals, "packets"), "5");
    assert_eq!(text(&globals, "config.limits[3]"), "{burst: 40, delta: -4}");
    globals.var("config.mode").unwrap().change_by_rewrite("OFF").unwrap().apply().unwrap();
    assert_eq!(loaded.run(1), 0);
    let alone = TypedMap::open(Map::from_id(packets.map().info().id).unwrap()).unwrap();
    assert_eq!(alone.var("packets").unwrap().read().unwrap().to_string(), "6");
}

#[test]
fn a_read_only_descriptor_looks_up() {
    let Some((loaded, _)) = loaded(Source::Tail) else { return };
    let bpffs = host::Bpffs::mount();
    let path = bpffs.path("data");
    loaded.map(".data").pin(&path).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
    let section = TypedMap::open(Map::from_pin_read_only(&path).unwrap()).unwrap();
    assert_eq!(section.access().unwrap(), AccessMode::SystemCallReadOnly);
    assert_eq!(section.var("last").unwrap().read().unwrap().to_string(), "2578103244");
    let error = section.var("last").unwrap().set("1").unwrap_err();
    assert_eq!(error.cause(), Some(Cause::ReadOnlyDescriptor), "{error}");
    let change = section.var("last").unwrap().change_by_rewrite("1").unwrap();
    assert_eq!(change.apply().unwrap_err().cause(), Some(Cause::ReadOnlyDescriptor));
}

#[test]
fn reading_hinders_nobody_from_freezing_and_writing_does() {
    let Some((loaded, globals)) = loaded(Source::Tail) else { return };
    let map = loaded.map(".data");
    assert_eq!(text(&globals, "last"), "2578103244");
    map.freeze().unwrap();
    assert_eq!(globals.maps()[0].access().unwrap(), AccessMode::MappedReadOnly);
    let error = globals.var("last").unwrap().set("1").unwrap_err();
    assert_eq!(error.cause(), Some(Cause::Frozen), "{error}");
    assert_eq!(text(&globals, "last"), "2578103244");
    let Some((loaded, globals)) = crate::loaded(Source::Tail) else { return };
    globals.var("last").unwrap().set("1").unwrap();
    assert_eq!(loaded.map(".data").freeze().unwrap_err().cause(), Some(Cause::MappedWritable));
    drop(globals);
    loaded.map(".data").freeze().unwrap();
}

#[test]
fn a_map_without_any_btf_says_so() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name("bare").value_size(8).create().unwrap();
    let error = TypedMap::open(map).unwrap_err().to_string();
    assert!(error.contains("map \"bare\"") && error.contains("without BTF"), "{error}");
}

/// The real loaders, where the others imitate them.
#[test]
fn what_libbpf_loads_is_found_the_same() {
    if !host::ready(Source::Count.needs()) || !host::has_tool("bpftool") {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let by_libbpf = bpfvar_objects::load_by_bpftool(Source::Kinds, &bpffs.path("")).unwrap();
    let globals = Globals::by_id(by_libbpf.programs[0].id()).unwrap();
    assert_eq!(text(&globals, "nested.inners[1].innermost.deep"), "10");
    globals.var("bits_value.minus").unwrap().set("-16").unwrap();
    assert_eq!(text(&globals, "bits_value.three"), "5");
}

#[test]
fn many_variables_are_read_as_each_is() {
    for (source, aya) in [(Source::Count, true), (Source::Together, true), (Source::Together, false)] {
        if !host::ready(source.needs()) {
            return;
        }
        let loaded = if aya { load_as_aya(source) } else { bpfvar_objects::load(source) };
        loaded.run(5);
        let globals = loaded.programs.iter().map(|program| Globals::by_id(program.id()).unwrap());
        let mut vars: Vec<Var> = Vec::new();
        for globals in globals {
            vars.extend(globals.vars());
            vars.extend(["config.rate", "config.mode"].iter().filter_map(|path| globals.var(path).ok()));
        }
        assert!(vars.len() > 10);
        let all = Var::read_all(&vars);
        assert_eq!(all.len(), vars.len());
        for (var, value) in vars.iter().zip(all) {
            assert_eq!(value.unwrap(), var.read().unwrap(), "{var}");
        }
    }
}

#[test]
fn many_variables_of_an_array_map_are_entries() {
    let Some((maps, globals)) = loaded(Source::Maps) else { return };
    maps.run(3);
    let vars = ["plain", "plain[1].packets", "stats[2]", "percpu"].map(|path| globals.var(path).unwrap());
    for (var, value) in vars.iter().zip(Var::read_all(&vars)) {
        assert_eq!(value.unwrap(), var.read().unwrap(), "{var}");
    }
}

#[test]
fn enums_are_found_by_their_names() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let section = globals.map(".data").unwrap();
    assert_eq!(section.enumerators("mode"), Some(vec![("SLOW", 0), ("FAST", 1), ("OFF", 2)]));
    assert_eq!((section.enumerators("limit"), section.enumerators("")), (None, None));
}
