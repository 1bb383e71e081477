//! `diff`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use bpfvar_objects::Source;
use serde_json::{Value, json};

use crate::support::{fails, has, load, map, ok, program, run, text, tool};

/// What a comparison prints that finds differences.
#[track_caller]
fn differs<S: AsRef<str>>(args: &[S]) -> String {
    let args: Vec<&str> = std::iter::once("diff").chain(args.iter().map(AsRef::as_ref)).collect();
    let output = run(&args);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), ""), "{output:?}");
    text(&output.stdout)
}

/// A file that is removed with it.
struct File(PathBuf);

impl File {
    fn new(name: &str, contents: &str) -> File {
        let path = std::env::temp_dir().join(format!("bpfvar-diff-{}-{name}", std::process::id()));
        fs::write(&path, contents).unwrap();
        File(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn two_programs_are_compared_by_names() {
    let (Some(one), Some(other)) = (load(Source::Count), load(Source::Count)) else { return };
    let (p, q) = (program(&one), program(&other));
    assert_eq!(ok(&["diff", &p, &q]), "");
    ok(&[
        "set",
        "-q",
        &format!("{q}.sampling=5"),
        &format!("{q}.config.mode=OFF"),
        &format!("{q}.config.limits[2].burst=31"),
        &format!("{q}.label=a b"),
        &format!("{q}.ratio=0.1"),
    ]);
    let printed = differs(&[&p, &q]);
    let expected = [
        "sampling: 1 -> 5\n",
        "config.mode: FAST -> OFF\n",
        "config.limits[2].burst: 30 -> 31\n",
        "ratio: 0.75 -> 0.1\n",
        "label: eth0 -> \"a b\"\n",
    ];
    assert_eq!(printed, expected.concat());
    assert_eq!(
        differs(&["-q", &p, &q]).lines().collect::<Vec<_>>(),
        ["sampling", "config.mode", "config.limits[2].burst", "ratio", "label"]
    );
    let printed: Value = serde_json::from_str(&differs(&["--json", &p, &q])).unwrap();
    assert_eq!(printed["config.mode"], json!({"old": "FAST", "new": "OFF"}));
    assert_eq!(printed.as_object().unwrap().len(), 5);
    assert_eq!(ok(&["diff", "--json", &p, &p]), "{}\n");
    // Sections, variables and parts of them.
    assert_eq!(differs(&[format!("{p}.data"), format!("{q}.data")]), expected.concat());
    assert_eq!(ok(&["diff", &map(&one, ".bss"), &map(&other, ".bss")]), "");
    assert_eq!(differs(&[format!("{p}.config"), format!("{q}.config")]), expected[1..3].concat());
    assert_eq!(differs(&[format!("{p}.config.limits[2]"), format!("{q}.config.limits[2]")]), expected[2]);
    assert_eq!(
        differs(&[format!("{p}.config.limits[0].burst"), format!("{p}.config.limits[1].burst")]),
        "config.limits[0].burst: 10 -> 20\n"
    );
}

#[test]
fn programs_of_other_names_differ_in_what_only_one_has() {
    let (Some(count), Some(twin)) = (load(Source::Count), load(Source::Twin)) else { return };
    let printed = differs(&[program(&count), program(&twin)]);
    has(&printed, &["sampling: 1 -> 2\n", "neighbour: 0 -> (not there)\n", "(not there) -> 100\n"]);
}

#[test]
fn types_count() {
    let (Some(count), Some(maps)) = (load(Source::Count), load(Source::Maps)) else { return };
    let p = program(&count);
    assert_eq!(differs(&[format!("{p}.knob"), format!("{p}.neighbour")]), "knob: type __u8 -> __u64\n");
    let printed: Value =
        serde_json::from_str(&differs(&["--json".to_owned(), format!("{p}.knob"), format!("{p}.sampling")])).unwrap();
    assert_eq!(printed, json!({"knob": {"old": 0, "new": 1, "types": ["__u8", "__u32"]}}));
    ok(&["set", "-q", &format!("{}[1].packets=7", map(&maps, "stats"))]);
    let (first, second) =
        (format!("{}[0].packets", map(&maps, "stats")), format!("{}[1].packets", map(&maps, "stats")));
    assert_eq!(differs(&[first, second]), "stats[0].packets: 0 -> 7\n");
}

#[test]
fn now_is_compared_with_what_was_saved() {
    let (Some(count), Some(other)) = (load(Source::Count), load(Source::Twin)) else { return };
    let p = program(&count);
    let before = File::new("before.json", &ok(&["dump", "--json", &p]));
    assert_eq!(ok(&["diff", before.path(), &p]), "");
    ok(&["set", "-q", &format!("{p}.sampling=5"), &format!("{p}.ratio=0.1")]);
    let expected = "sampling: 1 -> 5\nratio: 0.75 -> 0.1\n";
    assert_eq!(differs(&[before.path(), &p]), expected);
    assert_eq!(differs(&[&p, before.path()]), "sampling: 5 -> 1\nratio: 0.1 -> 0.75\n");
    assert_eq!(differs(&[before.path(), &format!("{p}.data")]), expected);
    assert_eq!(differs(&[before.path(), &format!("{p}.sampling")]), "sampling: 1 -> 5\n");
    assert_eq!(ok(&["diff", before.path(), &format!("{p}.bss")]), "");
    ok(&["set", "-q", &format!("{p}.config.limits[1].delta=5")]);
    let part = format!("{p}.config.limits[1]");
    assert_eq!(differs(&[before.path(), &part]), "config.limits[1].delta: -2 -> 5\n");
    assert_eq!(ok(&["diff", before.path(), &format!("{p}.config.rate")]), "");
    ok(&["set", "-q", &format!("{part}.delta=-2")]);
    // Of a file with everything, what belongs to the program.
    let all = File::new("all.json", &ok(&["dump", "--json", &p]));
    assert_eq!(ok(&["diff", all.path(), &p]), "");
    // Two files, and one from a pipe.
    assert_eq!(differs(&[before.path(), all.path()]), expected);
    let mut child = tool(&["diff", "-", &p]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(before.path()).unwrap()).unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), expected);
    // What is gone, and what was left out.
    let text = fs::read_to_string(before.path()).unwrap();
    let more = File::new("more.json", &text.replace("\"name\":\"knob\"", "\"name\":\"nob\""));
    has(&differs(&[more.path(), &p]), &["nob: 0 -> (not there)\n", "knob: (not there) -> 0\n"]);
    let mut dumped: Value = serde_json::from_str(&text).unwrap();
    dumped["sections"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|section| section["variables"][0]["value"] = Value::Null);
    let nothing = File::new("null.json", &dumped.to_string());
    let output = run(&["diff", nothing.path(), &p]);
    has(&crate::support::text(&output.stderr), &["3 variables are not compared"]);
    drop(other);
}

#[test]
fn a_file_alone_is_compared_with_what_has_its_names_now() {
    if !bpfvar_testkit::host::ready(Source::Count.needs()) {
        return;
    }
    let name = crate::support::unique("df");
    let count = bpfvar_objects::load_named(Source::Count, &name);
    let saved = File::new("alone.json", &ok(&["dump", "--json", &name]));
    assert_eq!(ok(&["diff", saved.path()]), "");
    ok(&["set", "-q", &format!("{name}.sampling=5")]);
    assert_eq!(differs(&[saved.path()]), "sampling: 1 -> 5\n");
    let part = File::new("part.json", &ok(&["dump", "--json", &format!("{name}.config.limits[1]")]));
    ok(&["set", "-q", &format!("{name}.config.limits[1].burst=21")]);
    assert_eq!(differs(&[part.path()]), "config.limits[1].burst: 20 -> 21\n");
    // With a second one of its name nobody knows which is meant.
    let second = bpfvar_objects::load_named(Source::Count, &name);
    has(&fails(&["diff", saved.path()]), &["could be any of map:", "bpfvar diff"]);
    assert_eq!(ok(&["diff", saved.path(), &program(&second)]), "");
    drop((count, second));
    has(&differs(&[saved.path()]), &["sampling: 1 -> (not there)\n", "version: 3 -> (not there)\n"]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let Some(count) = load(Source::Count) else { return };
    let p = program(&count);
    has(&fails(&["diff", &p]), &["nothing to be compared with", "bpfvar dump --json"]);
    has(&fails(&["diff", "/no/such/file.json", &p]), &["/no/such/file.json", "cannot be read", "No such file"]);
    let bad = File::new("bad.json", "{\"programs\": []");
    has(&fails(&["diff", bad.path(), &p]), &[bad.path(), "bpfvar dump --json"]);
    let yaml = File::new("bad.yaml", "a: 1");
    has(&fails(&["diff", yaml.path(), &p]), &["only files of JSON"]);
    has(&fails(&["diff", &format!("{p}.nothing"), &p]), &["no variable"]);
    has(&fails(&["diff", &format!("{p}.*"), &p]), &["is a pattern"]);
}
