//! What the tool prints as text, as a whole, beside what it printed before: `SNAPSHOTS=overwrite` takes it as it is now.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bpfvar_objects::{Loaded, Source, load_named};
use bpfvar_testkit::host;
use snapbox::{Assert, Data};

use crate::help::COMMANDS;
use crate::keyed::run_on_first_cpu;
use crate::support::{ok, run_times, run_with, text, tool};

/// Compares a text with the file that has what it was before.
#[track_caller]
fn compare(name: &str, text: String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    // Nothing in the file is a pattern.
    Assert::new().action_env("SNAPSHOTS").eq(text, Data::read_from(&path, None).raw());
}

/// An object whose program has a name that no other has, always of the same length: columns depend on it.
struct Golden {
    loaded: Loaded,
    name: String,
    /// What stands in the file in its place.
    shown: &'static str,
}

impl Golden {
    /// None where tests must be skipped. The name shown has 11 characters.
    #[track_caller]
    fn load(source: Source, shown: &'static str) -> Option<Golden> {
        static NUMBER: AtomicU8 = AtomicU8::new(0);
        let name = format!("g{:08x}{:02x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        assert_eq!(name.len(), shown.len());
        host::ready(source.needs()).then(|| Golden { loaded: load_named(source, &name), name, shown })
    }
}

/// Commands with what they print.
#[derive(Default)]
struct Transcript {
    text: String,
    /// What varies, and what stands in the file in its place.
    names: Vec<(String, &'static str)>,
}

impl Transcript {
    fn of(objects: &[&Golden]) -> Transcript {
        let mut names: Vec<_> = objects.iter().map(|golden| (golden.name.clone(), golden.shown)).collect();
        names.push((concat!("\"", env!("CARGO_PKG_VERSION"), "\"").to_owned(), "\"VERSION\""));
        let cpus = host::cpus().len();
        names.push((format!("(sum of {cpus} CPU{})", if cpus == 1 { "" } else { "s" }), "(sum of all CPUs)"));
        Transcript { text: String::new(), names }
    }

    /// Runs a command, in which objects have the names that stand in the file.
    fn run(&mut self, line: &str) {
        self.run_with(line, "");
    }

    /// The same with a text on standard input.
    fn run_with(&mut self, line: &str, input: &str) {
        let blank = if self.text.is_empty() { "" } else { "\n" };
        let real =
            |text: &str| self.names.iter().fold(text.to_owned(), |text, (name, shown)| text.replace(shown, name));
        let args: Vec<String> = words(line).iter().map(|word| real(word)).collect();
        let output = run_with(&args, &real(input));
        let status = output.status.code().expect("it ends by itself");
        let status = if status == 0 { String::new() } else { format!("[exit status {status}]\n") };
        let printed = format!("{}{}{status}", text(&output.stdout), text(&output.stderr));
        let shown = self.names.iter().fold(printed, |text, (name, shown)| text.replace(name, shown));
        let shown = without_numbers(&without_holders(&shown));
        write!(self.text, "{blank}$ bpfvar {line}\n{shown}").expect("it is memory");
    }

    #[track_caller]
    fn check(self, name: &str) {
        compare(name, self.text);
    }
}

/// Words, in quotes where there are blanks in them.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(index, part)| if index % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect()
}

/// A process that another test is just starting holds what this one holds, for a moment.
fn without_holders(text: &str) -> String {
    let line = |line: &str| match line.split_once(", held by ") {
        Some((object, _)) => format!("{object}, held by PROCESSES\n"),
        None => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Ids, times and how long something took, each as a word.
fn without_numbers(text: &str) -> String {
    const BEFORE_ID: [&str; 7] = ["prog:", "map:", "id ", "pid ", "BTF ", "\"id\":", "\"map_id\":"];
    const BEFORE_IDS: [&str; 3] = ["  maps ", "\"maps\":[", "\"programs\":["];
    // The metric without labels is how long reading took.
    const BEFORE_TIME: [&str; 3] = ["loaded ", "bpfvar_read_duration_seconds ", "\"labels\":{},\"value\":"];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs_f64();
    let (mut clean, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, behind) = rest.split_at(start);
        let number = &behind[..number_length(behind)];
        clean += before;
        let is_behind = |words: &[&str]| words.iter().any(|word| clean.ends_with(word));
        let is_in = |list: &&str| {
            clean.rsplit_once(*list).is_some_and(|(_, tail)| tail.chars().all(|c| matches!(c, 'I' | 'D' | ',' | ' ')))
        };
        let is_moment = |number: f64| (now - number).abs() < 86400.0;
        let word = match number.split_once('.') {
            _ if is_behind(&BEFORE_ID) || BEFORE_IDS.iter().any(is_in) => "ID",
            _ if is_behind(&BEFORE_TIME) || number.parse().is_ok_and(is_moment) => "TIME",
            // As `watch` writes seconds, in a column.
            Some((_, decimals)) if decimals.len() == 3 => "N.NNN",
            _ => number,
        };
        clean += word;
        rest = &behind[number.len()..];
    }
    clean + rest
}

/// Of digits, with decimals and an exponent if they have any.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    [".", "e-"].iter().fold(digits(0), |end, mark| match text[end..].strip_prefix(mark) {
        Some(_) if digits(end + mark.len()) > 0 => end + mark.len() + digits(end + mark.len()),
        _ => end,
    })
}

#[test]
fn helps() {
    for command in COMMANDS {
        // What clap finds out about a terminal must not matter.
        let output = tool(&[command, "--help"]).env("COLUMNS", "100").output().unwrap();
        compare(&format!("help/{command}"), text(&output.stdout));
    }
}

#[test]
fn lists() {
    let Some(count) = Golden::load(Source::Count, "the_program") else { return };
    let mut transcript = Transcript::of(&[&count]);
    transcript.run("list the_program");
    transcript.run("list -l the_program");
    transcript.run("list -q the_program");
    transcript.run("list --changed 1ms the_program");
    transcript.check("list");
}

#[test]
fn values() {
    let Some(count) = Golden::load(Source::Count, "the_program") else { return };
    let mut transcript = Transcript::of(&[&count]);
    for line in [
        "get the_program",
        "get -q the_program.config the_program.label",
        "get --json the_program.config the_program.ratio",
        "get --max the_program.config.limits[*].burst",
        "dump the_program",
        "dump -q the_program.bss",
        "dump --json the_program.data",
        "set the_program.sampling=100 the_program.config.mode=SLOW",
        "set the_program.sampling+=5 --json",
        "add the_program.packets 7",
        "cas the_program.config.mode SLOW OFF",
        "cas the_program.config.mode SLOW OFF",
        "freeze the_program.bss",
    ] {
        transcript.run(line);
    }
    transcript.check("values");
}

#[test]
fn entries() {
    let Some(keyed) = Golden::load(Source::Keyed, "the_program") else { return };
    run_on_first_cpu(&keyed.loaded, 6);
    let mut transcript = Transcript::of(&[&keyed]);
    for line in [
        "list the_program",
        "get the_program.flows",
        "get --json the_program.names",
        "get 'the_program.flows[{\"address\": 1, \"port\": 80, \"proto\": \"TCP\"}].packets'",
        "get the_program.hits[6]",
        "show the_program.flows",
        "dump the_program.counters",
        "set the_program.hits[5]=1",
    ] {
        transcript.run(line);
    }
    transcript.check("entries");
}

#[test]
fn types() {
    let (Some(count), Some(together)) =
        (Golden::load(Source::Count, "the_program"), Golden::load(Source::Together, "program_two"))
    else {
        return;
    };
    let mut transcript = Transcript::of(&[&count, &together]);
    for line in [
        "show the_program.config",
        "show the_program.config.mode",
        "show the_program.version",
        "show -q the_program.hist",
        "show --json the_program.sampling",
        "show program_two.blocks",
    ] {
        transcript.run(line);
    }
    transcript.check("show");
}

#[test]
fn settings() {
    let Some(count) = Golden::load(Source::Count, "the_program") else { return };
    let mut transcript = Transcript::of(&[&count]);
    transcript.run("save the_program");
    transcript.run("save -q the_program.config");
    let settings = "[the_program]\nsampling = 7\nknob = 0\nconfig.mode = \"OFF\"\n";
    for line in ["apply --check -", "apply --diff -", "apply -", "apply -", "apply -q -"] {
        transcript.run_with(line, settings);
    }
    let wrong = "[the_program]\nsampling = 7\nknob = 300\nconfig.mode = \"QUICK\"\nno = 1\n[no_such_program]\nx = 1\n";
    transcript.run_with("apply -", wrong);
    transcript.check("settings");
}

#[test]
fn differences() {
    let (Some(count), Some(other)) =
        (Golden::load(Source::Count, "the_program"), Golden::load(Source::Count, "program_two"))
    else {
        return;
    };
    let mut transcript = Transcript::of(&[&count, &other]);
    ok(&["set", "-q", &format!("{}.sampling=7", other.name), &format!("{}.config.mode=OFF", other.name)]);
    for line in
        ["diff the_program program_two", "diff -q the_program program_two", "diff --json the_program program_two"]
    {
        transcript.run(line);
    }
    transcript.run("diff the_program.bss program_two.bss");
    transcript.check("diff");
}

#[test]
fn samples() {
    let Some(count) = Golden::load(Source::Count, "the_program") else { return };
    let mut transcript = Transcript::of(&[&count]);
    run_times(&count.loaded, 20);
    for line in [
        "watch the_program.packets the_program.config.mode -n 2 -i 5ms",
        "watch the_program.packets --until 'the_program.packets > 5' -i 5ms",
        "watch -q the_program.packets -n 2 -i 5ms",
        "watch --histogram the_program.hist -n 1 -i 5ms",
        "watch --csv the_program.packets -n 2 -i 5ms",
    ] {
        transcript.run(line);
    }
    transcript.check("watch");
}

#[test]
fn metrics() {
    let Some(count) = Golden::load(Source::Count, "the_program") else { return };
    let mut transcript = Transcript::of(&[&count]);
    run_times(&count.loaded, 20);
    transcript.run("export the_program");
    transcript.run("export --format prometheus the_program.packets the_program.config.mode");
    transcript.run("export --json the_program.packets the_program.config.mode");
    transcript.check("export");
}

#[test]
fn mistakes() {
    let Some(count) = Golden::load(Source::Count, "the_program") else { return };
    let mut transcript = Transcript::of(&[&count]);
    for line in [
        "get the_program.smapling",
        "get the_program.config.limits[7]",
        "get the_program.sampling.rate",
        "get no_such_program_anywhere.x",
        "get prog:99999999.x",
        "get pin:/sys/fs/bpf/no_such_pin.x",
        "get",
        "set the_program.sampling",
        "set the_program.sampling=-1",
        "set the_program.sampling=many",
        "set the_program.knob=300",
        "set the_program.config.mode=QUICK",
        "set the_program.config=5",
        "set 'the_program.config={\"rat\": 5}'",
        "set the_program.version=4",
        "set the_program=1",
        "add the_program.label 1",
        "watch the_program.packets -i fast",
        "save --json the_program",
        "top the_program",
        "wach",
    ] {
        transcript.run(line);
    }
    transcript.check("mistakes");
}
