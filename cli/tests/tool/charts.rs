//! `watch --histogram` and `watch --csv`; `watch` of entries that come and go.

use std::os::fd::AsFd;

use bpfvar_objects::Source;
use bpfvar_testkit::{delete_entry, update_entry};
use serde_json::{Value, json};

use crate::keyed::{filled, run_on_first_cpu};
use crate::support::{fails, has, load, map, ok, program, run_times, tool};

#[test]
fn counters_are_bars_with_percentiles() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    ok(&["set", "-q", &format!("{p}.hist=[0, 0, 50, 25, 25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]")]);
    let printed = ok(&["watch", "--histogram", &format!("{p}.hist"), "-n", "1"]);
    has(&printed, &[&format!("{p}.hist  at 0.0"), " 100   p50 7   p90 25   p99 30\n"]);
    let bar = |line: &str| line.matches('@').count();
    let lines: Vec<&str> = printed.lines().filter(|line| line.contains('|')).collect();
    assert_eq!(lines.iter().map(|line| bar(line)).collect::<Vec<_>>(), [40, 20, 20]);
    has(lines[0], &["  4..7 |", "| 50"]);
    let linear = ok(&["watch", "--histogram=linear:10", &format!("{p}.hist"), "-n", "1"]);
    has(&linear, &["20..29 |", "40..49 |", "p50 29"]);
    // Of a program only what is a histogram.
    let of_program = ok(&["watch", "--histogram", &p, "-n", "1"]);
    assert_eq!(of_program.matches("  at 0.0").count(), 1, "{of_program}");
    has(&of_program, &[&format!("{p}.hist  at 0.0"), "p50 7 "]);
    has(
        &fails(&["watch", "--histogram", &format!("{p}.*a*i*"), "-n", "1"]),
        &["none of its variables is a histogram", "no array of counters"],
    );
    for (args, parts) in [
        (["--histogram", "config"], ["no array of counters", "config"]),
        (["--histogram", "packets"], ["no array of counters", "packets"]),
    ] {
        has(&fails(&["watch", args[0], &format!("{p}.{}", args[1]), "-n", "1"]), &parts);
    }
    for scale in ["--histogram=log", "--histogram=linear:0", "--histogram=linear:"] {
        assert_eq!(crate::support::run(&["watch", scale, &p]).status.code(), Some(2), "{scale}");
    }
}

#[test]
fn an_array_without_a_telling_name_needs_a_scale() {
    let Some(maps) = load(Source::Maps) else { return };
    let sizes = format!("{}[1].sizes", map(&maps, "stats"));
    has(&fails(&["watch", "--histogram", &sizes, "-n", "1"]), &["sizes", "--histogram=log2", "linear:STEP"]);
    has(&ok(&["watch", "--histogram=log2", &sizes, "-n", "1"]), &["p50 -"]);
    let Some(kinds) = load(Source::Kinds) else { return };
    let large = format!("{}.large", program(&kinds));
    has(&fails(&["watch", "--histogram=log2", &large, "-n", "1"]), &["64 powers of two"]);
}

#[test]
fn histograms_are_json_with_what_was_counted_meanwhile() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    run_times(&loaded, 32);
    let hist = format!("{p}.hist");
    let mut child = tool(&["watch", "--json", "--histogram", &hist, "-n", "2", "-i", "400ms"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    run_times(&loaded, 4);
    let second = next();
    assert!(child.wait().unwrap().success());
    assert_eq!((&first["name"], &first["scale"], &first["total"]), (&json!(hist), &json!("log2"), &json!(32)));
    assert_eq!((first["lower"][3].as_u64(), &first["interval"]), (Some(8), &Value::Null));
    let interval = &second["interval"];
    assert_eq!((&second["total"], &interval["total"]), (&json!(36), &json!(4)));
    assert_eq!(interval["counts"], json!([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(interval["p50"], 3.0);
}

#[test]
fn histograms_in_entries_are_found() {
    let Some(loaded) = filled(8) else { return };
    let p = program(&loaded);
    let printed = ok(&["watch", "--histogram", &format!("{p}.hists"), "-n", "1"]);
    has(&printed, &[&format!("{p}.hists[0].slots"), &format!("{p}.hists[1].slots"), " 4   p50"]);
    let csv = ok(&["watch", "--csv", "--histogram", &format!("{p}.hists[1].slots"), "-n", "1"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("time,name,lower,count,change", 17));
    assert!(lines[2].ends_with(&format!(",{p}.hists[1].slots,2,1,")), "{csv}");
}

#[test]
fn csv_has_a_header_and_a_record_a_row() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    ok(&["set", "-q", &format!("{p}.label=a,\"b")]);
    let csv = ok(&["watch", "--csv", &format!("{p}.packets"), &format!("{p}.label"), "-n", "2", "-i", "5ms"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["time", "name", "value", "change", "rate"]);
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
    assert_eq!(records.len(), 4, "no summary: {csv}");
    assert!(records[0][0].parse::<f64>().is_ok_and(|time| time > 1e9));
    assert_eq!(records[1].iter().skip(1).collect::<Vec<_>>(), [&format!("{p}.label"), "a,\"b", "", ""]);
    assert_eq!(records[2].iter().skip(1).collect::<Vec<_>>(), [&format!("{p}.packets"), "0", "0", "0"]);
    for conflict in ["--json", "-q"] {
        assert_eq!(crate::support::run(&["watch", "--csv", conflict, &p]).status.code(), Some(2));
    }
}

#[test]
fn entries_appear_and_vanish() {
    let Some(loaded) = filled(1) else { return };
    let p = program(&loaded);
    let many = format!("{p}.many");
    let mut child = tool(&["watch", "--json", &many, &format!("{p}.hits[5]"), "-i", "20ms"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut find = |fits: &dyn Fn(&Value) -> bool| lines.find(|line| fits(line)).unwrap();
    let is = |name: String, value: Value| move |line: &Value| line["name"] == name && line["value"] == value;
    find(&is(format!("{many}[0]"), json!(0)));
    run_on_first_cpu(&loaded, 2);
    let row = find(&is(format!("{many}[2]"), json!(4)));
    assert!(row["change"].is_null(), "it is new: {row}");
    find(&|line| line["name"] == format!("{p}.hits[5]") && line["value"] == 3);
    let entries = loaded.map("many");
    delete_entry(entries.as_fd(), &2_u32.to_ne_bytes()).unwrap();
    find(&is(format!("{many}[2]"), Value::Null));
    // Once; then nothing of it comes, until it is there again.
    update_entry(entries.as_fd(), &2_u32.to_ne_bytes(), &9_u64.to_ne_bytes()).unwrap();
    let row = find(&|line| line["name"] == format!("{many}[2]"));
    assert!(row["value"] == 9 && row["change"].is_null(), "{row}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_map_with_too_many_entries_is_refused() {
    let Some(loaded) = filled(0) else { return };
    for key in 0..10_001_u32 {
        update_entry(loaded.map("many").as_fd(), &key.to_ne_bytes(), &7_u64.to_ne_bytes()).unwrap();
    }
    let many = map(&loaded, "many");
    has(&fails(&["watch", &many, "-n", "1"]), &["more than 10000 rows", &format!("{many}[KEY]")]);
}
