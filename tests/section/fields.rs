//! Rust types checked against BTF.

use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Cause, Error, MapValue, ReadOnly, ReadWrite};
use bpfvar_objects::Source;

use crate::{Config, Limit, Stats, loaded, loaded_as_declared, text};

#[test]
fn a_variable_is_a_field_and_a_struct_a_view() {
    let Some((loaded, globals)) = loaded_as_declared(Source::Count) else { return };
    let sampling = globals.var("sampling").unwrap().bind::<u32, ReadWrite>().unwrap();
    sampling.store(2, Relaxed);
    let config = globals.var("config").unwrap().bind::<Config, ReadWrite>().unwrap();
    assert_eq!(config.read().limits[2], Limit { burst: 30, delta: -3 });
    config.view().rate.store(77, Relaxed);
    assert_eq!(loaded.run(4), 77, "the program sees it");
    assert_eq!(globals.var("hist").unwrap().bind::<[u64; 16], ReadWrite>().unwrap().read()[..3], [1, 0, 1]);
    assert_eq!(globals.var("packets").unwrap().bind::<u64, ReadOnly>().unwrap().load(Relaxed), 4);
    assert_eq!(globals.var("config.limits[1].delta").unwrap().bind::<i32, ReadWrite>().unwrap().load(Relaxed), -2);
    assert_eq!(
        globals.var("config.mode").unwrap().bind::<u32, ReadWrite>().unwrap().load(Relaxed),
        1,
        "an enum is an integer"
    );
    assert_eq!(globals.var("ratio").unwrap().bind::<f64, ReadWrite>().unwrap().load(Relaxed), 0.75);
    assert_eq!(globals.var("label").unwrap().bind::<[u8; 16], ReadWrite>().unwrap().view().at(1).load(Relaxed), b't');
    assert_eq!(globals.var("config").unwrap().read_as::<Config>().unwrap().rate, 77);
}

#[test]
fn what_is_read_only_gives_read_only_fields() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let version = globals.var("version").unwrap();
    let error = version.bind::<u32, ReadWrite>().unwrap_err();
    assert!(error.to_string().contains("the map is frozen"), "{error}");
    assert_eq!(version.bind::<u32, ReadOnly>().unwrap().load(Relaxed), 3);
    assert_eq!(version.read_as::<u32>().unwrap(), 3);
    assert_eq!(version.set("4").unwrap_err().cause(), Some(Cause::Frozen));
}

#[test]
fn a_scalar_of_another_kind_is_refused_with_both_kinds() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let error = globals.var("u32_value").unwrap().bind::<i32, ReadWrite>().unwrap_err();
    let text = error.to_string();
    assert!(text.contains(" does not have the type i32: "), "{text}");
    assert!(text.contains("expected i32 at offset 0, 4 bytes, found __u32 at offset 0, 4 bytes, unsigned"), "{text}");
    assert!(matches!(globals.var("u32_value").unwrap().bind::<u64, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(matches!(globals.var("u32_value").unwrap().bind::<f32, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(matches!(globals.var("u8_value").unwrap().bind::<bool, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(matches!(globals.var("bool_value").unwrap().bind::<u8, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(matches!(globals.var("double_value").unwrap().bind::<u64, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(globals.var("node_pointer").unwrap().bind::<u64, ReadWrite>().is_ok());
    assert!(globals.var("char_value").unwrap().bind::<u8, ReadWrite>().is_ok());
    assert!(
        globals.var("bits_value.three").unwrap().bind::<u32, ReadWrite>().unwrap_err().to_string().contains("bitfield")
    );
    assert!(globals.var("cube").unwrap().bind::<[[[i16; 4]; 3]; 2], ReadWrite>().is_ok());
    assert!(matches!(
        globals.var("cube").unwrap().bind::<[[[i16; 3]; 4]; 2], ReadWrite>().unwrap_err(),
        Error::Layout { .. }
    ));
}

#[test]
fn every_difference_of_a_struct_is_listed() {
    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Wrong {
        rate: i64,
        mood: u32,
        limits: [Limit; 3],
        enabled: u8,
        rest: u8,
    }
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let error = globals.var("config").unwrap().bind::<Wrong, ReadWrite>().unwrap_err();
    let Error::Layout { mismatches, .. } = &error else { panic!("{error}") };
    let fields: Vec<_> = mismatches.iter().map(|mismatch| mismatch.field.as_str()).collect();
    assert_eq!(fields, ["rate", "mood", "limits", "enabled", "rest", "mode", ""], "{error}");
    let text = error.to_string();
    for part in [
        "rate: expected i64 at offset 0, 8 bytes, found __u64 at offset 0, 8 bytes, unsigned",
        "mode: expected nothing, because the Rust type has no such field",
        "mood: expected u32 at offset 8, 4 bytes, found no member of that name",
        "limits: expected [Limit; 3]",
        "found struct limit [4] at offset 12, 32 bytes",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn a_field_with_an_underscore_stands_for_anything() {
    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Partly {
        rate: u64,
        _mode_and_limits: [u32; 9],
        enabled: bool,
    }
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let partly = globals.var("config").unwrap().bind::<Partly, ReadWrite>().unwrap();
    assert_eq!((partly.view().rate.load(Relaxed), partly.read().enabled), (1000, true));

    // Padding, too, which only bytes can stand for.
    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Padded {
        rate: u64,
        mode: u32,
        limits: [Limit; 4],
        enabled: bool,
        _pad: [u8; 3],
    }
    globals.var("config").unwrap().bind::<Padded, ReadWrite>().unwrap().view()._pad.at(0).store(7, Relaxed);

    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Coarse {
        rate: u64,
        _mode_and_limits: [u32; 9],
        enabled: bool,
        _pad: u16,
    }
    // Two bytes of padding in one step are not what the shared mapping does, so this one has a mapping of its own.
    let coarse = globals.var("config").unwrap().bind::<Coarse, ReadWrite>().unwrap();
    assert_eq!((coarse.read().rate, coarse.read().enabled), (1000, true));
}

#[test]
fn a_word_with_an_underscore_stands_for_the_bitfields_in_it() {
    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct Bits {
        _one_three_minus: u16,
        plain: u32,
        _across: u32,
        _next_unit_flag_hue_cold: u32,
        half: u16,
        _wide: [u8; 5],
        _wide_minus: u32,
        _whole: u64,
    }
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let bits = globals.var("bits_value").unwrap().bind::<Bits, ReadOnly>().unwrap().read();
    // Eight bits from the 21st on, counted from where the machine's first byte is.
    let shift = if cfg!(target_endian = "little") { 21 } else { 32 - 21 - 8 };
    assert_eq!((bits.plain, bits.half, bits._next_unit_flag_hue_cold >> shift & 0xff), (0xdead_beef, 0x1234, 0xd8));

    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct Shorter {
        _one_three_minus: u16,
        plain: u32,
        _across: u32,
        /// `cold` ends behind it.
        _next_unit_flag_hue: [u8; 3],
        half: u16,
        _rest: [u8; 22],
    }
    let error = globals.var("bits_value").unwrap().bind::<Shorter, ReadOnly>().unwrap_err().to_string();
    assert!(error.contains("cold: expected nothing"), "{error}");
}

#[test]
fn a_narrow_member_of_a_union_has_a_mapping_of_its_own() {
    let Some((_loaded, globals)) = loaded_as_declared(Source::Kinds) else { return };
    let whole = globals.var("word.whole").unwrap().bind::<u64, ReadWrite>().unwrap();
    let low = globals.var("word.halves.low").unwrap().bind::<u32, ReadWrite>().unwrap();
    // `low` is the first half, which is the low one only where the least significant byte comes first.
    let with_first =
        |half: u64| if cfg!(target_endian = "little") { 0x0102_0304 << 32 | half } else { half << 32 | 0x0506_0708 };
    low.store(8, Relaxed);
    assert_eq!(whole.load(Relaxed), with_first(8));
    globals.var("word.halves.low").unwrap().set("9").unwrap();
    assert_eq!(whole.load(Relaxed), with_first(9));
    // Members of the same width share their unit.
    globals.var("number.integer").unwrap().bind::<u32, ReadWrite>().unwrap().store(0x3f80_0000, Relaxed);
    assert_eq!(globals.var("number.real").unwrap().bind::<f32, ReadWrite>().unwrap().load(Relaxed), 1.0);
    assert_eq!(
        globals.var("number").unwrap().bind::<f32, ReadWrite>().unwrap().load(Relaxed),
        1.0,
        "a union is any of its members"
    );
    assert!(globals.var("squeezed.value").unwrap().bind::<u64, ReadWrite>().is_err(), "misaligned");
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Tail {
    first: u64,
    last: u32,
}

#[test]
fn a_section_is_bound_to_a_struct_although_it_ends_before_its_padding() {
    let Some((loaded, globals)) = loaded(Source::Tail) else { return };
    let section = &globals.maps()[0];
    assert_eq!(section.info().value_size, 12);
    assert_eq!(size_of::<Tail>(), 16);
    let tail: Array<Tail> = section.array().unwrap();
    assert_eq!(tail.read(0), Tail { first: 0x1122_3344_5566_7788, last: 0x99aa_bbcc });
    tail.at(0).last.store(1, Relaxed);
    assert_eq!(text(&globals, "last"), "1");
    // By size alone, too.
    let by_size = Array::<Tail, ReadOnly>::from_map(loaded.map(".data").try_clone().unwrap()).unwrap();
    assert_eq!(by_size.read(0).last, 1);
    assert!(Array::<[u64; 2]>::from_map(loaded.map(".data").try_clone().unwrap()).is_err(), "no padding at its end");
    assert!(matches!(
        Array::<[u32; 2]>::from_map(loaded.map(".data").try_clone().unwrap()).unwrap_err(),
        Error::Mismatch { .. }
    ));
}

#[test]
fn a_section_bound_to_another_struct_is_refused() {
    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Other {
        last: u64,
        first: u32,
    }
    let Some((_loaded, globals)) = loaded(Source::Tail) else { return };
    let error = globals.maps()[0].array::<Other, ReadWrite>().unwrap_err().to_string();
    assert!(
        error.contains("last: expected u64 at offset 0") && error.contains("first: expected u32 at offset 8"),
        "{error}"
    );
}

#[test]
fn array_maps_are_bound_entry_by_entry() {
    let Some((loaded, globals)) = loaded(Source::Maps) else { return };
    loaded.run(2);
    let stats = globals.map("stats").unwrap();
    let array: Array<Stats, ReadOnly> = stats.array().unwrap();
    assert_eq!(array.sum(|stats| stats.packets), 8);
    assert_eq!(globals.var("stats[1]").unwrap().bind::<Stats, ReadWrite>().unwrap().view().packets.load(Relaxed), 2);
    assert!(
        globals
            .var("stats")
            .unwrap()
            .bind::<Stats, ReadWrite>()
            .unwrap_err()
            .to_string()
            .contains("4 entries, stats[0]")
    );
}

/// `struct bits` starts with bitfields of 4 bytes: a field whose name starts with `_` stands for those that lie inside of it.
#[test]
fn bitfields_are_stood_for_by_the_bytes_that_they_have_bits_in() {
    if !bpfvar_testkit::host::ready((5, 8)) {
        return;
    }
    #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Flags {
        _bits: u32,
        x: u32,
    }
    let mut types = bpfvar_testkit::Types::default();
    let int = types.int("__u32", 4);
    let at = |bits: u32, offset: u32| bits << 24 | offset;
    let members = [("low", int, at(5, 0)), ("mid", int, at(11, 5)), ("high", int, at(16, 16)), ("x", int, 32)];
    let flags = types.structure(4 | 1 << 7, "flags", 8, &members);
    let variable = types.variable("flags", flags);
    types.section(".bss", 8, &[(variable, 0)]);
    let map = bpfvar::Map::builder().name(".bss").value_size(8).create().unwrap();
    let section = bpfvar::TypedMap::with_btf(map, bpfvar::Btf::parse(&types.bytes()).unwrap()).unwrap();
    let var = section.var("flags").unwrap();
    var.at(".high").unwrap().set(7).unwrap();
    // The first bits are the lowest or, where the most significant byte comes first, the highest.
    let bits = if cfg!(target_endian = "little") { 7 << 16 } else { 7 };
    assert_eq!(var.read_as::<Flags>().unwrap(), Flags { _bits: bits, x: 0 });
    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct Short {
        _bits: u16,
        _rest: u8,
        x: u32,
    }
    let error = var.read_as::<Short>().unwrap_err().to_string();
    assert!(error.contains("high"), "{error}");
}
