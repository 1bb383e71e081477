//! Maps of the kernel to lay forged sections over. They are kept, as the kernel frees maps later than a fuzzer makes them.

use std::cell::RefCell;
use std::collections::HashMap;

use bpfvar::btf::Section;
use bpfvar::{Btf, Map, TypedMap};
use bpfvar_testkit::host;

/// No more are kept: descriptors are few.
const KEPT: usize = 256;
const LARGEST: u64 = 1 << 16;

thread_local! {
    static MAPS: RefCell<HashMap<(String, u32), Map>> = RefCell::default();
}

/// Whether maps can be made here.
pub(crate) fn can_be_made() -> bool {
    host::has_capability(21) && host::kernel() >= (5, 8)
}

/// A map that holds the section, if there may be one. What it contained before stays in it.
pub(crate) fn of_section(btf: &Btf, section: Section<'_>) -> Option<TypedMap> {
    let (name, size) = (section.name(), section.size());
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let fits = (1..16).contains(&name.len()) && name.bytes().all(valid) && (1..=LARGEST).contains(&size);
    if !fits || !can_be_made() {
        return None;
    }
    let map = MAPS.with_borrow_mut(|maps| {
        if maps.len() == KEPT {
            maps.clear();
        }
        let size = size as u32;
        let make = || Map::builder().name(name).value_size(size).create().expect("the kernel makes the map");
        maps.entry((name.to_owned(), size)).or_insert_with(make).try_clone().expect("a descriptor more")
    });
    TypedMap::with_btf(map, btf.clone()).ok()
}

/// Fills a map's only entry with bytes that `seed` alone decides.
pub(crate) fn fill(map: &TypedMap, seed: u8) {
    let mut state = u64::from(seed);
    let byte = |_| {
        // SplitMix64, of which 0 gives zeros for the most usual contents.
        if seed != 0 {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 27) as u8
    };
    let bytes: Vec<u8> = (0..map.info().value_size).map(byte).collect();
    map.as_map().update(0, &bytes).expect("an array has an entry 0");
}
