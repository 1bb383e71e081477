//! `list`: what is known of programs, what changes, what cannot be changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bpfvar_objects::{Source, load_as_aya};
use bpfvar_testkit::host;
use bpfvar_testkit::insn::{self, Reg};
use serde_json::{Value, json};

use crate::support::{fails, has, json, load, map, ok, program, run, run_times};

#[test]
fn long_lists_say_what_is_known_of_a_program() {
    let Some(count) = load(Source::Count) else { return };
    let p = program(&count);
    let id = count.programs[0].id();
    let listed = ok(&["list", "-l", &p]);
    let line = listed.lines().find(|line| line.contains(&format!("count (id {id})"))).unwrap();
    has(line, &["  socket_filter  ", "  no link  ", "  loaded ", "s ago  ", "  maps ", "  BTF "]);
    count.maps.iter().for_each(|map| has(line, &[&map.map.info().id.to_string()]));
    let object = json(&["list", "--json", &p])["objects"][0].clone();
    let member = &object["programs"][0];
    assert_eq!(
        (&member["id"], &member["type"], &member["attached"]),
        (&json!(id), &json!("socket_filter"), &json!([]))
    );
    assert!(member["btf_id"].is_u64() && member["uid"] == 0, "{member}");
    let loaded = humantime::parse_rfc3339(member["loaded"].as_str().unwrap()).unwrap();
    let age = loaded.elapsed().unwrap_or_default();
    assert!(age < Duration::from_secs(600), "{member}");
}

#[test]
fn long_lists_say_where_a_program_is_attached() {
    if !host::ready((5, 8)) {
        return;
    }
    let insns = [insn::mov_imm(Reg::R0, 0), insn::exit()];
    let program = bpfvar_testkit::Program::load(bpfvar_testkit::ProgramType::RawTracepoint, &insns).unwrap();
    let attached = program.attach(c"sched_process_exec").unwrap();
    let p = format!("prog:{}", program.id());
    let is_held = format!("(pid {})", std::process::id());
    has(
        &ok(&["list", "-l", &p]),
        &["  raw_tracepoint  raw tracepoint sched_process_exec  ", "  no maps  no BTF", "without BTF", &is_held],
    );
    // The link alone is enough to hold it.
    drop(program);
    has(&ok(&["list", "-l", &p]), &["raw tracepoint sched_process_exec", &is_held]);
    assert_eq!(
        json(&["list", "--json", &p])["objects"][0]["programs"][0]["attached"],
        json!(["raw tracepoint sched_process_exec"])
    );
    drop(attached);
}

#[test]
fn only_what_changes_is_listed_if_asked() {
    let Some(count) = load(Source::Count) else { return };
    let p = program(&count);
    let changed = |args: &[&str]| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    run_times(&count, 1);
                    thread::sleep(Duration::from_millis(1));
                }
            });
            let printed = ok(&[&["list", "--changed", "200ms", &p], args].concat());
            done.store(true, Ordering::Relaxed);
            printed
        })
    };
    let printed = changed(&[]);
    has(&printed, &["NAME", "CHANGE", "RATE", ".packets ", "/s"]);
    assert!(!printed.contains("sampling") && !printed.contains("neighbour"), "{printed}");
    let printed: Value = serde_json::from_str(&changed(&["--json"])).unwrap();
    let packets = printed["changed"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"].as_str().unwrap().ends_with(".packets"))
        .unwrap();
    let number = |name: &str| packets[name].as_f64().unwrap();
    assert_eq!(number("new") - number("old"), number("change"));
    assert!(number("rate") > 0.0 && printed["seconds"] == 0.2, "{printed}");
    assert!(changed(&["-q"]).lines().any(|line| line.ends_with(".packets")));
    assert_eq!(ok(&["list", "--changed", "10ms", &p]), "nothing changed in 10ms\n");
    assert_eq!(ok(&["list", "--changed", "10ms", "-q", &p]), "");
    assert_eq!(json(&["list", "--changed", "10ms", "--json", &p]), json!({ "seconds": 0.01, "changed": [] }));
    has(&fails(&["list", "--changed", "10ms", "no such name"]), &["no such name"]);
    for usage in [["list", "--changed", "fast"], ["list", "--changed", "0s"]] {
        assert_eq!(run(&usage).status.code(), Some(2));
    }
}

#[test]
fn what_cannot_be_changed_is_told_with_the_reason() {
    let (Some(count), Some(kinds), Some(maps)) = (load(Source::Count), load(Source::Kinds), load(Source::Maps)) else {
        return;
    };
    let p = program(&count);
    has(&ok(&["list", &p]), &[".rodata  read-only (const)\n", ".bss  read-write\n"]);
    let shown = ok(&["show", &format!("{p}.version")]);
    has(
        &shown,
        &["cannot be changed: .rodata is frozen", "const volatile", "declares it without const", ".data or .bss"],
    );
    has(
        &fails(&["set", &format!("{p}.version=4")]),
        &["frozen, for good", "const volatile", "declares it without const"],
    );
    for args in [vec!["add", "1"], vec!["cas", "3", "4"]] {
        has(&fails(&[&[args[0], &format!("{p}.version")], &args[1..]].concat()), &["declares it without const"]);
    }
    assert!(!ok(&["show", &format!("{p}.sampling")]).contains("cannot be changed"));
    assert_eq!(json(&["show", "--json", &format!("{p}.version")])["fixed"], "const");
    assert_eq!(json(&["show", "--json", &format!("{p}.sampling")])["fixed"], Value::Null);
    // What somebody froze, what the loader knows of the kernel, what the kernel copies.
    ok(&["freeze", &map(&count, ".bss")]);
    has(&ok(&["list", &p]), &["count.bss  read-only (frozen)"]);
    let line = fails(&["set", &format!("{p}.knob=4")]);
    assert!(line.contains("frozen, for good") && !line.contains("const"), "{line}");
    has(&ok(&["list", &program(&kinds)]), &[".kconfig  read-only (kconfig)"]);
    has(&ok(&["list", &program(&maps)]), &["system call, read-only (per-CPU map)"]);
    let sections = json(&["list", "--json", &p])["sections"].clone();
    let fixed = |name: &str| {
        sections.as_array().unwrap().iter().find(|section| section["name"] == name).unwrap()["fixed"].clone()
    };
    assert_eq!((fixed(".rodata"), fixed(".bss"), fixed(".data")), (json!("const"), json!("frozen"), Value::Null));
    let aya = load_as_aya(Source::Count);
    has(&ok(&["list", &program(&aya)]), &[".data  system call\n"]);
}

#[test]
fn members_are_found_by_their_names() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    for text in ["burst", "BURST", "config.limits[].burst"] {
        let listed = ok(&["list", "-q", text]);
        assert!(listed.lines().any(|line| line.ends_with(".config")), "{text}: {listed}");
        assert!(!listed.lines().any(|line| line.ends_with(".sampling")), "{text}: {listed}");
    }
    has(&fails(&["list", "limits.burst"]), &["limits.burst"]);
    // Variables in which nothing fits are skipped.
    let burst = |pattern: &str| ok(&["get", "-q", &format!("{p}.{pattern}")]);
    assert_eq!(burst("*.limits[*].*burst*"), "10\n20\n30\n40\n");
    assert_eq!(burst("*[3]"), ok(&["get", "-q", &format!("{p}.hist[3]"), &format!("{p}.label[3]")]));
    has(&fails(&["get", &format!("{p}.*.*burst*")]), &["nothing fits", "the first: ", "no member fits *burst*"]);
}
