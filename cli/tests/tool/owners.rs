//! Which process holds a program, and targets that name the process.

use std::process::Command;
use std::thread;
use std::time::Duration;

use bpfvar_objects::Source;
use bpfvar_testkit::host;
use serde_json::json;

use crate::support::{Elsewhere, fails, has, json, load, map, ok, program, text, unique};

#[test]
fn two_processes_of_one_name_are_told_apart() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let name = unique("ow");
    let (one, other) = (Elsewhere::start(&name, Source::Count), Elsewhere::start(&name, Source::Count));
    // By the process' name while there is one, by its number, by the program's.
    let line = fails(&["get", &format!("{name}.sampling")]);
    for process in [&one, &other] {
        has(&line, &[&format!("pid:{}.sampling ({name})", process.pid)]);
        assert_eq!(
            ok(&["get", &format!("pid:{}.sampling", process.pid)]),
            format!("pid:{}.sampling = 1\n", process.pid)
        );
        has(
            &fails(&["get", "count.sampling"]),
            &[&format!("{}.sampling (.data of map", process.program), &format!("held by {name}, pid {}", process.pid)],
        );
    }
    has(&fails(&["get", &name]), &[&format!("pid:{} ({name})", one.pid), &format!("pid:{} ({name})", other.pid)]);
    has(&fails(&["get", &format!("{name}.sampl*")]), &[&format!("pid:{}.sampl* ({name})", one.pid)]);
    ok(&["set", "-q", &format!("pid:{}.config.rate=7", one.pid)]);
    assert_eq!(
        ok(&["get", "-q", &format!("{}.config.rate", one.program), &format!("{}.config.rate", other.program)]),
        "7\n1000\n"
    );
    // Both are meant by a pattern.
    assert_eq!(ok(&["get", "-q", &format!("{name}*.config.rate")]).lines().count(), 2);
    drop(other);
    assert_eq!(ok(&["get", &format!("{name}.config.rate")]), format!("{name}.config.rate = 7\n"));
    has(
        &fails(&["get", &format!("{name}.samplin")]),
        &["no variable \"samplin\"", &format!("did you mean {name}.sampling")],
    );
}

#[test]
fn a_process_is_a_target_with_all_that_it_holds() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Together.needs()) {
        return;
    }
    let name = unique("al");
    let other = Elsewhere::start(&name, Source::Together);
    let (by_pid, by_name) = (ok(&["get", &format!("pid:{}", other.pid)]), ok(&["get", &name]));
    assert_eq!(by_pid.lines().count(), 13, "{by_pid}");
    assert_eq!(by_name.replace(&format!("{name}."), &format!("pid:{}.", other.pid)), by_pid);
    assert_eq!(ok(&["get", &format!("pid:{}.data", other.pid)]).lines().count(), 3);
    let dumped = json(&["dump", "--json", &name]);
    assert_eq!((dumped["programs"].as_array().unwrap().len(), dumped["sections"].as_array().unwrap().len()), (8, 2));
    has(&fails(&["get", &format!("pid:{}.nothing", other.pid)]), &["no variable \"nothing\""]);
    let mut sleeper = Command::new("sleep").arg("100").spawn().unwrap();
    for nobody in [format!("pid:{}", sleeper.id()), format!("pid:{}.x", sleeper.id()), "pid:4294967295.x".to_owned()] {
        has(&fails(&["get", &nobody]), &["holds no BPF program", "bpfvar list"]);
    }
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

/// Nobody is said to hold nothing whose descriptors were not seen.
#[test]
fn who_may_not_look_says_so() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Count.needs()) || !host::has_tool("setpriv") {
        return;
    }
    let name = unique("hi");
    let other = Elsewhere::start(&name, Source::Count);
    let admin = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all,+sys_admin", "--inh-caps=-all", env!("CARGO_BIN_EXE_bpfvar")]).args(args);
        command.output().expect("setpriv is there")
    };
    let listed = admin(&["list", &other.program]);
    has(&text(&listed.stdout), &["holder not known"]);
    assert!(!text(&listed.stdout).contains("no process"), "{listed:?}");
    let refused = admin(&["get", &format!("pid:{}.sampling", other.pid)]);
    assert_eq!(refused.status.code(), Some(1));
    has(&text(&refused.stderr), &["may not be looked at", "run as root"]);
    // What needs nobody's descriptors works.
    assert_eq!(text(&admin(&["get", "-q", &format!("{}.sampling", other.program)]).stdout), "1\n");
}

#[test]
fn objects_are_listed_with_those_who_hold_them() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Together.needs()) {
        return;
    }
    let name = unique("ob");
    let (one, other) = (Elsewhere::start(&name, Source::Together), Elsewhere::start(&name, Source::Count));
    let listed = ok(&["list", &name]);
    let objects: Vec<&str> = listed.lines().filter(|line| line.starts_with("object ")).collect();
    assert_eq!(
        objects,
        [
            format!("object together, held by {name} (pid {})", one.pid),
            format!("object count, held by {name} (pid {})", other.pid)
        ]
    );
    // Each of the eight programs is named, and each section is there once.
    assert_eq!(listed.lines().filter(|line| line.starts_with("  program ")).count(), 8 + 1, "{listed}");
    assert_eq!(listed.lines().filter(|line| line.starts_with("  .")).count(), 2 + 3, "{listed}");
    assert!(!listed.contains("shown above"), "{listed}");
    assert_eq!(
        ok(&["list", &format!("pid:{}", other.pid)]).lines().filter(|line| line.starts_with("object ")).count(),
        1
    );
    let objects = json(&["list", "--json", &name])["objects"].clone();
    assert_eq!(objects[0]["owners"], json!([{ "pid": one.pid, "name": name }]));
    assert_eq!(objects[0]["programs"].as_array().map(Vec::len), Some(8));
    assert_eq!((&objects[1]["name"], &objects[1]["programs"][0]["type"]), (&json!("count"), &json!("socket_filter")));
    assert_eq!(objects[1]["maps"].as_array().map(Vec::len), Some(3));
}

#[test]
fn what_no_process_holds_is_held_by_a_pin() {
    let Some(count) = load(Source::Count) else { return };
    let bpffs = host::Bpffs::mount();
    std::fs::create_dir(bpffs.path("deeper")).unwrap();
    let (path, p, bss) = (bpffs.path("deeper/program"), program(&count), map(&count, ".bss"));
    count.programs[0].program.pin(&path);
    has(&ok(&["list", &p]), &[&format!(" (pid {})\n", std::process::id())]);
    drop(count);
    has(&ok(&["list", &p]), &[&format!("object count, pinned at {}\n", path.display()), &bss]);
    assert_eq!(json(&["list", "--json", &p])["objects"][0]["pin"], path.display().to_string());
    // A map without a program, too.
    let lonely = bpfvar::Array::<u64>::builder().name("bpfvar_held").create().unwrap();
    let id = lonely.map().unwrap().info().id;
    has(
        &ok(&["list", "-l", &format!("map:{id}")]),
        &["maps that no program uses", &format!("(pid {})", std::process::id())],
    );
    let pin = bpffs.path("lonely");
    lonely.map().unwrap().pin(&pin).unwrap();
    drop(lonely);
    // The tool that another test runs may hold the map for a moment, as any of them opens all maps.
    let (args, pinned) = (["list", "-l", &format!("map:{id}")], format!("pinned at {}", pin.display()));
    let is_said = |attempt: u64| {
        thread::sleep(Duration::from_millis(10 * attempt));
        ok(&args).contains(&pinned)
    };
    assert!((0..20).any(is_said), "{}", ok(&args));
}

#[test]
fn maps_that_are_reached_by_keys_have_owners_too() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Keyed.needs()) {
        return;
    }
    let name = unique("ke");
    let other = Elsewhere::start(&name, Source::Keyed);
    let pid = other.pid;
    let flows = json(&["show", "--json", &format!("pid:{pid}.flows")])["map_id"].clone();
    let listed = ok(&["list", &name]);
    has(
        &listed,
        &[
            &format!("object keyed, held by {name} (pid {pid})\n"),
            &format!("  flows[struct flow]  map:{flows}  system call, a copy  LRU_HASH, 0 of at most 64 entries\n"),
        ],
    );
    has(&ok(&["list", &format!("pid:{pid}")]), &["object keyed, ", "  flows[struct flow]"]);
    has(&ok(&["list", "-l", &format!("map:{flows}")]), &["object keyed, held by", "flows[struct flow]", "  maps "]);
    has(&ok(&["list", "-q", &name]), &[&format!("map:{flows}\n"), ".runs\n"]);
    let printed = json(&["list", "--json", &name]);
    let keyed = printed["keyed_maps"].as_array().unwrap();
    assert!(keyed.iter().any(|map| map["id"] == flows), "{printed}");
    assert!(printed["objects"][0]["maps"].as_array().unwrap().contains(&flows), "{printed}");
    // By the process' name and by its number, all of it and a part.
    assert_eq!(json(&["dump", "--json", &name])["keyed_maps"].as_array().map(Vec::len), Some(keyed.len()));
    assert_eq!(json(&["show", "--json", &format!("{name}.flows")])["map_id"], flows);
    has(&fails(&["get", &format!("{name}.many[3]")]), &["there is no entry 3", "map \"many\""]);
    assert_eq!(
        json(&["get", "--json", &format!("pid:{pid}.many"), &format!("{name}.many[*]")]),
        json!({ format!("pid:{pid}.many"): [] })
    );
}
