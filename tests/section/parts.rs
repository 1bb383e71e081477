//! How a path can go on from a variable, and globals of several programs.

use bpfvar::{Globals, Program, Var};
use bpfvar_objects::{Loaded, Source};

use crate::loaded;

/// Asserts that a path goes on with just these indices and members, and nowhere else.
#[track_caller]
fn goes_on(var: &Var, indices: std::ops::Range<u64>, members: &[&str]) {
    assert_eq!(
        (var.indices().unwrap(), var.members().iter().map(String::as_str).collect::<Vec<_>>()),
        (indices.clone(), members.to_vec()),
        "{var}"
    );
    for member in members {
        var.at(&format!(".{member}")).unwrap();
    }
    for index in indices.clone().take(3) {
        var.at(&format!("[{index}]")).unwrap();
    }
    var.at(&format!("[{}]", indices.end)).unwrap_err();
    var.at(".no_such_member").unwrap_err();
}

#[test]
fn structs_have_members_and_arrays_indices() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let var = |path| globals.var(path).unwrap();
    goes_on(&var("config"), 0..0, &["rate", "mode", "limits", "enabled"]);
    goes_on(&var("config.limits"), 0..4, &[]);
    goes_on(&var("config.limits[2]"), 0..0, &["burst", "delta"]);
    goes_on(&var("label"), 0..16, &[]);
    goes_on(&var("sampling"), 0..0, &[]);
}

#[test]
fn bitfields_and_anonymous_members_are_as_in_c() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    goes_on(&globals.var("cube").unwrap(), 0..2, &[]);
    goes_on(&globals.var("cube[1][2]").unwrap(), 0..4, &[]);
    for var in globals.vars().filter(|var| !var.members().is_empty()) {
        var.members().iter().for_each(|member| drop(var.at(&format!(".{member}")).unwrap()));
    }
    goes_on(&globals.var("bits_value.minus").unwrap(), 0..0, &[]);
}

#[test]
fn maps_have_entries() {
    let Some((_loaded, globals)) = loaded(Source::Maps) else { return };
    let map = |name: &str| globals.map(name).unwrap().vars().next().unwrap();
    goes_on(&map("stats"), 0..4, &[]);
    goes_on(&map("stats").at("[1]").unwrap(), 0..0, &["packets", "drops", "mode", "sizes"]);
    goes_on(&map("scalar"), 0..8, &[]);
    // Only one entry, and a copy of it for each CPU.
    let percpu = map("percpu");
    assert_eq!((percpu.indices().unwrap(), percpu.members().len()), (0..1, 4));
    let entry = percpu.at("[0]").unwrap();
    let cpus = entry.indices().unwrap().end;
    assert!(cpus >= entry.each_cpu().unwrap().len() as u64, "{cpus}");
    goes_on(&entry, 0..cpus, &["packets", "drops", "mode", "sizes"]);
    goes_on(&entry.at("[0].sizes").unwrap(), 0..4, &[]);
}

#[test]
fn what_changes_as_one_goes_on_as_its_value_does() {
    let Some((loaded, _)) = loaded(Source::Together) else { return };
    let globals = all_of(&loaded);
    let var = |path| globals.var(path).unwrap();
    goes_on(&var("config"), 0..0, &["rate", "mode", "burst", "words"]);
    goes_on(&var("shared"), 0..0, &["words"]);
    goes_on(&var("shared.words"), 0..8, &[]);
    // A slot for each CPU that there can be, though the program has more.
    let counters = var("counters");
    assert_eq!(counters.members(), ["packets", "bytes"]);
    let indices = counters.indices().unwrap();
    assert!(indices.end >= counters.each_cpu().unwrap().len() as u64 && indices.end <= 256, "{indices:?}");
}

/// The globals of all programs of an object.
fn all_of(loaded: &Loaded) -> Globals {
    let programs = loaded.programs.iter().map(|program| Program::from_id(program.id()).unwrap());
    Globals::of_programs(&programs.collect::<Vec<_>>()).unwrap()
}

#[test]
fn several_programs_have_each_map_once() {
    let Some((loaded, first)) = loaded(Source::Together) else { return };
    assert_eq!(first.maps().len(), 1, "the first program uses .bss only");
    let all = all_of(&loaded);
    assert!(all.program().is_none() && all.maps().len() == 2, "{all:?}");
    assert_eq!(all.vars().count(), 13);
    assert_eq!(all.var("config.burst").unwrap().read().unwrap().as_i128(), Some(10));
    assert!(Globals::of_programs(&[]).unwrap().maps().is_empty());
}
