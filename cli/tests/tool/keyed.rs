//! Maps that are reached by keys: hashes, tries, shown as copies by system call.

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use bpfvar::{Map, MapType};
use bpfvar_objects::{Loaded, Source};
use bpfvar_testkit::{MapSpec, delete_entry, host, load_btf, raw_map, update_entry};
use serde_json::{Value, json};

use crate::support::{fails, has, json, load, map, ok, program, run, text, tool};

/// The maps, after their program ran `runs` times on the first CPU.
pub(crate) fn filled(runs: u32) -> Option<Loaded> {
    let loaded = load(Source::Keyed)?;
    run_on_first_cpu(&loaded, runs);
    Some(loaded)
}

pub(crate) fn run_on_first_cpu(loaded: &Loaded, runs: u32) {
    thread::scope(|scope| {
        scope.spawn(|| {
            host::pin_to(host::cpus()[0]);
            for _ in 0..runs {
                loaded.run(1);
            }
        });
    });
}

fn flow(address: u32) -> String {
    format!(r#"{{"address":{address},"port":80,"proto":"TCP"}}"#)
}

#[test]
fn entries_are_chosen_by_their_keys() {
    let Some(loaded) = filled(6) else { return };
    let p = program(&loaded);
    let get = |target: &str| ok(&["get", "-q", &format!("{p}.{target}")]);
    assert_eq!(get("hits[5]"), "6\n");
    assert_eq!(get("many[0x3]"), "6\n");
    assert_eq!(get(r#"names["http"]"#), "TCP\n");
    assert_eq!(get("names[http]"), "TCP\n");
    assert_eq!(get("counters[-1].packets"), "6\n");
    assert_eq!(get("hists[0].slots[2]"), "1\n");
    assert_eq!(get(r#"flows[{"address": 1, "port": 80, "proto": "TCP"}].bytes"#), "200\n");
    assert_eq!(get(r#"routes[{"prefixlen": 32, "address": [10, 2, 3, 4]}]"#), "2\n");
    // By the map alone, and with the label that was typed.
    let flows = map(&loaded, "flows");
    let target = format!("{flows}[{}].packets", flow(0));
    assert_eq!(ok(&["get", &target]), format!("{target} = 2\n"));
    let bpffs = host::Bpffs::mount();
    loaded.map("hits").pin(bpffs.path("hits")).unwrap();
    loaded.programs[0].program.pin(&bpffs.path("fill"));
    assert_eq!(ok(&["get", "-q", &format!("pin:{}[5]", bpffs.path("hits").display())]), "6\n");
    assert_eq!(ok(&["get", "-q", &format!("pin:{}.hits[5]", bpffs.path("fill").display())]), "6\n");
}

#[test]
fn all_entries_are_lines_in_the_order_of_their_keys() {
    let Some(loaded) = filled(12) else { return };
    let (p, many) = (program(&loaded), map(&loaded, "many"));
    let lines: Vec<String> = (0..12).map(|key| format!("{many}[{key}] = {}", key * 2)).collect();
    assert_eq!(ok(&["get", &many]).lines().collect::<Vec<_>>(), lines);
    assert_eq!(ok(&["get", &format!("{p}.flows")]).lines().count(), 4);
    assert_eq!(ok(&["get", "-q", &format!("{p}.hits"), &format!("{p}.size")]), "12\n100\n");
    let printed = json(&["get", "--json", &format!("{p}.counters"), &format!("{p}.runs")]);
    let counters = json!([{"key": -1, "value": {"packets": 12, "bytes": 1200}}]);
    assert_eq!(printed, json!({ format!("{p}.counters"): counters, format!("{p}.runs"): 12 }));
}

#[test]
fn each_cpu_is_shown_where_that_is_asked_for() {
    let Some(loaded) = filled(3) else { return };
    let (p, cpu) = (program(&loaded), host::cpus()[0]);
    has(&ok(&["get", "--per-cpu", &format!("{p}.hits[5]")]), &[&format!("{p}.hits[5][{cpu}] = 3\n")]);
    has(&ok(&["get", "--per-cpu", &format!("{p}.counters")]), &[&format!("{p}.counters[-1][{cpu}] = {{packets: 3,")]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.counters[-1][{cpu}].bytes")]), "300\n");
    let printed = json(&["get", "--json", "--per-cpu", &format!("{p}.hits")]);
    assert_eq!(printed[format!("{p}.hits")][0]["value"][cpu], 3);
    let one_for_all = ok(&["get", "--per-cpu", &format!("{p}.hits[5]"), &format!("{p}.many[1]")]);
    assert_eq!(one_for_all.lines().last(), Some(format!("{p}.many[1] = 2").as_str()), "one for all CPUs");
    has(&fails(&["get", "--per-cpu", &format!("{p}.many[1]")]), &["many[1]", "no value for each CPU"]);
}

#[test]
fn bytes_of_one_entry_are_written_as_they_are() {
    let Some(loaded) = filled(3) else { return };
    let p = program(&loaded);
    let cpu = host::cpus()[0];
    let targets = [format!("{p}.hits[5][{cpu}]"), format!("{p}.many[2]"), format!("{p}.runs")];
    let output = run(&["get", "--raw", &targets[0], &targets[1], &targets[2]]);
    assert_eq!(output.stdout, [3_u64, 4, 3].map(u64::to_ne_bytes).concat());
    has(&fails(&["get", "--raw", &format!("{p}.runs"), &format!("{p}.many")]), &["no order", "many[KEY]"]);
    has(&fails(&["get", "--raw", &format!("{p}.hits[5]")]), &["choose a CPU"]);
    has(&fails(&["get", "--raw", &format!("{p}.many[99]")]), &["there is no entry 99"]);
}

#[test]
fn what_is_not_there_is_said() {
    let Some(loaded) = filled(2) else { return };
    let p = program(&loaded);
    for (target, parts) in [
        ("many[7]", ["there is no entry 7", "map \"many\""]),
        ("many[x]", ["a number is needed", "map \"many\""]),
        ("many.x", ["chosen by their keys", "many["]),
        ("flows[7]", ["takes members by name", "key is 7"]),
        (r#"flows[{"port": 80, "proto": "TCP"}].packet"#, ["no member \"packet\"", "packets, bytes"]),
        ("hits[5][9999]", ["there is no CPU 9999", "hits[5]"]),
        ("flos", ["no variable \"flos\"", "runs"]),
    ] {
        has(&fails(&["get", &format!("{p}.{target}")]), &parts);
    }
    for args in [["set", "many[1]=7"], ["set", "many[1]+=7"]] {
        let line = fails(&[args[0], &format!("{p}.{}", args[1])]);
        has(&line, &["BPF_MAP_TYPE_HASH", "copied by system call", "only read", "`watch`"]);
    }
    has(&fails(&["add", &format!("{p}.many[1]"), "1"]), &["only read"]);
    assert_eq!(ok(&["get", "-q", &format!("{p}.many[1]")]), "2\n");
    // A key may be anything, but it has an end.
    for target in [r#"many["x]"#, r#"many[{"a": 1]"#, "many[", "many[-1"] {
        assert_eq!(run(&["get", &format!("{p}.{target}")]).status.code(), Some(2), "{target}");
    }
}

#[test]
fn maps_of_one_name_are_told_apart() {
    let (Some(one), Some(other)) = (filled(1), filled(2)) else { return };
    let line = fails(&["get", "map:hits[5]"]);
    for loaded in [&one, &other] {
        let by_id = format!("{}[5] (used by program {})", map(loaded, "hits"), loaded.programs[0].id());
        has(&line, &["could be any of", &by_id]);
    }
    assert_eq!(ok(&["get", "-q", &format!("{}[5]", map(&other, "hits"))]), "2\n");
}

#[test]
fn list_show_and_dump_have_them() {
    let Some(loaded) = filled(6) else { return };
    let p = program(&loaded);
    let id = loaded.map("flows").info().id;
    let listed = ok(&["list", &p]);
    has(
        &listed,
        &[
            &format!("  flows[struct flow]  map:{id}  system call, a copy  LRU_HASH, 4 of at most 64 entries\n"),
            "    [{\"address\":0,\"port\":80,\"proto\":\"TCP\"}]  struct traffic  16  {packets: 2, bytes: 200}\n",
            "    [-1]",
            "LPM_TRIE",
            "\n    …\n",
        ],
    );
    has(&ok(&["list", "-q", &p]), &[&format!("map:{id}\n"), ".runs\n"]);
    assert!(!ok(&["list", &format!("map:{id}")]).contains("counters"));
    let keyed = &json(&["list", "--json", &p])["keyed_maps"];
    let flows = keyed.as_array().unwrap().iter().find(|map| map["id"] == id).unwrap();
    assert_eq!((&flows["count"], &flows["access"]), (&json!(4), &json!("system call, a copy")));
    assert_eq!(flows["programs"], json!([loaded.programs[0].id()]));
    assert_eq!(flows["entries"][3]["key"], json!({"address": 3, "port": 80, "proto": "TCP"}));
    let shown = ok(&["show", &format!("{p}.flows")]);
    has(&shown, &["struct flow {", "UDP = 17,", "} key;", "} value;", "LRU_HASH of at most 64 entries", "a copy"]);
    has(&ok(&["show", &format!("{p}.hits[5]")]), &["__u64 key;", "a value for each CPU"]);
    assert_eq!(json(&["show", "--json", &format!("{p}.names")])["value"]["type"], "enum proto");
    let dumped = ok(&["dump", &p]);
    has(
        &dumped,
        &["  runs = 6\n", "  [5] = 6 (sum of ", "6 of at most 16384 entries  used by program fill", "  [5] = 10\n"],
    );
    assert_eq!(ok(&["dump", &format!("{p}.many[2]")]), format!("{p}.many[2] = 4\n"));
    let dumped = json(&["dump", "--json", &map(&loaded, "many")]);
    assert_eq!((dumped["sections"].as_array().unwrap().len(), &dumped["keyed_maps"][0]["count"]), (0, &json!(6)));
    assert_eq!(dumped["programs"][0]["id"], loaded.programs[0].id());
    let one = json(&["dump", "--json", &format!("{p}.many[2]")]);
    assert_eq!(one["keyed_maps"][0]["entries"], json!([{"key": 2, "value": 4}]));
}

#[test]
fn a_star_in_place_of_the_key_means_all_entries() {
    let Some(loaded) = filled(6) else { return };
    let (p, many) = (program(&loaded), map(&loaded, "many"));
    assert_eq!(ok(&["get", &format!("{many}[*]")]), ok(&["get", &many]));
    let packets = ok(&["get", &format!("{p}.flows[*].packets")]);
    let expected: Vec<String> =
        (0..4).map(|n| format!("{p}.flows[{}].packets = {}", flow(n), if n < 2 { 2 } else { 1 })).collect();
    assert_eq!(packets.lines().collect::<Vec<_>>(), expected);
    // Each label is a target, and a member of its own.
    let label = format!("{p}.flows[{}].packets", flow(3));
    assert_eq!(ok(&["get", "-q", &label]), "1\n");
    assert_eq!(json(&["get", "--json", &format!("{p}.flows[*].packets")])[&label], 1);
    assert_eq!(ok(&["get", "-q", &format!("{p}.counters[*][{}].packets", host::cpus()[0])]), "6\n");
    has(&ok(&["show", &format!("{p}.flows[*]")]), &["struct flow {", "} value;"]);
    // What is in quotes is a key, as is what starts like a name.
    has(&fails(&["get", &format!("{p}.names[\"a*b\"]")]), &["there is no entry \"a*b\""]);
    has(&fails(&["get", &format!("{p}.names[a?b]")]), &["there is no entry \"a?b\""]);
    for (target, parts) in [
        ("flows[*].packts", ["no member \"packts\"", "packets, bytes"]),
        ("many[0..2]", ["chosen by their keys", "many[*]"]),
        ("flows[*].pack*", ["only pattern", "flows[*]"]),
        ("many.x[*]", ["chosen by their keys", "many["]),
    ] {
        has(&fails(&["get", &format!("{p}.{target}")]), &parts);
    }
    has(&fails(&["get", "--raw", &format!("{p}.flows[*].bytes")]), &["no order", "flows[KEY].bytes"]);
    for setting in ["many[*]=7", "many[*]+=7", "flows[*].packets=0"] {
        has(&fails(&["set", &format!("{p}.{setting}")]), &["copied by system call", "only read"]);
    }
    for command in ["dump", "freeze"] {
        has(&fails(&[command, &format!("{many}[*]")]), &["is a pattern", "bpfvar get"]);
    }
}

#[test]
fn entries_are_added_up_and_compared() {
    let Some(loaded) = filled(6) else { return };
    let (p, many) = (program(&loaded), map(&loaded, "many"));
    for target in [many.clone(), format!("{many}[*]")] {
        assert_eq!(ok(&["get", "--sum", &target]), format!("{target} = 30\n"));
        assert_eq!(ok(&["get", "--top", "2", &target]), format!("{many}[5] = 10\n{many}[4] = 8\n"));
        assert_eq!(ok(&["get", "-q", "--min", &target]), "0\n");
    }
    assert_eq!(json(&["get", "--max", "--json", &many]), json!({ format!("{many}[5]"): 10 }));
    assert_eq!(ok(&["get", "-q", "--sum", &format!("{p}.flows")]), "{packets: 6, bytes: 600}\n");
    has(&fails(&["get", "--max", &format!("{p}.flows")]), &["no number", &format!("flows[{}].packets", flow(0))]);
    // The elements of one entry, and not those of a map that has only one.
    assert_eq!(ok(&["get", "-q", "--sum", &format!("{p}.hists[0].slots")]), "3\n");
    has(&fails(&["get", "--max", &format!("{p}.counters")]), &["no number", "counters[-1].packets"]);
    assert_eq!(run(&["get", "--raw", "--sum", &many]).status.code(), Some(2));
    let Some(empty) = load(Source::Keyed) else { return };
    let p = program(&empty);
    for option in ["--sum", "--max"] {
        has(&fails(&["get", option, &format!("{p}.flows[*].packets")]), &["has no values now"]);
    }
    has(&fails(&["get", &format!("{p}.flows[*].packts")]), &["no member \"packts\""]);
    assert_eq!(ok(&["get", &format!("{p}.flows[*].packets")]), "");
}

#[test]
fn a_part_of_all_entries_is_watched() {
    let Some(loaded) = filled(6) else { return };
    let p = program(&loaded);
    let printed = ok(&["watch", "--csv", "-n", "1", &format!("{p}.flows[*].packets")]);
    assert_eq!(printed.lines().count(), 1 + 4, "{printed}");
    assert!(printed.lines().skip(1).all(|line| line.contains(".packets\"")), "{printed}");
    has(&ok(&["watch", "--histogram", "-n", "1", &format!("{p}.hists[*].slots")]), &["hists[0].slots  at "]);
    ok(&["watch", "-q", "-n", "1", "--until", &format!("{p}.many[*] >= 10")]);
    let output = run(&["watch", "-q", "-n", "1", "--until", &format!("{p}.many[*] > 10")]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), "0\n2\n4\n6\n8\n10\n"));
    has(&text(&output.stderr), &["the last sample was taken before"]);
    has(&fails(&["watch", "-q", "-n", "1", "--until", &format!("{p}.many > 10")]), &["is a map", "many[KEY]"]);
}

/// A map of `u32` to `u64` that no program uses.
fn lonely(name: &str, max_entries: u32) -> Map {
    // `u32` and `u64`.
    let strings = b"\0u32\0u64\0";
    let types: [u32; 8] = [1, 1 << 24, 4, 32, 5, 1 << 24, 8, 64];
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    let header = [24, 0, 32, 32, strings.len() as u32];
    btf.extend(header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()));
    btf.extend(strings);
    let btf = load_btf(&btf).unwrap();
    let spec = MapSpec {
        map_type: MapType::HASH.0,
        key_size: 4,
        value_size: 8,
        max_entries,
        map_flags: 0,
        name,
        btf: Some((btf.as_fd(), 1, 2)),
    };
    Map::from_fd(spec.create().unwrap()).unwrap()
}

#[test]
fn a_big_map_is_not_counted_to_its_end() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = lonely("bpfvar_big", 5000);
    for key in 0..1000_u32 {
        update_entry(map.as_fd(), &key.to_ne_bytes(), &7_u64.to_ne_bytes()).unwrap();
    }
    let target = format!("map:{}", map.info().id);
    has(&ok(&["list", &target]), &["maps that no program uses", "1000 of at most 5000 entries", "    [0]", "    …\n"]);
    update_entry(map.as_fd(), &5000_u32.to_ne_bytes(), &7_u64.to_ne_bytes()).unwrap();
    has(&ok(&["list", &target]), &["more than 1000 of at most 5000 entries"]);
    let keyed = &json(&["list", "--json", &target])["keyed_maps"];
    assert_eq!((&keyed[0]["count"], keyed[0]["entries"].as_array().map(Vec::len)), (&Value::Null, Some(4)));
    assert_eq!(ok(&["get", &target]).lines().count(), 1001);
    delete_entry(map.as_fd(), &5000_u32.to_ne_bytes()).unwrap();
    assert_eq!(ok(&["freeze", &target]), format!("{target}: frozen\n"));
    assert!(update_entry(map.as_fd(), &1_u32.to_ne_bytes(), &7_u64.to_ne_bytes()).is_err());
    has(&fails(&["freeze", &format!("{target}[1]")]), &["is an entry", "only whole maps"]);
}

#[test]
fn what_nothing_describes_or_is_of_another_type_is_said() {
    if !host::ready((5, 8)) {
        return;
    }
    let bare = Map::from_fd(raw_map(MapType::HASH.0, 4, 8, 4, 0).unwrap()).unwrap();
    let target = format!("map:{}", bare.info().id);
    has(&fails(&["get", &target]), &["no BTF describes its values", "bpftool map dump id"]);
    has(&fails(&["list", &target]), &["was created without BTF", "bpftool map dump id"]);
    let ring = Map::from_fd(raw_map(27, 0, 0, 4096, 0).unwrap()).unwrap();
    let target = format!("map:{}", ring.info().id);
    let parts = ["BPF_MAP_TYPE_RINGBUF", "shows only arrays, hashes and LPM tries", "bpftool map dump id"];
    has(&fails(&["get", &target]), &parts);
    has(&fails(&["list", &target]), &parts);
}

#[test]
fn a_per_cpu_array_is_found_by_its_own_name() {
    let Some(maps) = load(Source::Maps) else { return };
    let output = run(&["get", "-q", "percpu[0].packets"]);
    // Another test may have one of this name.
    let others = text(&output.stderr).contains("could be any of");
    assert!(output.status.success() || others, "{output:?}");
    assert_eq!(ok(&["get", "-q", &format!("{}[0].packets", map(&maps, "percpu"))]), "0\n");
}

#[test]
fn a_watch_warns_when_no_program_uses_the_map_any_more() {
    let Some(loaded) = filled(2) else { return };
    let bpffs = host::Bpffs::mount();
    loaded.map("hits").pin(bpffs.path("hits")).unwrap();
    let target = format!("pin:{}[5]", bpffs.path("hits").display());
    let mut child = tool(&["watch", "-q", &target, "-i", "100ms", "-n", "25"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "2");
    drop(loaded);
    assert!(lines.all(|line| line.unwrap() == "2"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr).lines().count(), 1, "{output:?}");
    has(&text(&output.stderr), &["map \"hits\"", "no program uses it any more", "watch --follow"]);
}

#[test]
fn keys_are_completed() {
    let Some(loaded) = filled(2) else { return };
    let complete = |word: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_bpfvar"))
            .args(["--", "bpfvar", "get", word])
            .env("BPFVAR_COMPLETE", "fish")
            .output()
            .unwrap();
        text(&output.stdout)
    };
    let p = program(&loaded);
    has(&complete(&format!("{p}.many[")), &[&format!("{p}.many[0]\t__u64\n"), &format!("{p}.many[1]\t__u64\n")]);
    has(&complete(&format!("{p}.counters[-1].")), &[&format!("{p}.counters[-1].packets\t__u64\n")]);
    has(&complete("fi"), &["fill.flows\tstruct traffic by struct flow\n"]);
}
