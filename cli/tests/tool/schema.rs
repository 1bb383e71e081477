//! What is printed with `--json` is what the schema says, and the schema says nothing loosely.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::LazyLock;

use bpfvar_objects::{Source, load_as_aya};
use serde_json::{Map, Value, json};

use crate::help::COMMANDS;
use crate::keyed::filled;
use crate::support::{directory, has, load, map, ok, program, run, run_times, text, tool};

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../schema/bpfvar-1.json")).expect("the schema is JSON"));
/// Commands that print nothing else with `--json`, or refuse it.
const WITHOUT: [&str; 4] = ["save", "top", "completions", "man"];
/// Beyond it, readers round.
const EXACT: u64 = 1 << 53;

fn is_valid(definition: &str, value: &Value) -> bool {
    validator(definition).is_valid(value)
}

fn validator(definition: &str) -> jsonschema::Validator {
    let mut schema = SCHEMA.clone();
    schema["$ref"] = format!("#/$defs/{definition}").into();
    jsonschema::validator_for(&schema).expect("the schema is one")
}

/// Asserts that lines of JSON are what a definition says. Gives what they say.
#[track_caller]
fn check(definition: &str, printed: &str) -> Vec<Value> {
    let validator = validator(definition);
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!lines.is_empty(), "{definition}");
    for line in &lines {
        let errors: Vec<String> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{definition}: {errors:?}: {line}");
        assert_exact(line);
    }
    lines
}

/// The same for what a command prints that must succeed.
#[track_caller]
fn prints<S: AsRef<str>>(args: &[S]) -> Vec<Value> {
    prints_and_ends(args, 0)
}

/// The same for a command that prints, and fails.
#[track_caller]
fn prints_and_fails<S: AsRef<str>>(args: &[S]) -> Vec<Value> {
    prints_and_ends(args, 1)
}

#[track_caller]
fn prints_and_ends<S: AsRef<str>>(args: &[S], status: i32) -> Vec<Value> {
    let args: Vec<&str> = args.iter().map(AsRef::as_ref).chain(["--json"]).collect();
    let output = run(&args);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {}", text(&output.stderr));
    check(args[0], &text(&output.stdout))
}

/// Integers that readers would round are no numbers.
#[track_caller]
fn assert_exact(value: &Value) {
    match value {
        Value::Number(number) if !number.is_f64() => {
            let amount = number.as_i64().map_or(number.as_u64().unwrap_or(u64::MAX), i64::unsigned_abs);
            assert!(amount <= EXACT, "{number}");
        }
        Value::Array(elements) => elements.iter().for_each(assert_exact),
        Value::Object(members) => members.values().for_each(assert_exact),
        _ => {}
    }
}

/// Calls `each` with every schema in a schema.
fn walk(schema: &Value, each: &mut impl FnMut(&Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            each(members);
            members.values().for_each(|inner| walk(inner, each));
        }
        Value::Array(elements) => elements.iter().for_each(|inner| walk(inner, each)),
        _ => {}
    }
}

#[test]
fn the_schema_describes_all_and_allows_nothing_else() {
    assert!(jsonschema::meta::is_valid(&SCHEMA));
    let (mut objects, mut used) = (0, Vec::new());
    walk(&SCHEMA["$defs"], &mut |schema| {
        used.extend(schema.get("$ref").and_then(Value::as_str).map(str::to_owned));
        let Some(members) = schema.get("properties").and_then(Value::as_object) else { return };
        objects += 1;
        assert_eq!(schema["additionalProperties"], false, "{schema:?}");
        for (name, member) in members {
            // A definition that has but one meaning describes itself.
            assert!(member.get("description").is_some() || member.get("$ref").is_some(), "{name} of {schema:?}");
        }
        let required = schema["required"].as_array().unwrap();
        assert!(required.iter().all(|name| members.contains_key(name.as_str().unwrap())), "{schema:?}");
    });
    assert!(objects > 40, "{objects}");
    let definitions = SCHEMA["$defs"].as_object().unwrap();
    for (name, definition) in definitions {
        assert!(definition["description"].is_string(), "{name}");
        let is_command = COMMANDS.contains(&name.as_str());
        assert!(is_command || used.contains(&format!("#/$defs/{name}")), "{name} is nowhere used");
    }
    for command in COMMANDS {
        assert_ne!(WITHOUT.contains(&command), definitions.contains_key(command), "{command}");
    }
}

#[test]
fn the_version_is_told() {
    assert_eq!(SCHEMA["$id"], "urn:bpfvar:json:1");
    let version = ok(&["--version"]);
    assert_eq!(version.lines().nth(1), Some("JSON 1 (schema/bpfvar-1.json)"));
    assert_eq!(ok(&["-V"]), format!("{}\n", version.lines().next().unwrap()));
    has(&ok(&["--help"]), &["schema/bpfvar-1.json", "bpfvar --version"]);
}

#[test]
fn what_is_there_is_as_the_schema_says() {
    for source in [Source::Count, Source::Kinds, Source::Maps, Source::Together, Source::Keyed, Source::Twin] {
        let Some(loaded) = load(source) else { return };
        run_times(&loaded, 3);
        let p = program(&loaded);
        for command in ["list", "get", "dump", "show", "export"] {
            prints(&[command, &p]);
        }
        for of_one in &loaded.maps {
            let id = format!("map:{}", of_one.map.info().id);
            // What BTF does not describe is no target.
            if run(&["show", &id]).status.success() {
                for command in ["list", "get", "dump", "show"] {
                    prints(&[command, &id]);
                }
            }
        }
    }
}

#[test]
fn values_of_all_kinds_are_as_the_schema_says() {
    let (Some(kinds), Some(count)) = (load(Source::Kinds), load(Source::Count)) else { return };
    let (k, c) = (program(&kinds), program(&count));
    let name = |name: &str| format!("{k}.{name}");
    let floats = ["float_value=nan", "double_value=-inf", "float_array[0]=inf", "double_array[0]=1e300"];
    prints(&[&["set".to_owned()], &floats.map(name)[..]].concat());
    let set = prints(&["set", &name("u64_value=0xffffffffffffffff"), &name("color_value=7")]);
    assert_eq!(set[0][&name("u64_value")]["new"], u64::MAX.to_string());
    let values = prints(&["get", &k]);
    assert_eq!(values[0][&name("double_value")], "-Infinity");
    let quiet = ok(&["get", "-q", "--json", &k]);
    check("value", &quiet);
    for args in [
        ["get", "--sum", &format!("{c}.hist")],
        ["get", "--max", &format!("{c}.hist")],
        ["show", "--verbose", &format!("{c}.h*")],
        ["add", &format!("{c}.packets"), "5"],
        ["freeze", "--verbose", &map(&count, ".bss")],
    ] {
        prints(&args);
    }
    let config = format!("{c}.config.mode");
    check("value", &ok(&["add", "-q", "--json", &format!("{c}.sampling"), "5"]));
    assert_eq!(prints(&["cas", &config, "FAST", "OFF"])[0][&config]["swapped"], true);
    assert_eq!(prints_and_fails(&["cas", &config, "FAST", "OFF"])[0][&config]["swapped"], false);
    // Sections that are reached by system call.
    let aya = load_as_aya(Source::Count);
    for command in ["list", "show"] {
        prints(&[command, &program(&aya)]);
    }
}

#[test]
fn maps_that_are_reached_by_keys_are_as_the_schema_says() {
    let Some(keyed) = filled(1100) else { return };
    for name in ["flows", "names", "hists", "counters", "hits", "routes", "many"] {
        let id = map(&keyed, name);
        for command in ["list", "get", "dump", "show"] {
            prints(&[command, &id]);
        }
        if ["counters", "hits"].contains(&name) {
            prints(&["get", "--per-cpu", &id]);
        }
    }
    let entry = format!("{}[\"http\"]", map(&keyed, "names"));
    for command in ["get", "dump", "show"] {
        prints(&[command, &entry]);
    }
    assert_eq!(prints(&["list", &map(&keyed, "many")])[0]["keyed_maps"][0]["count"], Value::Null);
}

#[test]
fn what_changes_is_as_the_schema_says() {
    let (Some(count), Some(twin)) = (load(Source::Count), load(Source::Twin)) else { return };
    let (c, t) = (program(&count), program(&twin));
    let saved = directory(&[("before.json", &ok(&["dump", "--json", &c]))]);
    let before = saved.path().join("before.json");
    ok(&["set", "-q", &format!("{c}.sampling=7"), &format!("{c}.label=eth1")]);
    let differences = prints_and_fails(&["diff", before.to_str().unwrap(), &c]);
    assert_eq!(differences[0].as_object().unwrap().len(), 2);
    let differences = prints_and_fails(&["diff", &c, &t]);
    let has_member = |name: &str| differences[0].as_object().unwrap().values().any(|one| one.get(name).is_some());
    assert!(has_member("old") && has_member("new"), "{differences:?}");
    prints(&["diff", &c, &c]);
    prints(&["list", "--changed", "1ms", &c]);
    let mut child = tool(&["list", "--json", "--changed", "400ms", &c]).stdout(Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        run_times(&count, 1);
        std::thread::yield_now();
    }
    let printed = text(&child.wait_with_output().unwrap().stdout);
    assert_ne!(check("list", &printed)[0]["changed"], json!([]));
}

#[test]
fn what_is_watched_is_as_the_schema_says() {
    let Some(count) = load(Source::Count) else { return };
    let c = program(&count);
    // Half of all counts are more than readers take.
    ok(&["set", "-q", &format!("{c}.hist[3]=0x1000000000000000")]);
    let hist = format!("{c}.hist");
    for args in [["--verbose", &c], ["--histogram", &hist], ["--histogram=linear:10", &hist]] {
        prints(&[&["watch"], &args[..], &["-n", "2", "-i", "5ms"]].concat());
    }
    let sampling = format!("{c}.sampling");
    let (is_one, is_more) = (format!("{sampling} == 1"), format!("{sampling} > 5"));
    let lines = prints(&["watch", "--until", &is_one, "-i", "5ms"]);
    assert!(lines.iter().any(|line| line["met"] == true));
    let lines = prints_and_fails(&["watch", "--until", &is_more, "-n", "1", "-i", "5ms"]);
    assert!(lines.iter().any(|line| line["met"] == false));
    // What is not there yet, and what is no longer.
    let waiting = run(&["watch", "--json", "--follow", "schema_nobody.x", "-n", "1", "-i", "5ms"]);
    assert!(check("watch", &text(&waiting.stdout)).iter().any(|line| line["event"] == "waiting"));
    let mut child = tool(&["watch", "--json", "-i", "20ms", &sampling])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    check("watch", &lines.next().unwrap());
    drop(count);
    let warning = lines.find(|line| line.contains("warning")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_valid("warning", &check("watch", &warning)[0]), "{warning}");
}

#[test]
fn what_is_applied_is_as_the_schema_says() {
    let Some(count) = load(Source::Count) else { return };
    let c = program(&count);
    let files = directory(&[
        ("right.toml", &format!("[\"{c}\"]\nsampling = 7\nknob = 0\n[schema_nobody]\nx = 1\n")),
        ("wrong.toml", &format!("[\"{c}\"]\nsampling = -1\nknob = 1\n")),
        ("no.toml", "sampling ="),
    ]);
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let report = prints_and_fails(&["apply", &path("right.toml")]);
    for list in ["changed", "unchanged", "not_loaded"] {
        assert_eq!(report[0][list].as_array().unwrap().len(), 1, "{list}: {report:?}");
    }
    prints(&["apply", "--check", "--if-loaded", &path("right.toml")]);
    let report = prints_and_fails(&["apply", &path("wrong.toml")]);
    assert_eq!((&report[0]["failed"][0]["line"], &report[0]["written"]), (&json!(2), &json!(false)));
    prints_and_fails(&["apply", &path("no.toml")]);
    assert_eq!(prints_and_fails(&["apply", &path("nowhere.toml")])[0]["failed"][0].get("line"), None);
}

#[test]
fn what_is_made_of_it_is_as_the_schema_says() {
    let Some(count) = load(Source::Count) else { return };
    let c = program(&count);
    let mut child = tool(&["export", "--json", "--listen", "127.0.0.1:0", &c]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    check("export", &line);
    let directory = directory(&[]);
    let file = directory.path().join("count.rs").to_str().unwrap().to_owned();
    prints(&["generate", "rust", &c]);
    for how in ["--output", "--output", "--check"] {
        prints(&["generate", "rust", &c, how, &file]);
    }
}

#[test]
fn what_the_schema_does_not_know_is_noticed() {
    let Some(count) = load(Source::Count) else { return };
    let c = program(&count);
    let packets = format!("{c}.packets");
    for args in [
        vec!["list", &c],
        vec!["dump", &c],
        vec!["list", "--changed", "1ms", &c],
        vec!["show", &packets],
        vec!["export", &c],
        vec!["watch", &packets, "-n", "1", "-i", "5ms"],
        vec!["generate", "rust", &c],
        vec!["apply", "--if-loaded", "--check", "-"],
    ] {
        for line in prints(&args) {
            let members = line.as_object().unwrap();
            let mut more = members.clone();
            more.insert("unknown".to_owned(), 1.into());
            assert!(!is_valid(args[0], &more.into()), "{args:?}");
            for name in members.keys() {
                let mut less = members.clone();
                less.remove(name);
                assert!(!is_valid(args[0], &less.into()), "{args:?} without {name}");
            }
        }
    }
    let mut set = prints(&["set", &format!("{c}.sampling=1")]).remove(0);
    set[format!("{c}.sampling")]["unknown"] = 1.into();
    assert!(!is_valid("set", &set));
    let mut dump = prints(&["dump", &c]).remove(0);
    dump["sections"][0]["variables"][0]["value"] = json!({ "unknown": null });
    assert!(!is_valid("dump", &dump), "values are never null");
}
