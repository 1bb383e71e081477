//! Changing values.

use bpfvar_objects::Source;

use super::{select, value};
use crate::support::{has, load, program};
use crate::tmux::Terminal;

/// The line about the selected row.
fn about<'s>(screen: &'s str, label: &str) -> &'s str {
    screen.lines().rev().find(|line| line.starts_with(label)).unwrap_or_default()
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
    let Some(terminal) = Terminal::run(160, 24, &["top", &p]) else { return };
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
