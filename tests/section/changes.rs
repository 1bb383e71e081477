//! Changes that can be looked at, applied together, and undone.

use std::collections::BTreeMap;

use bpfvar::{Applied, Change, Input};
use bpfvar_objects::Source;

use crate::{loaded, loaded_as_declared, text};

#[test]
fn a_change_tells_what_it_would_do() {
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let change = globals.var("config").unwrap().change(r#"{"rate": 5, "mode": "OFF"}"#).unwrap();
    assert!(change.old().unwrap().to_string().starts_with("{rate: 1000, mode: FAST, "));
    assert!(change.new().unwrap().to_string().starts_with("{rate: 5, mode: OFF, "));
    assert!(!change.changes_nothing().unwrap());
    assert_eq!(loaded.run(1), 1000, "nothing is written yet");
    let applied = change.clone().apply().unwrap();
    assert!(applied.new.to_string().starts_with("{rate: 5, mode: OFF, "));
    assert!(change.changes_nothing().unwrap());
    // What else was changed meanwhile stays.
    globals.var("config.limits[0].burst").unwrap().set(99).unwrap();
    assert_eq!(applied.var().path(), "config");
    applied.undo().unwrap();
    assert_eq!(loaded.run(1), 1000);
    assert_eq!(text(&globals, "config.limits[0]"), "{burst: 99, delta: -1}");
}

#[test]
fn bitfields_entries_and_rewrites_are_undone_too() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let before = text(&globals, "bits_value");
    let applied = globals.var("bits_value.three").unwrap().change(1).unwrap().apply().unwrap();
    assert_ne!(text(&globals, "bits_value"), before);
    applied.undo().unwrap();
    assert_eq!(text(&globals, "bits_value"), before);
    let rewrite = globals.var("only_static").unwrap().change_by_rewrite("34").unwrap();
    assert_eq!((rewrite.old().unwrap().to_string(), rewrite.new().unwrap().to_string()), ("33".into(), "34".into()));
    let applied = rewrite.apply().unwrap();
    assert_eq!(text(&globals, "only_static"), "34");
    applied.undo().unwrap();
    assert_eq!(text(&globals, "only_static"), "33");
    let Some((_loaded, maps)) = crate::loaded(Source::Maps) else { return };
    let stats = maps.var("stats").unwrap();
    let before = stats.read().unwrap();
    let entries = u64::from(stats.map().info().max_entries);
    let all = Input::Array((0..entries).map(|index| Input::Struct(vec![("drops".into(), index.into())])).collect());
    let applied = stats.change(all).unwrap().apply().unwrap();
    assert_eq!(text(&maps, "stats[3].drops"), "3");
    assert_eq!(applied.old, before);
    applied.undo().unwrap();
    assert_eq!(stats.read().unwrap(), before);
    let error = stats.set("[1]").unwrap_err().to_string();
    assert!(error.contains("takes a value for each of its 4 entries"), "{error}");
}

#[test]
fn several_changes_are_applied_or_none() {
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let change = |path: &str, value: &str| globals.var(path).unwrap().change(value).unwrap();
    let applied = Change::apply_all([change("sampling", "7"), change("config.rate", "70")]).unwrap();
    assert_eq!((text(&globals, "sampling"), loaded.run(1)), ("7".to_owned(), 70));
    applied.into_iter().rev().try_for_each(Applied::undo).unwrap();
    assert_eq!((text(&globals, "sampling"), loaded.run(1)), ("1".to_owned(), 1000));
    // A rewrite of a frozen section fails when it is applied.
    let frozen = globals.var("version").unwrap().change_by_rewrite("4").unwrap();
    let error = Change::apply_all([change("sampling", "7"), frozen]).unwrap_err();
    assert_eq!((error.cause(), error.object().name()), (Some(bpfvar::Cause::Frozen), Some("version")));
    assert_eq!(text(&globals, "sampling"), "1", "the first was undone");
}

/// What a configuration pusher does: values come from a file of its own, with types of their own.
#[test]
fn inputs_come_from_a_file() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Count) else { return };
    let json = r#"{"sampling": 3, "config": {"rate": 9, "mode": "SLOW"}, "label": "lo", "ratio": 0.5, "config.enabled": false}"#;
    let wanted: BTreeMap<String, Input> = serde_json::from_str(json).unwrap();
    let changes = wanted.into_iter().map(|(path, value)| globals.var(&path)?.change(value));
    let changes = changes.collect::<bpfvar::Result<Vec<_>>>().unwrap();
    let diff: Vec<String> = changes
        .iter()
        .filter(|change| !change.changes_nothing().unwrap())
        .map(|change| format!("{}: {} -> {}", change.var().path(), change.old().unwrap(), change.new().unwrap()))
        .collect();
    assert!(
        diff.contains(&"sampling: 1 -> 3".to_owned()) && diff.contains(&"label: \"eth0\" -> \"lo\"".to_owned()),
        "{diff:?}"
    );
    Change::apply_all(changes).unwrap();
    assert_eq!((text(&globals, "config.mode"), text(&globals, "ratio")), ("SLOW".to_owned(), "0.5".to_owned()));
    let null: Result<Input, _> = serde_json::from_str("[1, null]");
    assert!(null.unwrap_err().to_string().contains("expected a number, a bool, a string, an array or a map"));
}
