//! `save`, and that `apply` brings back what it saved.

use std::os::fd::AsFd;

use bpfvar::{AccessMode, Globals, Map, TypedMap, Value, Var};
use bpfvar_objects::{Loaded, Source};
use bpfvar_testkit::host;

use crate::support::{fails, has, load, map, ok, ok_with, program, run, run_with};

#[test]
fn everything_that_can_be_set_is_printed_with_its_type() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let saved = ok(&["save", "--all", &p]);
    let expected = [
        &*format!("\n[\"{p}\"]\n"),
        "\n# .data of map count.data\nsampling = 1  # __u32, 0 to 4294967295\n# struct config\nconfig.rate = 1000  # __u64, 0 to ",
        "\nconfig.mode = \"FAST\"  # enum mode: SLOW (0), FAST (1), OFF (2)\n",
        "\n# struct limit [4] (.burst: __u32, 0 to 4294967295; .delta: __s32, -2147483648 to 2147483647)\nconfig.limits = [\n  { burst = 10, delta = -1 },\n",
        "\nconfig.enabled = true  # bool, true or false\n",
        "\nratio = 0.75  # double, a number, inf or nan\n",
        "\nlabel = \"eth0\"  # char [16], text of up to 15 bytes\n",
        "\nknob = 0  # __u8, 0 to 255\n",
        "\nhist = [0, 0, ",
        "\n# .rodata of map count.rodata is frozen, for good: ",
        "\n# version = 3  # const volatile __u32\n",
        "# prog:",
    ];
    has(&saved, &expected);
    assert!(saved.lines().all(|line| line.chars().count() <= 100), "{saved}");
    let quiet = ok(&["save", "--all", "-q", &p]);
    assert!(!quiet.contains('#') && quiet.contains("config.mode = \"FAST\"\n"), "{quiet}");
    assert_eq!(ok_with(&["apply", "-"], &quiet), ok_with(&["apply", "-"], &saved));
    assert_eq!(ok_with(&["apply", "-"], &quiet), "0 changed, 11 already so\n");
}

/// A file of counters would put old counts into a program that is loaded anew.
#[test]
fn what_programs_count_in_is_no_setting_unless_asked_for() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let saved = ok(&["save", &p]);
    has(
        &saved,
        &["\n# .bss of map count.bss: programs count in it", "\n# packets = 0  # __u64", "\nsampling = 1  # __u32"],
    );
    loaded.run(7);
    assert_eq!(ok_with(&["apply", "-"], &saved), "0 changed, 7 already so\n");
    assert_eq!(ok(&["get", "-q", &format!("{p}.packets")]), "7\n");
    let quiet = ok(&["save", "-q", &p]);
    assert!(!quiet.contains("packets") && quiet.contains("sampling = 1\n"), "{quiet}");
    // What is named itself is meant.
    has(&ok(&["save", &format!("{p}.packets")]), &["\npackets = 7  # __u64"]);
    has(&ok(&["save", &format!("{p}.bss")]), &["\npackets = 7  # __u64"]);
}

/// All variables of an object with their values.
fn shown(loaded: &Loaded) -> Vec<String> {
    let mut shown = Vec::new();
    for of in &loaded.maps {
        let Ok(typed) = TypedMap::open(of.map.try_clone().unwrap()) else { continue };
        shown.extend(typed.vars().map(|var| format!("{var}: {}", var.read().unwrap())));
    }
    shown
}

/// Changes every bit of every map that can be written by programs' values.
fn flip(loaded: &Loaded) {
    for LoadedBytes { map, entries } in bytes(loaded) {
        for (index, mut bytes) in (0..).zip(entries) {
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
            map.update(index, &bytes).unwrap();
        }
    }
}

struct LoadedBytes {
    map: Map,
    entries: Vec<Vec<u8>>,
}

/// The contents of all maps that can be written.
fn bytes(loaded: &Loaded) -> Vec<LoadedBytes> {
    let mut all = Vec::new();
    for of in &loaded.maps {
        let Ok(typed) = TypedMap::open(of.map.try_clone().unwrap()) else { continue };
        if !matches!(typed.access().unwrap(), AccessMode::Mapped | AccessMode::SystemCall) {
            continue;
        }
        let mut one = vec![0; typed.info().value_size as usize];
        let entries = (0..typed.info().max_entries).map(|index| {
            typed.as_map().lookup(index, &mut one).unwrap();
            one.clone()
        });
        let entries = entries.collect();
        all.push(LoadedBytes { map: of.map.try_clone().unwrap(), entries });
    }
    all
}

/// The targets that name all of an object.
fn targets(loaded: &Loaded) -> Vec<String> {
    match loaded.programs.as_slice() {
        [_] => vec![program(loaded)],
        // Sections that several programs use.
        _ => loaded.maps.iter().map(|of| format!("map:{}", of.map.info().id)).collect(),
    }
}

fn save(loaded: &Loaded) -> String {
    let mut args = vec!["save".to_owned(), "--all".to_owned(), "--rewrite".to_owned()];
    args.extend(targets(loaded));
    ok(&args)
}

#[test]
fn save_change_apply_is_a_round_trip_for_every_kind_of_variable() {
    for source in Source::ALL {
        // What changes as one has words of its own that are not to be overwritten: below. What each CPU counts is no setting.
        if matches!(source, Source::Shapes | Source::Together | Source::TogetherX86 | Source::PerCpu) {
            continue;
        }
        let Some(loaded) = load(source) else { continue };
        loaded.run(3);
        let (saved, before) = (save(&loaded), shown(&loaded));
        let contents = bytes(&loaded);
        flip(&loaded);
        let changed = shown(&loaded);
        let differ = before.iter().zip(&changed).filter(|(before, changed)| before != changed).count();
        assert!(differ > 0 && save(&loaded) != saved, "{source:?}");
        let printed = ok_with(&["apply", "--rewrite", "-"], &saved);
        assert!(printed.ends_with(" changed\n"), "{source:?}: {printed}");
        assert_eq!(shown(&loaded), before, "{source:?}");
        assert_eq!(save(&loaded), saved, "{source:?}");
        has(&ok_with(&["apply", "--rewrite", "-"], &saved), &["0 changed, "]);
        // Every byte is as it was, or padding, which was flipped and is never written. In `kinds` some shares bytes with bitfields.
        for (was, is) in contents.iter().zip(bytes(&loaded)).filter(|_| source != Source::Kinds) {
            for (was, is) in was.entries.iter().flatten().zip(is.entries.iter().flatten()) {
                assert!(was == is || *was == !*is, "{source:?}");
            }
        }
    }
}

/// Another value of the same type.
fn other(var: &Var, value: &Value) {
    match value {
        Value::Array(elements) => elements.iter().enumerate().for_each(|(index, value)| {
            other(&var.at(&format!("[{index}]")).unwrap(), value);
        }),
        Value::Struct(members) => members.iter().for_each(|(name, value)| {
            other(&var.at(&format!(".{name}")).unwrap(), value);
        }),
        Value::Uint(number) => drop(var.set(number ^ 1).unwrap()),
        Value::Enum { value, .. } => drop(var.set(value ^ 1).unwrap()),
        value => panic!("no variable of together.bpf.c is {value:?}"),
    }
}

#[test]
fn what_changes_as_one_is_saved_and_applied_as_one() {
    for source in [Source::Together, Source::TogetherX86] {
        let Some(loaded) = load(source) else { return };
        let (saved, before) = (save(&loaded), shown(&loaded));
        for of in &loaded.maps {
            for var in TypedMap::open(of.map.try_clone().unwrap()).unwrap().vars() {
                let cpus = var.each_cpu().unwrap();
                let all = if cpus.is_empty() { vec![var] } else { cpus };
                all.iter().for_each(|var| other(var, &var.read().unwrap()));
            }
        }
        let changed = shown(&loaded);
        assert!(before.iter().zip(&changed).all(|(before, changed)| before != changed), "{changed:#?}");
        assert!(ok_with(&["apply", "-"], &saved).ends_with(" changed\n"));
        assert_eq!((shown(&loaded), save(&loaded)), (before, saved));
    }
}

/// Values that are easily written so that they cannot be read again.
#[test]
fn odd_values_come_back() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let globals = Globals::by_id(loaded.programs[0].id()).unwrap();
    let set = |path: &str, value: &str| drop(globals.var(path).unwrap().set(value).unwrap());
    set("text", "\"\\u001b[1m\u{202e}\"");
    set("lines", "[\"a\\\"\\\\b\", \"'''\", \"\\n\\t\u{7f}\"]");
    set("u64_value", "18446744073709551615");
    set("s64_value", "-9223372036854775808");
    set("u128_value", "340282366920938463463374607431768211455");
    set("s128_value", "-170141183460469231731687303715884105728");
    set("float_value", "nan");
    set("float_array", "[0.1, 3.4028235e38, 1e-45]");
    set("double_array", "[\"-Infinity\", 5e-324]");
    set("double_value", "-0.0");
    set("full_text", "[-1, 0, 120, 0]");
    set("small_value", "77");
    set("big_value", "0xfffffffffffffffe");
    set("bits_value.hue", "7");
    set("node_pointer", "0xffffffffffffffff");
    let saved = ok(&["save", "--all", "--rewrite", &p]);
    assert!(!saved.contains(['\u{1b}', '\u{202e}', '\u{7f}']), "{saved}");
    has(
        &saved,
        &["text = \"\\u001b[1m\\u202e\"", "float_value = nan", "full_text = [-1, 0, 120, 0]", "double_value = -0.0"],
    );
    has(
        &saved,
        &[
            "float_array = [0.1, 3.4028235e38, 1e-45]",
            "double_array = [-inf, 5e-324]",
            "big_value = \"18446744073709551614\"",
        ],
    );
    has(&ok_with(&["apply", "--rewrite", "-"], &saved), &["0 changed, "]);
    let before = ok(&["get", &p]);
    flip(&loaded);
    // Some are numbers of enums that have no enumerator, which is told.
    assert!(run_with(&["apply", "--rewrite", "-"], &saved).status.success());
    assert_eq!(ok(&["get", &p]), before);
    // What stands behind the end of a text is not seen, and is no difference.
    let label = globals.var("text").unwrap();
    label.set("[97, 98, 99, 0, 1, 2, 3, 0]").unwrap();
    let saved = ok(&["save", &format!("{p}.text")]);
    has(&saved, &["text = \"abc\""]);
    assert_eq!(ok_with(&["apply", "-"], &saved), "0 changed, 1 already so\n");
    assert_eq!(globals.var("text[5]").unwrap().read().unwrap().as_i128(), Some(2));
}

#[test]
fn members_of_a_union_are_saved_once_and_bitfields_with_what_they_hold() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let saved = ok(&["save", &program(&loaded)]);
    has(
        &saved,
        &["\nword.whole = 72623859790382856  # __u64", "\nnumber.integer = ", "\nanonymous_members.as_number = "],
    );
    for other in ["word.halves", "word.bytes", "number.real", "anonymous_members.left", "anonymous_members.right"] {
        assert!(!saved.contains(other), "{other}: {saved}");
    }
    has(&saved, &["bits_value.minus = -7  # __s32 : 5, -16 to 15\n", "\"first.calls\" = 50  # __u32"]);
    has(&saved, &["bits_value.hue = \"GREEN\"  # enum color : 3: RED (0), GREEN (5)\n"]);
    has(&saved, &["cold = \"FREEZING\"  # enum temperature : 8: FREEZING (-40), WARM (20), HOT (90)\n"]);
    has(&saved, &["\nnode_pointer = \"0xffff888012345678\"  # struct node *, an address\n"]);
}

#[test]
fn what_cannot_be_set_is_a_comment_with_the_reason() {
    let Some(loaded) = load(Source::Maps) else { return };
    let p = program(&loaded);
    let saved = ok(&["save", "--all", &p]);
    has(&saved, &["\n# map plain cannot be mapped for writing; `set --rewrite`", "\n# plain = [{packets: 0, "]);
    has(
        &saved,
        &["\n# map percpu is a per-CPU array: ", "\n# percpu = {packets: 0, ", "\nstats = [\n  { packets = 0, "],
    );
    has(&saved, &["\n\"a_map_with_a_lo[0]\" = 0  # __u32, 0 to 4294967295\n"]);
    let saved = ok(&["save", "--all", "--rewrite", &p]);
    has(&saved, &["\n# map plain\n", "\nplain = [\n  { packets = 0, "]);
    has(&ok_with(&["apply", "--rewrite", "-"], &saved), &["0 changed, 5 already so"]);
    let stats = map(&loaded, "stats");
    has(&ok(&["save", &stats]), &[&format!("\n\"{stats}\" = [\n  {{ packets = 0, ")]);
    has(&ok(&["save", &format!("{stats}[1]")]), &[&format!("\n\"{stats}[1]\".packets = 0  # __u64")]);
}

#[test]
fn parts_are_saved_by_the_names_that_were_given() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let targets = [".config.rate", ".bss", ".config.limits[2]", ".label"].map(|target| format!("{p}{target}"));
    let mut args = vec!["save"];
    args.extend(targets.iter().map(String::as_str));
    let saved = ok(&args);
    has(
        &saved,
        &[
            "\nconfig.rate = 1000",
            "\nconfig.\"limits[2]\".burst = 30",
            &format!("\n[\"{p}.bss\"]\n"),
            "\nlabel = \"eth0\"",
        ],
    );
    assert_eq!(saved.matches(&format!("\n[\"{p}\"]\n")).count(), 1, "{saved}");
    ok(&["set", "-q", &format!("{p}.config.rate=1"), &format!("{p}.config.limits[2].delta=9"), &format!("{p}.knob=3")]);
    has(
        &ok_with(&["apply", "-"], &saved),
        &["config.rate: 1 -> 1000", "limits[2].delta: 9 -> -3", "bss.knob: 3 -> 0", "3 changed"],
    );
    let line = fails(&["save", &p, &format!("{p}.config.rate")]);
    has(&line, &[&format!("{p}.config.rate and {p}.config overlap"), "name one of the two"]);
    has(&fails(&["save", "--json", &p]), &["save prints TOML", "bpfvar dump --json"]);
    assert_eq!(run(&["save"]).status.code(), Some(2));
    has(&fails(&["save", &format!("{p}.nothing")]), &["there is no variable \"nothing\""]);
}

#[test]
fn two_variables_of_one_name_are_told_apart() {
    let Some(loaded) = load(Source::Twin) else { return };
    let saved = ok(&["save", &program(&loaded)]);
    has(&saved, &["\n\"calls@8\" = 100  # __u64", "\n\"calls@16\" = 200  # __u64"]);
    has(&ok_with(&["apply", "-"], &saved), &["0 changed, "]);
}

#[test]
fn what_is_half_written_is_left_out_and_told() {
    let Some(loaded) = load(Source::Together) else { return };
    loaded.program("cut_short").run(1);
    let output = run(&["save", &format!("prog:{}", loaded.program("cut_short").id())]);
    assert_eq!(output.status.code(), Some(1));
    let (printed, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    has(&printed, &["\n# shared = (half written)  # BPFVAR_SEQ(struct block)\n"]);
    assert!(told.lines().count() == 1 && told.contains("shared is (half written), and is left out"), "{told}");
    assert!(host::ready((5, 12)));
}

/// BTF with a float of 16 bytes, which no compiler for BPF makes, in a struct with an `int`: types 1, 2, 3.
fn btf_of_a_wide_float() -> Vec<u8> {
    let strings = b"\0wide\0int\0pair\0x\0n\0";
    let types: [u32; 16] = [
        1,
        16 << 24,
        16, // a float of 16 bytes
        6,
        1 << 24,
        4,
        1 << 24 | 32, // int
        10,
        4 << 24 | 2,
        32, // struct pair
        15,
        1,
        0, // wide x
        17,
        2,
        128, // int n
    ];
    let types_len = size_of_val(&types) as u32;
    let header = [24, 0, types_len, types_len, strings.len() as u32];
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    bytes.extend(header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()));
    bytes.extend(strings);
    bytes
}

#[test]
fn what_btf_gives_no_meaning_to_is_a_comment() {
    if !host::ready((5, 13)) {
        return;
    }
    let btf = bpfvar_testkit::load_btf(&btf_of_a_wide_float()).unwrap();
    let maps = Map::builder().name("aply_wide").value_size(32).entries(2);
    let wide = maps.btf(btf.as_fd(), 2, 3).create().unwrap();
    let name = format!("map:{}", wide.info().id);
    let saved = ok(&["save", &name]);
    has(&saved, &[&format!("# \"{name}[1]\".x = 0x00000000000000000000000000000000  # wide: bpfvar only shows it\n")]);
    has(&saved, &[&format!("\n\"{name}[1]\".n = 0  # int, -2147483648 to 2147483647\n")]);
    assert_eq!(ok_with(&["apply", "-"], &saved), "0 changed, 2 already so\n");
}
