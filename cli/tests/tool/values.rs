//! `get`, `set`, `add`, `cas`, `show`, `dump`, `list`, `freeze`.

use bpfvar_objects::Source;
use bpfvar_testkit::host;
use serde_json::{Value, json};

use crate::support::{fails, has, json, load, map, ok, ok_with, program, run, run_times, run_with, text};

#[test]
fn get_prints_a_line_a_variable() {
    let Some(loaded) = load(Source::Count) else { return };
    run_times(&loaded, 3);
    let p = program(&loaded);
    let args =
        ["get", &format!("{p}.packets"), &format!("{p}.config.rate"), &format!("{p}.hist[1]"), &format!("{p}.label")];
    assert_eq!(ok(&args), format!("{p}.packets = 3\n{p}.config.rate = 1000\n{p}.hist[1] = 1\n{p}.label = \"eth0\"\n"));
    assert_eq!(ok(&["get", "-q", &format!("{p}.packets"), &format!("{p}.label")]), "3\neth0\n");
    let config = json(&["get", "--json", &format!("{p}.config.limits[0]"), &format!("{p}.ratio")]);
    assert_eq!(
        config,
        json!({ format!("{p}.config.limits[0]"): {"burst": 10, "delta": -1}, format!("{p}.ratio"): 0.75 })
    );
    let bss = map(&loaded, ".bss");
    let all = ok(&["get", &bss]);
    assert_eq!(all.lines().next(), Some(format!("{bss}.packets = 3").as_str()), "{all}");
    assert_eq!(all.lines().count(), 4);
    assert_eq!(ok(&["get", &format!("{p}.bss")]).lines().count(), 4);
}

#[test]
fn set_prints_old_and_new() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let printed =
        ok(&["set", &format!("{p}.sampling=0x64"), &format!("{p}.config.mode=OFF"), &format!("{p}.ratio=1e-3")]);
    assert_eq!(printed, format!("{p}.sampling: 1 -> 100\n{p}.config.mode: FAST -> OFF\n{p}.ratio: 0.75 -> 0.001\n"));
    assert_eq!(loaded.run(1), 0, "the program sees the mode");
    assert_eq!(ok(&["set", "-q", &format!("{p}.sampling=7")]), "");
    let printed = json(&["set", "--json", &format!("{p}.config.limits[2]={{\"burst\": 7}}")]);
    let (old, new) = (json!({"burst": 30, "delta": -3}), json!({"burst": 7, "delta": -3}));
    assert_eq!(printed, json!({ format!("{p}.config.limits[2]"): {"old": old, "new": new} }));
    assert_eq!(ok(&["set", &format!("{p}.label=wlan=0.")]), format!("{p}.label: \"eth0\" -> \"wlan=0.\"\n"));
    assert_eq!(ok(&["set", &format!("{p}.label=")]), format!("{p}.label: \"wlan=0.\" -> \"\"\n"));
}

/// Not the whole struct, of which the eye would have to find what changed.
#[test]
fn set_prints_the_scalars_of_a_struct_that_changed() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let config =
        format!("{p}.config={{\"rate\": 7, \"enabled\": true, \"limits\": [{{}}, {{\"burst\": 21}}, {{}}, {{}}]}}");
    let printed = format!("{p}.config.rate: 1000 -> 7\n{p}.config.limits[1].burst: 20 -> 21\n");
    assert_eq!(ok(&["set", &config]), printed);
    assert_eq!(ok(&["set", &config]), format!("{p}.config: already so\n"));
    assert_eq!(ok(&["set", &format!("{p}.sampling=1")]), format!("{p}.sampling: 1 -> 1\n"));
    let limits = "{ burst = 10 }, { burst = 21, delta = 5 }, { burst = 30 }, {}";
    let printed = ok_with(&["apply", "-"], &format!("['{p}'.config]\nlimits = [{limits}]\n"));
    assert_eq!(printed, format!("{p}.config.limits[1].delta: -2 -> 5\n1 changed\n"));
}

/// It can be stored: the compiler that made the program may have known more names. But it is told.
#[test]
fn a_number_without_an_enumerator_is_stored_and_told() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let warning = format!("{p}.config.mode: enum mode has no enumerator for 5; it has SLOW = 0, FAST = 1, OFF = 2\n");
    let said = |args: &[String], input: &str| {
        let output = run_with(args, input);
        assert!(output.status.success());
        text(&output.stderr)
    };
    for value in ["config.mode=5", "config={\"mode\": 5}", "config.mode|=4"] {
        ok(&["set", "-q", &format!("{p}.config.mode=FAST")]);
        assert_eq!(said(&["set".to_owned(), format!("{p}.{value}")], ""), format!("bpfvar: {warning}"), "{value}");
        assert_eq!(ok(&["get", "-q", &format!("{p}.config.mode")]), "5\n");
    }
    // What was there before is no news.
    assert_eq!(said(&["set".to_owned(), format!("{p}.config={{\"rate\": 9}}")], ""), "");
    ok(&["set", "-q", &format!("{p}.config.mode=2")]);
    let settings = format!("['{p}']\nconfig.mode = 5\n");
    for args in [["apply", "--check", "-"].as_slice(), &["apply", "-"]] {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        assert_eq!(said(&args, &settings), format!("bpfvar: standard input:2: {warning}"));
    }
    ok(&["set", "-q", &format!("{p}.config.mode=2")]);
    let printed: Value = serde_json::from_str(&ok_with(&["apply", "--json", "-"], &settings)).unwrap();
    assert_eq!(printed["warnings"], json!([format!("standard input:2: {}", warning.trim_end())]));
}

#[test]
fn one_bad_value_or_target_and_nothing_is_written() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let good = [format!("{p}.sampling=5"), format!("{p}.neighbour=6")];
    for bad in [
        "knob=256",
        "knob=-1",
        "knob=x",
        "sampling=4294967296",
        "config.mode=QUICK",
        "ratio=1e999",
        "version=4",
        "nothing=1",
        "label=longer than there is room",
        "config={\"rates\": 1}",
        "hist=[1,2]",
    ] {
        let line = fails(&["set", &good[0], &good[1], &format!("{p}.{bad}")]);
        has(&line, &[bad.split(['=', '.']).next().unwrap()]);
        assert_eq!(
            ok(&["get", "-q", &format!("{p}.sampling"), &format!("{p}.neighbour"), &format!("{p}.knob")]),
            "1\n0\n0\n"
        );
    }
}

#[test]
fn what_cannot_be_stored_is_said_in_the_users_terms() {
    let (Some(count), Some(kinds)) = (load(Source::Count), load(Source::Kinds)) else { return };
    let (p, k) = (program(&count), program(&kinds));
    for (setting, said) in [
        (format!("{p}.config={{\"rate\": 1, \"rate\": 2}}"), "the member \"rate\" is given twice"),
        (format!("{p}.config={{\"rat\": 1}}"), "has no member \"rat\"; it has rate, mode"),
        (format!("{p}.config={{\"rate\": null}}"), "it cannot be stored: invalid type: null"),
        (format!("{p}.config={{\"rate\": 1"), "it is not valid JSON: EOF"),
        (format!("{p}.sampling*=2"), "there is no operator *="),
    ] {
        let output = run(&["set", &setting]);
        assert!(!output.status.success(), "{setting}");
        has(&text(&output.stderr), &[said]);
    }
    // Flags together.
    let output = run(&["set", &format!("{k}.color_value=GREEN|BLUE")]);
    assert_eq!(text(&output.stdout), format!("{k}.color_value: BLUE -> 2147483653\n"));
}

#[test]
fn add_takes_negative_amounts_and_refuses_what_does_not_fit() {
    let Some(loaded) = load(Source::Count) else { return };
    let knob = format!("{}.knob", program(&loaded));
    assert_eq!(ok(&["add", &knob, "10"]), format!("{knob}: 0 -> 10\n"));
    assert_eq!(ok(&["add", &knob, "-0x3"]), format!("{knob}: 10 -> 7\n"));
    assert_eq!(ok(&["add", "-q", &knob, "-2"]), "5\n");
    assert_eq!(json(&["add", &knob, "-5", "--json"]), json!({ &knob: {"old": 5, "new": 0} }));
    for amount in ["-1", "256", "x", "1.5"] {
        has(&fails(&["add", &knob, amount]), &["knob", amount]);
    }
    assert_eq!(ok(&["get", "-q", &knob]), "0\n");
}

#[test]
fn cas_swaps_only_what_it_was_told() {
    let Some(loaded) = load(Source::Count) else { return };
    let mode = format!("{}.config.mode", program(&loaded));
    assert_eq!(ok(&["cas", &mode, "FAST", "OFF"]), format!("{mode}: FAST -> OFF\n"));
    has(&fails(&["cas", &mode, "FAST", "SLOW"]), &["is OFF, not FAST", "nothing was written"]);
    let output = crate::support::run(&["cas", "--json", &mode, "1", "0"]);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, json!({ &mode: {"swapped": false, "old": "OFF"} }));
    assert_eq!(ok(&["cas", "-q", &mode, "2", "FAST"]), "");
    assert_eq!(ok(&["get", "-q", &mode]), "FAST\n");
}

#[test]
fn no_key_of_json_is_there_twice() {
    let Some(loaded) = load(Source::Count) else { return };
    let sampling = format!("{}.sampling", program(&loaded));
    assert_eq!(ok(&["get", &sampling, &sampling, "--json"]).matches("sampling").count(), 1);
    let printed = ok(&["set", &format!("{sampling}=5"), &format!("{sampling}+=1"), "--json"]);
    assert_eq!(printed.matches("sampling").count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()[&sampling], json!({"old": 1, "new": 6}));
}

#[test]
fn what_is_no_json_is_answered_with_some() {
    let Some(loaded) = load(Source::Count) else { return };
    let line = fails(&["set", &format!("{}.hist=abcd", program(&loaded))]);
    has(&line, &["hist", "\"abcd\"", "[1, 2, 3]"]);
    assert!(!line.contains("line 1 column"), "{line}");
    has(&fails(&["cas", &format!("{}.config", program(&loaded)), "{}", "{}"]), &["an aligned scalar", "one step"]);
}

#[test]
fn show_names_the_enumerators_of_a_bitfield() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let shown = ok(&["show", &format!("{}.bits_value.hue", program(&loaded))]);
    has(&shown, &["  enum color {\n", "GREEN = 5,", "} hue : 3;"]);
    has(&ok(&["show", &format!("{}.bits_value.three", program(&loaded))]), &["__u32 three : 3;"]);
}

#[test]
fn show_declares_a_variable() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let shown = ok(&["show", &format!("{p}.config")]);
    has(&shown, &["struct config {", "__u64 rate;", "// offset 12, 4 bytes", "FAST = 1,", "limits[4];"]);
    let data = map(&loaded, ".data");
    has(&shown, &["global, byte 8 of section .data, 48 bytes", &data, "count.data", "read-write"]);
    assert!(ok(&["show", "-q", &format!("{p}.sampling")]).starts_with("__u32 sampling;"));
    let shown = json(&["show", "--json", &format!("{p}.config.mode")]);
    assert_eq!((&shown["type"], &shown["offset"], &shown["size"]), (&json!("enum mode"), &json!(16), &json!(4)));
    assert_eq!(shown["access"], "read-write");
    assert_eq!(json(&["show", "--json", &p]).as_array().map(Vec::len), Some(9));
}

#[test]
fn dump_holds_everything() {
    let Some(loaded) = load(Source::Count) else { return };
    loaded.run(1);
    let p = program(&loaded);
    let dumped = json(&["dump", "--json", &p]);
    assert_eq!(dumped["programs"][0]["id"], loaded.programs[0].id());
    let sections = dumped["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 3);
    let data = sections.iter().find(|section| section["name"] == ".data").unwrap();
    assert_eq!(data["map"]["id"], loaded.map(".data").info().id);
    assert_eq!(data["programs"], json!([loaded.programs[0].id()]));
    let config = data["variables"].as_array().unwrap().iter().find(|variable| variable["name"] == "config").unwrap();
    assert_eq!(
        (&config["linkage"], &config["offset"], &config["value"]["mode"]),
        (&json!("global"), &json!(8), &json!("FAST"))
    );
    has(
        &ok(&["dump", &p]),
        &["  packets = 1\n", "  config = {\n    rate: 1000\n", "[3] {burst: 40, delta: -4}", "used by program count"],
    );
    assert_eq!(json(&["dump", "--json", &format!("{p}.packets")])["sections"][0]["variables"][0]["value"], 1);
    assert!(json(&["dump", "--json"])["sections"].as_array().is_some_and(|sections| sections.len() >= 3));
}

#[test]
fn every_kind_of_value_is_valid_json() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    ok(&[
        "set",
        "-q",
        &format!("{p}.float_value=nan"),
        &format!("{p}.double_value=-inf"),
        &format!("{p}.text=\"\u{1b}["),
    ]);
    let get = |name: &str| json(&["get", "--json", "-q", &format!("{p}.{name}")]);
    assert_eq!(get("u64_value"), "17434265340928784376");
    assert_eq!(get("s128_value"), "-1267650600228229401496703205376");
    assert_eq!((get("float_value"), get("double_value")), (json!("NaN"), json!("-Infinity")));
    assert_eq!((get("big_value"), get("bool_value"), get("u8_value")), (json!("BIG_ONE"), json!(true), json!(0xf1)));
    assert_eq!((get("node_pointer"), get("text")), (json!("0xffff888012345678"), json!("\"\u{1b}[")));
    assert_eq!((get("first.calls"), get("bits_value.minus")), (json!(50), json!(-7)));
    // What was printed is also taken.
    for name in [
        "u64_value",
        "s128_value",
        "float_value",
        "double_value",
        "big_value",
        "node_pointer",
        "bits_value",
        "nested",
        "cube",
        "lines",
    ] {
        let printed = get(name);
        let value = printed.as_str().map_or_else(|| printed.to_string(), str::to_owned);
        ok(&["set", "-q", &format!("{p}.{name}={value}")]);
        assert_eq!(get(name), printed, "{name}");
    }
    let large = json(&["list", "--json"]);
    let sections = large["sections"].as_array().unwrap();
    let data = sections.iter().find(|section| section["map"]["id"] == loaded.map(".data").info().id).unwrap();
    let large = data["variables"].as_array().unwrap().iter().find(|variable| variable["name"] == "large").unwrap();
    assert_eq!(large["value"], Value::Null, "list leaves big values out");
    // No control character gets through.
    assert!(ok(&["get", &format!("{p}.text")]).contains("\\u{1b}["));
    assert!(!ok(&["get", "-q", &format!("{p}.text")]).contains('\u{1b}'));
}

#[test]
fn list_shows_programs_sections_and_maps() {
    let Some(loaded) = load(Source::Count) else { return };
    let unused = bpfvar::Map::builder().name("bpfvar_lonely").value_size(8).entries(4).create().unwrap();
    let listed = ok(&["list"]);
    let id = loaded.programs[0].id();
    let own = listed.split("\n\n").find(|object| object.contains(&format!("count (id {id})"))).unwrap();
    has(
        own,
        &[
            "object count, held by ",
            "  .bss  map:",
            "count.bss  read-write",
            "config ",
            "struct config",
            "48  {rate: 1000, mode: FAST",
            "0.75",
            "version",
        ],
    );
    assert!(own.contains("count.rodata  read-only (const)"));
    // No BTF says what is in it.
    assert!(!listed.contains(&unused.info().name));
    let filtered = ok(&["list", "neighbo"]);
    assert!(filtered.contains("neighbour") && !filtered.contains("hist"), "{filtered}");
    has(&fails(&["list", "no such name"]), &["no such name", "bpfvar list"]);
    let filtered = ok(&["list", "NEIGHBO"]);
    assert!(filtered.contains("neighbour") && !filtered.contains("hist"), "{filtered}");
    // What is listed is a filter.
    let p = program(&loaded);
    for filter in [p.clone(), p.to_uppercase(), format!("count (id {id})")] {
        let filtered = ok(&["list", &filter]);
        let programs: Vec<&str> = filtered.lines().filter(|line| line.starts_with("  program ")).collect();
        assert_eq!(programs, [format!("  program count (id {id})")], "{filtered}");
        has(&filtered, &[".rodata", "sampling", "packets"]);
    }
    let bss = map(&loaded, ".bss");
    for filter in [bss.clone(), format!("{bss} count.bss")] {
        let filtered = ok(&["list", &filter]);
        assert!(filtered.contains("packets") && !filtered.contains("sampling"), "{filtered}");
    }
    assert_eq!(ok(&["list", "-q", &format!("{p}.samp")]).lines().count(), 1);
    let names = ok(&["list", "-q", "neighbour"]);
    assert!(names.lines().count() >= 1 && names.lines().all(|line| line.ends_with(".neighbour")), "{names}");
    // Targets that are listed are understood.
    let own =
        names.lines().find(|line| *line == "count.neighbour" || line.starts_with(&format!("prog:{id}."))).unwrap();
    assert!(crate::support::run(&["get", own]).status.code().is_some());
}

#[test]
fn freeze_is_for_whole_maps_and_for_good() {
    let Some(loaded) = load(Source::Count) else { return };
    let (p, bss) = (program(&loaded), map(&loaded, ".bss"));
    has(&fails(&["freeze", &p]), &["whole maps", &bss]);
    has(&fails(&["freeze", &format!("{p}.packets")]), &["whole maps", &bss]);
    assert_eq!(ok(&["freeze", &format!("{p}.bss")]), format!("{p}.bss: frozen\n"));
    has(&fails(&["set", &format!("{p}.packets=1")]), &["frozen, for good", ".bss"]);
    has(&fails(&["freeze", &bss]), &["frozen"]);
    has(&fails(&["add", &format!("{p}.packets"), "1"]), &["frozen"]);
    run_times(&loaded, 2);
    assert_eq!(ok(&["get", "-q", &format!("{p}.packets")]), "2\n", "programs still write it");
}

/// Freezing takes no types, and no right to look for any.
#[test]
fn a_map_without_types_is_frozen_by_id_and_pin() {
    if !host::ready((5, 8)) {
        return;
    }
    let make = || bpfvar::Map::from_fd(bpfvar_testkit::raw_map(2, 4, 8, 1, 0).unwrap()).unwrap();
    let by_id = make();
    let target = format!("map:{}", by_id.info().id);
    assert_eq!(ok(&["freeze", &target]), format!("{target}: frozen\n"));
    assert!(by_id.is_frozen().unwrap());
    has(&fails(&["freeze", &target]), &["frozen"]);
    let bpffs = host::Bpffs::mount();
    let by_pin = make();
    by_pin.pin(bpffs.path("plain")).unwrap();
    let target = format!("pin:{}", bpffs.path("plain").display());
    ok(&["freeze", "-q", &target]);
    assert!(by_pin.is_frozen().unwrap());
    has(&fails(&["freeze", "map:4294967295"]), &["4294967295"]);
}
