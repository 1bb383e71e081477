//! Every kind of variable, read by its BTF, compared with what the C source says.

use bpfvar::{Error, Input, Value, Var};
use bpfvar_objects::Source;

use crate::{loaded, loaded_as_declared, text};

#[test]
fn every_kind_is_read() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let expected = [
        ("u8_value", "241"),
        ("s8_value", "-2"),
        ("u16_value", "61938"),
        ("s16_value", "-258"),
        ("u32_value", "4059231220"),
        ("s32_value", "-65538"),
        ("u64_value", "17434265340928784376"),
        ("s64_value", "-4294967298"),
        ("u128_value", "321605430857257888665778635918425909224"),
        ("s128_value", "-1267650600228229401496703205376"),
        ("char_value", "99"),
        ("schar_value", "-100"),
        ("bool_value", "true"),
        ("volatile_value", "7"),
        ("const_value", "-9"),
        ("chained_value", "8"),
        ("tagged_pointer", "0x1234"),
        ("tagged_member", "{plain: 11, marked: 12}"),
        ("color_value", "BLUE"),
        ("temperature_value", "FREEZING"),
        ("alias_value", "ORIGINAL"),
        ("big_value", "BIG_ONE"),
        ("big_signed_value", "BIG_MIN"),
        ("small_value", "SMALL_B"),
        ("small_signed_value", "SMALL_MINUS"),
        ("nameless_enum", "NAMELESS_B"),
        ("float_value", "1.5"),
        ("double_value", "-0.1"),
        ("float_array", "[0.25, -1e30, 3.0]"),
        ("double_array[0]", "1e300"),
        ("node_pointer", "0xffff888012345678"),
        ("function_pointer", "0xffffffff81000000"),
        ("cube[1][0]", "[-100, -101, -102, -103]"),
        ("cube[0][2][3]", "23"),
        ("text", "\"text\""),
        ("full_text", "[102, 117, 108, 108]"),
        ("lines", "[\"one\", \"two\", \"three\"]"),
        ("lines[1]", "\"two\""),
        ("lines[1][0]", "116"),
        (
            "bits_value",
            "{one: 1, three: 5, minus: -7, plain: 3735928559, across: 703710, next_unit: 130780, flag: true, \
                         hue: GREEN, cold: FREEZING, half: 4660, wide: 8570845848, wide_minus: -1234567, whole: 81985529216486895}",
        ),
        ("bits_value.minus", "-7"),
        ("bits_value.cold", "FREEZING"),
        ("bits_value.wide", "8570845848"),
        ("bits_value.flag", "true"),
        ("nested.inners[1].innermost.deep", "10"),
        ("nested.inner", "{x: 2, y: -3, innermost: {deep: 4}}"),
        (
            "word",
            if cfg!(target_endian = "little") {
                "{whole: 72623859790382856, halves: {low: 84281096, high: 16909060}, bytes: [8, 7, 6, 5, 4, 3, 2, 1]}"
            } else {
                "{whole: 72623859790382856, halves: {low: 16909060, high: 84281096}, bytes: [1, 2, 3, 4, 5, 6, 7, 8]}"
            },
        ),
        ("word.halves.high", if cfg!(target_endian = "little") { "16909060" } else { "84281096" }),
        ("word.bytes[7]", if cfg!(target_endian = "little") { "1" } else { "8" }),
        ("number.real", "2.0"),
        ("anonymous_members.right_signed", "-3"),
        ("anonymous_members.rest", "4"),
        ("anonymous_members.end", "5"),
        ("nameless_struct.x", "119"),
        ("squeezed", "{tag: 81, value: 7017280452245743464, tail: 29042}"),
        ("squeezed.value", "7017280452245743464"),
        ("with_nothing", "{before: 13, nothing: {}, after: 14}"),
        ("with_nothing.nothing", "{}"),
        ("keywords.type", "15"),
        ("type", "40"),
        ("fn", "41"),
        ("self", "42"),
        ("_", "43"),
        ("a_name_of_sixty_characters_which_is_far_too_long_to_be_typed", "44"),
        ("hidden_value", "19"),
        ("weak_value", "20"),
        ("static_value", "18"),
        ("only_static", "33"),
        ("custom_data_end", "31"),
        ("custom_rodata", "32"),
        ("zero_u64", "0"),
        ("pointer_pointer", "0x0"),
        ("large[4999]", "99"),
        ("CONFIG_BPFVAR_MISSING", "0"),
    ];
    for (path, value) in expected {
        assert_eq!(text(&globals, path), value, "{path}");
    }
}

#[test]
fn types_are_named_and_declared_as_in_c() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let names = [
        ("u64_value", "__u64"),
        ("cube", "__s16 [2][3][4]"),
        ("cube[1]", "__s16 [3][4]"),
        ("function_pointer", "int (*)(...)"),
        ("pointer_pointer", "const char *const *"),
        ("const_value", "const volatile __s16"),
        ("bits_value.across", "__u32 : 20"),
        ("nameless_struct", "struct {...}"),
        ("word", "union word"),
    ];
    for (path, name) in names {
        assert_eq!(globals.var(path).unwrap().type_name(), name, "{path}");
    }
    let declaration = globals.var("nested").unwrap().declaration();
    for line in [
        "struct outer {",
        "    __u8 first; ",
        "        __s32 x; ",
        "offset 4, 4 bytes",
        "    struct inner inners[2]; ",
        "} nested;",
    ] {
        assert!(declaration.contains(line), "{line:?} in\n{declaration}");
    }
    let declaration = globals.var("temperature_value").unwrap().declaration();
    assert!(declaration.contains("FREEZING = -40,"), "{declaration}");
    assert!(globals.var("bits_value").unwrap().declaration().contains("__u32 across : 20;"));
}

#[test]
fn a_path_that_goes_nowhere_says_what_there_is() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let wrong = [
        ("nested.innner", "no member \"innner\"; there are first, inner, inners, last"),
        ("cube[2]", "no element 2; they are 0 to 1"),
        ("cube.x", "is an array"),
        ("u8_value.x", "has no members"),
        ("u8_value[0]", "is not an array"),
        ("bits_value.one.x", "a bitfield has no parts"),
        ("nested.", "the name of a member is missing"),
        ("cube[", "a ] is missing"),
        ("cube[-1]", "is not an index"),
        ("cube[99999999999999999999]", "is not an index"),
    ];
    for (path, reason) in wrong {
        let error = globals.var(path).unwrap_err().to_string();
        assert!(error.contains(reason), "{path}: {error}");
    }
}

#[test]
fn array_maps_are_variables_with_entries() {
    let Some((loaded, globals)) = loaded(Source::Maps) else { return };
    loaded.run(3);
    assert_eq!(text(&globals, "stats[3].packets"), "3");
    assert_eq!(text(&globals, "stats[2].sizes[2]"), "3");
    assert_eq!(text(&globals, "numbers[4].middle"), "-4");
    assert_eq!(text(&globals, "scalar"), "[0, 0, 0, 0, 0, 0, 0, 3]");
    assert_eq!(text(&globals, "plain[1].packets"), "3", "by system call");
    // A map with one entry needs no index, and may have one.
    assert_eq!(text(&globals, "a_map_with_a_lo"), "3");
    assert_eq!(text(&globals, "a_map_with_a_lo[0]"), "3");
    let error = globals.var("stats.packets").unwrap_err().to_string();
    assert!(error.contains("stats[0].packets"), "{error}");
    assert!(globals.var("stats[4]").unwrap_err().to_string().contains("0 to 3"));
    assert!(globals.var("hash").is_err(), "a hash is not an array");
    let Value::Array(entries) = globals.var("stats").unwrap().read().unwrap() else { panic!("entries") };
    assert_eq!(entries.len(), 4);
}

#[test]
fn json_is_exact_and_can_be_read_back() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let json = |path: &str| serde_json::to_value(globals.var(path).unwrap().read().unwrap()).unwrap();
    assert_eq!(json("u32_value"), 4_059_231_220_u32);
    assert_eq!(json("u64_value"), "17434265340928784376", "more than a double holds exactly");
    assert_eq!(json("node_pointer"), "0xffff888012345678");
    assert_eq!(json("color_value"), "BLUE");
    assert_eq!(json("double_array"), serde_json::json!([1e300, -2.5]));
    assert_eq!(json("lines"), serde_json::json!(["one", "two", "three"]));
    assert_eq!(json("nested.inner"), serde_json::json!({"x": 2, "y": -3, "innermost": {"deep": 4}}));
    globals.var("double_value").unwrap().set("nan").unwrap();
    assert_eq!(json("double_value"), "NaN");
    globals.var("double_value").unwrap().set("-inf").unwrap();
    assert_eq!(json("double_value"), "-Infinity");
    // Whatever is not read-only takes its own JSON back and does not change by it.
    for var in globals.vars() {
        if var.map().access().unwrap() != bpfvar::AccessMode::Mapped {
            continue;
        }
        let before = var.read().unwrap();
        let json = serde_json::to_string(&before).unwrap();
        let input = serde_json::from_str::<Input>(&json).unwrap();
        var.set(input).unwrap_or_else(|error| panic!("{var}: {json}: {error}"));
        assert_eq!(format!("{:?}", var.read().unwrap()), format!("{before:?}"), "{var}");
        var.set(json.as_str()).unwrap_or_else(|error| panic!("{var}: {json}: {error}"));
        assert_eq!(format!("{:?}", var.read().unwrap()), format!("{before:?}"), "{var}");
    }
}

/// Members and elements, as `at` takes them, are those of the value; also inside of what changes together.
#[test]
fn parts_are_told_without_reading() {
    fn check(var: &Var, checked: &mut u32) {
        *checked += 1;
        let (members, count) = (var.members(), var.indices().unwrap().end);
        match var.read().unwrap() {
            // A map has entries, and one of one entry has that.
            _ if var.linkage().is_none() && var.path() == var.map().info().name => {
                assert_eq!(count, u64::from(var.map().info().max_entries), "{var}");
                check(&var.at("[0]").unwrap(), checked);
            }
            _ if !var.each_cpu().unwrap().is_empty() => {
                assert!(count >= var.each_cpu().unwrap().len() as u64, "{var}");
                check(&var.at("[0]").unwrap(), checked);
            }
            Value::Struct(values) => {
                assert!(members.iter().eq(values.iter().map(|(name, _)| name)), "{var}: {members:?}");
                assert_eq!(count, 0, "{var}");
                members.iter().for_each(|name| check(&var.at(&format!(".{name}")).unwrap(), checked));
            }
            Value::Array(values) => {
                assert_eq!((members.len(), count as usize), (0, values.len()), "{var}");
                (0..count.min(20)).for_each(|index| check(&var.at(&format!("[{index}]")).unwrap(), checked));
            }
            Value::Text(_) => assert!(var.is_text() && count > 0, "{var}"),
            _ => assert_eq!((members.len(), count), (0, 0), "{var}"),
        }
    }
    for source in [Source::Kinds, Source::Maps, Source::Together] {
        let Some((_loaded, globals)) = loaded(source) else { return };
        let mut checked = 0;
        globals.vars().for_each(|var| check(&var, &mut checked));
        assert!(checked > 30, "{source:?}: {checked}");
    }
}

/// Compilers before 2022 did not say whether an enum is signed; its values are then those of an unsigned one.
#[test]
fn negative_enumerators_of_old_compilers_are_known() {
    if !bpfvar_testkit::host::ready((5, 8)) {
        return;
    }
    let mut types = bpfvar_testkit::Types::default();
    let tiny = types.enumeration("tiny", 1, &[("MINUS", -100_i32 as u32), ("NONE", 0), ("PLUS", 100)]);
    let wide = types.enumeration("wide", 4, &[("LOW", u32::MAX), ("ZERO", 0)]);
    // What is large on both sides stays unsigned, but for the names.
    let large = types.enumeration("large", 4, &[("FAR", -100_000_i32 as u32), ("ZERO", 0)]);
    let bits = types.structure(4 | 1 << 7, "bits", 4, &[("six", wide, 6 << 24)]);
    let (a, b, c) = (types.variable("tiny", tiny), types.variable("wide", wide), types.variable("bits", bits));
    let d = types.variable("large", large);
    types.section(".bss", 16, &[(a, 0), (b, 4), (c, 8), (d, 12)]);
    let map = bpfvar::Map::builder().name(".bss").value_size(16).create().unwrap();
    let section = bpfvar::TypedMap::with_btf(map, bpfvar::Btf::parse(&types.bytes()).unwrap()).unwrap();
    assert!(section.var("wide").unwrap().declaration().contains("LOW = -1,"));
    for (path, name, number) in
        [("tiny", "MINUS", "-100"), ("wide", "LOW", "-1"), ("bits.six", "LOW", "-1"), ("large", "FAR", "-100000")]
    {
        let var = section.var(path).unwrap();
        for text in [name, number] {
            var.set("0").unwrap();
            var.set(text).unwrap_or_else(|error| panic!("{path}={text}: {error}"));
            assert_eq!(var.read().unwrap().to_string(), name, "{path}={text}");
        }
    }
    assert!(section.var("tiny").unwrap().declaration().contains("MINUS = -100,"));
    assert!(matches!(section.var("tiny").unwrap().set("-129").unwrap_err(), Error::Argument { .. }));
    assert!(matches!(section.var("bits.six").unwrap().set("64").unwrap_err(), Error::Argument { .. }));
}

#[test]
fn bytes_are_those_of_memory() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let bytes = |path: &str| globals.var(path).unwrap().read_bytes();
    assert_eq!(bytes("u32_value").unwrap(), 0xf1f2_f3f4_u32.to_ne_bytes());
    assert_eq!(bytes("text").unwrap(), *b"text\0\0\0\0");
    assert_eq!(bytes("squeezed").unwrap().len(), 11);
    assert_eq!(bytes("squeezed").unwrap()[0], 0x51);
    assert_eq!(bytes("lines[1]").unwrap(), *b"two\0\0\0");
    assert_eq!(bytes("only_static").unwrap(), 33_u32.to_ne_bytes(), "by system call");
    let error = bytes("bits_value.three").unwrap_err().to_string();
    assert!(error.contains("a bitfield has no bytes of its own"), "{error}");
    let Some((loaded, globals)) = crate::loaded(Source::Maps) else { return };
    bpfvar_testkit::host::pin_to(bpfvar_testkit::host::cpus()[0]);
    loaded.run(3);
    let bytes = |path: &str| globals.var(path).unwrap().read_bytes();
    // Values of 12 bytes, 16 apart in memory.
    let numbers = bytes("numbers").unwrap();
    assert_eq!((numbers.len(), &numbers[12..16]), (60, &3_u32.to_ne_bytes()[..]));
    assert_eq!(bytes(&format!("percpu[0][{}].packets", bpfvar_testkit::host::cpus()[0])).unwrap(), 3_u64.to_ne_bytes());
    let error = bytes("percpu").unwrap_err().to_string();
    assert!(error.contains("every CPU has a value of its own; choose a CPU"), "{error}");
}
