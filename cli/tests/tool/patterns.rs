//! Targets that name several variables.

use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;
use serde_json::json;

use crate::support::{Elsewhere, fails, has, json, load, map, ok, program, run, run_times, text, unique};

#[test]
fn a_pattern_over_programs_means_all_of_them() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let name = unique("gl");
    let loaded = ["a", "b", "c"].map(|end| load_named(Source::Count, &format!("{name}{end}")));
    ok(&["set", "-q", &format!("{name}b.sampling=7")]);
    let expected = format!("{name}a.sampling = 1\n{name}b.sampling = 7\n{name}c.sampling = 1\n");
    assert_eq!(ok(&["get", &format!("{name}*.sampling")]), expected);
    assert_eq!(ok(&["get", &format!("prog:{name}?.samplin*")]), expected);
    has(&ok(&["watch", "-n", "1", "-i", "1ms", &format!("{name}*.sampling")]), &[&format!("{name}b.sampling")]);
    // Each label names one variable, and none is there twice, however it may be reached.
    let all = ok(&["get", &format!("{name}*.*")]);
    let labels: Vec<&str> = all.lines().map(|line| line.split(" = ").next().unwrap()).collect();
    assert_eq!(labels.len(), 3 * 9, "{all}");
    let own = ok(&["get", &format!("{name}b")]);
    assert!(own.lines().all(|line| all.lines().any(|other| other == line)), "{all}");
    ok(&[&["get"], labels.as_slice()].concat());
    // What has the variable counts, what does not is left out.
    assert_eq!(ok(&["get", "-q", &format!("{name}*.config.limits[1].burst")]), "20\n20\n20\n");
    has(&fails(&["get", &format!("{name}*.samplin")]), &["no variable fits", &format!("{name}a.sampling")]);
    has(&fails(&["get", &format!("x{name}*.sampling")]), &["no program or map fits", "bpfvar list"]);
    drop(loaded);
}

#[test]
fn programs_that_share_a_map_have_each_variable_once() {
    if Elsewhere::hold() {
        return;
    }
    if !host::ready(Source::Together.needs()) {
        return;
    }
    let name = unique("sh");
    let other = Elsewhere::start(&name, Source::Together);
    // Eight programs use the two sections.
    assert_eq!(ok(&["get", "-q", &format!("pid:{}.torn_*", other.pid)]), "0\n0\n0\n");
    let by_name = ok(&["get", &format!("{name}.torn_*")]);
    assert_eq!(by_name.lines().count(), 3);
    assert!(by_name.lines().all(|line| line.starts_with(&format!("{name}.torn_"))), "{by_name}");
    assert_eq!(ok(&["get", &format!("{name}*.torn_*")]).lines().count(), 3);
}

#[test]
fn indices_may_be_ranges() {
    let (Some(count), Some(maps)) = (load(Source::Count), load(Source::Maps)) else { return };
    run_times(&maps, 2);
    let (p, stats) = (program(&count), map(&maps, "stats"));
    let burst = |path: &str| ok(&["get", "-q", &format!("{p}.config.limits{path}.burst")]);
    assert_eq!(burst("[*]"), "10\n20\n30\n40\n");
    assert_eq!(
        (burst("[1..3]"), burst("[..2]"), burst("[3..]"), burst("[2..4]")),
        ("20\n30\n".into(), "10\n20\n".into(), "40\n".into(), "30\n40\n".into())
    );
    assert_eq!(
        ok(&["get", &format!("{p}.config.limits[0..2].delta")]),
        format!("{p}.config.limits[0].delta = -1\n{p}.config.limits[1].delta = -2\n")
    );
    assert_eq!(
        ok(&["get", &format!("{p}.config.limits[3].*")]),
        format!("{p}.config.limits[3].burst = 40\n{p}.config.limits[3].delta = -4\n")
    );
    assert_eq!(ok(&["get", "-q", &format!("{stats}[*].packets")]), "2\n".repeat(4));
    assert_eq!(ok(&["get", "-q", &format!("{}.stats[1..3].packets", program(&maps))]), "2\n2\n");
    has(&fails(&["get", &format!("{p}.hist[0..17]")]), &["[16]", "0 to 15"]);
    has(&fails(&["get", &format!("{stats}[4..]")]), &["0 to 3"]);
    has(&fails(&["get", &format!("{p}.sampling[*]")]), &["is not an array"]);
    has(&fails(&["get", &format!("{p}.config.x*")]), &["no member fits x*"]);
    for bad in ["hist[3..3]", "hist[3..1]", "hist[4a..]", "hist[0..=4]", "hist[*", "hist[**]"] {
        let output = run(&["get", &format!("{p}.{bad}")]);
        assert_eq!(output.status.code(), Some(2), "{bad}: {output:?}");
    }
    // A section may stand before the name.
    assert_eq!(ok(&["get", &format!("{p}.bss.pa*")]), format!("{p}.packets = 0\n"));
    assert_eq!(ok(&["get", "-q", &format!("{}.kno?", map(&count, ".bss"))]), "0\n");
}

#[test]
fn one_name_of_two_programs_is_ambiguous_with_a_pattern_too() {
    let (Some(count), Some(twin)) = (load(Source::Count), load(Source::Twin)) else { return };
    let line = fails(&["get", "count.sampl*"]);
    has(&line, &["count.sampl* could be any of", &program(&count), &program(&twin)]);
}

#[test]
fn what_fits_is_set_as_one_or_not_at_all() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let name = unique("st");
    let loaded = ["a", "b"].map(|end| load_named(Source::Count, &format!("{name}{end}")));
    let printed = ok(&["set", &format!("{name}*.sampling=9")]);
    assert_eq!(printed, format!("{name}a.sampling: 1 -> 9\n{name}b.sampling: 1 -> 9\n"));
    ok(&["set", "-q", &format!("{name}a.hist[..4]=5")]);
    assert_eq!(ok(&["get", "-q", "--sum", &format!("{name}a.hist")]), "20\n");
    // One that is too great for `knob`, one that cannot be changed: nothing is.
    has(&fails(&["set", &format!("{name}*.sampling=1"), &format!("{name}*.knob=256")]), &["knob", "256"]);
    has(&fails(&["set", &format!("{name}*.sampling=1"), &format!("{name}*.v**=4")]), &["version", "frozen"]);
    assert_eq!(ok(&["get", "-q", &format!("{name}*.sampling")]), "9\n9\n");
    // What only looks takes several.
    assert_eq!(json(&["show", "--json", &format!("{name}*.sampling")]).as_array().map(Vec::len), Some(2));
    let p = program(&loaded[0]);
    let pattern = format!("{p}.config.*");
    for args in
        [vec!["add", &pattern, "1"], vec!["cas", &pattern, "1", "2"], vec!["freeze", &pattern], vec!["dump", &pattern]]
    {
        has(&fails(&args), &["is a pattern", &format!("bpfvar get '{pattern}'")]);
    }
}

#[test]
fn numbers_are_added_and_compared() {
    let (Some(count), Some(maps)) = (load(Source::Count), load(Source::Maps)) else { return };
    let (p, stats) = (program(&count), map(&maps, "stats"));
    ok(&["set", "-q", &format!("{p}.hist=[3,1,0,0,0,0,0,0,0,9,0,0,0,0,3,18446744073709551615]")]);
    let hist = format!("{p}.hist");
    let sum = 16 + u128::from(u64::MAX);
    assert_eq!(ok(&["get", "--sum", &hist]), format!("{hist} = {sum}\n"));
    assert_eq!(ok(&["get", "--sum", &format!("{hist}[..10]")]), format!("{hist}[..10] = 13\n"));
    assert_eq!(json(&["get", "--sum", "--json", &hist]), json!({ &hist: sum.to_string() }));
    assert_eq!(
        ok(&["get", "--max", &hist, &format!("{hist}[..9]")]),
        format!("{hist}[15] = {}\n{hist}[0] = 3\n", u64::MAX)
    );
    assert_eq!(ok(&["get", "--min", &hist]), format!("{hist}[2] = 0\n"));
    let top = ok(&["get", "--top", "4", &hist]);
    assert_eq!(top, format!("{hist}[15] = {}\n{hist}[9] = 9\n{hist}[0] = 3\n{hist}[14] = 3\n", u64::MAX));
    let top = ok(&["get", "--top", "2", "--json", &format!("{hist}[0..15]")]);
    assert_eq!(top, format!("{{\"{hist}[9]\":9,\"{hist}[0]\":3}}\n"), "the greatest comes first");
    assert_eq!(ok(&["get", "-q", "--top", "99", &format!("{hist}[0..2]")]), "3\n1\n");
    assert_eq!(ok(&["get", "-q", "--sum", &format!("{p}.config.limits[*].delta")]), "-10\n");
    assert_eq!(ok(&["get", "-q", "--sum", &format!("{p}.config.limits")]), "{burst: 100, delta: -10}\n");
    // All entries of a map; the only entry of one.
    run_times(&maps, 2);
    has(&ok(&["get", "--sum", &stats]), &["packets: 8"]);
    assert_eq!(ok(&["get", "-q", "--sum", &map(&maps, "scalar")]), "2\n");
    has(&fails(&["get", "--max", &stats]), &["no number", &format!("{stats}[0].packets")]);
    has(&fails(&["get", "--sum", &format!("{p}.config.mode")]), &["cannot be added up", "config.mode"]);
    has(&fails(&["get", "--max", &format!("{p}.label")]), &["no number"]);
    let usage = run(&["get", "--sum", "--max", &hist]);
    assert_eq!(usage.status.code(), Some(2), "{}", text(&usage.stderr));
    assert_eq!(run(&["get", "--top", "0", &hist]).status.code(), Some(2));
}
