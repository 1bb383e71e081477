//! What has a value for each CPU: all of them, each for itself, and what is their sum.

use bpfvar_objects::{Loaded, Source};
use bpfvar_testkit::host;
use serde_json::json;

use crate::keyed::run_on_first_cpu;
use crate::support::{fails, has, json, load, ok, program};

/// Three runs on the first CPU.
fn counted() -> Option<Loaded> {
    let loaded = load(Source::PerCpu)?;
    run_on_first_cpu(&loaded, 3);
    Some(loaded)
}

/// `LABEL[CPU] = VALUE` for each CPU: the first has counted, all others have not.
fn lines(label: &str, part: &str, first: &str, others: &str) -> Vec<String> {
    let value = |cpu: usize| if cpu == host::cpus()[0] { first } else { others };
    host::cpus().iter().map(|cpu| format!("{label}[{cpu}]{part} = {}", value(*cpu))).collect()
}

#[test]
fn each_entry_has_its_cpus() {
    let Some(loaded) = counted() else { return };
    let p = program(&loaded);
    let cpu_cnt = format!("{p}.cpu_cnt");
    let printed = ok(&["get", "--per-cpu", &cpu_cnt]);
    let expected = [lines(&format!("{cpu_cnt}[0]"), "", "3", "0"), lines(&format!("{cpu_cnt}[1]"), "", "0", "0")];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected.concat());
    let by_map = format!("map:{}", loaded.map("cpu_cnt").info().id);
    assert_eq!(ok(&["get", "--per-cpu", &by_map]).replace(&by_map, &cpu_cnt), printed);
    let printed = json(&["get", "--per-cpu", "--json", &cpu_cnt]);
    assert_eq!(printed.as_object().unwrap().len(), host::cpus().len() * 2);
    assert_eq!(printed[format!("{cpu_cnt}[0][{}]", host::cpus()[0])], json!(3));
}

#[test]
fn members_of_entries_have_their_cpus() {
    let Some(loaded) = counted() else { return };
    let parr = format!("{}.parr", program(&loaded));
    let get = |target: &str| ok(&["get", "--per-cpu", &format!("{parr}{target}")]);
    let of = |entry: usize, count: &str| lines(&format!("{parr}[{entry}]"), ".hits", count, "0");
    assert_eq!(get("[1].hits").lines().collect::<Vec<_>>(), of(1, "3"));
    assert_eq!(get("[*].hits").lines().collect::<Vec<_>>(), [of(0, "0"), of(1, "3")].concat());
    // With a single program, all of its maps are targets; those of many entries are refused.
    let wide = format!("{}.wide", program(&loaded));
    has(&fails(&["get", "--per-cpu", &wide]), &["10000 lines", &format!("{wide}[0]")]);
    assert_eq!(ok(&["get", "--per-cpu", &format!("{wide}[10000]")]).lines().count(), host::cpus().len());
}

#[test]
fn what_has_no_value_for_each_cpu_is_refused_alone() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    has(&fails(&["get", "--per-cpu", &format!("{p}.sampling")]), &["sampling", "no value for each CPU"]);
}

#[test]
fn sums_of_cpus_say_that_they_are() {
    let Some(loaded) = counted() else { return };
    let (p, cpus) = (program(&loaded), host::cpus().len());
    let cpu_cnt = format!("{p}.cpu_cnt");
    let sum = format!("(sum of {cpus} CPUs)");
    assert_eq!(ok(&["get", &cpu_cnt]), format!("{cpu_cnt} = [3, 0] {sum}\n"));
    assert_eq!(ok(&["get", &format!("{cpu_cnt}[0]")]), format!("{cpu_cnt}[0] = 3 {sum}\n"));
    assert_eq!(ok(&["get", "-q", &cpu_cnt]), "[3, 0]\n");
    assert_eq!(json(&["get", "--json", &cpu_cnt]), json!({ cpu_cnt.as_str(): [3, 0] }));
    assert_eq!(ok(&["dump", &cpu_cnt]), format!("{cpu_cnt} = [3, 0] {sum}\n"));
    has(&ok(&["dump", &p]), &[&format!("cpu_cnt = [3, 0] {sum}\n")]);
    has(&ok(&["list", &p]), &["(sum) [3, 0]", "(sum) [{hits: 0, bytes: 0}, {hits: 3, bytes: 300}]"]);
    assert_eq!(json(&["dump", "--json", &cpu_cnt])["sections"][0]["variables"][0]["value"], json!([3, 0]));
    let Some(keyed) = load(Source::Keyed) else { return };
    run_on_first_cpu(&keyed, 3);
    let (p, hits) = (program(&keyed), format!("{}.hits[5]", program(&keyed)));
    assert_eq!(ok(&["get", &hits]), format!("{hits} = 3 {sum}\n"));
    assert_eq!(ok(&["get", &format!("{p}.many[1]")]), format!("{p}.many[1] = 2\n"));
    has(&ok(&["dump", &p]), &[&format!("[5] = 3 {sum}\n"), "[1] = 2\n"]);
    has(&ok(&["list", &p]), &["(sum) 3"]);
    let each = ok(&["get", "--per-cpu", &format!("{p}.counters[-1].packets")]);
    assert_eq!(each.lines().collect::<Vec<_>>(), lines(&format!("{p}.counters[-1]"), ".packets", "3", "0"));
}
