//! The terminal: how it is drawn on, and given back.

use bpfvar_objects::Source;

use crate::support::{fails, has, load, program, tool};
use crate::tmux::Terminal;

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
