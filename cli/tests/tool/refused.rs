//! Exit statuses, and errors by which a user can help himself.

use std::process::Command;

use bpfvar_objects::Source;
use bpfvar_testkit::host;

use crate::support::{fails, has, load, ok, program, run, text};

#[test]
fn usage_is_status_two() {
    let usages: [&[&str]; 14] = [
        &[],
        &["nothing"],
        &["get"],
        &["get", ""],
        &["get", "a."],
        &["get", "a[1"],
        &["get", "id:x"],
        &["get", "a\u{1b}[31m"],
        &["set", "a.b"],
        &["set", "=1"],
        &["watch", "a.b", "-i", "fast"],
        &["watch", "a.b", "-i", "1us"],
        &["watch", "a.b", "-n", "0"],
        &["list", "--color", "blue"],
    ];
    for args in usages {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}: {output:?}");
        assert!(!output.stderr.contains(&0x1b), "{output:?}");
    }
}

/// Names that others chose may come by way of a script; they steer no terminal, and fill no screen.
#[test]
fn arguments_that_are_repeated_are_clean_and_short() {
    for odd in ["\u{1b}[31mred\u{202e}.x", "a\u{202e}[y]", "a\u{9b}.x"] {
        for args in [&["get", odd][..], &["watch", "count.x", "--until", odd], &[odd], &["set", odd, "--color", odd]] {
            let output = run(args);
            assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
            let line = text(&output.stderr);
            assert!(!line.is_empty() && !line.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{line:?}");
        }
    }
    if host::ready((5, 8)) {
        let long = format!("prog:{}.{}", u32::MAX, "x".repeat(100_000));
        let line = fails(&["get", &long]);
        assert!(line.len() < 5000, "{} bytes", line.len());
    }
    let Some(loaded) = load(Source::Count) else { return };
    let setting = format!("{}.sampling={}", program(&loaded), "9".repeat(100_000));
    let line = fails(&["set", &setting]);
    assert!(line.contains("sampling") && line.len() < 5000, "{} bytes", line.len());
}

#[test]
fn without_capabilities_it_says_what_is_needed() {
    if !host::has_tool("setpriv") {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    let target = format!("{}.sampling", program(&loaded));
    for args in [vec!["list"], vec!["get", &target], vec!["get", "count.sampling"]] {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_bpfvar")]).args(&args);
        let output = command.output().expect("setpriv is there");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let line = text(&output.stderr);
        assert!(line.starts_with("bpfvar: ") && line.lines().count() == 1, "{line}");
        has(&line, &["CAP_SYS_ADMIN", "CAP_BPF is not enough"]);
        assert!(!line.contains("bpf("), "{line}");
    }
    let verbose = Command::new("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_bpfvar"), "-v", "list"])
        .output()
        .unwrap();
    has(&text(&verbose.stderr), &["bpf(BPF_PROG_GET_NEXT_ID)", "Operation not permitted", "os error 1"]);
}

#[test]
fn read_only_sections_are_refused_with_the_call_if_asked() {
    let Some(loaded) = load(Source::Count) else { return };
    let version = format!("{}.version", program(&loaded));
    let line = fails(&["set", &format!("{version}=4")]);
    has(&line, &[&version, ".rodata", "frozen"]);
    assert!(!line.contains("mmap"), "{line}");
    has(&fails(&["-v", "set", &format!("{version}=4")]), &["mmap", "os error 1", ".rodata"]);
    has(&fails(&["cas", &version, "3", "4"]), &["frozen"]);
    assert_eq!(ok(&["get", "-q", &version]), "3\n");
}

#[test]
fn many_descriptors_are_no_trouble() {
    let Some(_loaded) = load(Source::Count) else { return };
    let maps: Vec<_> = (0..150)
        .map(|_| bpfvar::Map::builder().name("bpfvar_many").value_size(8).entries(1).create().unwrap())
        .collect();
    let line = format!("ulimit -Sn 64; exec {} list -q", env!("CARGO_BIN_EXE_bpfvar"));
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    drop(maps);
}
