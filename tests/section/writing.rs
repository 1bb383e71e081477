//! Writing variables: what fits, what is refused, and that neighbours survive.

use std::sync::atomic::{AtomicBool, Ordering};

use bpfvar::{Btf, Error, Input, Map, TypedMap, Value};
use bpfvar_objects::Source;
use bpfvar_testkit::{Types, host};

use crate::{loaded, loaded_as_declared, text};

#[test]
fn every_kind_takes_its_values_and_no_others() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let taken = [
        ("u8_value", "255", "255"),
        ("u8_value", "0x10", "16"),
        ("u8_value", "'a'", "97"),
        ("u8_value", "0o17", "15"),
        ("u8_value", "0b11", "3"),
        ("s8_value", "-128", "-128"),
        ("s64_value", "-9223372036854775808", "-9223372036854775808"),
        ("u64_value", "18446744073709551615", "18446744073709551615"),
        ("u128_value", "340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
        ("s128_value", "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
        ("bool_value", "false", "false"),
        ("bool_value", "on", "true"),
        ("color_value", "RED", "RED"),
        ("color_value", "5", "GREEN"),
        ("color_value", "77", "77"),
        ("temperature_value", "WARM", "WARM"),
        ("temperature_value", "-40", "FREEZING"),
        ("alias_value", "DEFAULT", "ORIGINAL"),
        ("big_value", "BIG_MAX", "BIG_MAX"),
        ("big_signed_value", "BIG_MINUS", "BIG_MINUS"),
        ("small_signed_value", "SMALL_PLUS", "SMALL_PLUS"),
        ("float_value", "3.25", "3.25"),
        ("double_value", "1e-300", "1e-300"),
        ("float_value", "inf", "inf"),
        ("node_pointer", "0x1000", "0x1000"),
        ("text", "\"quoted\"", "\"quoted\""),
        ("full_text", "[65, 66, 67, 68]", "[65, 66, 67, 68]"),
        ("color_value", "\"GREEN\"", "GREEN"),
        ("u64_value", "\"0x10\"", "16"),
        ("text", "seven77", "\"seven77\""),
        ("text", "", "\"\""),
        ("lines[2]", "x", "\"x\""),
        ("cube[1][2]", "[1, -2, 3, -4]", "[1, -2, 3, -4]"),
        ("bits_value.three", "0", "0"),
        ("bits_value.minus", "-16", "-16"),
        ("bits_value.wide", "0x1ffffffff", "8589934591"),
        ("bits_value.hue", "RED", "RED"),
        ("bits_value.flag", "false", "false"),
        ("bits_value.next_unit", "1", "1"),
        ("word.halves.low", "1", "1"),
        ("word.bytes[7]", "255", "255"),
        ("number.real", "0.5", "0.5"),
        ("squeezed.value", "1", "1"),
        ("anonymous_members.right_signed", "-1", "-1"),
        (
            "nested",
            r#"{"inner": {"y": 77}, "last": "0x20"}"#,
            "{first: 1, inner: {x: 2, y: 77, innermost: {deep: 4}}, \
            inners: [{x: 5, y: -6, innermost: {deep: 7}}, {x: 8, y: -9, innermost: {deep: 10}}], last: 32}",
        ),
    ];
    for (path, new, shown) in taken {
        let var = globals.var(path).unwrap();
        let before = var.read().unwrap();
        let old = var.set(new).unwrap_or_else(|error| panic!("{path}={new}: {error}"));
        assert_eq!(format!("{old:?}"), format!("{before:?}"), "{path}");
        assert_eq!(text(&globals, path), shown, "{path}={new}");
    }
    // One member of a union, and of that one half: the other half stays.
    globals.var("word.whole").unwrap().set("0xff02020202020202").unwrap();
    globals.var("word").unwrap().set(r#"{"halves": {"low": 5}}"#).unwrap();
    let whole: u64 = if cfg!(target_endian = "little") { 0xff02_0202_0000_0005 } else { 0x0000_0005_0202_0202 };
    assert_eq!(text(&globals, "word.whole"), whole.to_string());
    let refused = [
        ("u8_value", "256", "from 0 to 255"),
        ("u8_value", "-1", "from 0 to 255"),
        ("s8_value", "128", "from -128 to 127"),
        ("u8_value", "", "a number is needed"),
        ("u8_value", "1.5", "a number is needed"),
        ("u8_value", "010", "0o10 or 10"),
        ("u64_value", "18446744073709551616", "from 0 to 18446744073709551615"),
        ("u128_value", "340282366920938463463374607431768211456", "128 bits"),
        ("bool_value", "2", "a bool is true or false"),
        ("bool_value", "yes", "a bool is true or false"),
        ("color_value", "PURPLE", "RED, GREEN, BLUE"),
        ("small_value", "256", "from 0 to 255"),
        ("float_value", "1e39", "a float reaches"),
        ("double_value", "1e400", "a number is needed"),
        ("float_value", "one", "a number is needed"),
        ("text", "eight888", "room for 7 bytes"),
        ("text", "a\0b", "a NUL ends the text"),
        ("cube[1][2]", "[1, 2, 3]", "the array has 4"),
        ("cube[1][2]", "[1, 2, 3, 40000]", "from -32768 to 32767"),
        ("cube", "5", "an array of 2"),
        ("bits_value.three", "8", "from 0 to 7"),
        ("bits_value.minus", "16", "from -16 to 15"),
        ("bits_value.one", "2", "from 0 to 1"),
        ("nested", r#"{"inner": {"z": 1}}"#, "it has x, y, innermost"),
        ("nested", "{", "JSON"),
        ("nested", "[1]", "takes members by name"),
        ("nested", r#"{"first": 1, "last": -1}"#, "from 0 to 18446744073709551615"),
        ("nested", r#"{"first": null}"#, "it cannot be stored: invalid type: null"),
        ("word", r#"{"whole": 1, "bytes": [1,2,3,4,5,6,7,8]}"#, "set only one"),
        ("anonymous_members", r#"{"as_number": 1, "left": 7}"#, "set only one"),
        ("word", "5", "takes members by name"),
    ];
    for (path, new, reason) in refused {
        let var = globals.var(path).unwrap();
        let before = format!("{:?}", var.read().unwrap());
        let error = var.set(new).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{path}={new}: {error}");
        assert!(error.to_string().contains(reason), "{path}={new}: {error}");
        assert_eq!(format!("{:?}", var.read().unwrap()), before, "{path}: nothing is half written");
    }
}

#[test]
fn writing_a_part_leaves_every_other_byte() {
    let Some((loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let map = loaded.map(".data");
    let bytes = || {
        let mut bytes = vec![0; map.info().value_size as usize];
        map.lookup(0, &mut bytes).unwrap();
        bytes
    };
    let paths = [
        "u8_value",
        "s16_value",
        "u128_value",
        "bool_value",
        "small_value",
        "float_value",
        "text",
        "full_text[3]",
        "cube[1][1][1]",
        "bits_value.one",
        "bits_value.minus",
        "bits_value.across",
        "bits_value.next_unit",
        "bits_value.cold",
        "bits_value.wide",
        "bits_value.whole",
        "nested.inners[0].innermost.deep",
        "word.halves.high",
        "word.bytes[3]",
        "squeezed.value",
        "squeezed.tail",
        "anonymous_members.left",
        "with_nothing.after",
        "_",
    ];
    for path in paths {
        let var = globals.var(path).unwrap();
        let before = bytes();
        let old = var.read().unwrap();
        var.set(if path == "text" {
            "new"
        } else if path == "bool_value" {
            "false"
        } else {
            "1"
        })
        .unwrap();
        let after = bytes();
        let (start, end) = (var.offset() as usize, (var.offset() + var.size()) as usize);
        for (index, (before, after)) in before.iter().zip(&after).enumerate() {
            assert!(before == after || (start..end).contains(&index), "{path}: byte {index} outside of {start}..{end}");
        }
        // What it was before makes all bytes what they were, bitfield neighbours included.
        match old {
            Value::Enum { value, .. } => var.set(value).unwrap(),
            other => var.set(other).unwrap(),
        };
        assert_eq!(bytes(), before, "{path}");
    }
}

#[test]
fn several_changes_are_prepared_and_then_applied() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let one = globals.var("sampling").unwrap();
    let two = globals.var("config.mode").unwrap();
    let changes = [one.change("7").unwrap(), two.change("OFF").unwrap()];
    assert_eq!(text(&globals, "sampling"), "1", "nothing is written before apply");
    let values =
        changes.map(|change| change.apply().unwrap()).map(|applied| format!("{} -> {}", applied.old, applied.new));
    assert_eq!(values, ["1 -> 7", "FAST -> OFF"]);
    assert_eq!((text(&globals, "sampling"), text(&globals, "config.mode")), ("7".to_owned(), "OFF".to_owned()));
}

#[test]
fn adding_is_exact_and_refuses_to_overflow() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let var = |path| globals.var(path).unwrap();
    let (old, new) = var("u8_value").add("14").unwrap();
    assert_eq!((old, new), (Value::Uint(241), Value::Uint(255)));
    let error = var("u8_value").add(1).unwrap_err().to_string();
    assert!(error.contains("from 0 to 255"), "{error}");
    assert_eq!(text(&globals, "u8_value"), "255");
    assert!(matches!(var("u8_value").add("-256").unwrap_err(), Error::Argument { .. }));
    var("u8_value").add("-255").unwrap();
    var("bits_value.minus").add("-9").unwrap();
    assert_eq!(text(&globals, "bits_value.minus"), "-16");
    assert!(matches!(var("bits_value.minus").add("-1").unwrap_err(), Error::Argument { .. }));
    assert_eq!(text(&globals, "bits_value.three"), "5");
    var("double_value").add("0.6").unwrap();
    assert_eq!(text(&globals, "double_value"), "0.5");
    var("float_value").set("3e38").unwrap();
    assert!(var("float_value").add("3e38").unwrap_err().to_string().contains("does not fit float"));
    var("float_value").set("0.1").unwrap();
    assert_eq!(var("float_value").add("0.2").unwrap().1.to_string(), "0.3");
    for (path, amount) in [
        ("color_value", "1"),
        ("bool_value", "1"),
        ("text", "1"),
        ("nested", "1"),
        ("u128_value", "1"),
        ("u8_value", "x"),
    ] {
        assert!(var(path).add(amount).is_err(), "{path}");
    }
}

#[test]
fn a_compare_exchange_tells_what_was_there() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let var = |path| globals.var(path).unwrap();
    assert_eq!(var("u32_value").compare_exchange("1", "2").unwrap(), Err(Value::Uint(4_059_231_220)));
    assert!(var("u32_value").compare_exchange("4059231220", "2").unwrap().is_ok());
    assert_eq!(text(&globals, "u32_value"), "2");
    assert!(var("temperature_value").compare_exchange("FREEZING", "HOT").unwrap().is_ok());
    assert!(var("bits_value.hue").compare_exchange("GREEN", "RED").unwrap().is_ok());
    assert_eq!(text(&globals, "bits_value.cold"), "FREEZING");
    assert!(var("bool_value").compare_exchange("true", "false").unwrap().is_ok());
    // Any byte but 0 is true.
    let bool_value = var("bool_value");
    let data = bool_value.map().as_map();
    let mut bytes = vec![0; data.info().value_size as usize];
    data.lookup(0, &mut bytes).unwrap();
    bytes[var("bool_value").offset() as usize] = 2;
    data.update(0, &bytes).unwrap();
    assert!(var("bool_value").compare_exchange("true", "false").unwrap().is_ok());
    assert!(matches!(var("u32_value").compare_exchange("x", "2").unwrap_err(), Error::Argument { .. }));
    assert!(var("nested").compare_exchange("{}", "{}").is_err(), "no scalar");
}

/// Text that looks like JSON: a user's is read so, a value's stays what it is.
#[test]
fn text_that_was_read_is_written_back_as_it_is() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let label = globals.var("label").unwrap();
    for literal in ["[1,2]", "\"x\"", "[", "{\"a\": 1}", "\"[1]\""] {
        label.set(serde_json::to_string(literal).unwrap()).unwrap();
        let read = label.read().unwrap();
        assert_eq!(read, Value::Text(literal.to_owned()));
        label.set("other").unwrap();
        label.set(&read).unwrap();
        assert_eq!(label.read().unwrap(), read);
        let json: Input = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
        label.set(json).unwrap();
        assert_eq!(label.read().unwrap(), read);
    }
    // As elements of an array, too.
    globals
        .var("hist")
        .unwrap()
        .set(Input::Array((0..16).map(|index| format!("{index:#x}").into()).collect()))
        .unwrap();
    assert_eq!(text(&globals, "hist[15]"), "15");
}

/// Bitfields of one unit, changed by two threads at once, and added to: each keeps what is its own.
#[test]
fn neighbours_in_one_unit_survive_concurrent_changes() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let done = AtomicBool::new(false);
    let three = globals.var("bits_value.three").unwrap();
    let minus = globals.var("bits_value.minus").unwrap();
    three.set("0").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                minus.set("-16").unwrap();
                minus.set("15").unwrap();
            }
        });
        for round in 0..20_000 {
            let (old, _) = if round % 2 == 0 { three.add(5).unwrap() } else { three.add(-5).unwrap() };
            assert_eq!(old, Value::Uint(if round % 2 == 0 { 0 } else { 5 }));
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// A program increments at full speed while its neighbours are set.
#[test]
fn a_program_loses_no_increment_while_its_neighbours_are_set() {
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let (neighbour, knob) = (globals.var("neighbour").unwrap(), globals.var("knob").unwrap());
    let done = AtomicBool::new(false);
    let runs = std::thread::scope(|scope| {
        let counting = scope.spawn(|| {
            let mut runs = 0_u64;
            while !done.load(Ordering::Relaxed) {
                loaded.run(1000);
                runs += 1000;
            }
            runs
        });
        for round in 0..10_000_u64 {
            neighbour.set(round).unwrap();
            knob.set(round % 256).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        counting.join().unwrap()
    });
    assert!(runs > 0);
    assert_eq!(globals.var("packets").unwrap().read().unwrap(), Value::Uint(runs.into()));
    assert_eq!((text(&globals, "neighbour"), text(&globals, "knob")), ("9999".to_owned(), "15".to_owned()));
}

#[test]
fn an_update_is_one_step_that_may_be_declined() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let (knob, mode) = (globals.var("knob").unwrap(), globals.var("config.mode").unwrap());
    let doubled = |old: &Value| old.as_i128().map(|old| old * 2).filter(|new| *new <= 300);
    knob.set(100).unwrap();
    assert_eq!(knob.update(doubled).unwrap(), Ok((Value::from(100_u8), Value::from(200_u8))));
    assert_eq!(knob.update(doubled).unwrap(), Err(Value::from(200_u8)), "declined");
    let error = knob.update(|_| Some(300)).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }) && error.to_string().contains("from 0 to 255"), "{error}");
    assert_eq!(text(&globals, "knob"), "200", "neither changed it");
    let next = |old: &Value| Some(if old.as_str() == Some("FAST") { "OFF" } else { "FAST" });
    assert_eq!(mode.update(next).unwrap().unwrap().1.as_str(), Some("OFF"));
    for path in ["config", "label", "version"] {
        assert!(globals.var(path).unwrap().update(|old| Some(Input::from(old))).is_err(), "{path}");
    }
}

#[test]
fn a_sum_can_be_looked_at_first() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let knob = globals.var("knob").unwrap();
    knob.set(250).unwrap();
    assert_eq!(knob.preview_add("0x5").unwrap(), (Value::from(250_u8), Value::from(255_u8)));
    assert!(knob.preview_add(6).unwrap_err().to_string().contains("from 0 to 255"));
    assert_eq!(text(&globals, "knob"), "250");
    assert!(globals.var("config.mode").unwrap().preview_add(1).is_err());
}

#[test]
fn no_update_is_lost_beside_another() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let (three, next) = (globals.var("bits_value.three").unwrap(), globals.var("bits_value.next_unit").unwrap());
    next.set(0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5000 {
                    next.update(|old| old.as_i128().map(|old| old + 1)).unwrap().unwrap();
                    three.update(|old| old.as_i128().map(|old| (old + 1) % 8)).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(text(&globals, "bits_value.next_unit"), "10000");
}

/// A `float` whose shortest decimal is another `float` by way of a double.
#[test]
fn a_float_is_rounded_once() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let var = globals.var("float_value").unwrap();
    let value = Value::F32(f32::from_bits(0x15ae_43fd));
    let (text, json) = (value.to_string(), serde_json::to_string(&value).unwrap());
    assert_ne!(text.parse::<f64>().unwrap() as f32, text.parse::<f32>().unwrap(), "the one that is meant");
    for input in [Input::from(&value), text.into(), serde_json::from_str(&json).unwrap(), Input::Text(json)] {
        var.set("0").unwrap();
        var.set(input.clone()).unwrap();
        assert_eq!(var.read().unwrap(), value, "{input:?}");
    }
}

#[test]
fn what_stands_for_a_float_is_refused_with_what_it_may_be() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let replaced = types.structure(4, "", 8, &[]);
    let ratio = types.variable("ratio", replaced);
    types.section(".bss", 8, &[(ratio, 0)]);
    let map = Map::builder().name(".bss").value_size(8).create().unwrap();
    let section = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
    let var = section.var("ratio").unwrap();
    assert_eq!(var.read().unwrap().to_string(), "{}");
    let error = var.set("0.5").unwrap_err().to_string();
    assert!(error.contains("struct {...} has no members: on Linux before 5.13"), "{error}");
    var.set("{}").unwrap();
}
