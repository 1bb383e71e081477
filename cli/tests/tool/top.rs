//! `top`, in a real terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bpfvar::{Array, Map};
use bpfvar_objects::{Loaded, Source, load_named};
use bpfvar_testkit::host;

use crate::support::{fails, has, load, map, ok, program, run_times, text, tool};
use crate::tmux::Terminal;

/// What the tool itself says of a variable.
fn value(target: &str) -> String {
    ok(&["get", "-q", target]).trim().to_owned()
}

/// Filters by a name, and selects the first row that fits.
fn select(terminal: &Terminal, name: &str) {
    terminal.keys(&["Escape", "/"]);
    terminal.has(&["filter:"]);
    terminal.write(name);
    terminal.has(&[&format!("filter: {name}")]);
    terminal.keys(&["Enter"]);
    terminal.lacks(&["filter:"]);
    terminal.keys(&["End"]);
}

/// The line about the selected row.
fn about<'s>(screen: &'s str, label: &str) -> &'s str {
    screen.lines().rev().find(|line| line.starts_with(label)).unwrap_or_default()
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
    terminal.has(&["hist[16]", "p50 11.5", "▁▁▁█▁▁▁▁▁▁▁▁▁▁▁▁"]);
}

/// Ends what runs beside a test, also if that fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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

#[test]
fn numbers_are_edited_with_the_checks_of_their_types() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let knob = format!("{p}.knob");
    let Some(terminal) = Terminal::run(80, 24, &["top", &p]) else { return };
    select(&terminal, "knob");
    terminal.keys(&["Enter"]);
    terminal.has(&[&format!("{knob}: 0 -> 0"), "Enter sets"]);
    terminal.write("300");
    terminal.has(&[&format!("{knob}: 0 -> 300")]);
    terminal.keys(&["Enter"]);
    terminal.says("value is \"300\", but it must be from 0 to 255");
    assert_eq!(value(&knob), "0", "nothing was written");
    terminal.keys(&["BSpace"]);
    terminal.has(&[&format!("{knob}: 0 -> 30")]);
    terminal.lacks(&["300"]);
    terminal.keys(&["Up", "Enter"]);
    terminal.has(&[&format!("{knob}: 0 -> 31; u undoes it")]);
    assert_eq!(value(&knob), "31");
    terminal.keys(&["u"]);
    terminal.has(&[&format!("{knob}: undone, it is 0 again")]);
    assert_eq!(value(&knob), "0");
    // Plus and minus are atomic steps, and stop at the bounds of the type.
    terminal.keys(&["+", "+", "-"]);
    terminal.has(&[&format!("{knob}: 2 -> 1; u undoes it")]);
    assert_eq!(value(&knob), "1");
    terminal.keys(&["-", "-"]);
    terminal.says("the sum with 0 does not fit __u8");
    // All that was done is undone, the last first; the refused step was none.
    terminal.keys(&["u", "u", "u", "u"]);
    terminal.has(&[&format!("{knob}: undone, it is 0 again")]);
    terminal.keys(&["u"]);
    terminal.has(&["nothing to undo"]);
    assert_eq!(value(&knob), "0");
    terminal.keys(&["Enter", "9", "Escape"]);
    terminal.lacks(&["->"]);
    assert_eq!(value(&knob), "0");
}

#[test]
fn bools_enums_and_texts_have_editors_of_their_own() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::run(80, 24, &["top", &p]) else { return };
    select(&terminal, "enabled");
    terminal.keys(&["Enter"]);
    terminal.has(&[&format!("{p}.config.enabled: true -> (•) true  ( ) false")]);
    terminal.keys(&["Space"]);
    terminal.has(&[&format!("{p}.config.enabled: true -> ( ) true  (•) false")]);
    terminal.keys(&["Space", "Space", "Enter"]);
    terminal.has(&["enabled: true -> false; u undoes it"]);
    assert_eq!(value(&format!("{p}.config.enabled")), "false");
    select(&terminal, "config.mode");
    terminal.keys(&["Enter"]);
    terminal.has(&["SLOW = 0", "FAST = 1", "OFF = 2", "mode: FAST -> FAST"]);
    terminal.keys(&["Down", "Enter"]);
    terminal.has(&["mode: FAST -> OFF; u undoes it"]);
    terminal.lacks(&["SLOW"]);
    assert_eq!(value(&format!("{p}.config.mode")), "OFF");
    // A number without a name.
    terminal.keys(&["Enter", "Tab", "7", "Enter"]);
    terminal.has(&["mode: OFF -> 7; u undoes it"]);
    terminal.keys(&["u"]);
    terminal.has(&["undone, it is OFF again"]);
    select(&terminal, "label");
    terminal.keys(&["Enter"]);
    terminal.write("a text that is too long");
    terminal.keys(&["Enter"]);
    terminal.says("there is room for 15 bytes and a NUL");
    terminal.keys(&["C-u"]);
    terminal.write("wlan0");
    terminal.keys(&["Enter"]);
    terminal.has(&["label: \"eth0\" -> \"wlan0\""]);
    assert_eq!(value(&format!("{p}.label")), "wlan0");
}

#[test]
fn what_cannot_be_changed_says_why() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::run(140, 24, &["top", &p]) else { return };
    select(&terminal, "version");
    let screen = terminal.has(&[&format!("{p}.version  const volatile __u32  read-only")]);
    has(about(&screen, &p), &["is frozen, for good"]);
    terminal.keys(&["Enter"]);
    terminal.says("declares it without const");
    terminal.keys(&["+"]);
    terminal.says("version: .rodata of map");
    drop(terminal);
    let Some(terminal) = Terminal::run(140, 24, &["top", &p, "--read-only"]) else { return };
    terminal.has(&["read-only"]);
    select(&terminal, "knob");
    for key in ["Enter", "+", "-"] {
        terminal.keys(&["p", "p", key]);
        terminal.has(&["knob: nothing is changed, as --read-only says\n"]);
    }
    assert_eq!(value(&format!("{p}.knob")), "0");
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
fn there_are_colours_only_where_they_are_wanted() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    // Select graphic rendition with a colour: 30 to 37, 90 to 97, or 38.
    let has_colour = |screen: &str| {
        let parts = screen.split("\x1b[").skip(1).filter_map(|part| part.split_once('m')).map(|(codes, _)| codes);
        let mut codes = parts.flat_map(|codes| codes.split(';')).filter_map(|code| code.parse::<u32>().ok());
        codes.any(|code| matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107))
    };
    let Some(terminal) = Terminal::run(80, 24, &["top", &p]) else { return };
    assert!(has_colour(&terminal.colored()));
    for (before, option) in [("NO_COLOR=1 ", ""), ("", "--color never")] {
        let Some(terminal) = Terminal::open(80, 24) else { return };
        terminal.line(&format!("{before}{} top {p} {option}", env!("CARGO_BIN_EXE_bpfvar")));
        terminal.has(&["VALUE", "sampling"]);
        terminal.keys(&["Down", "+"]);
        terminal.has(&["only a single value"]);
        assert!(!has_colour(&terminal.colored()), "{before}{option}: {:?}", terminal.colored());
    }
}

#[test]
fn what_is_no_terminal_is_refused() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    has(&fails(&["top", &p]), &["standard output is no terminal", "`bpfvar watch`"]);
    has(&fails(&["top", &p, "--json"]), &["prints nothing", "`bpfvar watch`"]);
    assert_eq!(tool(&["top", &p, "-i", "1ms"]).output().unwrap().status.code(), Some(2));
    let Some(terminal) = Terminal::open(100, 24) else { return };
    let tool = env!("CARGO_BIN_EXE_bpfvar");
    for dumb in ["TERM=dumb ", "env -u TERM "] {
        terminal.line("clear");
        terminal.line(&format!("{dumb}{tool} top {p}; echo status=$?"));
        let screen = terminal.has(&["status=1"]);
        has(&screen, &["bpfvar: TERM says that the terminal cannot be drawn on"]);
    }
    terminal.line("clear");
    terminal.line(&format!("{tool} top prog:count_nowhere; echo status=$?"));
    has(&terminal.has(&["status=1"]), &["bpfvar: "]);
    terminal.is_given_back();
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::open(90, 24) else { return };
    let modes = |terminal: &Terminal| {
        terminal.line("clear; stty -a; echo end-of-modes");
        let screen = terminal.wait("the modes", |screen| screen.contains("\nend-of-modes"));
        // The prompt may come later.
        screen.split("\nend-of-modes").next().unwrap_or_default().to_owned()
    };
    let before = modes(&terminal);
    let tool = env!("CARGO_BIN_EXE_bpfvar");
    let ends: [(&str, &dyn Fn()); 5] = [
        ("q", &|| terminal.keys(&["q"])),
        ("Ctrl-C", &|| terminal.keys(&["C-c"])),
        ("SIGINT", &|| terminal.signal("INT")),
        ("SIGTERM", &|| terminal.signal("TERM")),
        ("SIGHUP", &|| terminal.signal("HUP")),
    ];
    for (name, end) in ends {
        terminal.line(&format!("clear; echo before-it; {tool} top {p}; echo status=$?"));
        terminal.has(&["sampling"]);
        assert_eq!(terminal.knows("#{alternate_on} #{mouse_any_flag}"), "1 1", "{name}");
        end();
        let screen = terminal.has(&["status=0"]);
        has(&screen, &["before-it"]);
        assert!(!screen.contains("sampling"), "{name}: {screen}");
        terminal.is_given_back();
        assert_eq!(modes(&terminal), before, "{name}");
    }
}

#[test]
fn stopped_by_ctrl_z_or_a_signal_it_goes_on_by_fg() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let Some(terminal) = Terminal::open(80, 24) else { return };
    terminal.line(&format!("clear; {} top {p}", env!("CARGO_BIN_EXE_bpfvar")));
    terminal.has(&["sampling"]);
    for stop in ["C-z", "TSTP"] {
        match stop {
            "C-z" => terminal.keys(&["C-z"]),
            signal => terminal.signal(signal),
        }
        terminal.has(&["Stopped"]);
        terminal.is_given_back();
        terminal.line("stty -a | grep -o -- '-\\?\\bicanon\\b'; echo modes-above");
        has(&terminal.wait("the modes", |screen| screen.contains("\nmodes-above")), &["\nicanon\n"]);
        terminal.line("clear; fg");
        terminal.has(&["bpfvar top", "sampling", "q quit"]);
        // It is drawn again, and takes keys.
        terminal.keys(&["?"]);
        terminal.has(&["select a row"]);
        terminal.keys(&["Escape"]);
        terminal.lacks(&["select a row"]);
    }
    // Stopped by what no process can catch, it takes the terminal again all the same.
    terminal.signal("STOP");
    terminal.has(&["Stopped"]);
    terminal.line("stty sane; clear; fg");
    terminal.has(&["sampling", "q quit"]);
    terminal.keys(&["?"]);
    terminal.has(&["select a row"]);
    terminal.keys(&["Escape", "q"]);
    terminal.is_given_back();
}

/// The program under a name that no other test has.
fn reloadable(name: &str) -> Option<Loaded> {
    host::ready(Source::Count.needs()).then(|| load_named(Source::Count, name))
}

#[test]
fn a_program_that_goes_is_gone_and_its_successor_is_taken_up() {
    let Some(first) = reloadable("topgoes") else { return };
    ok(&["set", "topgoes.sampling=1234", "topgoes.config.rate=77"]);
    for arguments in [vec!["top", "topgoes"], vec!["top", "-f", "topgoes"]] {
        let Some(loaded) = reloadable("topgoes_next") else { return };
        drop(loaded);
        let Some(terminal) = Terminal::run(100, 30, &arguments) else { return };
        terminal.row(&["sampling", "1234"]);
        drop(terminal);
    }
    let Some(terminal) = Terminal::run(100, 30, &["top", "-f", "topgoes", "-i", "100ms"]) else { return };
    terminal.row(&["sampling", "1234"]);
    select(&terminal, "topgoes.samp");
    terminal.keys(&["+"]);
    terminal.has(&["1234 -> 1235"]);
    let map_id = first.map(".data").info().id;
    drop(first);
    terminal.has(&["gone 0 s ago"]);
    // The last value is still to be seen; the map is let go, and is not held for the screen.
    terminal.row(&["sampling", "1235"]);
    host::eventually(|| Map::from_id(map_id).is_err());
    terminal.keys(&["Enter"]);
    terminal.has(&["it is gone"]);
    terminal.keys(&["u"]);
    terminal.has(&["nothing to undo"]);
    let Some(second) = reloadable("topgoes") else { return };
    terminal.lacks(&["gone"]);
    terminal.row(&["sampling", " 1 "]);
    ok(&["set", "topgoes.sampling=55"]);
    terminal.row(&["sampling", "55"]);
    let screen = terminal.screen();
    assert_eq!(screen.matches("sampling").count(), 2, "a row, and the line about it: {screen}");
    // While a value is edited.
    terminal.keys(&["Enter"]);
    terminal.has(&["55 ->"]);
    drop(second);
    terminal.says("topgoes.sampling: it is gone; nothing was changed");
}

#[test]
fn a_target_is_waited_for_and_a_newer_program_of_its_name_does_not_take_its_place() {
    let Some(first) = reloadable("topwaits") else { return };
    ok(&["set", "topwaits.sampling=77"]);
    let Some(terminal) = Terminal::run(100, 20, &["top", "topwaits.sampling", "topwaits.config", "-i", "100ms"]) else {
        return;
    };
    terminal.row(&["topwaits.sampling", "77"]);
    terminal.row(&["▾ topwaits.config"]);
    // Now the name is that of two programs; the one that is shown is still there.
    let Some(second) = reloadable("topwaits") else { return };
    let id = second.programs[0].id();
    ok(&["set", &format!("prog:{id}.sampling=88")]);
    ok(&["set", &format!("prog:{}.sampling=79", first.programs[0].id())]);
    terminal.row(&["topwaits.sampling", "79"]);
    drop(first);
    terminal.row(&["topwaits.sampling", "88"]);
    drop(second);
    terminal.row(&["topwaits.sampling", "88", "gone"]);
    terminal.row(&["topwaits.config", "gone"]);
    let Some(_third) = reloadable("topwaits") else { return };
    terminal.row(&["topwaits.sampling", " 1 "]);
    terminal.lacks(&["gone"]);
}

#[test]
fn a_program_that_comes_is_shown() {
    let Some(count) = load(Source::Count) else { return };
    let Some(terminal) = Terminal::run(100, 30, &["top", "-f", "topcomes"]) else { return };
    terminal.has(&["nothing has \"topcomes\" in its name"]);
    let Some(_loaded) = reloadable("topcomes") else { return };
    terminal.has(&["▾ topcomes  prog:", "sampling"]);
    drop(count);
    // A map that no program uses.
    let _map = Array::<u32>::builder().name("topcomes_map").entries(3).create().unwrap();
    terminal.row(&["▸ topcomes_map[3]", "[0, 0, 0]"]);
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
fn values_that_change_together_are_shown_and_set_as_one() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = format!("prog:{}", loaded.program("read_config").id());
    let Some(terminal) = Terminal::run(120, 40, &["top", &p]) else { return };
    select(&terminal, "config.rate");
    terminal.has(&["BPFVAR_SWITCH"]);
    terminal.keys(&["Enter"]);
    terminal.write("5");
    terminal.keys(&["Enter"]);
    terminal.has(&["config.rate: 1000 -> 5; u undoes it"]);
    assert_eq!(value(&format!("{p}.config.rate")), "5");
    // What each CPU has stands below the sum.
    terminal.keys(&["Escape"]);
    select(&terminal, "counters");
    terminal.has(&["BPFVAR_PERCPU"]);
    terminal.keys(&["Home", "Down", "Right"]);
    terminal.has(&["▾ counters", "packets", "bytes", "[0]"]);
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
    let help = text(&tool(&["top", "--help"]).output().unwrap().stdout);
    has(&help, &["--read-only", "--filter", "bpfvar watch"]);
}
