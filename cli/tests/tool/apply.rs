//! `apply`: settings of files, checked and written all or none.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use bpfvar::Array;
use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{fails, fails_with, has, json, load, map, ok, ok_with, program, run, run_with, text, tool};

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn path(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

/// All values of a program, to be compared.
fn values(program: &str) -> String {
    ok(&["get", program])
}

#[test]
fn a_file_is_applied_once_and_then_changes_nothing() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let text = format!(
        "# settings\n['{p}']\nsampling = 100\nconfig.mode = 'OFF'\n\n['{p}'.config]\nrate = 0x10\n'limits[2]' = {{ burst = 7 }}\n\
         ['{p}.bss']\n'hist[3]' = 5\nneighbour = 0\n"
    );
    let text = text.replace("config.mode = 'OFF'\n", "label = 'wlan0'\n");
    let directory = directory(&[("count.toml", &text)]);
    let file = path(&directory, "count.toml");
    let expected = format!(
        "{p}.sampling: 1 -> 100\n{p}.label: \"eth0\" -> \"wlan0\"\n{p}.config.rate: 1000 -> 16\n\
         {p}.config.limits[2].burst: 30 -> 7\n{p}.bss.hist[3]: 0 -> 5\n5 changed, 1 were so already\n"
    );
    assert_eq!(ok(&["apply", &file]), expected);
    assert_eq!(loaded.run(1), 16, "the program sees the rate");
    assert_eq!(ok(&["get", "-q", &format!("{p}.config.limits[2]")]), "{burst: 7, delta: -3}\n");
    assert_eq!(ok(&["apply", &file]), "0 changed, 6 were so already\n");
    assert_eq!(ok(&["apply", "-q", &file]), "");
    ok(&["set", "-q", &format!("{p}.sampling=1")]);
    assert_eq!(ok(&["apply", "-q", &file]), "");
    let printed = json(&["apply", "--json", &file]);
    assert_eq!(printed["written"], true);
    assert_eq!(printed["changed"], json!([]));
    assert_eq!(
        printed["unchanged"][0],
        json!({"target": format!("{p}.sampling"), "value": 100, "file": file, "line": 3})
    );
    assert_eq!(printed["unchanged"].as_array().unwrap().len(), 6);
    ok(&["set", "-q", &format!("{p}.label=x")]);
    let printed = json(&["apply", "--json", &file]);
    let changed = json!({"target": format!("{p}.label"), "old": "x", "new": "wlan0", "file": file, "line": 4});
    assert_eq!(printed["changed"], json!([changed]));
    assert_eq!(printed["failed"], json!([]));
}

#[test]
fn every_kind_of_value_has_a_form_in_toml() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let cases = [
        ("u8_value", "0xff", "255"),
        ("s8_value", "-128", "-128"),
        ("u64_value", "18446744073709551615", "18446744073709551615"),
        ("s64_value", "\"-9223372036854775808\"", "-9223372036854775808"),
        ("u128_value", "340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
        ("s128_value", "'-170141183460469231731687303715884105728'", "-170141183460469231731687303715884105728"),
        ("char_value", "\"'x'\"", "120"),
        ("bool_value", "false", "false"),
        ("color_value", "'GREEN'", "GREEN"),
        ("big_value", "18446744073709551615", "BIG_MAX"),
        ("small_signed_value", "127", "SMALL_PLUS"),
        ("float_value", "-inf", "-inf"),
        ("double_value", "nan", "NaN"),
        ("double_array", "[1, 1e300]", "[1.0, 1e300]"),
        ("node_pointer", "'0xffff888000000000'", "0xffff888000000000"),
        ("cube", "[[[0,0,0,0],[0,0,0,0],[0,0,0,0]],[[0,0,0,0],[0,0,0,0],[1,2,3,4]]]", "[1, 2, 3, 4]]]"),
        ("text", "'caf\u{e9}'", "\"caf\u{e9}\""),
        ("full_text", "[255, 0, 255, 1]".replace("255", "-1").as_str(), "[-1, 0, -1, 1]"),
        ("lines", "['a', 'b', '']", "[\"a\", \"b\", \"\"]"),
        ("nodes", "[{ value = 1 }, { next = '0x5', value = 2 }]", "[{next: 0x0, value: 1}, {next: 0x5, value: 2}]"),
        ("bits_value.wide_minus", "-1", "-1"),
        ("bits_value.cold", "'HOT'", "HOT"),
        ("word.halves", "{ high = 1 }", ".high: 16909060 -> 1"),
        ("number.real", "1.5", "1.5"),
        ("anonymous_members.right_signed", "-1", "-1"),
        (
            "nested.inners",
            "[{ x = 1 }, { innermost.deep = 3 }]",
            "[{x: 1, y: -6, innermost: {deep: 7}}, {x: 8, y: -9, innermost: {deep: 3}}]",
        ),
        ("first.calls", "1", "1"),
        ("data.custom.custom_data", "1", "1"),
        ("'.data.custom'.custom_data_end", "1", "1"),
    ]
    .map(|(key, value, shown)| (key.to_owned(), value.to_owned(), shown.to_owned()));
    let lines: String = cases.iter().map(|(key, value, _)| format!("{key} = {value}\n")).collect();
    let printed = ok_with(&["apply", "-"], &format!("['{p}']\n{lines}"));
    for ((key, _, shown), line) in cases.iter().zip(printed.lines()) {
        assert!(
            line.starts_with(&format!("{p}.{}", key.replace('\'', ""))) && line.ends_with(shown.as_str()),
            "{key}: {line}"
        );
    }
    assert_eq!(printed.lines().count(), cases.len() + 1, "{printed}");
}

#[test]
fn check_and_diff_write_nothing() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let (before, settings) = (values(&p), format!("['{p}']\nsampling = 7\nknob = 0\n"));
    assert_eq!(
        ok_with(&["apply", "--check", "-"], &settings),
        "2 settings are right: 1 would change, 1 are so already\n"
    );
    let (lines, printed) = fails_with(&["apply", "--diff", "-"], &settings);
    assert_eq!(printed, format!("{p}.sampling: 1 -> 7\n1 would change, 1 are so already\n"));
    assert!(lines.is_empty());
    let output = run_with(&["apply", "--diff", "--json", "-"], &settings);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &printed["written"]), (Some(1), &json!(false)));
    assert_eq!(printed["changed"][0]["new"], 7);
    assert_eq!(values(&p), before);
    ok_with(&["apply", "-"], &settings);
    assert_eq!(ok_with(&["apply", "--diff", "-"], &settings), "0 would change, 2 are so already\n");
    assert_eq!(ok_with(&["apply", "--check", "-q", "-"], &settings), "");
}

#[test]
fn all_that_is_wrong_is_told_and_nothing_is_written() {
    let (Some(loaded), Some(other)) = (load(Source::Count), load(Source::Tail)) else { return };
    let (p, q) = (program(&loaded), program(&other));
    let before = (values(&p), values(&q));
    let settings = format!(
        "['{q}']\nlast = 1\n['{p}']\nsampling = 5\nknob = 256\nconfig.mode = 'QUICK'\nnothing = 1\nversion = 4\nneighbour = true\n\
         ratio = 'abc'\nlabel = 5\nhist = [1, 2]\nconfig.rate = 1.5\nconfig.limits = {{ a = 1 }}\nconfig.enabled = 1\n"
    );
    let (lines, printed) = fails_with(&["apply", "-"], &settings);
    assert_eq!(
        printed,
        "nothing was written: 1 would change, 0 are so already, 10 failed, 2 not written because of that\n"
    );
    let expected: [(usize, &[&str]); 10] = [
        (5, &["knob", "256", "from 0 to 255"]),
        (6, &["config.mode", "QUICK", "SLOW, FAST, OFF"]),
        (7, &["there is no variable \"nothing\""]),
        (8, &["version", "is frozen, for good", "loading the program anew"]),
        (9, &["neighbour", "true", "a whole number"]),
        (10, &["ratio", "a number is needed"]),
        (11, &["label", "an array of 16"]),
        (12, &["hist", "2 elements", "has 16"]),
        (13, &["config.rate", "1.5", "a whole number"]),
        (14, &["limits", "is an array; choose an element"]),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (number, parts)) in lines.iter().zip(expected) {
        assert!(line.starts_with(&format!("bpfvar: standard input:{number}: ")), "{line}");
        has(line, parts);
    }
    assert_eq!((values(&p), values(&q)), before);
    let output = run_with(&["apply", "--json", "-"], &settings);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.stderr.is_empty() && output.status.code() == Some(1), "{output:?}");
    assert_eq!((&printed["written"], printed["failed"].as_array().unwrap().len()), (&json!(false), 10));
    assert_eq!(printed["failed"][0]["line"], 5);
    assert_eq!(printed["not_written"][0]["target"], format!("{p}.sampling"));
    assert_eq!(printed["changed"][0]["target"], format!("{q}.last"));
    // Each setting is in one of the lists.
    let lists = ["changed", "unchanged", "failed", "not_written"];
    assert_eq!(lists.iter().map(|list| printed[list].as_array().unwrap().len()).sum::<usize>(), 13);
}

#[test]
fn two_settings_of_one_variable_are_an_error_that_names_both() {
    let Some(loaded) = load(Source::Count) else { return };
    let (p, before) = (program(&loaded), values(&program(&loaded)));
    let two = |one: &str, other: &str| {
        let directory = directory(&[("10.toml", one), ("20.toml", other)]);
        let output = run(&["apply", directory.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        text(&output.stderr).replace(directory.path().to_str().unwrap(), "D")
    };
    let same = two(&format!("['{p}']\nsampling = 1"), &format!("['{p}']\n\nsampling = 1"));
    assert_eq!(same, format!("bpfvar: D/20.toml:3: {p}.sampling is set at D/10.toml:2 too; remove one of the two\n"));
    let part = two(&format!("['{p}']\n'hist[3]' = 1"), &format!("['{p}']\nhist = [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]"));
    assert_eq!(
        part,
        format!(
            "bpfvar: D/10.toml:2: {p}.hist[3] overlaps {p}.hist, which is set at D/20.toml:2; remove one of the two\n"
        )
    );
    // By other names: that they are the same is known when they are found.
    let data = map(&loaded, ".data");
    let named = two(&format!("'{data}.config.rate' = 1"), &format!("['{p}'.config]\nrate = 1"));
    assert_eq!(named.lines().count(), 2, "{named}");
    has(&named, &[&format!("D/10.toml:1: {data}.config.rate overlaps {p}.config.rate, which is set at D/20.toml:2")]);
    let index = two(&format!("'{p}.hist[0x3]' = 1"), &format!("'{p}.hist[3]' = 1"));
    has(&index, &[&format!("{p}.hist[3] overlaps {p}.hist[0x3], which is set at D/10.toml:1")]);
    // In one file as in two.
    let (lines, _) = fails_with(&["apply", "-"], &format!("'{p}.knob' = 1\n['{p}']\nknob = 1"));
    has(&lines[0], &["standard input:3: ", ".knob is set at standard input:1 too"]);
    assert_eq!(values(&p), before);
    // Two members of a struct are not one variable.
    let directory = directory(&[
        ("10.toml", &format!("['{p}'.config]\nrate = 1")),
        ("20.toml", &format!("['{p}']\nconfig = {{ mode = 'OFF' }}")),
    ]);
    has(&ok(&["apply", directory.path().to_str().unwrap()]), &["2 changed"]);
}

#[test]
fn members_of_a_union_overlap() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let (lines, _) = fails_with(&["apply", "-"], &format!("['{p}'.word]\nwhole = 1\nhalves.high = 0\n"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    has(
        &lines[0],
        &["standard input:3: ", "word.halves.high overlaps", "word.whole, which is set at standard input:2"],
    );
    // Bitfields of one byte do not.
    has(&ok_with(&["apply", "-"], &format!("['{p}'.bits_value]\none = 0\nthree = 1\nminus = 2\n")), &["3 changed"]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.bits_value.three"), &format!("{p}.bits_value.minus")]), "1\n2\n");
}

#[test]
fn files_that_cannot_be_read_are_named_and_nothing_is_written() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let good = format!("['{p}']\nsampling = 5\n");
    let directory = directory(&[
        ("10-good.toml", &good),
        ("20-broken.toml", "[count\nx = 1"),
        ("40-syntax.toml", "a.b = 1\n\na.b.c = \n"),
    ]);
    fs::write(directory.path().join("30-latin.toml"), b"# caf\xe9\n").unwrap();
    symlink("/nowhere", directory.path().join("50-dangling.toml")).unwrap();
    fs::write(directory.path().join(".hidden.toml"), "[").unwrap();
    fs::write(directory.path().join("README"), "[").unwrap();
    let output = run(&["apply", directory.path().to_str().unwrap()]);
    let lines = text(&output.stderr).replace(directory.path().to_str().unwrap(), "D");
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!((output.status.code(), lines.len()), (Some(1), 4), "{lines:#?}");
    has(lines[0], &["bpfvar: D/20-broken.toml:1: this is not TOML: unclosed table"]);
    has(lines[1], &["bpfvar: D/30-latin.toml:1: this is not UTF-8"]);
    has(lines[2], &["bpfvar: D/40-syntax.toml:3: this is not TOML"]);
    has(lines[3], &["bpfvar: D/50-dangling.toml: it cannot be read: No such file"]);
    has(&text(&output.stdout), &["nothing was written: 0 would change, 0 are so already, 4 failed"]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.sampling")]), "1\n");
    let (lines, _) = fails_with(&["apply", "/nowhere/x.toml"], "");
    has(&lines[0], &["/nowhere/x.toml: it cannot be read: No such file"]);
}

#[test]
fn a_directory_without_files_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    assert_eq!(ok(&["apply", path]), format!("no settings in {path}\n"));
    assert_eq!(ok(&["apply", "--check", path]), format!("no settings in {path}\n"));
    assert_eq!(json(&["apply", "--json", path])["changed"], json!([]));
    assert_eq!(ok_with(&["apply", "-"], "# nothing\n[count]\n"), "no settings in -\n");
}

/// The directories of the system, in a mount namespace of the test's own.
#[test]
fn the_directories_of_the_system_are_read_as_sysctl_reads_its_own() {
    if !host::has_tool("unshare") {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let file = |line: &str| format!("['{p}']\n{line}\n");
    let root = directory(&[
        ("etc/bpfvar.d/50-hidden.toml", &file("sampling = 2")),
        ("run/bpfvar.d/50-hidden.toml", "this is hidden"),
        ("run/bpfvar.d/10-run.toml", &file("neighbour = 3")),
        ("lib/bpfvar.d/50-hidden.toml", "and this"),
        ("lib/bpfvar.d/60-lib.toml", &file("knob = 4")),
        ("lib/bpfvar.d/70-off.toml", &file("knob = 5")),
    ]);
    symlink("/dev/null", root.path().join("etc/bpfvar.d/70-off.toml")).unwrap();
    let apply = |rest: &str| {
        let root = root.path().display();
        let script = format!(
            "mount --bind {root}/etc /etc && mount --bind {root}/run /run && mount --bind {root}/lib /usr/local/lib && exec {} apply {rest}",
            env!("CARGO_BIN_EXE_bpfvar")
        );
        let output = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    let expected =
        format!("{p}.neighbour: 0 -> 3\n{p}.sampling: 1 -> 2\n{p}.knob: 0 -> 4\n3 changed, 0 were so already\n");
    assert_eq!(apply(""), expected);
    let printed: Value = serde_json::from_str(&apply("--json")).unwrap();
    assert_eq!(printed["unchanged"][1]["file"], "/etc/bpfvar.d/50-hidden.toml");
    for path in ["etc", "run", "lib"] {
        fs::remove_dir_all(root.path().join(path)).unwrap();
        fs::create_dir(root.path().join(path)).unwrap();
    }
    assert_eq!(apply(""), "no settings in /etc/bpfvar.d, /run/bpfvar.d, /usr/local/lib/bpfvar.d, /usr/lib/bpfvar.d\n");
}

#[test]
fn what_was_written_before_a_failure_is_undone() {
    let (Some(loaded), Some(other)) = (load(Source::Together), load(Source::Tail)) else { return };
    let (p, q) = (format!("prog:{}", loaded.program("write_shared").id()), program(&other));
    // A writer that never leaves: to change a part of what it has left half written fails, when it is written.
    loaded.program("cut_short").run(1);
    let (settings, counters) =
        (format!("['{p}']\nrefused = 7\nshared.words = [4, 4, 4, 4, 4, 4, 4, 4]\n"), format!("{p}.refused"));
    let partial = format!("['{p}']\nrefused = 7\n'shared.words[0]' = 1\n['{q}']\nlast = 9\n");
    let (lines, printed) = fails_with(&["apply", "-"], &partial);
    assert_eq!(lines.len(), 1, "{lines:?}");
    has(&lines[0], &["standard input:3: ", "shared.words[0]", "1 inside", &format!("nothing of {p} was changed")]);
    assert_eq!(ok(&["get", "-q", &counters]), "0\n", "what was written before is undone");
    // Another program is not concerned.
    assert_eq!(
        printed,
        format!("{q}.last: 2578103244 -> 9\n1 changed, 0 were so already, 1 failed, 1 not written because of that\n")
    );
    let output = run_with(&["apply", "--json", "-"], &partial);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["not_written"], json!([{"target": counters, "file": "standard input", "line": 2}]));
    assert_eq!((&printed["written"], &printed["failed"][0]["line"]), (&json!(true), &json!(3)));
    // What would change shows what is known.
    let (_, printed) = fails_with(&["apply", "--diff", "-"], &partial);
    has(&printed, &["shared.words[0]: (half written) -> (half written)"]);
    // All of it makes it good.
    has(&ok_with(&["apply", "-"], &settings), &["2 changed"]);
    assert_eq!(ok(&["get", "-q", &counters, &format!("{p}.shared.words[7]")]), "7\n4\n");
}

#[test]
fn what_is_set_of_a_switch_is_one_switch() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = format!("prog:{}", loaded.program("read_config").id());
    let version = || ok(&["get", "-q", &format!("{p}.config.bpfvar_switch.version")]);
    let settings = format!("['{p}'.config]\nrate = 5\nmode = 'OFF'\nburst = 6\n'words[0]' = 7\n");
    has(&ok_with(&["apply", "-"], &settings), &["4 changed"]);
    assert_eq!(version(), "1\n");
    has(&ok_with(&["apply", "-"], &settings), &["0 changed, 4 were so already"]);
    assert_eq!(version(), "1\n");
    has(&ok_with(&["apply", "-"], &settings.replace("burst = 6", "burst = 8")), &["1 changed, 3 were so"]);
    assert_eq!(version(), "2\n");
    let (lines, _) = fails_with(&["apply", "-"], &format!("['{p}']\ncounters.packets = 1\n"));
    has(&lines[0], &["every CPU has a value of its own", "choose a CPU"]);
    has(&ok_with(&["apply", "-"], &format!("['{p}']\n'counters[0]'.packets = 1\n")), &["1 changed"]);
}

#[test]
fn what_cannot_be_mapped_is_written_if_asked() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let var = format!("{p}.only_static");
    // libbpf maps it; the imitation of newer versions does not.
    let settings = format!("['{p}']\nonly_static = 34\nzero_byte = 1\n");
    let (lines, _) = fails_with(&["apply", "-"], &settings);
    has(&lines[0], &["standard input:2: ", "only_static", "cannot be mapped", "--rewrite writes it", "loses"]);
    has(&ok_with(&["apply", "--rewrite", "-"], &settings), &[&format!("{var}: 33 -> 34"), "2 changed"]);
    has(&ok_with(&["apply", "--rewrite", "-"], &settings), &["0 changed, 2 were so"]);
    let (lines, _) = fails_with(&["apply", "--rewrite", "-"], &format!("['{p}']\nconst_value = 1\n"));
    has(&lines[0], &["is frozen"]);
    let (lines, _) = fails_with(&["apply", "-v", "-"], &format!("['{p}']\nconst_value = 1\n"));
    has(&lines[0], &["mmap", "os error 1"]);
}

#[test]
fn programs_that_are_not_loaded_do_not_stop_others() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let settings = format!("[bpfvar_absent]\nx = 1\ny.z = 2\n['{p}']\nsampling = 3\n");
    let (lines, printed) = fails_with(&["apply", "-"], &settings);
    assert_eq!(
        printed,
        format!("{p}.sampling: 1 -> 3\n1 changed, 0 were so already, 2 of programs that are not loaded\n")
    );
    assert_eq!(lines.len(), 1, "{lines:?}");
    has(&lines[0], &["standard input:2: ", "there is no program or map \"bpfvar_absent\""]);
    let printed = ok_with(&["apply", "--if-loaded", "-"], &settings);
    assert_eq!(printed, "0 changed, 1 were so already, 2 of programs that are not loaded\n");
    has(&fails_with(&["apply", "--check", "-"], &settings).1, &["2 of programs that are not loaded"]);
    let printed: Value = serde_json::from_str(&ok_with(&["apply", "--if-loaded", "--json", "-"], &settings)).unwrap();
    let missing = &printed["not_loaded"][0];
    assert_eq!(
        (&missing["object"], &missing["settings"], &missing["line"]),
        (&json!("bpfvar_absent"), &json!(2), &json!(2))
    );
    for absent in ["'prog:4000000000'.x = 1", "'map:4000000000'.x = 1", "'pin:/sys/fs/bpf/bpfvar_absent'.x = 1"] {
        let (lines, printed) = fails_with(&["apply", "-"], absent);
        has(&printed, &["1 of programs that are not loaded"]);
        assert_eq!(lines.len(), 1);
    }
}

#[test]
fn a_name_of_several_programs_is_an_error_with_their_ids() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let (one, other) = (load_named(Source::Count, "aply_twice"), load_named(Source::Count, "aply_twice"));
    let (lines, _) = fails_with(&["apply", "-"], "[aply_twice]\nsampling = 5\nknob = 1\n");
    assert_eq!(lines.len(), 1, "{lines:?}");
    has(
        &lines[0],
        &["standard input:2: aply_twice.sampling could be any of", &program(&one), &program(&other), "by its id"],
    );
    for loaded in [&one, &other] {
        assert_eq!(ok(&["get", "-q", &format!("{}.sampling", program(loaded))]), "1\n");
    }
    drop(other);
    has(&ok_with(&["apply", "-"], "[aply_twice]\nsampling = 5\nknob = 1\n"), &["2 changed"]);
}

#[test]
fn ten_thousand_settings_are_applied() {
    const COUNT: u32 = 10_000;
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().name("aply_many").entries(COUNT).create().unwrap();
    let id = array.map().unwrap().info().id;
    let lines: String = (0..COUNT).map(|index| format!("'[{index}]' = {}\n", index * 3 + 1)).collect();
    let settings = format!("['map:{id}']\n{lines}");
    let start = Instant::now();
    let printed = ok_with(&["apply", "-"], &settings);
    assert!(printed.ends_with("10000 changed, 0 were so already\n") && start.elapsed() < Duration::from_secs(60));
    assert_eq!(array.sum(|entry| entry), (0..u64::from(COUNT)).map(|index| index * 3 + 1).sum::<u64>());
    assert_eq!(ok_with(&["apply", "-"], &settings), "0 changed, 10000 were so already\n");
    // The last is wrong, and nothing is written.
    let (lines, _) = fails_with(&["apply", "-"], &settings.replace("= 29998\n", "= -1\n").replace(" = 1\n", " = 2\n"));
    has(&lines[0], &["standard input:10001: ", "[9999]", "-1"]);
    assert_eq!(array.read(0), 1);
}

#[test]
fn pins_need_no_names() {
    let Some(loaded) = load(Source::Maps) else { return };
    let bpffs = host::Bpffs::mount();
    let pin = bpffs.path("stats");
    let settings = format!("['pin:{}']\n'[3]'.packets = 5\n'[0]' = {{ drops = 1, mode = 2 }}\n", pin.display());
    let wait = tool(&["apply", "--wait", "30s", "-i", "10ms", "-"]);
    let mut wait = wait_for(wait, &settings);
    std::thread::sleep(Duration::from_millis(100));
    assert!(wait.try_wait().unwrap().is_none(), "it waits for the pin");
    loaded.map("stats").pin(&pin).unwrap();
    let output = wait.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    has(&text(&output.stdout), &["[3].packets: 0 -> 5", "[0].drops: 0 -> 1", "3 changed"]);
}

fn wait_for(mut command: Command, input: &str) -> std::process::Child {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child
}

#[test]
fn wait_applies_what_is_loaded_in_time() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let settings = "[aply_awaited]\nsampling = 9\n";
    let start = Instant::now();
    let (lines, printed) = fails_with(&["apply", "--wait", "300ms", "-"], settings);
    assert!(start.elapsed() >= Duration::from_millis(300));
    has(&lines[0], &["there is no program or map \"aply_awaited\""]);
    has(&printed, &["1 of programs that are not loaded"]);
    ok_with(&["apply", "--wait", "100ms", "--if-loaded", "-"], settings);
    let mut wait = wait_for(tool(&["apply", "--wait", "60s", "-"]), settings);
    std::thread::sleep(Duration::from_millis(200));
    assert!(wait.try_wait().unwrap().is_none());
    let loaded = load_named(Source::Count, "aply_awaited");
    let output = wait.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "aply_awaited.sampling: 1 -> 9\n1 changed, 0 were so already\n");
    assert_eq!(ok(&["get", "-q", &format!("{}.sampling", program(&loaded))]), "9\n");
    // What is there already is not waited for.
    has(&ok_with(&["apply", "--wait", "60s", "-"], settings), &["0 changed, 1 were so"]);
    // What is wrong is told at once.
    let (lines, _) =
        fails_with(&["apply", "--wait", "60s", "-"], "[aply_awaited]\nsampling = -1\n[bpfvar_absent]\nx = 1\n");
    has(&lines[0], &["sampling", "-1"]);
}

#[test]
fn options_that_contradict_each_other_are_usage_errors() {
    for args in [
        vec!["apply", "--follow", "--check"],
        vec!["apply", "--follow", "--diff"],
        vec!["apply", "--follow", "--wait", "1s"],
        vec!["apply", "--wait", "0s"],
        vec!["apply", "--wait", "soon"],
        vec!["apply", "--interval", "1us"],
    ] {
        assert_eq!(run(&args).status.code(), Some(2), "{args:?}");
    }
    has(&fails(&["apply", "--follow", "-"]), &["standard input cannot be read again; name files"]);
}

#[test]
fn without_capabilities_it_says_what_is_needed() {
    if !host::has_tool("setpriv") || !host::ready((5, 8)) {
        return;
    }
    let directory = directory(&[("a.toml", "count.x = 1")]);
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_bpfvar"), "apply"])
        .arg(directory.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    has(&text(&output.stderr), &["a.toml:1: ", "CAP_SYS_ADMIN"]);
}
