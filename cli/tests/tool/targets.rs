//! Naming things.

use std::fs;

use bpfvar_objects::{Source, load_as_aya};
use bpfvar_testkit::host;
use bpfvar_testkit::insn::{self, Reg};

use crate::support::{fails, has, load, map, ok, program, run, run_times, text};

#[test]
fn one_name_for_two_programs_is_an_error_that_tells_them_apart() {
    let (Some(count), Some(twin)) = (load(Source::Count), load(Source::Twin)) else { return };
    let line = fails(&["get", "count.sampling"]);
    for loaded in [&count, &twin] {
        has(&line, &[&format!("{}.sampling", program(loaded)), &format!("map {}", loaded.map(".data").info().id)]);
    }
    has(&fails(&["dump", "count"]), &[&program(&count), &program(&twin)]);
    // Each name in the error works.
    assert_eq!(
        ok(&["get", "-q", &format!("{}.sampling", program(&twin)), &format!("{}.sampling", map(&count, ".data"))]),
        "2\n1\n"
    );
    // Nothing is written if one is ambiguous.
    fails(&["set", &format!("{}.sampling=9", program(&twin)), "count.sampling=9"]);
    assert_eq!(ok(&["get", "-q", &format!("{}.sampling", program(&twin))]), "2\n");
}

#[test]
fn variables_of_one_name_are_told_by_their_offsets() {
    let Some(twin) = load(Source::Twin) else { return };
    let p = program(&twin);
    has(&fails(&["get", &format!("{p}.calls")]), &["calls@8", "calls@16", "NAME@OFFSET", "byte"]);
    has(&fails(&["get", &format!("{p}.calls@9")]), &["the byte", "8 and 16", "\"9\""]);
    has(&fails(&["get", &format!("{p}.calsl")]), &["calls@8", "calls@16"]);
    assert_eq!(ok(&["get", &format!("{p}.calls@16")]), format!("{p}.calls@16 = 200\n"));
    has(&ok(&["get", &p]), &[&format!("{p}.calls@8 = 100\n"), &format!("{p}.calls@16 = 200\n")]);
}

#[test]
fn names_may_have_dots_and_be_cut() {
    let Some(kinds) = load(Source::Kinds) else { return };
    let p = program(&kinds);
    assert_eq!(ok(&["get", "-q", &format!("{p}.first.calls"), &format!("{p}.second.calls")]), "50\n60\n");
    assert_eq!(ok(&["get", "-q", &format!("{p}.data.custom.custom_data"), &format!("{p}.custom_data")]), "30\n30\n");
    assert_eq!(ok(&["get", "-q", &format!("{p}.bits_value.hue"), &format!("{p}.cube[1][2][3]")]), "GREEN\n-123\n");
    // By name where nobody else has it just now; else an error names the other.
    for name in ["touch_every_variable.type", "touch_every_var.type", ".rodata.custom.custom_rodata"] {
        let output = run(&["get", "-q", name]);
        let line = text(&output.stderr);
        assert!(output.status.success() || line.contains("could be any of"), "{output:?}");
    }
    has(&fails(&["get", "touch_every_variables.type"]), &["there is no program or map"]);
}

#[test]
fn array_maps_without_a_section_are_targets_too() {
    let Some(maps) = load(Source::Maps) else { return };
    run_times(&maps, 2);
    let (p, stats) = (program(&maps), map(&maps, "stats"));
    assert_eq!(ok(&["get", "-q", &format!("{stats}[3].packets"), &format!("{p}.stats[3].packets")]), "2\n2\n");
    assert_eq!(ok(&["get", "-q", &format!("{}[7]", map(&maps, "scalar"))]), "2\n");
    assert_eq!(ok(&["get", "-q", &map(&maps, "a_map_with_a_long_name")]), "2\n");
    assert_eq!(ok(&["set", &format!("{stats}[1].mode=7")]), format!("{stats}[1].mode: 2 -> 7\n"));
    has(&fails(&["get", &format!("{stats}[4]")]), &["0 to 3"]);
    has(&fails(&["set", &format!("{stats}.mode=7")]), &["stats[0].mode"]);
    // Hashes are no variables, however they are named.
    for args in [["set", "hash[7].drops=1"], ["add", "percpu_hash[7]"]] {
        let target = format!("{p}.{}", args[1]);
        let args: Vec<&str> = if args[0] == "add" { vec!["add", &target, "1"] } else { vec!["set", &target] };
        has(&fails(&args), &["map \"", "HASH", "only read"]);
    }
    assert_eq!(ok(&["get", "-q", &format!("{p}.hash[7].packets")]), "2\n");
}

/// As `list` heads what it shows: the object, whose name its sections' maps start with.
#[test]
fn the_name_of_an_object_is_a_target() {
    let Some(loaded) = load(Source::Together) else { return };
    let object = loaded.map(".bss").info().name.strip_suffix(".bss").unwrap().to_owned();
    let line = fails(&["get", &format!("{object}.nothing")]);
    has(&line, &["no variable \"nothing\""]);
    // Other tests have the same object loaded, and then it is one of several.
    let output = run(&["get", &format!("{object}.settings")]);
    match output.status.code() {
        Some(0) => has(&text(&output.stdout), &[&format!("{object}.settings = ")]),
        _ => has(&text(&output.stderr), &["could be any of", &format!("{object}.settings")]),
    }
}

#[test]
fn an_entry_is_no_section() {
    let Some(maps) = load(Source::Maps) else { return };
    let line = fails(&["set", &format!("{}[1].mode=7", map(&maps, "plain"))]);
    has(&line, &["cannot be mapped", "whole entry"]);
    assert!(!line.contains("whole section"), "{line}");
}

#[test]
fn a_map_without_types_is_told_in_words_of_the_tool() {
    let Some(_loaded) = load(Source::Count) else { return };
    let bare = bpfvar::Map::builder().name("bpfvar_bare").value_size(8).entries(4).create().unwrap();
    for args in [["get", "bpfvar_bare"], ["list", "bpfvar_bare"]] {
        let line = fails(&args);
        has(&line, &[&format!("map \"bpfvar_bare\" (id {})", bare.info().id)]);
        assert!(!line.contains("::"), "{line}");
    }
}

#[test]
fn a_program_loaded_without_btf_is_said_to_be() {
    if !host::ready((5, 6)) {
        return;
    }
    let program = bpfvar_testkit::Program::socket_filter(&[insn::mov_imm(Reg::R0, 0), insn::exit()]);
    let p = format!("prog:{}", program.id());
    for args in [vec!["get", &p], vec!["get", &format!("{p}.counter")], vec!["show", &p], vec!["list", "-q", &p]] {
        has(&fails(&args), &["was loaded without BTF", "-g"]);
    }
    has(&ok(&["list", &p]), &[&format!("(id {})\n", program.id()), "was loaded without BTF"]);
}

#[test]
fn a_section_may_be_named_with_its_own_dot() {
    let Some(kinds) = load(Source::Kinds) else { return };
    let p = program(&kinds);
    for dots in [".", ".."] {
        assert_eq!(ok(&["get", "-q", &format!("{p}{dots}data.custom.custom_data")]), "30\n");
        assert_eq!(ok(&["get", "-q", &format!("{p}{dots}rodata.custom")]), "32\n");
    }
}

#[test]
fn pins_are_targets() {
    let Some(count) = load(Source::Count) else { return };
    let bpffs = host::Bpffs::mount();
    let (map_pin, program_pin) = (bpffs.path("bss"), bpffs.path("program"));
    count.map(".bss").pin(&map_pin).unwrap();
    count.programs[0].program.pin(&program_pin);
    run_times(&count, 5);
    let (map_pin, program_pin) = (format!("pin:{}", map_pin.display()), format!("pin:{}", program_pin.display()));
    assert_eq!(
        ok(&["get", "-q", &format!("{map_pin}.packets"), &format!("{program_pin}.config.limits[1].burst")]),
        "5\n20\n"
    );
    assert_eq!(ok(&["freeze", &map_pin]), format!("{map_pin}: frozen\n"));
    has(&fails(&["get", "pin:/no/such/pin.x"]), &["/no/such/pin", "does not exist"]);
    let file = std::env::temp_dir().join(format!("bpfvar-no-pin-{}", std::process::id()));
    fs::write(&file, "").unwrap();
    has(&fails(&["get", &format!("pin:{}.x", file.display())]), &["not a pinned object"]);
    fs::remove_file(file).unwrap();
}

#[test]
fn an_id_may_be_a_programs_or_a_maps() {
    let Some(count) = load(Source::Count) else { return };
    let id = count.map(".bss").info().id;
    let output = run(&["get", &format!("id:{id}.packets")]);
    // A program of the same id may have a variable of the same name.
    assert!(output.status.success() || text(&output.stderr).contains(&format!("prog:{id}.packets")), "{output:?}");
    for target in ["id:4294967295", "prog:4294967295.x", "map:4294967295"] {
        has(&fails(&["get", target]), &["no ", "id 4294967295", "bpfvar list"]);
    }
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let Some(count) = load(Source::Count) else { return };
    let p = program(&count);
    has(
        &fails(&["get", &format!("{p}.samplin")]),
        &["no variable \"samplin\"", "did you mean", &format!("{p}.sampling")],
    );
    has(&fails(&["get", &format!("{p}.config.rat")]), &["no member", "rate", "mode"]);
    has(&fails(&["get", &format!("{p}.hist[16]")]), &["0 to 15"]);
    let line = fails(&["get", "neighbour"]);
    has(&line, &["did you mean", ".neighbour"]);
    // Each of them names one thing.
    let meant = line.trim_end().trim_end_matches('?').split_once("did you mean ").unwrap().1;
    for target in meant.split(" or ").filter(|target| *target == format!("{p}.neighbour")) {
        ok(&["get", target]);
    }
    has(&fails(&["get", "conut.sampling"]), &["did you mean", "count"]);
    has(&fails(&["get", "nothing_like_it.x"]), &["bpfvar list"]);
    has(&fails(&["set", &format!("{p}=1")]), &["not one variable", &format!("{p}.packets")]);
}

#[test]
fn sections_of_aya_are_read_and_only_rewritten_when_asked() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let aya = load_as_aya(Source::Count);
    run_times(&aya, 4);
    let p = program(&aya);
    assert_eq!(ok(&["get", "-q", &format!("{p}.packets"), &format!("{p}.config.mode")]), "4\nFAST\n");
    has(&ok(&["show", &format!("{p}.sampling")]), &["system call"]);
    has(&fails(&["set", &format!("{p}.sampling=9")]), &["cannot be mapped", "--rewrite", "loses"]);
    for args in [vec!["add", "9"], vec!["cas", "1", "9"]] {
        let line = fails(&[&[args[0], &format!("{p}.sampling")], &args[1..]].concat());
        has(&line, &["cannot be mapped", &format!("{} needs a mapped section", args[0])]);
        assert!(!line.contains("--rewrite"), "{line}");
    }
    let line = fails(&["-v", "set", &format!("{p}.sampling=9")]);
    has(&line, &["BPF_F_MMAPABLE"]);
    assert!(!line.contains("::"), "{line}");
    assert_eq!(ok(&["set", "--rewrite", &format!("{p}.sampling=9")]), format!("{p}.sampling: 1 -> 9\n"));
    has(&fails(&["set", "--rewrite", &format!("{p}.sampling=10"), &format!("{p}.version=9")]), &["frozen"]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.sampling"), &format!("{p}.version")]), "9\n3\n");
    // Where memory can be mapped, --rewrite changes nothing.
    let count = bpfvar_objects::load(Source::Count);
    ok(&["set", "--rewrite", &format!("{}.sampling=9", program(&count))]);
}
