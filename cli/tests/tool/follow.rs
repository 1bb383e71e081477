//! `watch --follow`: across reloads.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

use bpfvar::TypedMap;
use bpfvar_objects::{Loaded, Source, load_named};
use bpfvar_testkit::host;
use serde_json::Value;

use crate::support::{fails, has, load, program, run_times, text, tool};

struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(args: &[&str]) -> Watching {
        let mut child = tool(&[&["watch", "--follow"], args].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Watching { child, lines }
    }

    /// The first line of JSON that fits.
    fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let lines = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        lines.into_iter().find(fits).expect("such a line comes")
    }

    fn end(mut self) -> String {
        self.child.kill().unwrap();
        text(&self.child.wait_with_output().unwrap().stderr)
    }
}

fn named(name: &str) -> Option<Loaded> {
    host::ready(Source::Count.needs()).then(|| load_named(Source::Count, name))
}

#[test]
fn a_row_goes_on_with_the_successor() {
    let Some(first) = named("follow_rows") else { return };
    run_times(&first, 7);
    let mut watching = Watching::start(&["--json", "-i", "20ms", "follow_rows.packets"]);
    watching.find(|line| line["value"] == 7 && line["change"] == 0);
    let old = first.map(".bss").info().id;
    drop(first);
    let gone = watching.find(|line| line["event"] == "gone");
    assert_eq!(gone["target"], "follow_rows.packets");
    has(gone["warning"].as_str().unwrap(), &["no program uses it any more", "waiting"]);
    let row = watching.find(|line| line["name"] == "follow_rows.packets");
    assert!(row["value"].is_null() && row["change"].is_null(), "while it is gone: {row}");
    let second = load_named(Source::Count, "follow_rows");
    run_times(&second, 2);
    let found = watching.find(|line| line["event"] == "found");
    let new = second.map(".bss").info().id;
    has(found["warning"].as_str().unwrap(), &["loaded anew", &format!("id {new}")]);
    assert_ne!(old, new);
    // It counts anew.
    let row = watching.find(|line| !line["value"].is_null());
    assert!(row["value"] == 2 && row["change"].is_null(), "{row}");
    run_times(&second, 1);
    watching.find(|line| line["value"] == 3 && line["change"] == 1);
    let warnings = watching.end();
    assert_eq!(warnings.lines().count(), 2, "{warnings}");
}

#[test]
fn one_that_takes_over_at_once_is_noticed_too() {
    let Some(first) = named("follow_swap") else { return };
    let mut watching = Watching::start(&["--json", "-i", "20ms", "follow_swap.packets", "follow_swap.label"]);
    watching.find(|line| line["name"] == "follow_swap.label");
    let second = load_named(Source::Count, "follow_swap");
    drop(first);
    // While both were there, the name was that of two.
    run_times(&second, 5);
    watching.find(|line| line["value"] == 5);
    watching.end();
}

#[test]
fn what_is_not_loaded_yet_is_waited_for() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let mut watching =
        Watching::start(&["--json", "-i", "20ms", "follow_later.packets", "--until", "follow_later.packets > 2"]);
    let waiting = watching.find(|line| line["event"] == "waiting");
    has(waiting["warning"].as_str().unwrap(), &["there is no program or map", "waiting until it is there"]);
    let loaded = load_named(Source::Count, "follow_later");
    watching.find(|line| line["event"] == "found");
    watching.find(|line| line["value"] == 0);
    run_times(&loaded, 3);
    let met = watching.find(|line| line["met"] == true);
    assert_eq!((&met["value"], met["name"].as_str()), (&3.into(), Some("follow_later.packets")));
    assert!(watching.child.wait().unwrap().success());
}

#[test]
fn a_pin_is_waited_for() {
    let Some(loaded) = named("follow_pin") else { return };
    let bpffs = host::Bpffs::mount();
    let target = format!("pin:{}.packets", bpffs.path("later").display());
    let mut watching = Watching::start(&["--json", "-i", "20ms", &target]);
    watching.find(|line| line["event"] == "waiting");
    // It comes after its program.
    loaded.programs[0].program.pin(&bpffs.path("later"));
    watching.find(|line| line["value"] == 0);
    watching.end();
}

#[test]
fn what_cannot_come_is_not_waited_for() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    has(&fails(&["watch", "--follow", &format!("{p}.samplin")]), &["did you mean", "sampling"]);
    has(&fails(&["watch", "--follow", &format!("{p}.hist[16]")]), &["0 to 15"]);
    has(&fails(&["watch", "--follow", "prog:4294967295.packets"]), &["no program with id 4294967295"]);
    let mut watching = Watching::start(&["--json", "-i", "20ms", &format!("{p}.packets")]);
    watching.find(|line| line["value"] == 0);
    drop(loaded);
    let gone = watching.find(|line| line["event"] == "gone");
    has(gone["warning"].as_str().unwrap(), &["no other gets its id", "by its name"]);
    watching.end();
}

#[test]
fn rows_for_people_say_that_they_are_gone() {
    let Some(first) = named("follow_text") else { return };
    let mut watching = Watching::start(&["-i", "50ms", "follow_text.packets"]);
    let find = |watching: &mut Watching, value: &str| {
        let lines = watching.lines.by_ref().map(|line| line.unwrap());
        let mut rows = lines.filter(|line| line.split_whitespace().nth(1) == Some("follow_text.packets"));
        rows.find(|row| row.split_whitespace().nth(2) == Some(value)).unwrap_or_else(|| panic!("no row with {value:?}"))
    };
    find(&mut watching, "0");
    drop(first);
    find(&mut watching, "(gone)");
    let _second = load_named(Source::Count, "follow_text");
    find(&mut watching, "0");
    has(
        &watching.end(),
        &["bpfvar: follow_text.packets: no program uses it", "bpfvar: follow_text.packets: loaded anew"],
    );
}

#[test]
fn other_programs_that_come_and_go_change_nothing() {
    let Some(loaded) = named("follow_calm") else { return };
    // A map that no program uses, and has not used from the start, is no reason to look for another one.
    let unloaded = load_named(Source::Count, "follow_held");
    let held = unloaded.map(".bss").try_clone().unwrap();
    let lonely = format!("map:{}.neighbour", held.info().id);
    drop(unloaded);
    host::eventually(|| TypedMap::open(held.try_clone().unwrap()).unwrap().is_stale().unwrap());
    let mut watching = Watching::start(&["--json", "-i", "20ms", "follow_calm.packets", &lonely]);
    run_times(&loaded, 1);
    watching.find(|line| line["value"] == 1);
    for _ in 0..3 {
        let other = load_named(Source::Count, "follow_other");
        thread::sleep(Duration::from_millis(600));
        drop(other);
        run_times(&loaded, 1);
    }
    // Changes go on.
    watching.find(|line| line["value"] == 4 && !line["change"].is_null());
    assert_eq!(watching.end(), "");
}
