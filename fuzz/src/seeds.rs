//! What the fuzzer starts from, small and of every kind. `tests/replay.rs` sees to it that the files are these.

use bpfvar_objects::{Source, types};
use bpfvar_testkit::Types;

use crate::corpus::Corpus;

/// The longest object file that is a seed.
const LONGEST: usize = 6000;

/// Files by their paths in `seeds/`.
pub fn all() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for source in Source::ALL {
        seeds.push((format!("btf/{}", source.name()), types(source).bytes().to_vec()));
        if source.bytes().len() <= LONGEST {
            seeds.push((format!("object/{}", source.name()), source.bytes().to_vec()));
        }
    }
    seeds.extend(forged().into_iter().map(|(name, types)| (format!("btf/forged-{name}"), types.bytes())));
    for (index, text) in PATHS.iter().enumerate() {
        seeds.push((format!("paths/{index:02}"), text.as_bytes().to_vec()));
    }
    Corpus::with(|corpus| {
        for (index, (json, text)) in corpus.samples().into_iter().enumerate() {
            seeds.push((format!("json/{index:02}"), json));
            seeds.push((format!("text/{index:02}"), text));
        }
    });
    seeds
}

const PATHS: [&str; 16] = [
    "sampling",
    "config.limits[2].burst",
    "hist[0x1f]",
    "config@16",
    "calls@0.x",
    "first.calls",
    ".limits[2].burst",
    "[18446744073709551616]",
    "[+1]",
    "..a",
    "a[",
    "u.a[1]",
    "count_stats[3].packets",
    "bits.b",
    "a]b",
    "",
];

/// Types that no compiler makes.
fn forged() -> Vec<(&'static str, Types)> {
    let mut all = Vec::new();
    let mut new = |name, make: &dyn Fn(&mut Types)| {
        let mut types = Types::default();
        make(&mut types);
        all.push((name, types));
    };
    new("cycle", &|types| {
        types.structure(4, "s", 4, &[("s", 2, 0)]);
        types.structure(4, "t", 4, &[("t", 1, 0)]);
    });
    new("typedefs", &|types| {
        for next in 2..42 {
            types.around(8, "t", next);
        }
        types.int("u8", 1);
    });
    new("too-large", &|types| {
        let word = types.int("u64", 8);
        let array = types.array(word, u32::MAX);
        types.array(array, u32::MAX);
    });
    new("outside", &|types| {
        let word = types.int("u64", 8);
        types.structure(4, "s", 8, &[("a", word, 8)]);
    });
    new("bits", &|types| {
        let (word, signed, truth) = (types.int("u32", 4), types.encoded_int("s64", 8, 1), types.encoded_int("b", 1, 4));
        let flags = types.enumeration("e", 4, &[("A", 1), ("B", u32::MAX)]);
        let large = types.enumeration64("f", 8, true, &[("C", 1 << 40), ("D", u64::MAX)]);
        let members = [
            ("a", word, 3 << 24),
            ("b", flags, 7 << 24 | 3),
            ("c", truth, 1 << 24 | 10),
            ("d", signed, 33 << 24 | 64),
            ("e", large, 0),
        ];
        let bits = types.structure(4 | 1 << 7, "s", 16, &members);
        let union = types.structure(5, "u", 16, &[("s", bits, 0), ("w", word, 0)]);
        let variable = types.variable("v", union);
        types.section(".bss", 16, &[(variable, 0)]);
    });
    new("around", &|types| {
        let character = types.int("char", 1);
        let text = types.array(character, 8);
        let constant = types.around(10, "", text);
        let (double, wide) = (types.float("double", 8), types.encoded_int("__int128", 16, 1));
        let pointer = types.around(2, "", 0);
        let volatile = types.around(9, "", pointer);
        let all = [constant, double, wide, volatile].map(|of| types.variable("v", of));
        types.section(".data", 48, &[(all[0], 0), (all[1], 8), (all[2], 16), (all[3], 32)]);
    });
    all
}
