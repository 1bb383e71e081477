//! The same by name, without a Rust type: BTF tells what changes together.

use bpfvar::{Applied, Array, Change, Error, Input, ReadOnly, ReadWrite, Seq, Switch, TypedMap};
use bpfvar_testkit::host;

use super::{Block, Config, count, loaded, on_all_cpus};

#[test]
fn wrappers_are_known_by_their_declaration() {
    let Some((_loaded, globals)) = loaded() else { return };
    let var = |path: &str| globals.var(path).unwrap();
    for (path, type_name, together) in [
        ("shared", "BPFVAR_SEQ(struct block)", vec!["BPFVAR_SEQ"]),
        ("config", "BPFVAR_SWITCH(struct config)", vec!["BPFVAR_SWITCH"]),
        ("config.rate", "__u64", vec!["BPFVAR_SWITCH"]),
        ("counters", "BPFVAR_PERCPU(struct counters)", vec!["BPFVAR_PERCPU"]),
        ("blocks", "BPFVAR_PERCPU(BPFVAR_SEQ(struct block))", vec!["BPFVAR_PERCPU", "BPFVAR_SEQ"]),
        ("blocks[0]", "BPFVAR_SEQ(struct block)", vec!["BPFVAR_SEQ"]),
        ("plain", "struct block", vec![]),
    ] {
        assert_eq!((var(path).type_name().as_str(), var(path).together()), (type_name, together), "{path}");
    }
    let declaration = var("config").declaration();
    assert!(declaration.starts_with("// BPFVAR_SWITCH(struct config)\nstruct config {\n"), "{declaration}");
    assert!(globals.var("shared.word").unwrap_err().to_string().contains("there are words"));
}

#[test]
fn what_is_read_by_name_is_of_one_moment() {
    let Some((loaded, globals)) = loaded() else { return };
    let (shared, words) = (globals.var("shared").unwrap(), globals.var("shared.words").unwrap());
    let (runs, ()) = on_all_cpus(&loaded, "write_shared", || {
        let whole = |value: String| {
            let numbers: Vec<&str> =
                value.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
            assert_eq!(numbers.len(), 8, "{value}");
            assert!(numbers.iter().all(|number| *number == numbers[0]), "{value}");
        };
        for _ in 0..2000 {
            match shared.read() {
                Ok(value) => whole(value.to_string()),
                Err(error) => assert!(matches!(error, Error::Torn { .. }), "{error:?}"),
            }
            if let Ok(value) = words.read() {
                whole(value.to_string());
            }
        }
    });
    let last = runs - count(&globals, "refused");
    assert_eq!(globals.var("shared.words[7]").unwrap().read().unwrap().as_i128(), Some(last.into()));
    assert_eq!(shared.read_as::<Seq<Block>>().unwrap().get(), Ok(Block { words: [last; 8] }));
    assert_eq!(globals.var("shared.words").unwrap().read_as::<[u64; 8]>().unwrap(), [last; 8]);
}

#[test]
fn slots_of_sequence_locks_are_added_up() {
    let Some((loaded, globals)) = loaded() else { return };
    let (runs, ()) = on_all_cpus(&loaded, "write_blocks", || {
        for _ in 0..20 {
            globals.var("blocks").unwrap().read().unwrap();
        }
    });
    let last = runs - count(&globals, "refused");
    let words = vec![last.to_string(); 8].join(", ");
    assert_eq!(globals.var("blocks").unwrap().read().unwrap().to_string(), format!("{{words: [{words}]}}"));
    assert_eq!(globals.var("blocks.words[3]").unwrap().read().unwrap().as_i128(), Some(last.into()));
}

#[test]
fn setting_a_sequence_lock_by_name_makes_it_good() {
    let Some((loaded, globals)) = loaded() else { return };
    let (shared, first) = (globals.var("shared").unwrap(), globals.var("shared.words[0]").unwrap());
    first.set(4).unwrap();
    assert_eq!(shared.read().unwrap().to_string(), "{words: [4, 0, 0, 0, 0, 0, 0, 0]}");
    assert_eq!(first.add(3).unwrap().1.as_i128(), Some(7));
    assert_eq!(first.compare_exchange(7, 8).unwrap().unwrap().as_i128(), Some(7));
    assert_eq!(first.compare_exchange(7, 9).unwrap().unwrap_err().as_i128(), Some(8));
    let sequence = |name: &str| count(&globals, &format!("shared.bpfvar_seq.{name}"));
    assert_eq!((sequence("begin"), sequence("end"), sequence("writer")), (4, 4, 0), "each came and left");
    let error = globals.var("shared.bpfvar_seq.begin").unwrap().set(1).unwrap_err();
    assert!(error.to_string().contains("counts who writes the value beside it, and is only read"), "{error}");
    assert!(globals.var("config.bpfvar_switch.version").unwrap().bind::<u64, ReadWrite>().is_err());
    assert!(globals.var("config.bpfvar_switch.version").unwrap().bind::<u64, ReadOnly>().is_ok());
    loaded.program("cut_short").run(1);
    assert!(matches!(first.set(1), Err(Error::Torn { .. } | Error::Busy { .. })));
    assert!(matches!(shared.read(), Err(Error::Torn { .. })));
    shared.set("{\"words\": [5, 5, 5, 5, 5, 5, 5, 5]}").unwrap();
    assert_eq!(shared.read().unwrap().to_string(), "{words: [5, 5, 5, 5, 5, 5, 5, 5]}");
    assert_eq!(loaded.program("write_shared").run(1), 1);
}

#[test]
fn several_settings_are_one_switch_and_so_is_undoing_them() {
    let Some((loaded, globals)) = loaded() else { return };
    let var = |path: &str| globals.var(path).unwrap();
    let version = || count(&globals, "config.bpfvar_switch.version");
    let before = var("config").read().unwrap().to_string();
    let applied = Change::apply_all([
        var("config.rate").change(5).unwrap(),
        var("bare.rate").change(6).unwrap(),
        var("config.mode").change("OFF").unwrap(),
    ])
    .unwrap();
    assert_eq!(version(), 1, "one switch");
    let pairs: Vec<_> =
        applied.iter().map(|applied| format!("{} {} {}", applied.var().path(), applied.old, applied.new)).collect();
    assert_eq!(pairs, ["config.rate 1000 5", "bare.rate 1000 6", "config.mode FAST OFF"]);
    assert_eq!(loaded.program("read_config").run(1), 5);
    assert_eq!(var("config.mode").read().unwrap().to_string(), "OFF");
    applied.into_iter().rev().try_for_each(Applied::undo).unwrap();
    assert_eq!((version(), var("config").read().unwrap().to_string()), (3, before.clone()));

    // A struct keeps what is not named.
    let change = var("config").change("{\"rate\": 7, \"burst\": 8}").unwrap();
    assert!(!change.changes_nothing().unwrap());
    assert!(change.new().unwrap().to_string().starts_with("{rate: 7, mode: FAST, burst: 8, "));
    assert_eq!(version(), 3, "nothing is written yet");
    change.apply().unwrap();
    assert_eq!(version(), 4);
    assert!(var("config").change(Input::Struct(vec![("rate".into(), 7.into())])).unwrap().changes_nothing().unwrap());
    assert_eq!(var("config.words[2]").add(5).unwrap().1.as_i128(), Some(5));
    assert_eq!(var("config.mode").compare_exchange("OFF", "SLOW").unwrap().unwrap_err().to_string(), "FAST");
    assert_eq!(version(), 5, "what is refused is no switch");
    assert_eq!(count(&globals, "config.bpfvar_switch.writer"), 0);
}

#[test]
fn a_map_made_from_rust_is_known_too() {
    if !host::ready((5, 8)) {
        return;
    }
    let stats = Array::<Seq<Block>>::builder().name("stats").entries(3).create().unwrap();
    stats.at(1).write(Block { words: [2; 8] }).unwrap();
    let typed = TypedMap::open(stats.map().unwrap().try_clone().unwrap()).unwrap();
    assert_eq!(typed.var("stats[1].words[4]").unwrap().read().unwrap().as_i128(), Some(2));
    assert_eq!(typed.var("stats[1]").unwrap().together(), ["BPFVAR_SEQ"]);
    assert!(typed.var("stats").unwrap().read().unwrap().to_string().contains("{words: [2, 2, 2, 2, 2, 2, 2, 2]}"));
    let configs = Array::<Switch<Config>>::builder().name("configs").entries(2).create().unwrap();
    configs.switch(1).unwrap().update(|config| *config = Config::of(3)).unwrap();
    let typed = TypedMap::open(configs.map().unwrap().try_clone().unwrap()).unwrap();
    assert_eq!(typed.var("configs[1].rate").unwrap().read().unwrap().as_i128(), Some(3));
    typed.var("configs[1].rate").unwrap().set(4).unwrap();
    assert_eq!(configs.at(1).read().unwrap(), Config { rate: 4, ..Config::of(3) });
}

#[test]
fn an_update_changes_what_is_around_it_as_one() {
    let Some((_loaded, globals)) = loaded() else { return };
    let var = |path: &str| globals.var(path).unwrap();
    let next = |old: &bpfvar::Value| old.as_i128().filter(|old| *old < 1001).map(|old| old + 1);
    for path in ["config.rate", "settings.rate"] {
        let of = |(old, new): (bpfvar::Value, bpfvar::Value)| (old.as_i128(), new.as_i128());
        assert_eq!(var(path).update(next).unwrap().map(of), Ok((Some(1000), Some(1001))));
        assert_eq!(var(path).update(next).unwrap().map_err(|old| old.as_i128()), Err(Some(1001)));
        assert_eq!(var(path).read().unwrap().as_i128(), Some(1001));
    }
    assert_eq!(count(&globals, "config.bpfvar_switch.version"), 1, "what is declined is no version");
    // In a sequence lock the old value is looked at inside: who declines has come and left.
    let counts = ["begin", "end"].map(|word| count(&globals, &format!("settings.bpfvar_seq.{word}")));
    assert_eq!(counts, [2, 2]);
    assert!(var("counters.packets").update(next).is_err(), "each CPU has one");
}

#[test]
fn bytes_are_those_of_the_value() {
    let Some((loaded, globals)) = loaded() else { return };
    loaded.program("write_shared").run(3);
    let bytes = |path: &str| globals.var(path).unwrap().read_bytes();
    let words = 3_u64.to_ne_bytes().repeat(8);
    assert_eq!((bytes("shared").unwrap(), bytes("shared.words").unwrap()), (words.clone(), words));
    globals.var("config.rate").unwrap().set(7).unwrap();
    assert_eq!(bytes("config").unwrap()[..8], 7_u64.to_ne_bytes(), "of the slot that counts");
    assert_eq!(bytes("blocks[0]").unwrap().len(), 64);
    assert!(bytes("blocks").unwrap_err().to_string().contains("choose a CPU"));
    loaded.program("cut_short").run(1);
    assert!(matches!(bytes("shared").unwrap_err(), Error::Torn { .. }));
}
