//! `apply --follow`: settings are applied again whenever a program is loaded.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use bpfvar_objects::{Loaded, Source, load_named};
use bpfvar_testkit::host;
use serde_json::Value;

use crate::support::{has, load, ok, program, text, tool};

/// A service that follows, and what it prints.
struct Service {
    child: Option<Child>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Service {
    fn start(command: &mut Command) -> Service {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Service { child: Some(child), lines }
    }

    fn of(path: &Path) -> Service {
        Service::start(&mut tool(&["apply", "--follow", "-i", "10ms", path.to_str().unwrap()]))
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it goes on").unwrap()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it. What it said on standard error.
    fn end(mut self, signal: &str) -> String {
        self.signal(signal);
        let output: Output = self.child.take().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(self.lines.by_ref().map(Result::unwrap).collect::<Vec<_>>(), Vec::<String>::new());
        text(&output.stderr)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Where a test failed before it ended it.
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

fn sampling(loaded: &Loaded) -> String {
    ok(&["get", "-q", &format!("{}.sampling", program(loaded))])
}

#[test]
fn a_program_that_is_loaded_anew_gets_its_settings_again() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // One that is never there, and one that is wrong, stop nobody.
    fs::write(directory.path().join("a.toml"), "[aply_follow]\nsampling = 7\n[aply_never]\nx = 1\n").unwrap();
    fs::write(directory.path().join("b.toml"), "[aply_wrong]\nsampling = -1\n").unwrap();
    let wrong = load_named(Source::Count, "aply_wrong");
    let first = load_named(Source::Count, "aply_follow");
    let mut service = Service::of(directory.path());
    assert_eq!(service.line(), "aply_follow.sampling: 1 -> 7");
    assert_eq!(service.line(), "1 changed, 1 failed, 1 not loaded");
    assert_eq!((sampling(&first), sampling(&wrong)), ("7\n".to_owned(), "1\n".to_owned()));
    // What somebody sets by hand stays, whatever else is loaded, until the program is loaded anew.
    ok(&["set", "-q", &format!("{}.sampling=9", program(&first))]);
    let other = load(Source::Tail).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(sampling(&first), "9\n");
    drop(first);
    for _ in 0..3 {
        let again = load_named(Source::Count, "aply_follow");
        assert_eq!(service.line(), "aply_follow.sampling: 1 -> 7");
        assert_eq!(service.line(), "1 changed");
        assert_eq!(sampling(&again), "7\n");
        // The service lets the maps go, and so does the kernel.
        let map = again.map(".data").info().id;
        drop(again);
        host::eventually(|| bpfvar::Map::from_id(map).is_err());
    }
    drop(other);
    // That one was unloaded is seen once a second.
    thread::sleep(Duration::from_millis(1500));
    let told = service.end("-TERM");
    let of = |name: &str| told.lines().filter(|line| line.contains(name)).count();
    assert_eq!((of("aply_never"), of("value is -1")), (1, 1), "each is told once: {told}");
    has(&told, &["a.toml:4: aply_never is not loaded; what is set for it waits", "b.toml:2: sampling (__u32 in .data"]);
    has(&told, &["a.toml:2: aply_follow is not loaded"]);
    drop(wrong);
}

#[test]
fn while_two_programs_share_the_name_neither_gets_settings() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[aply_shared]\nsampling = 7\n").unwrap();
    let old = load_named(Source::Count, "aply_shared");
    let mut service = Service::of(file.path());
    service.line();
    service.line();
    // As by an upgrade without a gap: the new one comes before the old one goes.
    let new = load_named(Source::Count, "aply_shared");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(sampling(&new), "1\n");
    drop(old);
    assert_eq!(service.line(), "aply_shared.sampling: 1 -> 7");
    service.line();
    assert_eq!(sampling(&new), "7\n");
    let told = service.end("-INT");
    assert_eq!(told.lines().count(), 1, "{told}");
    has(&told, &["aply_shared.sampling could be any of", "say which by its id"]);
}

/// It has its settings, and what somebody changed by hand since stays.
#[test]
fn one_that_was_there_all_along_is_not_set_again() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[aply_along]\nsampling = 7\n").unwrap();
    let old = load_named(Source::Count, "aply_along");
    let mut service = Service::of(file.path());
    assert_eq!(service.line(), "aply_along.sampling: 1 -> 7");
    service.line();
    ok(&["set", "-q", &format!("{}.sampling=9", program(&old))]);
    let other = load_named(Source::Count, "aply_along");
    thread::sleep(Duration::from_millis(300));
    drop(other);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(sampling(&old), "9\n");
    has(&service.end("-INT"), &["aply_along.sampling could be any of"]);
}

#[test]
fn sighup_reads_the_files_again_and_a_broken_one_changes_nothing() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let loaded = load_named(Source::Count, "aply_hup");
    let directory = tempfile::tempdir().unwrap();
    let write = |text: &str| fs::write(directory.path().join("a.toml"), text).unwrap();
    write("[aply_hup]\nsampling = 2\n");
    let mut service = Service::of(directory.path());
    assert_eq!(service.line(), "aply_hup.sampling: 1 -> 2");
    service.line();
    write("[aply_hup]\nsampling = 3\nknob = 1\n");
    service.signal("-HUP");
    assert_eq!(service.line(), "aply_hup.sampling: 2 -> 3");
    assert_eq!(service.line(), "aply_hup.knob: 0 -> 1");
    service.line();
    write("[aply_hup\n");
    service.signal("-HUP");
    ok(&["set", "-q", &format!("{}.sampling=9", program(&loaded))]);
    drop(loaded);
    let again = load_named(Source::Count, "aply_hup");
    assert_eq!(service.line(), "aply_hup.sampling: 1 -> 3");
    service.line();
    service.line();
    write("# nothing any more\n");
    service.signal("-HUP");
    let told = {
        thread::sleep(Duration::from_millis(200));
        drop(again);
        service.end("-TERM")
    };
    has(&told, &["a.toml:1: this is not TOML: unclosed table", "the settings that were read before stay in force"]);
}

#[test]
fn the_service_manager_is_told() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let told = || {
        let mut buffer = [0; 4096];
        let len = socket.recv(&mut buffer).unwrap();
        text(&buffer[..len])
    };
    let settings = directory.path().join("settings.d");
    fs::create_dir(&settings).unwrap();
    fs::write(settings.join("a.toml"), "[aply_notify]\nsampling = 2\n").unwrap();
    let loaded = load_named(Source::Count, "aply_notify");
    let mut command = tool(&["apply", "--follow", "--json", settings.to_str().unwrap()]);
    let mut service = Service::start(command.env("NOTIFY_SOCKET", directory.path().join("notify")));
    let line: Value = serde_json::from_str(&service.line()).unwrap();
    assert_eq!(line["changed"][0]["new"], 2);
    assert_eq!(told(), "READY=1\nSTATUS=1 settings of 1 programs, 0 of them not loaded\n");
    // What it says it has done is done.
    assert_eq!(sampling(&loaded), "2\n");
    service.signal("-HUP");
    has(&told(), &["RELOADING=1\nMONOTONIC_USEC="]);
    has(&told(), &["READY=1\n"]);
    let line: Value = serde_json::from_str(&service.line()).unwrap();
    assert_eq!(line["unchanged"][0]["value"], 2);
    drop(loaded);
    let line: Value = serde_json::from_str(&service.line()).unwrap();
    assert_eq!(line["not_loaded"][0]["object"], "aply_notify");
    has(&told(), &["1 of them not loaded"]);
    assert_eq!(service.end("-TERM"), "");
    assert_eq!(told(), "STOPPING=1\n");
}

#[test]
fn what_failed_is_tried_again() {
    if !host::ready(Source::Together.needs()) {
        return;
    }
    let loaded = load_named(Source::Together, "aply_retry");
    // Half written: a part of it cannot be set.
    loaded.program("cut_short").run(1);
    let file = tempfile::NamedTempFile::new().unwrap();
    let shared = loaded.map(".bss").info().id;
    fs::write(file.path(), format!("['map:{shared}']\n'shared.words[0]' = 5\n")).unwrap();
    let mut service = Service::of(file.path());
    thread::sleep(Duration::from_millis(500));
    ok(&["set", "-q", &format!("map:{shared}.shared={{\"words\": [4,4,4,4,4,4,4,4]}}")]);
    assert_eq!(service.line(), format!("map:{shared}.shared.words[0]: 4 -> 5"));
    service.line();
    let told = service.end("-TERM");
    assert_eq!(told.lines().count(), 1, "{told}");
    has(&told, &["1 came, 0 left, 1 inside"]);
}

#[test]
fn files_that_are_broken_at_the_start_end_it() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.toml"), "[").unwrap();
    let output = tool(&["apply", "--follow", directory.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    has(&text(&output.stderr), &["a.toml:1: this is not TOML"]);
}
