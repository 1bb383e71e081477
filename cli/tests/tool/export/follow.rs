//! Programs that come, go and come again.

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;

use bpfvar_objects::{Loaded, Source, load_named};
use bpfvar_testkit::insn::{self, Reg};
use bpfvar_testkit::{Program, host};

use super::metrics::section;
use super::{Server, eventually, value};
use crate::support::{fails, has, load, ok, program, run_times};

fn load_as(name: &str) -> Option<Loaded> {
    host::ready(Source::Count.needs()).then(|| load_named(Source::Count, name))
}

fn packets(metrics: &str) -> Option<&str> {
    value(metrics, "bpfvar_counted_total", &[("variable", "packets")])
}

fn created(metrics: &str) -> f64 {
    value(metrics, "bpfvar_counted_created", &[("variable", "packets")]).unwrap().parse().unwrap()
}

#[test]
fn a_program_that_is_loaded_anew_is_a_restart() {
    let Some(first) = load_as("exp_again") else { return };
    let up = |metrics: &str| value(metrics, "bpfvar_up", &[("target", "exp_again")]).map(str::to_owned);
    let reloads = |metrics: &str| value(metrics, "bpfvar_reloads_total", &[("target", "exp_again")]).map(str::to_owned);
    let server = Server::start(&["exp_again"]);
    run_times(&first, 7);
    let before = server.scrape();
    assert_eq!((packets(&before), up(&before).as_deref()), (Some("7"), Some("1")));
    drop(first);
    let gone = eventually("it is gone", || Some(server.scrape()).filter(|metrics| up(metrics).as_deref() == Some("0")));
    assert!(!gone.contains("exp_again\",variable="), "no values of what is not there: {gone}");
    let second = load_as("exp_again").unwrap();
    run_times(&second, 2);
    let after = server.scrape();
    assert_eq!((packets(&after), up(&after).as_deref()), (Some("2"), Some("1")));
    assert_eq!((reloads(&before).as_deref(), reloads(&after).as_deref()), (Some("0"), Some("1")));
    assert!(created(&after) > created(&before), "{after}");
    // The names are the same.
    let names = |metrics: &str| {
        let names = metrics.lines().filter_map(|line| line.rsplit_once(' ').map(|(name, _)| name.to_owned()));
        names.filter(|name| !name.starts_with('#')).collect::<Vec<_>>()
    };
    assert_eq!(names(&before), names(&after));
    // Also if it was gone between two scrapes.
    drop(second);
    let third = load_as("exp_again").unwrap();
    eventually("the third", || Some(server.scrape()).filter(|metrics| packets(metrics) == Some("0")));
    assert_eq!(reloads(&server.scrape()).as_deref(), Some("2"));
    drop(third);
    server.scrape();
    let said = server.end();
    has(&said, &["exp_again: it was unloaded", "waiting for it", "exp_again: it is there"]);
}

#[test]
fn a_counter_that_is_set_back_starts_anew() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    run_times(&loaded, 5);
    let server = Server::start(&[&p]);
    let before = server.scrape();
    let resets = |metrics: &str| value(metrics, "bpfvar_resets_total", &[("target", &p)]).map(str::to_owned);
    ok(&["set", &format!("{p}.packets=1"), &format!("{p}.config.rate=1")]);
    let after = server.scrape();
    assert_eq!((packets(&before), packets(&after)), (Some("5"), Some("1")));
    assert_eq!((resets(&before).as_deref(), resets(&after).as_deref()), (Some("0"), Some("1")), "{after}");
    assert!(created(&after) > created(&before));
    assert_eq!(created(&server.scrape()), created(&after), "once");
}

#[test]
fn what_is_not_there_yet_can_be_waited_for() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    has(&fails(&["export", "exp_later"]), &["exp_later", "there is no program or map"]);
    let mut server = Server::start(&["--wait", "exp_later", "exp_later.packets"]);
    let mut said = BufReader::new(server.stderr()).lines();
    has(&said.next().unwrap().unwrap(), &["exp_later", "waiting for it"]);
    let metrics = server.scrape();
    assert_eq!(value(&metrics, "bpfvar_up", &[("target", "exp_later")]), Some("0"));
    assert_eq!(packets(&metrics), None);
    let loaded = load_as("exp_later").unwrap();
    run_times(&loaded, 3);
    let metrics = server.scrape();
    assert_eq!((packets(&metrics), value(&metrics, "bpfvar_up", &[])), (Some("3"), Some("1")));
    assert_eq!(value(&metrics, "bpfvar_reloads_total", &[]), Some("0"), "the first time");
}

#[test]
fn what_is_half_written_is_left_out_and_counted() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = format!("prog:{}", loaded.program("cut_short").id());
    let server = Server::start(&[&p]);
    let shared = |metrics: &str| {
        value(metrics, "bpfvar_counted_total", &[("variable", "shared"), ("index", "0")]).map(str::to_owned)
    };
    let torn = |metrics: &str| value(metrics, "bpfvar_torn_reads_total", &[]).unwrap().parse::<u64>().unwrap();
    let metrics = server.scrape();
    assert_eq!((shared(&metrics).as_deref(), torn(&metrics)), (Some("0"), 0));
    loaded.program("cut_short").run(1);
    let metrics = server.scrape();
    assert_eq!((shared(&metrics).as_deref(), torn(&metrics)), (None, 1));
    assert!(value(&metrics, "bpfvar_counted_total", &[("variable", "refused")]).is_some(), "the others are there");
    // Also if it is so from the start.
    let late = Server::start(&[&p]);
    let metrics = late.scrape();
    assert_eq!((shared(&metrics).as_deref(), torn(&metrics)), (None, 1));
    ok(&["set", &format!("{p}.shared={{\"words\": [4,4,4,4,4,4,4,4]}}")]);
    for server in [&server, &late] {
        assert_eq!(shared(&server.scrape()).as_deref(), Some("4"));
    }
}

#[test]
fn a_map_that_outlives_its_program_counts_on() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = section(2);
    map.update(0, &[7; 16]).unwrap();
    let load = || {
        let use_map = insn::load_value(Reg::R1, map.as_fd(), 0);
        let done = [insn::mov_imm(Reg::R0, 0), insn::exit()];
        Program::socket_filter(&use_map.into_iter().chain(done).collect::<Vec<_>>())
    };
    let first = load();
    let target = format!("map:{}", map.info().id);
    let server = Server::start(&[&target]);
    let metric = |metrics: &str, name: &str| value(metrics, name, &[("variable", "counter_1")]).map(str::to_owned);
    let up = |metrics: &str| value(metrics, "bpfvar_up", &[]).map(str::to_owned);
    let before = server.scrape();
    assert!(metric(&before, "bpfvar_counted_created").is_some(), "{before}");
    drop(first);
    eventually("it is gone", || Some(server.scrape()).filter(|metrics| up(metrics).as_deref() == Some("0")));
    let _second = load();
    let after = server.scrape();
    assert_eq!(up(&after).as_deref(), Some("1"));
    for name in ["bpfvar_counted_total", "bpfvar_counted_created"] {
        assert_eq!(metric(&before, name), metric(&after, name), "{after}");
    }
}
