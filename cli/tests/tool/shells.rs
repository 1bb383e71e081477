//! Completions in the shells that they are for: typed into a terminal.

use std::path::Path;

use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;

use crate::support::{program, unique};
use crate::tmux::Terminal;

/// A terminal in which a shell runs that completes.
struct Shell {
    terminal: Terminal,
}

impl Shell {
    /// None where tests must be skipped.
    #[track_caller]
    fn open(name: &'static str) -> Option<Shell> {
        if !host::has_tool(name) {
            return None;
        }
        // The lists of 16 elements fit.
        let terminal = Terminal::open(160, 50)?;
        let directory = Path::new(env!("CARGO_BIN_EXE_bpfvar")).parent().expect("it is in a directory");
        terminal.line(&format!("export PATH={}:$PATH", directory.display()));
        let setup = match name {
            // Lists come at the first tab, as in the others.
            "bash" => ["bind 'set show-all-if-ambiguous on'", "source <(bpfvar completions bash)"].as_slice(),
            "zsh" => &["exec zsh -f", "autoload -Uz compinit; compinit -u -D", "source <(bpfvar completions zsh)"],
            // What it suggests by itself is no completion.
            _ => &[
                "exec fish --no-config --private",
                "set -g fish_autosuggestion_enabled 0",
                "bpfvar completions fish | source",
            ],
        };
        let shell = Shell { terminal };
        for line in setup {
            shell.terminal.line(line);
            shell.settle();
        }
        Some(shell)
    }

    /// Waits until everything that was typed is done, on an empty screen.
    #[track_caller]
    fn settle(&self) {
        self.terminal.line("clear; echo se''ttled");
        self.terminal.wait("empty screen", |screen| screen.starts_with("settled"));
    }

    /// Types a line and a tab, and waits until all of some parts are on the screen.
    #[track_caller]
    fn completes(&self, typed: &str, parts: &[&str]) {
        self.terminal.write(typed);
        // A tab that comes with other characters is none to zsh.
        self.terminal.has(&[typed]);
        self.terminal.keys(&["Tab"]);
        self.terminal.has(parts);
        self.terminal.keys(&["C-c"]);
        self.settle();
    }

    /// The same for what is typed behind the completion, too.
    #[track_caller]
    fn goes_on(&self, typed: &str, completed: &str, more: &str) {
        self.terminal.write(typed);
        self.terminal.has(&[typed]);
        self.terminal.keys(&["Tab"]);
        // Blanks at the end of a line are not seen.
        self.terminal.has(&[completed.trim_end()]);
        self.terminal.write(more);
        self.terminal.has(&[&format!("{completed}{more}")]);
        self.terminal.keys(&["C-c"]);
        self.settle();
    }
}

/// What is the same in all shells; `describe` is how they show what a candidate is.
fn complete(shell: &'static str, describe: fn(&str, &str) -> String) {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let Some(shell) = Shell::open(shell) else { return };
    let name = unique("s");
    let loaded = load_named(Source::Count, &name);
    let id = program(&loaded);
    // Commands, then variables and members by the names and ids of programs, each as a word of its own.
    shell.goes_on("bpfvar wat", "bpfvar watch ", "x");
    for of in [&name, &id] {
        shell.goes_on(&format!("bpfvar get {of}.samp"), &format!("bpfvar get {of}.sampling "), "x");
    }
    let members = [describe("config.mode", "enum mode"), describe("config.limits", "struct limit [4]")];
    shell.completes(&format!("bpfvar get {name}.config."), &members.each_ref().map(String::as_str));
    shell.completes("bpfvar get --s", &["bpfvar get --sum"]);
    // A value follows the equals sign; enumerators have names.
    let set = format!("bpfvar set x.y=1 {id}");
    shell.goes_on(&format!("{set}.samp"), &format!("{set}.sampling="), "5");
    let modes = [describe("FAST", "1"), describe("OFF", "2"), describe("SLOW", "0")];
    shell.completes(&format!("{set}.config.mode="), &modes.each_ref().map(String::as_str));
    shell.goes_on(&format!("{set}.config.mode=F"), &format!("{set}.config.mode=FAST "), "x");
    // Brackets need quotes or backslashes.
    shell.goes_on(&format!("bpfvar get '{id}.hist[13"), &format!("bpfvar get '{id}.hist[13]' "), "x");
    shell.goes_on(&format!("bpfvar get {id}.hist\\[13"), &format!("bpfvar get {id}.hist\\[13\\] "), "x");
    // This process holds a program; others may have numbers that start like its own.
    let pid = std::process::id().to_string();
    shell.completes(&format!("bpfvar get pid:{}", &pid[..pid.len() - 1]), &[&pid]);
    shell.goes_on("bpfvar apply /et", "bpfvar apply /etc/", "x");
}

#[test]
fn bash_completes() {
    complete("bash", |candidate, what| match candidate.split_once('.') {
        Some(_) => format!("{candidate:<14}  ({what})"),
        None => format!("{candidate:<4}  ({what})"),
    });
}

#[test]
fn zsh_completes() {
    complete("zsh", |candidate, what| match candidate.split_once('.') {
        Some(_) => format!("{candidate:<14}  -- {what}"),
        None => format!("{candidate:<4}  -- {what}"),
    });
}

#[test]
fn fish_completes() {
    complete("fish", |candidate, what| {
        // It cuts what all candidates start with.
        let tail = candidate.split_once('.').map_or(candidate, |(_, member)| member);
        format!("{tail}  ({what})")
    });
}
