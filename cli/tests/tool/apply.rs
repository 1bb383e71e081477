//! `apply`: settings of files, checked and written all or none.

use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant};

use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;
use serde_json::{Value, json};

use crate::support::{
    directory, fails, fails_with, has, json, load, ok, ok_with, program, run, run_with, text, tool, unique,
};

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
    let file = directory.path().join("count.toml").to_str().unwrap().to_owned();
    let expected = format!(
        "{p}.sampling: 1 -> 100\n{p}.label: \"eth0\" -> \"wlan0\"\n{p}.config.rate: 1000 -> 16\n\
         {p}.config.limits[2].burst: 30 -> 7\n{p}.bss.hist[3]: 0 -> 5\n5 changed, 1 already so\n"
    );
    assert_eq!(ok(&["apply", &file]), expected);
    assert_eq!(loaded.run(1), 16, "the program sees the rate");
    assert_eq!(ok(&["get", "-q", &format!("{p}.config.limits[2]")]), "{burst: 7, delta: -3}\n");
    assert_eq!(ok(&["apply", &file]), "0 changed, 6 already so\n");
    assert_eq!(ok(&["apply", "-q", &file]), "");
    ok(&["set", "-q", &format!("{p}.sampling=1")]);
    assert_eq!(ok(&["apply", "-q", "--json", &file]), "");
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
fn check_and_diff_write_nothing() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let (before, settings) = (values(&p), format!("['{p}']\nsampling = 7\nknob = 0\n"));
    assert_eq!(ok_with(&["apply", "--check", "-"], &settings), "2 settings are right: 1 would change, 1 already so\n");
    let (lines, printed) = fails_with(&["apply", "--diff", "-"], &settings);
    assert_eq!(printed, format!("{p}.sampling: 1 -> 7\n1 would change, 1 already so\n"));
    assert!(lines.is_empty());
    let output = run_with(&["apply", "--diff", "--json", "-"], &settings);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &printed["written"]), (Some(1), &json!(false)));
    assert_eq!(printed["changed"][0]["new"], 7);
    assert_eq!(values(&p), before);
    ok_with(&["apply", "-"], &settings);
    assert_eq!(ok_with(&["apply", "--diff", "-"], &settings), "0 would change, 2 already so\n");
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
    assert_eq!(printed, "nothing was written: 1 would change, 10 failed, 2 not written\n");
    let expected: [(usize, &[&str]); 10] = [
        (5, &["knob", "256", "from 0 to 255"]),
        (6, &["config.mode", "QUICK", "SLOW, FAST, OFF"]),
        (7, &["there is no variable \"nothing\""]),
        (8, &["version", "is frozen, for good", "declares it without const"]),
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
    assert_eq!(printed, format!("{q}.last: 2578103244 -> 9\n1 changed, 1 failed, 1 not written\n"));
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
    has(&ok_with(&["apply", "-"], &settings), &["0 changed, 4 already so"]);
    assert_eq!(version(), "1\n");
    has(&ok_with(&["apply", "-"], &settings.replace("burst = 6", "burst = 8")), &["1 changed, 3 already so"]);
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
    has(&lines[0], &["standard input:2: ", "only_static", "cannot be mapped", "`apply --rewrite`", "loses"]);
    has(&ok_with(&["apply", "--rewrite", "-"], &settings), &[&format!("{var}: 33 -> 34"), "2 changed"]);
    has(&ok_with(&["apply", "--rewrite", "-"], &settings), &["0 changed, 2 already so"]);
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
    assert_eq!(printed, format!("{p}.sampling: 1 -> 3\n1 changed, 2 not loaded\n"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    has(&lines[0], &["standard input:2: ", "there is no program or map \"bpfvar_absent\""]);
    let printed = ok_with(&["apply", "--if-loaded", "-"], &settings);
    assert_eq!(printed, "0 changed, 1 already so, 2 not loaded\n");
    has(&fails_with(&["apply", "--check", "-"], &settings).1, &["2 not loaded"]);
    let printed: Value = serde_json::from_str(&ok_with(&["apply", "--if-loaded", "--json", "-"], &settings)).unwrap();
    let missing = &printed["not_loaded"][0];
    assert_eq!(
        (&missing["object"], &missing["settings"], &missing["line"]),
        (&json!("bpfvar_absent"), &json!(2), &json!(2))
    );
    for absent in ["'prog:4000000000'.x = 1", "'map:4000000000'.x = 1", "'pin:/sys/fs/bpf/bpfvar_absent'.x = 1"] {
        let (lines, printed) = fails_with(&["apply", "-"], absent);
        has(&printed, &["1 not loaded"]);
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
    has(&printed, &["1 not loaded"]);
    ok_with(&["apply", "--wait", "100ms", "--if-loaded", "-"], settings);
    let mut wait = wait_for(tool(&["apply", "--wait", "60s", "-"]), settings);
    std::thread::sleep(Duration::from_millis(200));
    assert!(wait.try_wait().unwrap().is_none());
    let loaded = load_named(Source::Count, "aply_awaited");
    let output = wait.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "aply_awaited.sampling: 1 -> 9\n1 changed\n");
    assert_eq!(ok(&["get", "-q", &format!("{}.sampling", program(&loaded))]), "9\n");
    // What is there already is not waited for.
    has(&ok_with(&["apply", "--wait", "60s", "-"], settings), &["0 changed, 1 already so"]);
    // What is wrong is told at once.
    let (lines, _) =
        fails_with(&["apply", "--wait", "60s", "-"], "[aply_awaited]\nsampling = -1\n[bpfvar_absent]\nx = 1\n");
    has(&lines[0], &["sampling", "-1"]);
}

#[test]
fn one_that_fails_does_not_end_the_waiting_for_others() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let settings = "[aply_first]\nsampling = -1\n[aply_second]\nsampling = 3\n";
    let wait = wait_for(tool(&["apply", "--wait", "60s", "-i", "10ms", "-"]), settings);
    std::thread::sleep(Duration::from_millis(200));
    let _first = load_named(Source::Count, "aply_first");
    std::thread::sleep(Duration::from_millis(200));
    let _second = load_named(Source::Count, "aply_second");
    let output = wait.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text(&output.stdout), "aply_second.sampling: 1 -> 3\n1 changed, 1 failed\n");
    has(&text(&output.stderr), &["standard input:2: ", "value is -1"]);
}

#[test]
fn a_signal_ends_the_waiting() {
    let wait = wait_for(tool(&["apply", "--wait", "60s", "-"]), "[bpfvar_absent]\nx = 1\n");
    if !host::ready((5, 8)) {
        return drop(wait.wait_with_output());
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(Command::new("kill").arg(wait.id().to_string()).status().unwrap().success());
    let output = wait.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    has(&text(&output.stdout), &["1 not loaded"]);
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

/// What is there and cannot be set is a fault, and nothing to wait for.
#[test]
fn hashes_and_patterns_are_no_settings() {
    if !host::ready((5, 8)) {
        return;
    }
    // `u32` and `u64`.
    let types: [u32; 8] = [1, 1 << 24, 4, 32, 5, 1 << 24, 8, 64];
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    btf.extend([24, 0, 32, 32, 9].iter().chain(&types).flat_map(|word: &u32| word.to_ne_bytes()));
    btf.extend(b"\0u32\0u64\0");
    let btf = bpfvar_testkit::load_btf(&btf).unwrap();
    let name = unique("hash");
    let spec = bpfvar_testkit::MapSpec {
        map_type: bpfvar::MapType::HASH.0,
        key_size: 4,
        value_size: 8,
        max_entries: 2,
        name: &name,
        btf: Some((btf.as_fd(), 1, 2)),
        ..Default::default()
    };
    let _map = spec.create().unwrap();
    for (text, rule) in [
        (format!("[{name}]\n\"[1]\" = 1\n"), "is reached by keys, and its entries are only read"),
        ("[\"*\"]\nsampling = 1\n".to_owned(), "a setting names one variable, and this is a pattern"),
    ] {
        for args in [
            &["apply", "-"][..],
            &["apply", "--if-loaded", "-"],
            &["apply", "--check", "-"],
            &["apply", "--wait", "10s", "-"],
        ] {
            let (lines, _) = fails_with(args, &text);
            has(&lines[0], &["standard input:2: ", rule]);
        }
    }
}
