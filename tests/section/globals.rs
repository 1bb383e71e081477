//! Finding programs, maps and variables.

use std::os::fd::AsFd;

use bpfvar::btf::Kind;
use bpfvar::{Btf, Cause, Error, Globals, Linkage, Map, Program, ReadWrite, TypedMap};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::host;

use crate::loaded;

#[test]
fn a_program_is_found_by_id_pin_and_descriptor() {
    let Some((loaded, globals)) = loaded(Source::Tail) else { return };
    let id = loaded.programs[0].id();
    let bpffs = host::Bpffs::mount();
    loaded.programs[0].program.pin(&bpffs.path("sum"));
    let program = Program::from_borrowed_fd(loaded.programs[0].program.as_fd()).unwrap();
    assert_eq!(program.info().id, id);
    assert_eq!(program.info().name, "sum");
    for other in [Globals::by_pin(bpffs.path("sum")).unwrap(), Globals::of_program(&program).unwrap()] {
        assert_eq!(other.program(), globals.program());
        assert_eq!(other.var("last").unwrap().offset(), 8);
    }
    assert_eq!(globals.map(".data").unwrap().name(), ".data");
    assert!(globals.map(".bss").unwrap_err().to_string().contains("there are .data"));
    let by_map = Globals::of_map(loaded.map(".data").try_clone().unwrap()).unwrap();
    assert_eq!(by_map.var("last").unwrap().size(), 4);
}

#[test]
fn programs_of_one_object_are_joined_each_map_once() {
    let Some((loaded, globals)) = loaded(Source::Together) else { return };
    let of = |name: &str| Globals::by_id(loaded.program(name).id()).unwrap();
    assert!(globals.var("shared").is_ok() && globals.var("config").is_err(), "{globals:?}");
    let joined = globals.join(of("read_config")).join(of("write_plain"));
    assert!(joined.var("shared").is_ok() && joined.var("config").is_ok() && joined.var("plain").is_ok());
    assert_eq!(joined.maps().len(), 2, "{joined:?}");
}

#[test]
fn types_are_walked_from_a_variable() {
    let Some((_loaded, globals)) = loaded(Source::Together) else { return };
    let var = |path: &str| globals.var(path).unwrap();
    let blocks = var("blocks");
    let Kind::PerCpu(seq) = blocks.ty().kind() else { panic!("{:?}", blocks.ty().kind()) };
    let Kind::Seq(block) = seq.kind() else { panic!("{:?}", seq.kind()) };
    assert_eq!((block.kind(), block.name(), block.size()), (Kind::Struct, "block", Some(64)));
    assert_eq!(block, var("plain").ty());
    let words = block.members().next().unwrap();
    assert_eq!((words.name, words.ty.declaration("words").as_str()), ("words", "__u64 words[8]"));
    let Kind::Array { element, len: 8 } = words.ty.kind() else { panic!("{:?}", words.ty.kind()) };
    assert_eq!((element.name(), element.resolve().kind()), ("__u64", var("runs").ty().resolve().kind()));
}

#[test]
fn a_map_is_no_program_and_a_program_no_map() {
    let Some((loaded, _)) = loaded(Source::Tail) else { return };
    let error = Program::from_borrowed_fd(loaded.map(".data")).unwrap_err();
    assert!(matches!(error, Error::WrongObject { .. }), "{error}");
    assert!(error.to_string().contains("anon_inode:bpf-map"), "{error}");
    let error = Map::from_borrowed_fd(loaded.programs[0].program.as_fd()).unwrap_err();
    assert!(matches!(error, Error::WrongObject { .. }), "{error}");
    let bpffs = host::Bpffs::mount();
    loaded.map(".data").pin(bpffs.path("data")).unwrap();
    let error = Program::from_pin(bpffs.path("data")).unwrap_err();
    assert!(error.to_string().contains("data\" is not a BPF program"), "{error}");
}

#[test]
fn a_long_function_name_counts_whole_or_cut() {
    let Some((loaded, _)) = loaded(Source::Kinds) else { return };
    let id = loaded.programs[0].id();
    let whole = Program::named("touch_every_variable").unwrap();
    assert!(whole.iter().any(|program| program.info().id == id));
    let program = Program::from_id(id).unwrap();
    assert_eq!(program.info().name, "touch_every_var");
    assert_eq!(program.full_name().unwrap(), "touch_every_variable");
    assert!(Program::named("touch_every_var").unwrap().iter().any(|program| program.info().id == id));
    assert!(Program::named("touch_every_variant").unwrap().is_empty(), "the same 15 bytes, another name");
    assert!(Program::named("touch_every_va").unwrap().is_empty());
}

#[test]
fn a_name_that_fits_several_programs_is_an_error_with_their_ids() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let (one, other) = (load(Source::Count), load(Source::Twin));
    let error = Globals::by_name("count").unwrap_err();
    assert!(matches!(error, Error::Ambiguous { .. }), "{error}");
    let text = error.to_string();
    for id in [one.programs[0].id(), other.programs[0].id()] {
        assert!(text.contains(&format!("program \"count\" (id {id})")), "{text}");
    }
    assert!(text.ends_with("by its id"), "{text}");
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let error = globals.var("samplings").unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("no variable \"samplings\"") && text.contains("sampling, config"), "{text}");
    let error = Globals::by_name("no_such_program").unwrap_err().to_string();
    assert!(error.contains("no program \"no_such_program\"") && error.contains("bpfvar list"), "{error}");
    assert_eq!(Program::from_id(u32::MAX).unwrap_err().cause(), Some(Cause::NoSuchId));
    assert_eq!(Btf::from_id(u32::MAX).unwrap_err().cause(), Some(Cause::NoSuchId));
    assert!(Map::named("no_such_map").unwrap().is_empty());
}

#[test]
fn two_static_variables_of_one_name_are_told_apart_by_their_offsets() {
    let Some((_loaded, globals)) = loaded(Source::Twin) else { return };
    let error = globals.var("calls").unwrap_err().to_string();
    assert!(error.contains("calls@8") && error.contains("calls@16") && error.contains(".data of map"), "{error}");
    assert_eq!(crate::text(&globals, "calls@8"), "100");
    assert_eq!(crate::text(&globals, "calls@16"), "200");
    let twins: Vec<_> = globals.vars().map(|var| var.path().to_owned()).filter(|path| path.contains("calls")).collect();
    assert_eq!(twins, ["calls@8", "calls@16"], "each path leads back");
    assert!(matches!(globals.var("calls@9").unwrap_err(), Error::NotFound { .. }));
    assert!(matches!(globals.var("calls@x").unwrap_err(), Error::NotFound { .. }));
}

#[test]
fn static_variables_of_functions_have_dots_in_their_names() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    assert_eq!(crate::text(&globals, "first.calls"), "50");
    assert_eq!(crate::text(&globals, "second.calls"), "60");
    // Without its function, where that is unique: here two functions have one of that name.
    let error = globals.var("calls").unwrap_err().to_string();
    assert!(error.contains("first.calls@") && error.contains("second.calls@"), "{error}");
    assert_eq!(globals.var("first.calls").unwrap().linkage(), Some(Linkage::Static));
    assert_eq!(globals.var("text").unwrap().linkage(), Some(Linkage::Global));
    // libbpf makes the externs of .kconfig global before it loads them.
    assert_eq!(globals.var("CONFIG_HZ").unwrap().linkage(), Some(Linkage::Global));
}

#[test]
fn all_sections_are_there_and_nothing_else() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let mut names: Vec<_> = globals.maps().iter().map(TypedMap::name).collect();
    names.sort_unstable();
    let expected = [".bss", ".data", ".data.custom", ".data.static", ".kconfig", ".rodata", ".rodata.custom"];
    assert_eq!(names, expected);
    let Some((_loaded, globals)) = loaded(Source::Maps) else { return };
    let mut names: Vec<_> = globals.maps().iter().map(TypedMap::name).collect();
    names.sort_unstable();
    assert_eq!(names, ["a_map_with_a_lo", "numbers", "percpu", "plain", "scalar", "stats"]);
}

#[test]
fn without_the_capability_ids_fail_with_advice_and_descriptors_work() {
    let Some((loaded, globals)) = loaded(Source::Tail) else { return };
    let id = loaded.programs[0].id();
    let btf = Btf::parse(loaded.btf.as_ref().unwrap().bytes()).unwrap();
    let map = loaded.map(".data").try_clone().unwrap();
    let again = loaded.map(".data").try_clone().unwrap();
    drop(globals);
    host::without_capabilities(|| {
        let error = Globals::by_id(id).unwrap_err();
        assert_eq!(error.cause(), Some(Cause::NeedsCapSysAdmin), "{error}");
        assert_eq!(Globals::by_name("sum").unwrap_err().cause(), Some(Cause::NeedsCapSysAdmin));
        let error = TypedMap::open(again).unwrap_err();
        assert_eq!(error.cause(), Some(Cause::BtfNeedsCapSysAdmin), "{error}");
        assert!(error.to_string().contains("CAP_SYS_ADMIN"), "{error}");
        let section = TypedMap::with_btf(map, btf).unwrap();
        let other = Btf::parse(&{
            let mut types = bpfvar_testkit::Types::default();
            let int = types.int("u64", 8);
            types.array(int, 1);
            types.bytes()
        })
        .unwrap();
        let error = TypedMap::with_btf(section.as_map().try_clone().unwrap(), other).unwrap_err().to_string();
        assert!(error.contains("no BTF describes") || error.contains("another program"), "{error}");
        section.var("last").unwrap().set("7").unwrap();
        assert_eq!(
            section.var("last").unwrap().bind::<u32, ReadWrite>().unwrap().load(std::sync::atomic::Ordering::Relaxed),
            7
        );
    });
}

#[test]
fn the_whole_system_is_read_at_once() {
    let Some((loaded, _)) = loaded(Source::Count) else { return };
    let system = Globals::of_system().unwrap();
    let ids: Vec<_> = system.maps().iter().map(|section| section.info().id).collect();
    for map in &loaded.maps {
        assert!(ids.contains(&map.map.info().id), "{}", map.name);
    }
    assert!(system.program().is_none());
}

#[test]
fn parts_say_which_bits_they_take() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let bits = |path: &str| {
        let (var, of) = (globals.var(path).unwrap(), path.split('.').next().unwrap());
        let start = globals.var(of).unwrap().bits().start;
        var.bits().start - start..var.bits().end - start
    };
    assert_eq!(bits("u128_value"), 0..128);
    assert_eq!((bits("bits_value.one"), bits("bits_value.three"), bits("bits_value.minus")), (0..1, 1..4, 4..9));
    assert_eq!(bits("bits_value.plain"), 32..64);
    assert_eq!(bits("nested.inners[1].y"), 256..288);
    // Members of a union lie over each other, whichever union of the two they are in.
    assert_eq!((bits("word.whole"), bits("word.halves.high"), bits("word.bytes[7]")), (0..64, 32..64, 56..64));
    assert_eq!(bits("anonymous_members.right"), bits("anonymous_members.right_signed"));
    // What is in a wrapper lies in it.
    let Some((loaded, _)) = loaded(Source::Together) else { return };
    let globals = Globals::by_fd(&loaded.program("read_config").program).unwrap();
    let (whole, rate) = (globals.var("config").unwrap().bits(), globals.var("config.rate").unwrap().bits());
    assert!(whole.start < rate.start && rate.end < whole.end && rate.end - rate.start == 64);
}
