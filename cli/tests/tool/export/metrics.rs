//! What is exported, and in which words.

use std::io::Write;
use std::process::{Command, Stdio};

use bpfvar_objects::{Source, load_as_aya};
use bpfvar_testkit::host;
use serde_json::Value;

use super::{Server, value};
use crate::support::{Elsewhere, fails, has, json, load, map, ok, program, run, run_times, text, unique};
use crate::watch::count_bpf_calls;

#[test]
fn a_program_is_exported_by_the_rules() {
    let Some(loaded) = load(Source::Count) else { return };
    run_times(&loaded, 20);
    let p = program(&loaded);
    let metrics = ok(&["export", &p]);
    let has_line = |line: &str| assert!(metrics.lines().any(|known| known == line), "no {line:?} in {metrics}");
    let own = "program=\"count\",variable=";
    has_line("# TYPE bpfvar_counted counter");
    has_line(&format!("bpfvar_counted_total{{{own}\"packets\"}} 20"));
    has_line("# TYPE bpfvar_value gauge");
    has_line(&format!("bpfvar_value{{{own}\"knob\"}} 0"));
    has_line(&format!("bpfvar_value{{{own}\"config\",member=\"rate\"}} 1000"));
    has_line(&format!("bpfvar_value{{{own}\"config\",member=\"limits.delta\",index=\"2\"}} -3"));
    has_line(&format!("bpfvar_value{{{own}\"config\",member=\"enabled\"}} 1"));
    has_line(&format!("bpfvar_value{{{own}\"ratio\"}} 0.75"));
    has_line("# TYPE bpfvar_state stateset");
    has_line(&format!("bpfvar_state{{{own}\"config\",member=\"mode\",bpfvar_state=\"FAST\"}} 1"));
    has_line(&format!("bpfvar_state{{{own}\"config\",member=\"mode\",bpfvar_state=\"OFF\"}} 0"));
    has_line("# TYPE bpfvar_distribution histogram");
    has_line(&format!("bpfvar_distribution_bucket{{{own}\"hist\",le=\"1.0\"}} 2"));
    has_line(&format!("bpfvar_distribution_bucket{{{own}\"hist\",le=\"3.0\"}} 4"));
    has_line(&format!("bpfvar_distribution_bucket{{{own}\"hist\",le=\"32767.0\"}} 19"));
    has_line(&format!("bpfvar_distribution_bucket{{{own}\"hist\",le=\"+Inf\"}} 20"));
    assert!(!metrics.contains("_sum") && !metrics.contains("_count{"), "what is not known is not said: {metrics}");
    assert!(!metrics.contains("label\""), "texts are no numbers: {metrics}");
    assert!(metrics.ends_with("\n# EOF\n"));
    let created = value(&metrics, "bpfvar_counted_created", &[("variable", "packets")]).unwrap();
    let loaded_at = value(&metrics, "bpfvar_load_time_seconds", &[("target", &p)]).unwrap();
    assert_eq!(created.parse::<f64>().unwrap(), loaded_at.parse::<f64>().unwrap());
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() - created.parse::<f64>().unwrap();
    assert!((-0.1..600.0).contains(&since), "{since}");
}

/// By their numbers, where all else is the same; and each by one name, whichever of its programs uses a map first.
#[test]
fn processes_are_told_apart() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let name = unique("ex");
    let (one, other) = (Elsewhere::start(&name, Source::Count), Elsewhere::start(&name, Source::Together));
    let again = Elsewhere::start(&name, Source::Count);
    let targets = [&one, &again].map(|process| format!("pid:{}", process.pid));
    let metrics = ok(&["export", &targets[0], &targets[1]]);
    for process in [&one, &again] {
        let labels = [("pid", process.pid.to_string()), ("variable", "packets".to_owned())];
        let labels = labels.each_ref().map(|(label, value)| (*label, value.as_str()));
        assert_eq!(value(&metrics, "bpfvar_counted_total", &labels), Some("0"), "{metrics}");
    }
    drop((one, again));
    let metrics = ok(&["export", &name]);
    let programs: Vec<&str> = metrics.lines().filter(|line| line.contains("program=\"")).collect();
    let own = format!("program=\"{name}\"");
    assert!(programs.len() > 5 && programs.iter().all(|line| line.contains(&own)), "{metrics}");
    drop(other);
}

#[test]
fn a_target_may_be_a_part_and_is_named_as_the_whole_is() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let metrics = ok(&["export", &format!("{p}.config.limits[2]"), &format!("{p}.hist[3]")]);
    let limits = [("variable", "config"), ("member", "limits.burst"), ("index", "2")];
    assert_eq!(value(&metrics, "bpfvar_value", &limits), Some("30"));
    assert_eq!(value(&metrics, "bpfvar_counted_total", &[("variable", "hist"), ("index", "3")]), Some("0"));
    assert!(!metrics.contains("packets"), "{metrics}");
    has(&fails(&["export", &format!("{p}.label")]), &["label", "no number"]);
    has(&fails(&["export", &format!("{p}.packest")]), &["did you mean"]);
}

#[test]
fn all_kinds_are_exact() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let output = run(&["export", &p]);
    let metrics = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    has(&text(&output.stderr), &["large is left out", "256 numbers", "name it as a target"]);
    let of = |variable: &str| value(&metrics, "bpfvar_value", &[("variable", variable)]);
    assert_eq!(of("u64_value"), Some("17434265340928784376"));
    assert_eq!(of("s64_value"), Some("-4294967298"));
    assert_eq!(of("s128_value"), Some("-1267650600228229401496703205376"));
    assert_eq!(of("double_value"), Some("-0.1"));
    assert_eq!(of("float_value"), Some("1.5"));
    assert_eq!(of("first.calls"), Some("50"));
    assert_eq!((of("node_pointer"), of("text")), (None, None), "addresses and texts are no numbers");
    let cube = [("variable", "cube"), ("index", "1"), ("index_2", "2"), ("index_3", "3")];
    assert_eq!(value(&metrics, "bpfvar_value", &cube), Some("-123"));
    let deep = [("variable", "nested"), ("member", "inners.innermost.deep"), ("index", "1")];
    assert_eq!(value(&metrics, "bpfvar_value", &deep), Some("10"));
    let synonym = [("variable", "alias_value"), ("bpfvar_state", "ORIGINAL")];
    assert_eq!(value(&metrics, "bpfvar_state", &synonym), Some("1"));
    assert!(!metrics.contains("SYNONYM"), "two names for a number are one state");
    let large = ok(&["export", &format!("{p}.large")]);
    assert_eq!(value(&large, "bpfvar_value", &[("variable", "large"), ("index", "4999")]), Some("99"));
}

#[test]
fn array_maps_and_values_of_each_cpu() {
    let (Some(maps), Some(together)) = (load(Source::Maps), load(Source::Together)) else { return };
    run_times(&maps, 3);
    let (p, stats) = (program(&maps), map(&maps, "stats"));
    let metrics =
        ok(&["export", &stats, &format!("{p}.numbers"), &format!("{p}.percpu"), &format!("{p}.a_map_with_a_lo")]);
    let of_entry = |name: &str, member: &str| {
        let labels = [("program", "use_maps"), ("variable", "stats"), ("index", "2"), ("member", member)];
        value(&metrics, name, &labels)
    };
    assert_eq!(of_entry("bpfvar_counted_total", "packets"), Some("3"));
    assert_eq!(of_entry("bpfvar_value", "drops"), Some("2"));
    assert_eq!(
        value(&metrics, "bpfvar_value", &[("variable", "numbers"), ("index", "4"), ("member", "middle")]),
        Some("-4")
    );
    assert_eq!(value(&metrics, "bpfvar_counted_total", &[("variable", "percpu"), ("member", "packets")]), Some("3"));
    assert_eq!(value(&metrics, "bpfvar_value", &[("variable", "a_map_with_a_lo")]), Some("3"));
    // A map that is no section may be older than its program.
    assert!(!metrics.contains("bpfvar_counted_created"), "{metrics}");
    let p = format!("prog:{}", together.program("count_packet").id());
    together.program("count_packet").run(1);
    let metrics = ok(&["export", &p]);
    assert_eq!(value(&metrics, "bpfvar_counted_total", &[("variable", "counters"), ("member", "bytes")]), Some("100"));
    assert_eq!(
        value(&metrics, "bpfvar_counted_total", &[("variable", "blocks"), ("member", "words"), ("index", "7")]),
        Some("0")
    );
    // One CPU of a variable, and of an entry.
    let cpus: Vec<String> = host::cpus().iter().map(|cpu| format!("{p}.counters[{cpu}].bytes")).collect();
    let metrics = ok(&[&["export".to_owned()], cpus.as_slice()].concat());
    let on = |metrics: &str, variable: &str, labels: &[&str], cpu: usize| -> u64 {
        let cpu = cpu.to_string();
        let mut all = vec![("variable", variable)];
        all.extend(labels.iter().map(|name| (*name, "0")));
        let last = if labels.is_empty() { "index" } else { "index_2" };
        all.push((last, &cpu));
        value(metrics, "bpfvar_counted_total", &all).unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
    };
    let sum: u64 = host::cpus().iter().map(|cpu| on(&metrics, "counters", &[], *cpu)).sum();
    assert_eq!(sum, 100, "{metrics}");
    let p = program(&maps);
    let cpus: Vec<String> = host::cpus().iter().map(|cpu| format!("{p}.percpu[0][{cpu}].packets")).collect();
    let metrics = ok(&[&["export".to_owned()], cpus.as_slice()].concat());
    let sum: u64 = host::cpus().iter().map(|cpu| on(&metrics, "percpu", &["index"], *cpu)).sum();
    assert_eq!(sum, 3, "{metrics}");
}

#[test]
fn what_several_targets_name_is_exported_once() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let bss = map(&loaded, ".bss");
    let metrics = ok(&["export", &format!("{p}.packets"), &p, &format!("{bss}.packets"), &bss]);
    assert_eq!(value(&metrics, "bpfvar_counted_total", &[("variable", "packets")]), Some("0"));
    assert_eq!(value(&metrics, "bpfvar_distribution_bucket", &[("le", "1.0")]), Some("0"));
    assert_eq!(metrics.matches("bpfvar_up{").count(), 2, "{metrics}");
}

#[test]
fn two_programs_of_one_name_are_told_apart_or_refused() {
    let (Some(one), Some(other)) = (load(Source::Count), load(Source::Count)) else { return };
    let line = fails(&["export", &program(&one), &program(&other)]);
    has(
        &line,
        &[&program(&other), "another target is exported as bpfvar_", "{program=\"count\",variable=\"", "`labels`"],
    );
}

#[test]
fn json_has_the_same() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let metrics = json(&["export", "--json", &format!("{p}.u64_value"), &format!("{p}.color_value")]);
    let family = |name: &str| {
        let families = metrics["families"].as_array().unwrap();
        families.iter().find(|family| family["name"] == name).unwrap_or_else(|| panic!("{metrics}")).clone()
    };
    let gauge = family("bpfvar_value");
    assert_eq!((&gauge["type"], &gauge["unit"]), (&Value::from("gauge"), &Value::Null));
    assert_eq!(gauge["metrics"][0]["value"], "17434265340928784376");
    assert_eq!(gauge["metrics"][0]["labels"]["variable"], "u64_value");
    assert_eq!(family("bpfvar_state")["metrics"][0]["state"], "BLUE");
    assert_eq!(family("bpfvar_up")["metrics"][0]["value"], 1);
    let count = load(Source::Count).unwrap();
    run_times(&count, 3);
    let metrics = json(&["export", "--json", &format!("{}.hist", program(&count))]);
    let hist = &metrics["families"][0]["metrics"][0];
    assert_eq!((&hist["buckets"][1]["le"], &hist["buckets"][1]["count"]), (&Value::from(3.0), &Value::from(2)));
    assert_eq!((&hist["buckets"][15]["le"], &hist["sum"]), (&Value::Null, &Value::Null));
    assert!(hist["created"].is_f64());
}

/// Asserts that Prometheus's own checker finds nothing to complain about.
#[track_caller]
pub(super) fn promtool(metrics: &str) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool comes with prometheus");
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [text(&output.stdout), text(&output.stderr)].concat();
    assert!(output.status.success() && said.is_empty(), "{said}{metrics}");
}

#[test]
fn promtool_has_nothing_to_say() {
    if !host::has_tool("prometheus") {
        return;
    }
    for source in [Source::Count, Source::Kinds, Source::Maps, Source::Together] {
        let Some(loaded) = load(source) else { return };
        for program in &loaded.programs {
            let output = run(&["export", &format!("prog:{}", program.id()), "--format", "prometheus"]);
            assert!(output.status.success(), "{output:?}");
            promtool(&text(&output.stdout));
        }
    }
}

/// A section with so many variables, in the kernel.
pub(super) fn section(variables: u32) -> bpfvar::Map {
    const MMAPABLE: u32 = 1 << 10;
    bpfvar::Map::from_fd(bpfvar_testkit::counters_map(variables, MMAPABLE).unwrap()).unwrap()
}

#[test]
fn a_thousand_variables_take_no_more_calls_than_one() {
    if !host::ready((5, 8)) {
        return;
    }
    let (one, many) = (section(1), section(1000));
    many.update(0, &(0..1000_u64).flat_map(u64::to_ne_bytes).collect::<Vec<u8>>()).unwrap();
    let servers = [&one, &many].map(|map| Server::start(&[format!("map:{}", map.info().id)]));
    assert_eq!(value(&servers[1].scrape(), "bpfvar_counted_total", &[("variable", "counter_999")]), Some("999"));
    let counters = servers.each_ref().map(|server| count_bpf_calls(server.child.id()));
    let calls = |index: usize| {
        let count = &counters[index].0;
        let before = count.read(0);
        assert!(servers[index].scrape().contains("bpfvar_counted_total"));
        count.read(0) - before
    };
    // Each looks whether programs came or went, a call for each program. Other tests load some meanwhile.
    let pairs: Vec<(u64, u64)> = (0..30).map(|_| (calls(0), calls(1))).collect();
    assert!(pairs.iter().any(|(one, many)| one == many && *one > 0), "{pairs:?}");
}

#[test]
fn a_section_that_cannot_be_mapped_takes_one_call() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let aya = load_as_aya(Source::Count);
    run_times(&aya, 4);
    let p = program(&aya);
    let servers = [
        vec![format!("{p}.packets")],
        vec![p.clone()],
        ["packets", "knob", "neighbour"].map(|name| format!("{p}.{name}")).to_vec(),
    ];
    let servers = servers.map(|targets| Server::start(&targets));
    assert_eq!(value(&servers[1].scrape(), "bpfvar_counted_total", &[("variable", "packets")]), Some("4"));
    let counters = servers.each_ref().map(|server| count_bpf_calls(server.child.id()));
    let calls = |index: usize| {
        let before = counters[index].0.read(0);
        servers[index].scrape();
        counters[index].0.read(0) - before
    };
    // .bss for one variable; .bss, .data and .rodata for all; .bss for three variables of it.
    let triples: Vec<[u64; 3]> = (0..30).map(|_| [calls(0), calls(1), calls(2)]).collect();
    assert!(triples.iter().any(|[one, all, three]| all - one == 2 && three == one), "{triples:?}");
}
