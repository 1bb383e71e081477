//! `watch --until`: waiting for a condition.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bpfvar_objects::Source;
use serde_json::Value;

use crate::keyed::{filled, run_on_first_cpu};
use crate::support::{fails, has, load, ok, program, run, run_times, text, tool};

/// Runs `watch` with a condition, while something else is done.
fn wait_for(condition: &str, meanwhile: impl FnOnce()) -> (Option<i32>, String) {
    let child = tool(&["watch", "-i", "5ms", "--timeout", "20s", "--until", condition])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    meanwhile();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), text(&output.stdout))
}

#[test]
fn it_ends_when_the_condition_comes_true() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let condition = format!("{p}.packets >= 3");
    let (code, printed) = wait_for(&condition, || run_times(&loaded, 3));
    assert_eq!(code, Some(0), "{printed}");
    // Its target is watched, as no other was given.
    has(&printed, &[&format!("{p}.packets "), " samples in ", &format!("\n{p}.packets >= 3: it is 3\n")]);
    let set = |value: &str| drop(ok(&["set", &format!("{p}.{value}")]));
    for (condition, value) in [
        ("config.mode == OFF", "config.mode=OFF"),
        ("config.mode!=OFF", "config.mode=SLOW"),
        ("config.enabled == false", "config.enabled=off"),
        ("label == \"wlan0\"", "label=wlan0"),
        ("label != wlan0", "label=lo"),
        ("ratio < 0.5", "ratio=0.25"),
        ("config.limits[0].delta <= -5", "config.limits[0].delta=-5"),
        ("neighbour > 0xfffffffffffffffe", "neighbour=18446744073709551615"),
    ] {
        let (code, printed) = wait_for(&format!("{p}.{condition}"), || set(value));
        assert_eq!(code, Some(0), "{condition}: {printed}");
    }
}

#[test]
fn what_ended_it_before_is_said_and_fails() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let conditions = ["--until", &format!("{p}.packets > 10"), "--until", &format!("{p}.config.mode == OFF")];
    let args = |more: &[&'static str]| {
        let all = ["watch", "-q"].into_iter().chain(conditions).chain(more.iter().copied());
        all.map(str::to_owned).collect::<Vec<String>>()
    };
    let start = Instant::now();
    let output = run(&args(&["--timeout", "150ms", "-i", "1s"]));
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    let still = [format!("{p}.packets > 10 (it is 0)"), format!(" or {p}.config.mode == OFF (it is FAST)")];
    has(&line, &["150ms passed before", &still[0], &still[1]]);
    assert_eq!(text(&output.stdout), "0\nFAST\n0\nFAST\n", "a first and a last sample");
    let output = run(&args(&["-n", "2", "-i", "1ms"]));
    assert_eq!(output.status.code(), Some(1));
    has(&text(&output.stderr), &["the last sample was taken before"]);
    // Without a condition a time is no failure.
    ok(&["watch", &format!("{p}.packets"), "--timeout", "20ms", "-i", "5ms"]);
}

#[test]
fn an_interrupt_is_no_success() {
    let Some(loaded) = load(Source::Count) else { return };
    let condition = format!("{}.packets > 10", program(&loaded));
    let mut child = tool(&["watch", "-q", "--until", &condition, "-i", "1ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    lines.for_each(|line| drop(line.unwrap()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    has(&text(&output.stderr), &["it was interrupted before"]);
}

#[test]
fn json_says_which_condition_it_was() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let (one, other) = (format!("{p}.packets > 10"), format!("{p}.sampling == 1"));
    let printed = ok(&["watch", "--json", &format!("{p}.label"), "--until", &one, "--until", &other]);
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "a sample, its summary, the condition: {printed}");
    let met = &lines[2];
    assert_eq!((&met["until"], &met["met"], &met["value"]), (&other.as_str().into(), &true.into(), &1.into()));
    assert_eq!(met["name"], format!("{p}.sampling"));
    let output = run(&["watch", "--json", "--until", &one, "-n", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let last = text(&output.stdout).lines().last().map(|line| serde_json::from_str::<Value>(line).unwrap()).unwrap();
    assert_eq!((&last["until"], &last["met"], &last["value"]), (&one.as_str().into(), &false.into(), &0.into()));
}

#[test]
fn what_cannot_be_compared_is_refused_at_once() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    for (condition, parts) in [
        ("packets > many", ["packets > many", "\"many\" is not a number"]),
        ("config.mode == QUICK", ["config.mode", "one of SLOW, FAST, OFF"]),
        ("config.enabled == 2", ["config.enabled", "true or false"]),
        ("config == 1", ["config == 1", "only scalars"]),
        ("label > a", ["label > a", "== and != only"]),
        ("nothing > 1", ["no variable", "nothing"]),
    ] {
        has(&fails(&["watch", "--until", &format!("{p}.{condition}"), "-i", "1h"]), &parts);
    }
    for bad in ["packets", "packets = 5", "packets >", "> 5", "packets ! 5"] {
        assert_eq!(run(&["watch", "--until", bad]).status.code(), Some(2), "{bad}");
    }
    assert_eq!(run(&["watch"]).status.code(), Some(2));
    assert_eq!(run(&["watch", "a.b", "--timeout", "0s"]).status.code(), Some(2));
}

#[test]
fn an_entry_is_waited_for() {
    let Some(loaded) = filled(1) else { return };
    let p = program(&loaded);
    let (code, printed) = wait_for(&format!("{p}.many[3] >= 6"), || run_on_first_cpu(&loaded, 3));
    assert_eq!(code, Some(0), "{printed}");
    has(&printed, &["(not there)", "many[3] >= 6: it is 6\n"]);
    has(&fails(&["watch", "--until", &format!("{p}.many > 5")]), &["is a map", "many[KEY]"]);
}

#[test]
fn a_program_that_is_gone_ends_the_waiting() {
    let Some(loaded) = load(Source::Count) else { return };
    run_times(&loaded, 2);
    let condition = format!("{}.packets > 10", program(&loaded));
    let child = tool(&["watch", "-q", "-i", "50ms", "--timeout", "20s", "--until", &condition])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    drop(loaded);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "it does not wait for the timeout");
    let lines = text(&output.stderr);
    has(lines.lines().last().unwrap(), &["the program is gone", "--follow", "(it is 2)"]);
}
