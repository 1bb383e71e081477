//! Terminals, colours, pipes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use bpfvar_objects::Source;
use bpfvar_testkit::host;

use crate::support::{has, load, map, program, run_times, text, tool};

/// Runs a command line of the tool on a terminal of so many columns.
fn on_terminal(columns: u32, line: &str) -> String {
    on_terminal_called("xterm", columns, line)
}

fn on_terminal_called(term: &str, columns: u32, line: &str) -> String {
    let line = format!("stty cols {columns} rows 20; {} {line}", env!("CARGO_BIN_EXE_bpfvar"));
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .env("TERM", term)
        .stdin(Stdio::null())
        .output()
        .expect("script is there");
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

/// Without what sets colours.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| {
        plain + part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest)
    })
}

#[test]
fn tables_fit_the_terminal() {
    if !(host::has_tool("script") && host::has_tool("stty")) {
        return;
    }
    let Some(loaded) = load(Source::Kinds) else { return };
    for columns in [40, 60, 80, 120] {
        let listed = plain(&on_terminal(columns, &format!("list {}", loaded.map(".data").info().name)));
        let own = listed.lines().map(|line| line.trim_end_matches('\r'));
        assert!(own.clone().count() > 50);
        for line in own.filter(|line| line.starts_with("    ")) {
            assert!(line.chars().count() <= columns as usize, "{columns}: {line:?}");
        }
        has(&listed, &["…", "u8_value", "241"]);
    }
}

#[test]
fn colours_are_for_terminals() {
    if !(host::has_tool("script") && host::has_tool("stty")) {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    let target = format!("{}.sampling", program(&loaded));
    let colored = |command: &mut Command| command.output().unwrap().stdout.contains(&0x1b);
    assert!(!colored(&mut tool(&["get", &target])));
    assert!(colored(&mut tool(&["get", &target, "--color", "always"])));
    assert!(!colored(&mut tool(&["get", &target, "--color=never"])));
    assert!(on_terminal(80, &format!("get {target}")).contains('\u{1b}'));
    assert!(!on_terminal(80, &format!("get --color never {target}")).contains('\u{1b}'));
    let without = on_terminal(80, &format!("--version; NO_COLOR=1 {} get {target}", env!("CARGO_BIN_EXE_bpfvar")));
    assert!(!without.contains('\u{1b}') && without.contains("sampling = 1"), "{without:?}");
    let watched = on_terminal(80, &format!("watch {target} -n 2 -i 50ms"));
    has(&watched, &["\u{1b}[2A", "2 samples in 0.0"]);
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let Some(loaded) = load(Source::Count) else { return };
    let args = ["watch", "-i", "1ms", &program(&loaded)];
    let mut child = tool(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next();
    assert!(line.is_some_and(|line| line.unwrap().contains("NAME")));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(13), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_full_disk_is_a_failure() {
    let Some(loaded) = load(Source::Count) else { return };
    for args in [vec!["get".to_owned(), program(&loaded)], vec!["completions".to_owned(), "bash".to_owned()]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = tool(&args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        has(&text(&output.stderr), &["standard output cannot be written", "No space left"]);
    }
}

#[test]
fn a_map_in_a_narrow_terminal_is_watched_in_rows_that_fit() {
    if !(host::has_tool("script") && host::has_tool("stty")) {
        return;
    }
    let Some(maps) = load(Source::Maps) else { return };
    let watched = on_terminal(40, &format!("watch {} -n 1 -i 1ms", map(&maps, "stats")));
    has(&watched, &["and 11 more rows"]);
    let screen = plain(watched.split("1 sample in").next().unwrap());
    assert!(screen.lines().all(|line| line.trim_end_matches('\r').chars().count() <= 40), "{screen}");
    let summary = plain(watched.split("1 sample in").nth(1).unwrap());
    assert!(summary.lines().all(|line| line.trim_end_matches('\r').chars().count() <= 40), "{summary}");
    // A row a scalar, no shards of names.
    assert_eq!(summary.trim_end().lines().count(), 1 + 1 + 4 * 7, "{summary}");
}

#[test]
fn a_dumb_terminal_gets_rows() {
    if !(host::has_tool("script") && host::has_tool("stty")) {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    let watched = on_terminal_called("dumb", 80, &format!("watch {}.packets -n 2 -i 5ms", program(&loaded)));
    assert!(!watched.contains('\u{1b}'), "{watched:?}");
    has(&watched, &["SECONDS", "2 samples in"]);
}

#[test]
fn histograms_are_redrawn_in_lines_that_fit() {
    if !(host::has_tool("script") && host::has_tool("stty")) {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    run_times(&loaded, 16);
    let hist = format!("{}.hist", program(&loaded));
    let drawn = on_terminal(44, &format!("watch --histogram {hist} -n 2 -i 60ms"));
    // A title, percentiles and 16 slots; then one line more, for which there is no room.
    has(&drawn, &[&hist, "p50 ", "0..1 |@", "\u{1b}[18A", "last 0.0", "and 1 more line;"]);
    let screen = plain(&drawn);
    assert!(screen.lines().all(|line| line.trim_end_matches('\r').chars().count() <= 44), "{screen}");
}

#[test]
fn bytes_are_not_for_terminals() {
    if !(host::has_tool("script") && host::has_tool("stty")) {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    let refused = on_terminal(80, &format!("get --raw {}.hist; echo status $?", program(&loaded)));
    has(&refused, &["bytes are not written to a terminal", "> FILE", "status 1"]);
}
