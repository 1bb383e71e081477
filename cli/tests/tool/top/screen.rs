//! What the screen shows, and finding one's way on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bpfvar::Array;
use bpfvar_objects::Source;
use bpfvar_testkit::host;

use super::{select, value};
use crate::support::{load, map, ok, program, run_times};
use crate::tmux::Terminal;

/// Ends what runs beside a test, also if that fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn every_size_shows_names_and_values() {
    let Some(loaded) = load(Source::Count) else { return };
    ok(&["set", &format!("{}.hist[3]=7", program(&loaded))]);
    let Some(terminal) = Terminal::run(80, 24, &["top", &program(&loaded), "-i", "100ms"]) else { return };
    for (width, height) in [(40, 10), (80, 24), (300, 100), (61, 17), (33, 6), (20, 3), (81, 25)] {
        terminal.resize(width, height);
        let all = ["sampling", "label", "\"eth0\"", "ratio", "0.75", "packets", "version"];
        let shown = if height >= 17 { &all[..] } else { &["▾ prog:"] };
        let heads = ["bpfvar top", "NAME", "VALUE", "RATE", "q quit"];
        let screen = terminal.wait(&format!("screen of {width} x {height}"), |screen| {
            let has = |parts: &[&str]| parts.iter().all(|part| screen.contains(part));
            // A type where there is much room, a change where there is some.
            let columns = screen.contains("TYPE") == (width >= 140) && screen.contains("CHANGE") == (width >= 60);
            has(shown) && columns && (height < 10 || has(&heads))
        });
        assert!(screen.lines().count() <= usize::from(height), "{width}x{height}: {screen}");
    }
    terminal.has(&["hist[16]", "p50 12", "▁▁▁█▁▁▁▁▁▁▁▁▁▁▁▁"]);
}

#[test]
fn values_move_and_have_rates_and_graphs() {
    let Some(loaded) = load(Source::Count) else { return };
    let Some(terminal) = Terminal::run(100, 24, &["top", &program(&loaded), "-i", "100ms"]) else { return };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                run_times(&loaded, 10);
                thread::sleep(Duration::from_millis(10));
            }
        });
        let _stop = Stop(&done);
        terminal.wait("a rate of packets", |screen| {
            let line = screen.lines().find(|line| line.contains("packets")).unwrap_or_default();
            line.contains("/s") && !line.contains(" 0/s") && line.contains('+') && line.contains('█')
        });
        // By rate, what moves comes first.
        terminal.keys(&["s", "s"]);
        terminal.has(&["by rate", "RATE ↓"]);
        let is_first =
            |screen: &str| screen.lines().nth(3).is_some_and(|line| line.contains("packets") || line.contains("hist"));
        terminal.wait("packets before all that stays", is_first);
        terminal.keys(&["r"]);
        terminal.has(&["by rate, reversed", "RATE ↑"]);
        terminal.wait("packets behind all that stays", |screen| !is_first(screen));
    });
}

#[test]
fn rows_fold_and_unfold() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::run(90, 30, &["top", &p]) else { return };
    terminal.has(&["▾ prog:", "▸ config", "▸ hist[16]"]);
    terminal.keys(&["Down", "Right"]);
    terminal.has(&["▾ config", "rate", "1000", "mode", "FAST", "▸ limits[4]", "enabled", "true"]);
    // Structs of an array stand in columns, below the names of their members.
    terminal.keys(&["Down", "Down", "Down"]);
    terminal.has(&[&format!("{p}.config.limits  struct limit [4]  read-write  .data of map:")]);
    terminal.keys(&["Space"]);
    terminal.row(&["▾ limits[4]", "burst  delta"]);
    for (index, burst, delta) in [("[0]", "10", "-1"), ("[3]", "40", "-4")] {
        terminal.row(&[index, burst, delta]);
    }
    // A histogram has a row for each slot, with its bounds and a bar.
    terminal.keys(&["["]);
    terminal.lacks(&["config", "packets"]);
    terminal.keys(&["Home", "Right"]);
    terminal.has(&["▸ config"]);
    ok(&["set", &format!("{p}.hist[3]=7")]);
    select(&terminal, "hist");
    terminal.keys(&["Right"]);
    terminal.row(&["[3] 8..15", "7", "████"]);
    terminal.row(&["[15] 32768.."]);
    // The user says what kind of histogram it is.
    terminal.keys(&["b"]);
    terminal.has(&["element N counts the value N", "p50 3"]);
    terminal.keys(&["b"]);
    terminal.has(&["no histogram", "[0, 0, 0, 7,"]);
    terminal.keys(&["Left", "Left"]);
    terminal.has(&[&format!("{p}  count  9 variables")]);
}

#[test]
fn a_filter_is_applied_as_it_is_typed() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let Some(terminal) = Terminal::run(100, 40, &["top", &program(&loaded)]) else { return };
    terminal.has(&["alias_value", "big_value"]);
    terminal.keys(&["/"]);
    terminal.write("DEEP");
    // A member of a member of a member; what holds it is opened.
    terminal.has(&["▾ nested", "▾ inner", "▾ innermost", "deep"]);
    terminal.lacks(&["alias_value"]);
    terminal.write("er");
    terminal.has(&["nothing has \"deeper\" in its name"]);
    terminal.keys(&["Escape"]);
    terminal.has(&["alias_value"]);
    terminal.lacks(&["innermost"]);
    drop(terminal);
    let Some(terminal) = Terminal::run(100, 40, &["top", &program(&loaded), "--filter", "Zero_U"]) else { return };
    terminal.has(&["zero_u64", "/zero_u"]);
    terminal.lacks(&["alias_value"]);
}

/// Members of elements, which are not opened; and all of a program by the process that holds it.
#[test]
fn a_filter_looks_into_elements_and_at_holders() {
    let Some(loaded) = load(Source::Count) else { return };
    let Some(terminal) = Terminal::run(100, 40, &["top", &program(&loaded), "-f", "burst"]) else { return };
    terminal.has(&["▾ config", "▸ limits[4]"]);
    terminal.lacks(&["packets", "sampling"]);
    drop(terminal);
    let holder = std::fs::read_to_string("/proc/self/comm").unwrap();
    let Some(terminal) = Terminal::run(160, 40, &["top", "-f", &holder.trim().to_uppercase()]) else { return };
    terminal.has(&[&format!("{} (pid {})", holder.trim(), std::process::id()), "packets", "sampling"]);
}

#[test]
fn the_mouse_selects_folds_edits_and_scrolls() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::run(80, 20, &["top", &p]) else { return };
    let row = terminal.row(&["knob"]);
    terminal.click(8, row);
    terminal.has(&[&format!("{p}.knob  __u8")]);
    // On the sign of a row with parts.
    let row = terminal.row(&["▸ config"]);
    terminal.click(2, row);
    terminal.has(&["▾ config", "rate"]);
    terminal.click(2, row);
    terminal.has(&["▸ config"]);
    // The heads sort.
    let heads = terminal.row(&["NAME ↑", "CHANGE"]);
    let x = terminal.screen().lines().nth(heads.into()).unwrap().find("RATE").unwrap() as u16;
    terminal.click(x, heads);
    terminal.has(&["by rate"]);
    terminal.click(4, heads);
    terminal.has(&["by name"]);
    let row = terminal.row(&["knob"]);
    // A busy machine may take two clicks for two: they are made again until they are one.
    terminal.wait("an editor", |screen| {
        if screen.contains("knob: 0 ->") {
            return true;
        }
        terminal.click(8, row);
        terminal.click(8, row);
        false
    });
    terminal.keys(&["Escape"]);
    terminal.lacks(&["->"]);
    // The wheel scrolls, and leaves selected what is selected.
    terminal.resize(80, 10);
    terminal.has(&["config"]);
    terminal.keys(&["Home"]);
    terminal.has(&["9 variables"]);
    terminal.write("\x1b[<65;10;5M\x1b[<65;10;5M");
    terminal.has(&["version", "9 variables"]);
    terminal.write("\x1b[<64;10;5M\x1b[<64;10;5M");
    terminal.has(&["config"]);
}

#[test]
fn help_pause_and_interval() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::run(80, 24, &["top", &p]) else { return };
    terminal.keys(&["?"]);
    terminal.has(&["select a row", "double click to edit", "undo the last change"]);
    // It does not fit, and can be moved.
    terminal.resize(40, 10);
    terminal.has(&["select a row", "show more"]);
    terminal.keys(&["Down", "Down", "Down", "Down", "Down", "Down", "Down", "Down", "Down", "Down", "Down", "Down"]);
    terminal.has(&["Ctrl-Z"]);
    terminal.keys(&["Escape"]);
    terminal.lacks(&["Ctrl-Z"]);
    terminal.resize(80, 24);
    terminal.keys(&["i"]);
    terminal.has(&["time between samples: 1s"]);
    terminal.keys(&["C-u"]);
    terminal.write("1ms");
    terminal.keys(&["Enter"]);
    terminal.says("it must be from 50ms");
    terminal.keys(&["C-u"]);
    terminal.write("50ms");
    terminal.keys(&["Enter"]);
    terminal.has(&["every 50ms"]);
    terminal.keys(&["p"]);
    terminal.has(&["PAUSED"]);
    ok(&["set", &format!("{p}.neighbour=4711")]);
    loaded.run(1);
    assert!(!terminal.screen().contains("4711"));
    terminal.keys(&["p"]);
    terminal.has(&["4711"]);
    terminal.lacks(&["PAUSED"]);
}

#[test]
fn a_large_map_is_no_burden() {
    if !host::ready((5, 5)) {
        return;
    }
    let large = Array::<u64>::builder().name("toplarge").entries(1_000_000).create().unwrap();
    large.at(999_999).store(4711, Ordering::Relaxed);
    let target = format!("map:{}", large.map().unwrap().info().id);
    let Some(terminal) = Terminal::run(80, 24, &["top", &target, "-i", "100ms"]) else { return };
    // One target that has parts is open.
    terminal.row(&["[0]", " 0 "]);
    terminal.keys(&["End"]);
    terminal.row(&["[999999]", "4711", "█"]);
    terminal.has(&["[999998]"]);
    terminal.keys(&["Enter"]);
    terminal.write("5");
    terminal.keys(&["Enter"]);
    terminal.row(&["[999999]", " 5 "]);
    assert_eq!(large.read(999_999), 5);
    // By rate, too: what is too large to be put in order stays in that of its indexes.
    terminal.keys(&["s", "s", "Home"]);
    terminal.row(&["[0]", " 0 "]);
    terminal.keys(&["PgDn", "PgDn"]);
    terminal.row(&["[20]", " 0 "]);
    terminal.keys(&["q"]);
    terminal.is_given_back();
}

#[test]
fn maps_by_system_call_and_for_each_cpu_are_shown() {
    let Some(maps) = load(Source::Maps) else { return };
    run_times(&maps, 3);
    let p = program(&maps);
    let Some(terminal) = Terminal::run(120, 60, &["top", &p, "-i", "200ms"]) else { return };
    terminal.has(&["plain[2]", "percpu", "stats[4]", "numbers[5]", "scalar[8]"]);
    select(&terminal, "plain");
    terminal.has(&["system call"]);
    terminal.keys(&["Right"]);
    terminal.row(&["[1]", " 3 "]);
    let plain = map(&maps, "plain");
    assert_eq!(value(&format!("{plain}[1].packets")), "3");
    select(&terminal, "stats");
    terminal.keys(&["Right"]);
    terminal.row(&["stats[4]", "packets", "drops", "mode", "sizes"]);
    terminal.row(&["[3]", "3", "[0, 0, 0, 3]"]);
}

#[test]
fn escapes_in_values_reach_no_terminal() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    ok(&["set", &format!("{p}.label=\x1b[31mred\x07")]);
    let Some(terminal) = Terminal::run(80, 24, &["top", &p]) else { return };
    terminal.row(&["label", "\\u{1b}[31mred\\u{7}"]);
}
