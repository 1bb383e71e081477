//! BTF of a few kilobytes that makes much of a few bytes: many members at one place, elements without bytes, wrappers in wrappers.
//! Reading is refused, or takes what the bytes explain. What would take hours is seen by who waits for it.

use std::os::fd::AsFd;

use bpfvar::btf::Kind;
use bpfvar::error::BtfFault;
use bpfvar::{Btf, Error, Input, KeyedMap, Map, TypedMap, Value, Var};
use bpfvar_testkit::{MapSpec, Types, host, load_btf, update_entry};

fn section(types: &Types, value: &[u8]) -> TypedMap {
    let map = Map::builder().name(".bss").value_size(value.len() as u32).create().unwrap();
    map.update(0, value).unwrap();
    TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap()
}

/// So many members of one type, all at the start.
fn crowd(types: &mut Types, of: u32, count: usize, size: u32) -> u32 {
    types.structure(5, "crowd", size, &vec![("m", of, 0); count])
}

fn is_too_much<T: std::fmt::Debug>(read: &bpfvar::Result<T>) -> bool {
    matches!(read, Err(Error::Btf { fault: BtfFault::TooMuchContent { .. }, .. }))
}

#[test]
fn entries_count_together() {
    if !host::ready((5, 8)) {
        return;
    }
    for entries in [1, 512] {
        let mut types = Types::default();
        let (wide, key) = (types.int("u64", 8), types.int("u32", 4));
        let crowd = crowd(&mut types, wide, 16_000, 8);
        let btf = load_btf(&types.bytes()).unwrap();
        let map =
            Map::builder().name("many").value_size(8).entries(entries).btf(btf.as_fd(), key, crowd).create().unwrap();
        let map = TypedMap::open(map).unwrap();
        let var = map.vars().next().unwrap();
        assert_eq!(is_too_much(&var.read()), entries > 1);
        assert_eq!(is_too_much(&var.read_bytes()), entries > 1);
        assert!(!is_too_much(&var.at("[0]").unwrap().read()));
    }
}

#[test]
fn entries_by_keys_count_together() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let (wide, key) = (types.int("u64", 8), types.int("u32", 4));
    let crowd = crowd(&mut types, wide, 16_000, 8);
    let btf = load_btf(&types.bytes()).unwrap();
    let spec = MapSpec {
        map_type: 1,
        key_size: 4,
        value_size: 8,
        max_entries: 512,
        btf: Some((btf.as_fd(), key, crowd)),
        ..MapSpec::default()
    };
    let map = Map::from_fd(spec.create().unwrap()).unwrap();
    for key in 0..512_u32 {
        update_entry(map.as_fd(), &key.to_ne_bytes(), &[0; 8]).unwrap();
    }
    let map = KeyedMap::open(map).unwrap();
    let entries: Vec<_> = map.entries().collect();
    let (last, before) = entries.split_last().unwrap();
    assert!(is_too_much(last) && before.len() > 10 && before.iter().all(Result::is_ok), "{}", before.len());
}

#[test]
fn variables_that_are_read_together_count_together() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let byte = types.int("u8", 1);
    let crowd = crowd(&mut types, byte, 16_000, 1);
    let variables: Vec<_> = (0..400).map(|index| (types.variable(&format!("v{index}"), crowd), index)).collect();
    types.section(".bss", 400, &variables);
    let section = section(&types, &[0; 400]);
    let vars: Vec<_> = section.vars().collect();
    let values = Var::read_all(&vars);
    let read = values.iter().filter(|value| value.is_ok()).count();
    assert!((10..100).contains(&read) && values.iter().skip(read).all(is_too_much), "{read}");
}

/// For each byte of the member that is asked for all others are asked, too.
#[test]
fn a_part_of_a_crowd_counts_the_crowd() {
    if !host::ready((5, 8)) {
        return;
    }
    const LEN: u32 = 1 << 20;
    let mut types = Types::default();
    let byte = types.int("u8", 1);
    let large = types.array(byte, LEN);
    let mut members = vec![("large", large, 0)];
    members.resize(16_000, ("m", byte, 0));
    let crowd = types.structure(4, "crowd", LEN, &members);
    let variable = types.variable("x", crowd);
    types.section(".bss", LEN, &[(variable, 0)]);
    let section = section(&types, &vec![7; LEN as usize]);
    let large = section.var("x.large").unwrap();
    assert!(is_too_much(&large.read()) && is_too_much(&large.read_bytes()));
    assert!(is_too_much(&large.change(Input::Array(vec![0.into(); LEN as usize]))));
    assert_eq!(section.var("x.large[77]").unwrap().read().unwrap(), Value::Uint(7));
}

#[test]
fn elements_without_bytes_are_none() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let (byte, wide) = (types.int("u8", 1), types.int("u64", 8));
    let none = types.array(byte, 0);
    // A wrapper only by its look: its slots have no bytes.
    let mut of = none;
    for _ in 0..19 {
        let slot = types.structure(4, "slot", 0, &[("value", of, 0)]);
        let slots = types.array(slot, 8192);
        of = types.structure(4, "p", 0, &[("bpfvar_percpu", slots, 0)]);
    }
    let many = types.array(of, u32::MAX);
    // And one that is, so that the rest is read part by part.
    let slot = types.structure(4, "", 64, &[("value", wide, 0)]);
    let slots = types.array(slot, 8192);
    let counters = types.structure(4, "counters", 8192 * 64, &[("bpfvar_percpu", slots, 0)]);
    let size = 8192 * 64 + 8;
    let both = types.structure(4, "both", size, &[("many", many, 0), ("counters", counters, 64)]);
    let variable = types.variable("x", both);
    types.section(".bss", size, &[(variable, 0)]);
    let section = section(&types, &vec![0; size as usize]);
    assert_eq!(section.var("x").unwrap().read().unwrap().to_string(), "{many: [], counters: 0}");
}

#[test]
fn a_lock_that_is_misaligned_in_the_second_slot_is_none() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let (wide, narrow) = (types.int("u64", 8), types.int("u32", 4));
    let words = |names: [&'static str; 3]| [(names[0], wide, 0), (names[1], wide, 64), (names[2], wide, 128)];
    let head = types.structure(4, "", 24, &words(["begin", "end", "writer"]));
    let seq = types.structure(4, "", 28, &[("bpfvar_seq", head, 0), ("value", narrow, 192)]);
    let slots = types.array(seq, 2);
    let head = types.structure(4, "", 24, &words(["version", "settled", "writer"]));
    let switch = types.structure(4, "", 80, &[("bpfvar_switch", head, 0), ("slots", slots, 192)]);
    let variable = types.variable("x", switch);
    types.section(".bss", 80, &[(variable, 0)]);
    for version in [0_u64, 1] {
        let mut value = [0; 80];
        value[..8].copy_from_slice(&version.to_ne_bytes());
        let section = section(&types, &value);
        let var = section.var("x").unwrap();
        assert_eq!(var.together(), [""; 0]);
        var.read().unwrap();
    }
}

/// Each of them would ask those in it twice.
#[test]
fn wrappers_in_wrappers_are_told_in_time() {
    let mut types = Types::default();
    let byte = types.int("u8", 1);
    let mut of = crowd(&mut types, byte, 16_000, 4);
    for _ in 0..20 {
        let slot = types.structure(4, "slot", 4, &[("value", of, 0)]);
        let slots = types.array(slot, 1);
        of = types.structure(4, "p", 4, &[("bpfvar_percpu", slots, 0)]);
    }
    let btf = Btf::parse(&types.bytes()).unwrap();
    let kinds: Vec<_> = btf.types().filter(|ty| ty.name() == "p").map(|ty| ty.kind()).collect();
    assert!(matches!(kinds[..], [Kind::PerCpu(_), Kind::Struct, .., Kind::Struct]), "{kinds:?}");
}
