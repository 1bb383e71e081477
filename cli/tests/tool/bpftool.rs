//! Side by side with bpftool: the same where it is right, better where it is not.

use std::process::Command;

use bpfvar_objects::{Loaded, Source, load_by_bpftool};
use bpfvar_testkit::host;
use serde_json::Value;

use crate::support::{fails, has, json, load, map, ok, program, run_times};

/// The formatted value of the only entry, as bpftool prints it.
fn bpftool_dump(loaded: &Loaded, section: &str) -> String {
    let id = loaded.map(section).info().id.to_string();
    let output = Command::new("bpftool").args(["map", "dump", "id", &id, "-j"]).output().expect("bpftool is there");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn ours(loaded: &Loaded, section: &str) -> Vec<(String, Value)> {
    let dumped = json(&["dump", "--json", &map(loaded, section)]);
    let variables = dumped["sections"][0]["variables"].as_array().unwrap().clone();
    variables
        .into_iter()
        .map(|variable| (variable["name"].as_str().unwrap().to_owned(), variable["value"].clone()))
        .collect()
}

#[test]
fn the_same_where_bpftool_is_right() {
    let Some(loaded) = load(Source::Count) else { return };
    if !host::has_tool("bpftool") {
        return;
    }
    run_times(&loaded, 20);
    let theirs: Value = serde_json::from_str(&bpftool_dump(&loaded, ".bss")).unwrap();
    let theirs = &theirs[0]["formatted"]["value"][".bss"];
    let theirs: Vec<(String, Value)> =
        theirs.as_array().unwrap().iter().flat_map(|variable| variable.as_object().unwrap().clone()).collect();
    assert_eq!(ours(&loaded, ".bss"), theirs);

    let maps = bpfvar_objects::load(Source::Maps);
    run_times(&maps, 3);
    let theirs: Value = serde_json::from_str(&bpftool_dump(&maps, "stats")).unwrap();
    let theirs: Vec<&Value> = theirs.as_array().unwrap().iter().map(|entry| &entry["formatted"]["value"]).collect();
    let stats = json(&["get", "--json", "-q", &map(&maps, "stats")]);
    assert_eq!(stats.as_array().unwrap().iter().collect::<Vec<_>>(), theirs);
}

#[test]
fn floats_are_shown_and_json_is_valid_where_bpftool_gives_up() {
    let Some(loaded) = load(Source::Count) else { return };
    if !host::has_tool("bpftool") {
        return;
    }
    let theirs = bpftool_dump(&loaded, ".data");
    if serde_json::from_str::<Value>(&theirs).is_ok() && theirs.contains("0.75") {
        println!("bpftool has learnt floats; the README says that it has not");
    }
    let ours = ours(&loaded, ".data");
    assert!(ours.contains(&("ratio".to_owned(), 0.75.into())) && ours.contains(&("label".to_owned(), "eth0".into())));
}

#[test]
fn a_byte_does_not_take_three_hundred() {
    let Some(loaded) = load(Source::Count) else { return };
    let knob = format!("{}.knob", program(&loaded));
    has(&fails(&["set", &format!("{knob}=300")]), &["300", "from 0 to 255"]);
    assert_eq!(ok(&["get", "-q", &knob]), "0\n");
}

#[test]
fn what_bpftool_has_loaded_is_read_and_set() {
    if !host::ready(Source::Count.needs()) || !host::has_tool("bpftool") {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let root = bpffs.path("");
    for source in [Source::Count, Source::Kinds, Source::Twin, Source::Maps, Source::Tail] {
        let loaded = load_by_bpftool(source, &root).unwrap_or_else(|error| panic!("{source:?}: {error}"));
        let dumped = json(&["dump", "--json", &format!("prog:{}", loaded.programs[0].id())]);
        assert!(!dumped["sections"].as_array().unwrap().is_empty());
        if source == Source::Count {
            let p = program(&loaded);
            assert_eq!(ok(&["set", &format!("{p}.sampling=100")]), format!("{p}.sampling: 1 -> 100\n"));
        }
    }
}
