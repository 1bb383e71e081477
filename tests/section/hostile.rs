//! BTF comes from whoever loaded a program. Whatever it says, nothing panics, hangs or leaves its map.

use std::os::fd::AsFd;

use bpfvar::error::BtfFault;
use bpfvar::{Btf, Error, Map, ReadWrite, TypedMap};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::{Types, host};

/// xorshift: the same bytes at every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Such types are an error with this in it.
fn refused(types: &Types, reason: &str) {
    let error = Btf::parse(&types.bytes()).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn sizes_that_overflow_are_refused() {
    let mut types = Types::default();
    let (wide, narrow) = (types.int("u64", 8), types.int("u32", 4));
    let inner = types.array(wide, 2_147_483_646);
    let huge = types.array(inner, 1_073_741_825);
    let (a, b) = (types.variable("a", huge), types.variable("b", narrow));
    types.section(".bss", 64, &[(a, 16), (b, 20)]);
    refused(&types, "too great a one");
}

#[test]
fn an_object_file_is_not_taken_for_btf() {
    let error = Btf::parse(Source::Count.bytes()).unwrap_err().to_string();
    assert!(error.contains("an ELF file") && error.contains(".BTF"), "{error}");
}

#[test]
fn a_struct_is_no_bitfield() {
    let mut types = Types::default();
    let byte = types.int("u8", 1);
    let inner = types.structure(4, "inner", 64, &[("far", byte, 56 * 8)]);
    types.structure(4 | 1 << 7, "outer", 1, &[("", inner, 1 << 24)]);
    refused(&types, "does not lie inside");
}

#[test]
fn unions_nested_in_one_another_take_no_time() {
    if !host::ready((5, 8)) {
        return;
    }
    for levels in [12, 40] {
        let mut types = Types::default();
        let byte = types.int("u8", 1);
        let mut of = types.array(byte, 4096);
        for level in 0..levels {
            of = types.structure(5, &format!("u{level}"), 4096, &[("a", of, 0), ("b", of, 0)]);
        }
        let variable = types.variable("x", of);
        types.section(".bss", 4096, &[(variable, 0)]);
        let Ok(btf) = Btf::parse(&types.bytes()) else {
            assert_eq!(levels, 40);
            refused(&types, "too many members");
            continue;
        };
        let map = Map::builder().name(".bss").value_size(4096).create().unwrap();
        let section = TypedMap::with_btf(map, btf).unwrap();
        let error = section.var("x").unwrap().read().unwrap_err().to_string();
        assert!(error.contains("overlap so often") && error.contains("read a part"), "{error}");
        assert!(section.var(&format!("x{}[7]", ".a".repeat(12))).unwrap().read().is_ok());
    }
}

#[test]
fn sizes_are_checked_before_what_they_are_sizes_of() {
    // struct { x[2^32 - 1][2^32 - 1] }, the arrays behind it.
    let mut types = Types::default();
    types.structure(4, "s", 16, &[("m", 3, 8)]);
    let byte = types.int("u8", 1);
    types.array(4, u32::MAX);
    types.array(byte, u32::MAX);
    refused(&types, "does not lie inside");
}

#[test]
fn members_without_bytes_and_enums_without_end_are_bounded() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let byte = types.int("u8", 1);
    let none = types.array(byte, 0);
    let members: Vec<_> = (0..8000).map(|_| ("z", none, 0)).collect();
    let empty = types.structure(4, "s", 1, &members);
    let many = types.array(empty, 4096);
    let mut words = vec![types.string("e"), 6 << 24 | 10_000, 1];
    for value in 0..10_000 {
        words.extend([1, value % 256]);
    }
    let long = types.add(&words);
    let members: Vec<_> = (0..4096).map(|index| ("e", long, index * 8)).collect();
    let enums = types.structure(4, "enums", 4096, &members);
    // Mostly padding.
    let members: Vec<_> = (0..8000).map(|index| ("b", byte, index * 8)).collect();
    let holes = types.structure(4, "holes", 1 << 20, &members);
    let (a, b, c) = (types.variable("a", many), types.variable("b", enums), types.variable("c", holes));
    types.section(".bss", 2 << 20, &[(a, 0), (b, 4096), (c, 8192)]);
    let map = Map::builder().name(".bss").value_size(2 << 20).create().unwrap();
    let section = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
    assert!(section.var("a").unwrap().read().unwrap_err().to_string().contains("overlap"));
    assert!(section.var("b").unwrap().declaration().len() < 2 << 20, "an enum is written out once");
    section.var("b").unwrap().read().unwrap();
    section.var("c").unwrap().read().unwrap();
}

/// The kernel takes BTF that we do not. It hides its own map and no other.
#[test]
fn one_programs_odd_types_do_not_hide_the_systems() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let mut types = Types::default();
    let mut of = types.int("u32", 4);
    let key = of;
    for level in 0..20 {
        of = types.structure(5, &format!("u{level}"), 4, &[("a", of, 0), ("b", of, 0)]);
    }
    let btf = bpfvar_testkit::load_btf(&types.bytes()).unwrap();
    let odd = Map::builder().name("odd").value_size(4).btf(btf.as_fd(), key, of).create().unwrap();
    let loaded = load(Source::Count);
    let system = bpfvar::Globals::of_system().unwrap();
    let ids: Vec<_> = system.maps().iter().map(|section| section.info().id).collect();
    assert!(ids.contains(&loaded.map(".data").info().id) && !ids.contains(&odd.info().id));
    assert!(TypedMap::open(odd).unwrap_err().to_string().contains("too many members"));
}

#[test]
fn a_name_cannot_be_long_or_steer_a_terminal() {
    let mut types = Types::default();
    types.int(&"x".repeat(513), 1);
    refused(&types, "more than 512");
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let evil = types.int("\x1b[31mevil\n", 4);
    let variable = types.variable("\x1b]0;x\x07", evil);
    types.section(".bss", 4, &[(variable, 0)]);
    let map = Map::builder().name(".bss").value_size(4).create().unwrap();
    let section = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
    for var in section.vars() {
        let text = format!("{var} {} {}", var.path(), var.declaration().trim_end());
        assert!(!text.contains(char::is_control), "{text:?}");
        assert!(text.contains("[31mevil"), "{text}");
    }
}

#[test]
fn an_array_of_nothing_at_the_end_of_a_map_is_a_field() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let word = types.int("u32", 4);
    let (none, empty) = (types.array(word, 0), types.array(word, 2));
    let many = types.array(none, u32::MAX);
    let (a, z, m) = (types.variable("a", empty), types.variable("z", none), types.variable("m", many));
    types.section(".bss", 8, &[(a, 0), (z, 8), (m, 8)]);
    let map = Map::builder().name(".bss").value_size(8).create().unwrap();
    let section = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
    section.var("z").unwrap().bind::<[u32; 0], ReadWrite>().unwrap();
    section.var("m").unwrap().bind::<[[u32; 0]; u32::MAX as usize], ReadWrite>().unwrap();
    assert_eq!(section.var("m").unwrap().read().unwrap().to_string(), "[]");
}

fn kinds() -> Vec<u8> {
    load(Source::Kinds).btf.as_ref().unwrap().bytes().to_vec()
}

#[test]
fn any_bytes_are_btf_or_an_error() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut parsed, mut in_records) = (0, 0);
    for round in 0..40_000 {
        let bytes: Vec<u8> = if round % 2 == 0 {
            (0..random.below(200)).map(|_| random.next() as u8).collect()
        } else {
            // A good header, and records that look like some: a kind that there is, small numbers.
            let mut types = Types::with_strings(b"\0a\0b\0");
            for _ in 0..random.below(6) {
                let kind = (1 + random.below(19) as u32) << 24 | random.below(3) as u32;
                let rest = (0..random.below(5)).map(|_| 0).collect::<Vec<u32>>();
                let mut words = vec![random.below(4) as u32, kind, random.below(9) as u32];
                words.extend(rest.iter().map(|_| random.below(70) as u32));
                types.add(&words);
            }
            types.bytes()
        };
        match Btf::parse(&bytes) {
            Ok(_) => parsed += 1,
            Err(error) => in_records += u32::from(error.to_string().contains("malformed: type ")),
        }
    }
    assert!(parsed > 500 && in_records > 5000, "the parser is reached: {parsed}, {in_records}");
}

#[test]
fn every_cut_is_an_error_with_a_reason() {
    if !host::ready(Source::Kinds.needs()) {
        return;
    }
    let bytes = kinds();
    assert!(Btf::parse(&bytes).is_ok());
    for len in (0..bytes.len()).step_by(7) {
        let error = Btf::parse(&bytes[..len]).unwrap_err().to_string();
        assert!(error.contains("malformed"), "{error}");
    }
    let mut swapped = bytes.clone();
    swapped[..2].reverse();
    assert!(Btf::parse(&swapped).unwrap_err().to_string().contains("byte order"));
}

/// The kernel's own types: six megabytes of every kind but sections of variables of maps.
#[test]
fn the_kernels_types_parse() {
    let Ok(bytes) = std::fs::read("/sys/kernel/btf/vmlinux") else {
        assert!(!host::ready((5, 4)) || host::kernel() < (5, 4), "the kernel has BTF");
        return;
    };
    Btf::parse(&bytes).unwrap();
}

#[test]
fn changed_types_are_walked_without_harm() {
    if !host::ready(Source::Kinds.needs()) {
        return;
    }
    let loaded = load(Source::Kinds);
    let btf = loaded.btf.as_ref().unwrap();
    let good = btf.bytes();
    let map =
        |name, section| Map::builder().name(name).value_size(btf.section(section).unwrap().size).create().unwrap();
    let (data, bss) = (map("x.data", ".data"), map("x.bss", ".bss"));
    let mut random = Random(42);
    let (mut parsed, mut opened, mut written) = (0, 0, 0);
    for _ in 0..4_000 {
        let mut bytes = good.to_vec();
        for _ in 0..=random.below(3) {
            let at = 24 + random.below(bytes.len() - 24);
            let at = at / 4 * 4 + random.below(4);
            let at = at.min(bytes.len() - 1);
            bytes[at] = if random.below(2) == 0 { random.next() as u8 } else { bytes[at].wrapping_add(1) };
        }
        let Ok(btf) = Btf::parse(&bytes) else { continue };
        parsed += 1;
        for map in [&data, &bss] {
            let Ok(section) = TypedMap::with_btf(map.try_clone().unwrap(), btf.clone()) else { continue };
            opened += 1;
            for var in section.vars().take(20) {
                let _ = (var.type_name(), var.declaration(), var.offset(), var.size(), var.bits());
                if var.size() < 500 {
                    let _ = var.read().map(|value| serde_json::to_string(&value).unwrap());
                    if var.set("1").is_ok() {
                        let read = var.read().unwrap();
                        let is_one = read.as_f64() == Some(1.0) || read.as_str() == Some("1");
                        assert!(is_one, "{}: what was written is read: {read}", var.declaration());
                        written += 1;
                    }
                    if let Ok((old, new)) = var.add("1") {
                        assert_eq!(new.as_f64(), old.as_f64().map(|old| old + 1.0), "{}", var.declaration());
                    }
                    if let Ok(shared) = var.bind::<u32, ReadWrite>() {
                        shared.store(7, std::sync::atomic::Ordering::Relaxed);
                        assert_eq!(var.read_as::<u32>().unwrap(), 7);
                    }
                }
            }
        }
    }
    println!("{parsed} of 4000 parsed, {opened} sections opened, {written} variables written");
    let walked = parsed > 500 && opened > 500 && written > 5000;
    assert!(walked, "the changes are small enough to be walked: {parsed}, {opened}, {written}");
}

/// The walk over it visits few bytes; the value would have two thousand nodes and names for each of them.
#[test]
fn a_union_of_thousands_of_members_is_not_read_whole() {
    if !host::ready((5, 8)) {
        return;
    }
    const LEN: u32 = 1 << 16;
    let mut types = Types::default();
    let byte = types.int("u8", 1);
    let names: Vec<String> = (0..2000).map(|index| format!("member_{index}")).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), byte, 0)).collect();
    let union = types.structure(5, "wide", 1, &members);
    let array = types.array(union, LEN);
    let variable = types.variable("all", array);
    types.section(".bss", LEN, &[(variable, 0)]);
    let map = Map::builder().name(".bss").value_size(LEN).create().unwrap();
    let bss = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
    let error = bss.var("all").unwrap().read().unwrap_err();
    assert!(matches!(error, Error::Btf { fault: BtfFault::TooMuchContent { size: 65536, .. }, .. }), "{error}");
    // One element is fine.
    assert!(bss.var("all[7]").unwrap().read().is_ok());
}

/// A byte of each becomes a name of half a KiB, and is looked for among all of them.
#[test]
fn an_array_of_enums_with_long_or_many_names_is_not_read_whole() {
    if !host::ready((5, 8)) {
        return;
    }
    const LEN: u32 = 1 << 18;
    let long = "x".repeat(512);
    let many: Vec<String> = (0..20_000).map(|index| format!("e{index}")).collect();
    let many: Vec<(&str, u32)> = many.iter().map(|name| (name.as_str(), 7)).collect();
    for values in [vec![(long.as_str(), 0)], many] {
        let mut types = Types::default();
        let color = types.enumeration("color", 1, &values);
        let array = types.array(color, LEN);
        let variable = types.variable("all", array);
        types.section(".bss", LEN, &[(variable, 0)]);
        let map = Map::builder().name(".bss").value_size(LEN).create().unwrap();
        let bss = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
        let error = bss.var("all").unwrap().read().unwrap_err();
        assert!(matches!(error, Error::Btf { fault: BtfFault::TooMuchContent { .. }, .. }), "{error}");
        assert!(bss.var("all[7]").unwrap().read().is_ok());
    }
}

#[test]
fn no_depth_of_json_ends_the_process() {
    let Some((_loaded, globals)) = crate::loaded(Source::Count) else { return };
    let limits = globals.var("config.limits").unwrap();
    for text in ["[".repeat(1_000_000), r#"[{"burst":"#.repeat(100_000)] {
        let error = limits.change(text.as_str()).unwrap_err().to_string();
        assert!(
            error.contains("it is not valid JSON: recursion limit exceeded"),
            "{:?}",
            error.get(error.len() - 200..)
        );
    }
}

/// The kernel takes none, but BTF may come from elsewhere.
#[test]
fn an_enumerator_without_a_name_is_a_number() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let narrow = types.enumeration("narrow", 4, &[("", 1), ("TWO", 2)]);
    let wide = types.enumeration64("wide", 8, false, &[("", 1), ("TWO", 2)]);
    let variables = [(types.variable("w", wide), 0), (types.variable("n", narrow), 8)];
    types.section(".bss", 12, &variables);
    let map = Map::builder().name(".bss").value_size(12).create().unwrap();
    let section = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
    for name in ["n", "w"] {
        let var = section.var(name).unwrap();
        assert_eq!(var.ty().enumerators(), [("TWO", 2)]);
        for (number, text) in [("1", "1"), ("2", "TWO")] {
            var.set(number).unwrap();
            assert_eq!(var.read().unwrap().to_string(), text);
        }
    }
}

/// What a user gave is in the message that refuses it.
#[test]
fn a_refusal_is_one_line_whatever_was_given() {
    let plain = |text: String| assert!(!text.contains(char::is_control), "{text:?}");
    plain("[\r\x1b]".parse::<bpfvar::VarPath>().unwrap_err().to_string());
    let member = bpfvar::Input::Struct(vec![("a\nb\x1b".to_owned(), 1.into())]);
    plain(member.to_string());
    let Some((_loaded, globals)) = crate::loaded(Source::Count) else { return };
    for (path, text) in [
        ("sampling", "01\n\x1b"),
        ("sampling", "\n"),
        ("config", "{\"a\\u001bb\": 1}"),
        ("config", "{\"rate\": {\"a\\nb\": 1}}"),
        ("config.mode", "\x07"),
        ("config.enabled", "\u{9b}"),
    ] {
        plain(globals.var(path).unwrap().set(text).unwrap_err().to_string());
    }
    plain(globals.var("config.a\nb").unwrap_err().to_string());
    plain(globals.var("config").unwrap().set(member).unwrap_err().to_string());
}

/// For each byte of it, one of 16,000 members is found by its place. Where they are not in order, all would be asked.
#[test]
fn a_struct_of_thousands_of_members_is_read_by_their_order_or_not_whole() {
    if !host::ready((5, 8)) {
        return;
    }
    const LEN: u32 = 16_000;
    for in_order in [true, false] {
        let mut types = Types::default();
        let byte = types.int("u8", 1);
        let mut members: Vec<_> = (0..LEN).map(|index| ("b", byte, index * 8)).collect();
        if !in_order {
            members.reverse();
        }
        let wide = types.structure(4, "wide", LEN, &members);
        let array = types.array(wide, 4);
        let variable = types.variable("all", array);
        types.section(".bss", LEN * 4, &[(variable, 0)]);
        let map = Map::builder().name(".bss").value_size(LEN * 4).create().unwrap();
        map.update(0, &vec![7; LEN as usize * 4]).unwrap();
        let bss = TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap();
        let read = bss.var("all").unwrap().read();
        if in_order {
            assert!(read.unwrap().to_string().ends_with("b: 7}]"));
        } else {
            assert!(matches!(read, Err(Error::Btf { fault: BtfFault::TooMuchContent { .. }, .. })), "{read:?}");
            assert!(bss.var("all").unwrap().read_bytes().is_err());
            assert_eq!(bss.var("all[3].b").unwrap().read().unwrap().as_i128(), Some(7));
        }
    }
}
