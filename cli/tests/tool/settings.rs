//! Settings in files: where they are looked for, what they may say, what contradicts itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use bpfvar::Array;
use bpfvar_objects::Source;
use bpfvar_testkit::host;
use serde_json::{Value, json};

use crate::support::{directory, fails_with, has, json, load, map, ok, ok_with, program, run, text};

/// All values of a program, to be compared.
fn values(program: &str) -> String {
    ok(&["get", program])
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
        ("word.halves", "{ high = 1 }", ", high: 1}"),
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
    assert!(printed.ends_with(&format!("\n{} changed\n", cases.len())), "{printed}");
    for (key, _, shown) in &cases {
        let target = format!("{p}.{}", key.replace('\'', ""));
        assert!(printed.lines().any(|line| line.starts_with(&target)), "{key}: {printed}");
        let now = ok(&["get", &target]);
        assert!(now.trim_end().ends_with(shown), "{key}: {now}");
    }
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
    has(&text(&output.stdout), &["nothing was written: 4 failed"]);
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
    let expected = format!("{p}.neighbour: 0 -> 3\n{p}.sampling: 1 -> 2\n{p}.knob: 0 -> 4\n3 changed\n");
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
fn ten_thousand_settings_are_applied() {
    const COUNT: u32 = 10_000;
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().name("aply_many").entries(COUNT).create().unwrap();
    let id = array.map().unwrap().info().id;
    let lines: String = (0..COUNT).map(|index| format!("'[{index}]' = {}\n", index * 3 + 1)).collect();
    let settings = format!("['map:{id}']\n{lines}");
    assert!(ok_with(&["apply", "-"], &settings).ends_with("10000 changed\n"));
    assert_eq!(array.sum(|entry| entry), (0..u64::from(COUNT)).map(|index| index * 3 + 1).sum::<u64>());
    assert_eq!(ok_with(&["apply", "-"], &settings), "0 changed, 10000 already so\n");
    // The last is wrong, and nothing is written.
    let (lines, _) = fails_with(&["apply", "-"], &settings.replace("= 29998\n", "= -1\n").replace(" = 1\n", " = 2\n"));
    has(&lines[0], &["standard input:10001: ", "[9999]", "-1"]);
    assert_eq!(array.read(0), 1);
}
