//! Each object loads, runs, and holds what its source says, where BTF says.

use bpfvar_objects::{Linkage, Loaded, Source, load};
use bpfvar_testkit::host;

/// Loads an object, or says why not.
fn loaded(source: Source) -> Option<Loaded> {
    host::ready(source.needs()).then(|| load(source))
}

/// The bytes of a variable, found as bpfvar will: the section's BTF, the map's value.
fn bytes(loaded: &Loaded, section: &str, variable: &str) -> Vec<u8> {
    let types = loaded.btf.as_ref().and_then(|btf| btf.section(section)).expect("a section");
    let variable = types.variable(variable);
    value(loaded, section, 0)[variable.offset as usize..][..variable.size as usize].to_vec()
}

fn value(loaded: &Loaded, map: &str, key: u32) -> Vec<u8> {
    let map = loaded.map(map);
    let mut value = vec![0; map.info().value_size as usize];
    map.lookup(key, &mut value).expect("an array");
    value
}

fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}

#[test]
fn count_counts() {
    let Some(count) = loaded(Source::Count) else { return };
    let of = |section, variable| number(&bytes(&count, section, variable));
    assert_eq!(of(".data", "sampling"), 1);
    assert_eq!(bytes(&count, ".data", "ratio"), 0.75_f64.to_ne_bytes());
    assert_eq!(bytes(&count, ".data", "label"), *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(of(".rodata", "version"), 3);
    assert_eq!(of(".bss", "packets"), 0);
    assert_eq!(count.run(32), 1000, "the rate");
    assert_eq!(of(".bss", "packets"), 32);
    assert_eq!(bytes(&count, ".bss", "hist"), [2, 0, 0, 0, 0, 0, 0, 0].repeat(16));
    assert_eq!((of(".bss", "neighbour"), of(".bss", "knob")), (0, 0));
    assert_eq!(count.programs[0].name, "count");
}

#[test]
fn a_write_from_outside_steers_the_program() {
    let Some(count) = loaded(Source::Count) else { return };
    let types = count.btf.as_ref().and_then(|btf| btf.section(".data")).expect("a section");
    let mut data = value(&count, ".data", 0);
    // The mode, after 8 bytes of rate: OFF.
    data[types.variable("config").offset as usize + 8] = 2;
    count.map(".data").update(0, &data).expect("not frozen");
    assert_eq!(count.run(1), 0);
}

#[test]
fn the_sections_of_kinds_are_as_laid_out() {
    let Some(kinds) = loaded(Source::Kinds) else { return };
    let btf = kinds.btf.as_ref().expect("our own loader");
    for map in &kinds.maps {
        let section = btf.section(&map.name).expect("each section has its types");
        assert_eq!(map.map.info().value_size, section.size, "{map:?}");
        let mut end = 0;
        for variable in &section.variables {
            assert!(end <= variable.offset, "{variable:?} overlaps");
            end = variable.offset + variable.size;
            assert_ne!(variable.linkage, Linkage::Extern, "{variable:?}");
        }
        assert!(end <= section.size, "{map:?}");
    }
    let flags = |name: &str| (kinds.map(name).info().flags.mmapable(), kinds.map(name).is_frozen().expect("/proc"));
    assert_eq!(flags("kinds.data"), (true, false));
    assert_eq!(flags("kinds.bss"), (true, false));
    assert_eq!(flags("kinds.rodata"), (true, true));
    assert_eq!(flags("kinds.kconfig"), (true, true));
    assert_eq!(flags(".data.custom"), (true, false));
    assert_eq!(flags(".data.static"), (false, false));
    assert_eq!(flags(".rodata.custom"), (true, true));
}

#[test]
fn the_values_of_kinds_are_where_their_types_say() {
    let Some(kinds) = loaded(Source::Kinds) else { return };
    let data = |name| bytes(&kinds, ".data", name);
    let of = |name| number(&data(name));
    assert_eq!(of("u8_value"), 0xf1);
    assert_eq!(of("u16_value"), 0xf1f2);
    assert_eq!(of("u32_value"), 0xf1f2_f3f4);
    assert_eq!(of("u64_value"), 0xf1f2_f3f4_f5f6_f7f8);
    assert_eq!(of("s64_value") as i64, -4_294_967_298);
    assert_eq!(data("u128_value"), 0xf1f2_f3f4_f5f6_f7f8_e1e2_e3e4_e5e6_e7e8_u128.to_le_bytes());
    assert_eq!(data("s128_value"), (-(1_i128 << 100)).to_le_bytes());
    assert_eq!(of("big_value"), 0x1_0000_0001);
    assert_eq!(of("big_signed_value") as i64, -0x7fff_ffff_ffff_ffff);
    assert_eq!(of("small_value"), 200);
    assert_eq!(data("double_value"), (-0.1_f64).to_ne_bytes());
    assert_eq!(of("node_pointer"), 0xffff_8880_1234_5678);
    assert_eq!(data("lines"), *b"one\0\0\0two\0\0\0three\0");
    assert_eq!(data("squeezed"), [0x51, 0x68, 0x67, 0x66, 0x65, 0x64, 0x63, 0x62, 0x61, 0x72, 0x71]);
    let after_plain = number(&data("bits_value")[4..8]);
    assert_eq!(after_plain, 0xdead_beef);
    assert_eq!(of("hidden_value"), 19);
    assert_eq!(of("weak_value"), 20);
    assert_eq!(of("a_name_of_sixty_characters_which_is_far_too_long_to_be_typed"), 44);
    assert_eq!(number(&bytes(&kinds, ".rodata", "chained_value")), 8);
    assert_eq!(number(&bytes(&kinds, ".data.custom", "custom_data_end")), 31);
    assert_eq!(number(&bytes(&kinds, ".rodata.custom", "custom_rodata")), 32);
    assert_eq!(number(&bytes(&kinds, ".data.static", "only_static")), 33);

    let linkage = |name| kinds.btf.as_ref().and_then(|btf| btf.section(".data")).expect("it").variable(name).linkage;
    assert_eq!(linkage("hidden_value"), Linkage::Static);
    assert_eq!(linkage("weak_value"), Linkage::Global);
    assert_eq!(linkage("static_value"), Linkage::Static);

    kinds.program("touch_every_variable").run(5);
    assert_eq!(number(&bytes(&kinds, ".bss", "zero_u64")), 5);
    assert_eq!(number(&bytes(&kinds, ".bss", "static_zero")), 5);
    assert_eq!([of("static_value"), of("first.calls"), of("second.calls")], [23, 55, 65]);
}

#[test]
fn kconfig_holds_this_kernels_version_and_zero_for_what_is_missing() {
    let Some(kinds) = loaded(Source::Kinds) else { return };
    let (major, minor) = host::kernel();
    let version = number(&bytes(&kinds, ".kconfig", "LINUX_KERNEL_VERSION"));
    assert_eq!((version >> 16, version >> 8 & 255), (major.into(), minor.into()));
    assert_eq!(number(&bytes(&kinds, ".kconfig", "CONFIG_BPFVAR_MISSING")), 0);
}

#[test]
fn maps_are_filled_by_their_program() {
    let Some(maps) = loaded(Source::Maps) else { return };
    assert_eq!(maps.run(3), 3);
    assert_eq!(number(&value(&maps, "scalar", 7)), 3);
    for key in 0..4 {
        let entry = value(&maps, "stats", key);
        let sizes = 16 + 8 * key as usize;
        assert_eq!((number(&entry[..8]), number(&entry[8..12]), number(&entry[sizes..sizes + 8])), (3, key.into(), 3));
    }
    for key in 0..5 {
        let entry = value(&maps, "numbers", key);
        let middle = i32::from_le_bytes(entry[4..8].try_into().expect("four bytes"));
        assert_eq!((entry.len(), entry[0], middle, entry[10]), (12, 3, -(key as i32), 1));
    }
    assert_eq!(number(&value(&maps, "plain", 1)[..8]), 3);
    assert_eq!(number(&value(&maps, "a_map_with_a_lo", 0)), 3, "by the name in the kernel");
    assert_eq!(number(&value(&maps, "a_map_with_a_long_name", 0)), 3, "by the name in the object");
    let mmapable = |name| maps.map(name).info().flags.mmapable();
    assert_eq!(
        [mmapable("stats"), mmapable("plain"), mmapable("hash"), mmapable("percpu")],
        [true, false, false, false]
    );
}

#[test]
fn keyed_fills_its_maps() {
    let Some(keyed) = loaded(Source::Keyed) else { return };
    keyed.run(5);
    assert_eq!(number(&bytes(&keyed, ".bss", "runs")), 5);
    let types = ["flows", "names", "hists", "counters", "hits", "routes", "many"].map(|map| {
        let info = keyed.map(map).info();
        (info.map_type.0, info.key_size, info.value_size, info.btf_key_type_id != 0 && info.btf_value_type_id != 0)
    });
    let expected = [(9, 12, 16), (1, 8, 4), (1, 4, 64), (10, 4, 16), (5, 8, 8), (11, 8, 4), (1, 4, 8)];
    assert_eq!(types, expected.map(|(map_type, key, value)| (map_type, key, value, true)));
}

#[test]
fn tail_ends_after_twelve_bytes() {
    let Some(tail) = loaded(Source::Tail) else { return };
    assert_eq!(value(&tail, ".data", 0).len(), 12);
    tail.run(1);
    assert_eq!(number(&bytes(&tail, ".data", "first")), 0x1122_3344_5566_7788 + 0x99aa_bbcc);
    assert_eq!(number(&bytes(&tail, ".data", "last")), 0x99aa_bbcc);
}

#[test]
fn custom_has_a_bss_of_its_own() {
    let Some(custom) = loaded(Source::Custom) else { return };
    custom.run(4);
    assert_eq!(number(&bytes(&custom, ".bss", "plain")), 4);
    assert_eq!(bytes(&custom, ".bss.custom", "custom_bss"), [0, 0, 4, 0, 0, 0]);
    assert_eq!(custom.map(".bss.custom").info().name, ".bss.custom");
}

#[test]
fn twin_has_two_variables_of_one_name() {
    let Some(twin) = loaded(Source::Twin) else { return };
    twin.run(2);
    let data = value(&twin, ".data", 0);
    let types = twin.btf.as_ref().and_then(|btf| btf.section(".data")).expect("a section");
    let calls = types.variables.iter().filter(|variable| variable.name == "calls");
    let calls: Vec<_> =
        calls.map(|variable| (variable.linkage, number(&data[variable.offset as usize..][..8]))).collect();
    assert_eq!(calls, [(Linkage::Static, 102), (Linkage::Static, 202)]);
    assert_eq!(number(&bytes(&twin, ".bss", "packets")), 4);
    assert_eq!(twin.programs[0].name, "count");
}

#[test]
fn dropping_unloads() {
    let Some(count) = loaded(Source::Count) else { return };
    let id = count.map(".bss").info().id;
    assert!(bpfvar::Map::from_id(id).is_ok());
    drop(count);
    host::eventually(|| bpfvar::Map::from_id(id).is_err());
}
