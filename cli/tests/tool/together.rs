//! Values that change together: switches, sequence locks, values for each CPU.

use std::os::fd::AsFd;

use bpfvar_objects::Source;
use bpfvar_testkit::host;
use serde_json::json;

use crate::support::{fails, has, json, load, ok, run, text};

fn program(loaded: &bpfvar_objects::Loaded) -> String {
    format!("prog:{}", loaded.program("read_config").id())
}

#[test]
fn what_one_command_sets_in_a_switch_is_one_switch() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = program(&loaded);
    let version = || ok(&["get", "-q", &format!("{p}.config.bpfvar_switch.version")]);
    let printed =
        ok(&["set", &format!("{p}.config.rate=5"), &format!("{p}.torn_bare=0"), &format!("{p}.config.mode=OFF")]);
    let expected = [
        format!("{p}.config.rate: 1000 -> 5"),
        format!("{p}.torn_bare: 0 -> 0"),
        format!("{p}.config.mode: FAST -> OFF"),
    ];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
    assert_eq!(version(), "1\n");
    ok(&["set", &format!("{p}.config={{\"rate\": 7, \"burst\": 8}}")]);
    assert_eq!(version(), "2\n");
    assert_eq!(loaded.program("read_config").run(1), 7);
    assert_eq!(ok(&["add", "-q", &format!("{p}.config.burst"), "2"]), "10\n");
    ok(&["cas", &format!("{p}.config.mode"), "OFF", "SLOW"]);
    fails(&["cas", &format!("{p}.config.mode"), "OFF", "SLOW"]);
    assert_eq!(version(), "4\n");
    // A value that does not fit, and nothing is switched.
    fails(&["set", &format!("{p}.config.rate=6"), &format!("{p}.config.mode=QUICK")]);
    assert_eq!(version(), "4\n");
    let config = json(&["get", "--json", &format!("{p}.config")]);
    let inner = json!({"rate": 7, "mode": "SLOW", "burst": 10, "words": [0, 0, 0, 0, 0, 0, 0, 0]});
    assert_eq!(config, json!({ format!("{p}.config"): inner }));
}

#[test]
fn show_says_what_changes_as_one() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = program(&loaded);
    let shown = ok(&["show", &format!("{p}.config")]);
    has(&shown, &["// BPFVAR_SWITCH(struct config)", "no run of a program sees two versions"]);
    has(&ok(&["show", &format!("{p}.settings")]), &["BPFVAR_SEQ: what is read is of one moment"]);
    assert_eq!(json(&["show", "--json", &format!("{p}.blocks")])["together"], json!(["BPFVAR_PERCPU", "BPFVAR_SEQ"]));
    assert_eq!(json(&["show", "--json", &format!("{p}.bare")])["together"], json!([]));
    has(&ok(&["list", &p]), &["BPFVAR_PERCPU(struct counters)", "{packets: 0, bytes: 0}"]);
}

#[test]
fn values_of_all_cpus_are_added_up_and_shown_on_demand() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = program(&loaded);
    ok(&["set", &format!("{p}.counters[0].packets=5")]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.counters.packets")]), "5\n");
    let each = ok(&["get", "--per-cpu", &format!("{p}.counters"), &format!("{p}.config.rate")]);
    assert_eq!(each.lines().next(), Some(format!("{p}.counters[0] = {{packets: 5, bytes: 0}}").as_str()));
    has(&ok(&["get", "--per-cpu", &format!("{p}.counters.packets")]), &[&format!("{p}.counters[0].packets = 5\n")]);
    let cpus = host::cpus().len();
    assert_eq!(
        ok(&["get", &format!("{p}.counters.packets")]),
        format!("{p}.counters.packets = 5 (sum of {cpus} CPUs)\n")
    );
    assert_eq!(ok(&["get", &format!("{p}.counters[0].packets")]), format!("{p}.counters[0].packets = 5\n"));
    assert_eq!(each.lines().last(), Some(format!("{p}.config.rate = 1000").as_str()));
    has(&fails(&["set", &format!("{p}.counters.packets=1")]), &["every CPU has a value of its own; choose a CPU"]);
    has(&fails(&["get", &format!("{p}.counters[256]")]), &["there is no CPU 256"]);
}

#[test]
fn per_cpu_maps_are_read_by_system_call() {
    let Some(loaded) = load(Source::Maps) else { return };
    loaded.run(1);
    let id = loaded.map("percpu").info().id;
    let target = format!("map:{id}");
    has(&ok(&["get", &target]), &["{packets: 1, drops: 0"]);
    has(&ok(&["get", "--per-cpu", &target]), &[&format!("{target}[0][0] = {{packets: ")]);
    has(&ok(&["list", &target]), &["percpu", "system call"]);
    has(&fails(&["set", &format!("{target}[0][0].packets=1")]), &["is a per-CPU array", "only reads it"]);
}

#[test]
fn a_writer_that_was_cut_short_is_shown_and_made_good() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = program(&loaded);
    loaded.program("cut_short").run(1);
    has(&ok(&["list", &p]), &["(half written)"]);
    has(&ok(&["dump", &p]), &["shared = (half written)"]);
    has(
        &fails(&["get", &format!("{p}.shared")]),
        &["1 came, 0 left, 1 inside", "setting all of the variable ends that"],
    );
    let (shared, rate) = (format!("{p}.shared"), format!("{p}.config.rate"));
    let output = run(&["get", &shared, &rate]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text(&output.stdout), format!("{shared} = (half written)\n{rate} = 1000\n"));
    has(&text(&output.stderr), &["1 came, 0 left, 1 inside"]);
    assert_eq!(text(&run(&["get", "-q", &shared, &rate]).stdout), "\n1000\n");
    let output = run(&["get", "--json", &p]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(printed[&shared].is_null() && printed.get(&shared).is_some(), "{printed}");
    assert_eq!(printed[format!("{p}.torn_bare")], json!(0));
    let printed = ok(&["watch", "-n", "1", &p]);
    has(&printed, &["shared    ", "(half written)", "torn_bare"]);
    let lines = ok(&["watch", "--json", "-n", "1", &shared, &rate]);
    let values: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&values[0]["value"], &values[1]["value"]), (&json!(null), &json!(1000)));
    has(&fails(&["get", "--sum", &format!("{p}.shared.words")]), &["1 inside"]);
    has(&fails(&["set", &format!("{p}.shared.words[0]=1")]), &["shared"]);
    ok(&["set", &format!("{p}.shared={{\"words\": [4,4,4,4,4,4,4,4]}}")]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.shared.words[7]")]), "4\n");
}

/// Entries are not mistaken for CPUs, nor the other way round.
#[test]
fn each_entry_of_a_per_cpu_map_has_its_cpus() {
    let Some(loaded) = load(Source::Together) else { return };
    // `u32` and `u64`.
    let types: [u32; 8] = [1, 1 << 24, 4, 32, 5, 1 << 24, 8, 64];
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    let header = [24, 0, 32, 32, 9];
    btf.extend(header.iter().chain(&types).flat_map(|word: &u32| word.to_ne_bytes()));
    btf.extend(b"\0u32\0u64\0");
    let btf = bpfvar_testkit::load_btf(&btf).unwrap();
    let spec = bpfvar_testkit::MapSpec {
        map_type: bpfvar::MapType::PERCPU_ARRAY.0,
        key_size: 4,
        value_size: 8,
        max_entries: 2,
        name: "two",
        btf: Some((btf.as_fd(), 1, 2)),
        ..Default::default()
    };
    let map = bpfvar::Map::from_fd(spec.create().unwrap()).unwrap();
    let m = format!("map:{}", map.info().id);
    let cpus = host::cpus();
    let expected =
        |of: &str, part: &str| -> String { cpus.iter().map(|cpu| format!("{of}[{cpu}]{part} = 0\n")).collect() };
    let both = expected(&format!("{m}[0]"), "") + &expected(&format!("{m}[1]"), "");
    assert_eq!(ok(&["get", "--per-cpu", &m]), both);
    assert_eq!(ok(&["get", "--per-cpu", &format!("{m}[1]")]), expected(&format!("{m}[1]"), ""));
    // A member of what has a value for each CPU.
    let p = format!("prog:{}", loaded.program("count_packet").id());
    assert_eq!(
        ok(&["get", "--per-cpu", &format!("{p}.counters.packets")]),
        expected(&format!("{p}.counters"), ".packets")
    );
}
