//! BTF comes from whoever loaded a program. Whatever it says, nothing panics, hangs or leaves its map.

use bpfvar::{Btf, Map, Section};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::host;

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

fn kinds() -> Vec<u8> {
    load(Source::Kinds).btf.as_ref().unwrap().bytes().to_vec()
}

#[test]
fn any_bytes_are_btf_or_an_error() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let header = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0];
    for round in 0..20_000 {
        let mut bytes: Vec<u8> = (0..random.below(200)).map(|_| random.next() as u8).collect();
        if round % 2 == 0 {
            bytes.splice(..bytes.len().min(8), header);
        }
        let _ = Btf::parse(&bytes);
    }
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
    let good = kinds();
    let map = |name| Map::builder().name(name).value_size(5536).create().unwrap();
    let (data, bss) = (map("x.data"), map("x.bss"));
    let mut random = Random(42);
    let (mut parsed, mut opened) = (0, 0);
    for _ in 0..4_000 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(3) {
            let at = 24 + random.below(bytes.len() - 24);
            let at = at / 4 * 4 + random.below(4);
            let at = at.min(bytes.len() - 1);
            bytes[at] = if random.below(2) == 0 { random.next() as u8 } else { bytes[at].wrapping_add(1) };
        }
        let Ok(btf) = Btf::parse(&bytes) else { continue };
        parsed += 1;
        for map in [&data, &bss] {
            let Ok(section) = Section::with_btf(map.try_clone().unwrap(), btf.clone()) else { continue };
            opened += 1;
            for var in section.vars().take(20) {
                let _ = (var.type_name(), var.declaration(), var.offset(), var.size());
                if var.size() < 500 {
                    let _ = var.read().map(|value| serde_json::to_string(&value).unwrap());
                    let _ = var.set("1");
                    let _ = var.add("1");
                    let _ = var.field::<u32>();
                }
            }
        }
    }
    println!("{parsed} of 4000 parsed, {opened} sections opened");
    assert!(parsed > 500 && opened > 500, "the changes are small enough to be walked: {parsed}, {opened}");
}
