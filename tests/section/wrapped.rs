//! Structs that look like those of `bpfvar.bpf.h`, in BTF that no compiler made.

use bpfvar::{Btf, Map, TypedMap};
use bpfvar_testkit::{Types, host};

/// `struct bpfvar_seq` and `BPFVAR_SEQ(inner)`, the value of which has `size` bytes.
fn sequence(types: &mut Types, inner: u32, size: u32) -> u32 {
    sequence_at(types, 192, inner, size)
}

/// The same with its value at another bit.
fn sequence_at(types: &mut Types, start: u32, inner: u32, size: u32) -> u32 {
    let word = types.int("__u64", 8);
    let words = [("begin", word, 0), ("end", word, 64), ("writer", word, 128)];
    let head = types.structure(4, "bpfvar_seq", 24, &words);
    types.structure(4, "", 24 + size, &[("bpfvar_seq", head, 0), ("value", inner, start)])
}

fn section(mut types: Types, variable: u32, size: u32) -> TypedMap {
    let variable = types.variable("x", variable);
    types.section(".bss", size, &[(variable, 0)]);
    let map = Map::builder().name(".bss").value_size(size).create().unwrap();
    TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap()
}

/// The words of the second slot would lie at byte 28.
#[test]
fn slots_whose_words_are_not_aligned_are_no_slots() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let int = types.int("u32", 4);
    let seq = sequence(&mut types, int, 4);
    let slot = types.structure(4, "", 28, &[("value", seq, 0)]);
    let slots = types.array(slot, 4096);
    let percpu = types.structure(4, "", 28 * 4096, &[("bpfvar_percpu", slots, 0)]);
    let section = section(types, percpu, 28 * 4096);
    let var = section.var("x").unwrap();
    assert!(var.together().is_empty());
    assert!(var.each_cpu().unwrap().is_empty());
    // The second slot has no aligned words, and so is a struct.
    assert!(var.at(".bpfvar_percpu[1].value.value").unwrap().read().is_ok());
    assert_eq!(var.at(".bpfvar_percpu[0].value").unwrap().together(), ["BPFVAR_SEQ"]);
    var.read().unwrap();
}

#[test]
fn members_beside_a_wrapper_are_each_read_once() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let int = types.int("u32", 4);
    let seq = sequence(&mut types, int, 8);
    let names: Vec<String> = (0..8000).map(|index| format!("m{index}")).collect();
    let mut members: Vec<(&str, u32, u32)> =
        (0..8000).map(|index| (&*names[index as usize], int, index * 32)).collect();
    // Two of one name, as no compiler makes them.
    members[1].0 = "m0";
    members.push(("seq", seq, 32_000 * 8));
    let wide = types.structure(4, "wide", 32_032, &members);
    let section = section(types, wide, 32_032);
    section.as_map().update(0, &[&[1_u32, 2].map(u32::to_ne_bytes).concat()[..], &[0; 32_024]].concat()).unwrap();
    let value = section.var("x").unwrap().read().unwrap().to_string();
    assert!(value.starts_with("{m0: 1, m0: 2, m2: 0, ") && value.ends_with("m7999: 0, seq: 0}"), "{value:.80}");
}

/// The value would be the words that tell whether it is whole.
#[test]
fn a_value_over_the_words_of_its_wrapper_is_none() {
    if !host::ready((5, 8)) {
        return;
    }
    for (start, together) in [(192, &["BPFVAR_SEQ"][..]), (184, &[]), (64, &[]), (0, &[])] {
        let mut types = Types::default();
        let word = types.int("__u64", 8);
        let inner = types.array(word, 2);
        let seq = sequence_at(&mut types, start, inner, 16);
        let var = section(types, seq, 40).var("x").unwrap();
        assert_eq!(var.together(), together, "{start}");
        let value = if together.is_empty() { ".value" } else { "" };
        let value = var.at(value).unwrap();
        value.set("[3, 4]").unwrap();
        assert_eq!(value.read().unwrap().to_string(), "[3, 4]", "{start}");
    }
}
