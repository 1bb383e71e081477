//! Running the tool.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use bpfvar_objects::{Loaded, Source};
use bpfvar_testkit::host;
use serde_json::Value;
use tempfile::TempDir;

/// The object in the kernel, or None where tests must be skipped.
#[track_caller]
pub(crate) fn load(source: Source) -> Option<Loaded> {
    host::ready(source.needs()).then(|| bpfvar_objects::load(source))
}

/// Runs the first program so often. One call for all of it would be broken off by the signal of a child's end.
pub(crate) fn run_times(loaded: &Loaded, times: u32) {
    for _ in 0..times {
        loaded.run(1);
    }
}

/// `prog:12`.
pub(crate) fn program(loaded: &Loaded) -> String {
    format!("prog:{}", loaded.programs[0].id())
}

/// `map:7`.
pub(crate) fn map(loaded: &Loaded, name: &str) -> String {
    format!("map:{}", loaded.map(name).info().id)
}

/// The tool with these arguments.
pub(crate) fn tool<S: AsRef<str>>(args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpfvar"));
    command.args(args.iter().map(AsRef::as_ref));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run<S: AsRef<str>>(args: &[S]) -> Output {
    tool(args).output().expect("the tool was built")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What a command that must succeed prints.
#[track_caller]
pub(crate) fn ok<S: AsRef<str>>(args: &[S]) -> String {
    let output = run(args);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    text(&output.stdout)
}

/// The one line by which a command that must fail says why. It prints nothing else.
#[track_caller]
pub(crate) fn fails<S: AsRef<str>>(args: &[S]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let line = text(&output.stderr);
    assert!(line.starts_with("bpfvar: ") && line.trim_end().lines().count() == 1, "{line:?}");
    line
}

#[track_caller]
pub(crate) fn json<S: AsRef<str>>(args: &[S]) -> Value {
    let printed = ok(args);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// Asserts that a text has each of some parts.
#[track_caller]
pub(crate) fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

/// Runs the tool with a text on standard input.
pub(crate) fn run_with<S: AsRef<str>>(args: &[S], input: &str) -> Output {
    let mut child =
        tool(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// What a command that must succeed prints for a text on standard input.
#[track_caller]
pub(crate) fn ok_with<S: AsRef<str>>(args: &[S], input: &str) -> String {
    let output = run_with(args, input);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    text(&output.stdout)
}

/// The lines by which a command that must fail says why, and what it prints.
#[track_caller]
pub(crate) fn fails_with<S: AsRef<str>>(args: &[S], input: &str) -> (Vec<String>, String) {
    let output = run_with(args, input);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let lines: Vec<String> = text(&output.stderr).lines().map(str::to_owned).collect();
    assert!(lines.iter().all(|line| line.starts_with("bpfvar: ")), "{lines:?}");
    (lines, text(&output.stdout))
}

/// A directory with these files.
pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the directory")).expect("a new directory");
        fs::write(path, text).expect("a new file");
    }
    directory
}

/// Another process that holds an object of its own, until this is dropped.
pub(crate) struct Elsewhere {
    child: Child,
    /// Kept open, as the test program writes there to its end.
    _output: BufReader<ChildStdout>,
    pub(crate) pid: u32,
    /// Its first program, as a target.
    pub(crate) program: String,
}

impl Elsewhere {
    /// Starts this test again as a process of this name, which holds the object. The test has to start with [`Elsewhere::hold`].
    pub(crate) fn start(name: &str, source: Source) -> Elsewhere {
        let mut command = host::this_test_command(&format!("{name} {}", source.name()));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let id = output.by_ref().lines().find_map(|line| {
            let line = line.expect("UTF-8");
            line.split_once("holds ").map(|(_, id)| id.to_owned())
        });
        let program = format!("prog:{}", id.expect("the other process holds a program"));
        Elsewhere { pid: child.id(), child, _output: output, program }
    }

    /// In that process: holds the object until the other one lets go. Returns whether this is that process.
    pub(crate) fn hold() -> bool {
        let Some(argument) = host::argument() else { return false };
        let (name, source) = argument.split_once(' ').expect("a name and an object");
        let source = Source::ALL.into_iter().find(|known| known.name() == source).expect("an object");
        fs::write("/proc/self/comm", name).expect("a process may name itself");
        let loaded = bpfvar_objects::load(source);
        println!("\nholds {}", loaded.programs[0].id());
        std::io::stdin().read_to_end(&mut Vec::new()).expect("it is piped");
        true
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends");
    }
}

/// A name of at most 15 bytes that no other test has, in this process or another.
pub(crate) fn unique(start: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{start}{:x}_{number:x}", std::process::id())
}
