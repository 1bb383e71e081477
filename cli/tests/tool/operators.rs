//! `set` with operators: steps from what is there.

use std::thread;

use bpfvar_objects::{Source, load_as_aya};
use bpfvar_testkit::host;
use serde_json::json;

use crate::support::{fails, has, json, load, map, ok, program, run, run_times, text};

#[test]
fn operators_start_from_what_is_there() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    for (setting, shown) in [
        ("u8_value=200", "241 -> 200"),
        ("u8_value+=0x37", "200 -> 255"),
        ("u8_value-=5", "255 -> 250"),
        ("u8_value+=-50", "250 -> 200"),
        ("u8_value-=-1", "200 -> 201"),
        ("u8_value&=0x0f", "201 -> 9"),
        ("u8_value|=0x10|2", "9 -> 27"),
        ("u8_value&=~0x11", "27 -> 10"),
        ("u8_value^=0xff", "10 -> 245"),
        ("s8_value|=1", "-2 -> -1"),
        ("s8_value&=~1", "-1 -> -2"),
        ("s8_value^=-1", "-2 -> 1"),
        ("double_value-=0.4", "-0.1 -> -0.5"),
        ("bits_value.three^=7", "5 -> 2"),
        ("bits_value.minus+=8", "-7 -> 1"),
        ("bits_value.flag&=~true", "true -> false"),
        ("bool_value^=on", "true -> false"),
        ("bits_value.hue=0", "GREEN -> RED"),
        ("bits_value.hue|=GREEN", "RED -> GREEN"),
        ("bits_value.hue&=~GREEN|RED", "GREEN -> RED"),
        ("temperature_value|=0", "FREEZING -> FREEZING"),
        ("temperature_value^=1", "FREEZING -> -39"),
    ] {
        let target = setting.split(['=', '+', '-', '|', '&', '^']).next().unwrap();
        let output = run(&["set", &format!("{p}.{setting}")]);
        assert_eq!(text(&output.stdout), format!("{p}.{target}: {shown}\n"), "{setting}");
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    for (setting, parts) in [
        ("knob+=256", ["knob", "from 0 to 255"]),
        ("knob-=1", ["knob", "does not fit __u8"]),
        ("knob+=x", ["knob", "a number is needed"]),
        ("knob|=256", ["knob", "from 0 to 255"]),
        ("knob|=", ["knob", "a number is needed"]),
        ("knob^=1|x", ["knob", "\"x\""]),
        ("ratio|=1", ["ratio: |= is for whole numbers", "double"]),
        ("label^=a", ["label: ^= is for whole numbers", "char [16]"]),
        ("config&={}", ["config: &= is for whole numbers", "struct config"]),
        ("config+=1", ["config", "only a number can be added to"]),
        ("config.mode+=1", ["mode", "only a number can be added to"]),
        ("config.mode|=QUICK", ["mode", "SLOW, FAST, OFF"]),
        ("version+=1", ["version", "frozen"]),
        ("nothing+=1", ["nothing", "no variable"]),
    ] {
        let line = fails(&["set", &format!("{p}.sampling=9"), &format!("{p}.neighbour+=9"), &format!("{p}.{setting}")]);
        has(&line, &parts);
        assert_eq!(ok(&["get", "-q", &format!("{p}.sampling"), &format!("{p}.neighbour")]), "1\n0\n", "{setting}");
    }
}

#[test]
fn values_are_written_before_the_steps_are_made() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let (sampling, rate) = (format!("{p}.sampling"), format!("{p}.config.rate"));
    let args = [format!("{sampling}+=1"), format!("{rate}=7"), format!("{sampling}=100"), format!("{sampling}|=1")];
    let args: Vec<&str> = ["set"].into_iter().chain(args.iter().map(String::as_str)).collect();
    assert_eq!(
        ok(&args),
        format!("{rate}: 1000 -> 7\n{sampling}: 1 -> 100\n{sampling}: 100 -> 101\n{sampling}: 101 -> 101\n")
    );
    let printed = json(&["set", "--json", &format!("{sampling}-=1"), &format!("{sampling}+=5")]);
    assert_eq!(printed, json!({ &sampling: {"old": 101, "new": 105} }));
    assert_eq!(ok(&["set", "-q", &format!("{sampling}-=5")]), "");
}

#[test]
fn a_pattern_makes_a_step_for_each_that_fits() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let bursts = || ok(&["get", "-q", &format!("{p}.config.limits[*].burst")]);
    let step = |index: u32, old: u32, new: u32| format!("{p}.config.limits[{index}].burst: {old} -> {new}\n");
    assert_eq!(
        ok(&["set", &format!("{p}.config.limits[*].burst+=1")]),
        step(0, 10, 11) + &step(1, 20, 21) + &step(2, 30, 31) + &step(3, 40, 41)
    );
    let printed =
        ok(&["set", &format!("{p}.config.limits[1..3].burst|=0x80"), &format!("{p}.config.limits[1].burst=1")]);
    assert_eq!(printed, step(1, 21, 1) + &step(1, 1, 129) + &step(2, 31, 159), "values first");
    // One that does not fit, or is nothing to be added to: no step is made, and no value written.
    for (setting, parts) in [
        ("config.limits[*].burst-=12", ["limits[0].burst", "does not fit"]),
        ("config.limits[*].*|=x", ["limits[0].burst", "a number is needed"]),
        ("*+=1", ["hist", "only a number can be added to"]),
        ("config.limits[*]&=1", ["config.limits[0]: &= is for whole numbers", "struct limit"]),
        ("config.limits[*].nothing+=1", ["nothing", "no member"]),
    ] {
        has(&fails(&["set", &format!("{p}.sampling=9"), &format!("{p}.{setting}")]), &parts);
        assert_eq!(bursts(), "11\n129\n159\n41\n", "{setting}");
        assert_eq!(ok(&["get", "-q", &format!("{p}.sampling")]), "1\n", "{setting}");
    }
}

/// What was checked one by one fails together: 200 fits once, not twice.
#[test]
fn a_step_that_fails_after_all_undoes_the_values_and_names_the_steps() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let (knob, sampling) = (format!("{p}.knob"), format!("{p}.sampling"));
    let line = fails(&["set", &format!("{sampling}=9"), &format!("{knob}+=200"), &format!("{knob}+=200")]);
    has(&line, &["knob", "from 0 to 255", "are undone", &format!("the steps before it stay: {knob}")]);
    assert_eq!(ok(&["get", "-q", &sampling, &knob]), "1\n200\n");
}

#[test]
fn what_changes_as_one_is_stepped_as_one() {
    let Some(loaded) = load(Source::Together) else { return };
    let p = format!("prog:{}", loaded.program("read_config").id());
    for name in ["config", "settings"] {
        let rate = format!("{p}.{name}.rate");
        assert_eq!(ok(&["set", &format!("{rate}-=1")]), format!("{rate}: 1000 -> 999\n"));
        assert_eq!(ok(&["set", &format!("{rate}^=0xf")]), format!("{rate}: 999 -> 1000\n"));
    }
    has(&fails(&["set", &format!("{p}.counters.packets+=1")]), &["every CPU has a value of its own"]);
}

#[test]
fn a_step_needs_memory() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let aya = load_as_aya(Source::Count);
    for rewrite in [vec!["set"], vec!["set", "--rewrite"]] {
        let setting = format!("{}.sampling+=1", program(&aya));
        let args: Vec<&str> = rewrite.into_iter().chain([setting.as_str()]).collect();
        has(&fails(&args), &["cannot be mapped", "+= needs a mapped section", "one atomic step"]);
    }
    let Some(maps) = load(Source::Maps) else { return };
    has(&fails(&["set", &format!("{}+=1", map(&maps, "percpu"))]), &["per-CPU array"]);
}

#[test]
fn no_increment_of_a_program_is_lost() {
    let Some(loaded) = load(Source::Count) else { return };
    let packets = format!("{}.packets", program(&loaded));
    thread::scope(|scope| {
        scope.spawn(|| run_times(&loaded, 20_000));
        for _ in 0..50 {
            ok(&["set", "-q", &format!("{packets}+=1000000")]);
        }
    });
    assert_eq!(ok(&["get", "-q", &packets]), "50020000\n");
}

#[test]
fn one_variable_takes_one_value() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let data = loaded.map(".data").info().id;
    let before = ok(&["get", &p]);
    for (args, parts) in [
        (vec![format!("{p}.sampling=1"), format!("{p}.sampling=2")], ["sampling is set twice", "nothing was written"]),
        (vec![format!("{p}.sampling=1"), format!("map:{data}.sampling=2")], ["and map:", "set the same twice"]),
        (
            vec![format!("{p}.config.rate=1"), format!("{p}.config={{\"mode\":2}}")],
            ["config.rate and", "the same twice"],
        ),
    ] {
        let args: Vec<&str> = ["set"].into_iter().chain(args.iter().map(String::as_str)).collect();
        has(&fails(&args), &parts);
    }
    assert_eq!(ok(&["get", &p]), before);
    // Steps follow each other.
    ok(&["set", &format!("{p}.sampling+=2"), &format!("{p}.sampling+=3")]);
    ok(&["set", &format!("{p}.sampling-=5"), &format!("{p}.config.rate=7"), &format!("{p}.config.mode=OFF")]);
}
