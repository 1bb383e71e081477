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
        let types = types(source).bytes().to_vec();
        if types.len() <= LONGEST {
            seeds.push((format!("object/btf-{}", source.name()), types.clone()));
        }
        seeds.push((format!("btf/{}", source.name()), types));
        if source.bytes().len() <= LONGEST {
            seeds.push((format!("object/{}", source.name()), source.bytes().to_vec()));
        }
    }
    seeds.extend(forged().into_iter().map(|(name, types)| (format!("btf/forged-{name}"), types.bytes())));
    for (index, text) in PATHS.iter().enumerate() {
        seeds.push((format!("paths/{index:02}"), text.as_bytes().to_vec()));
    }
    for (index, (choice, text)) in SETTINGS.iter().enumerate() {
        seeds.push((format!("settings/{index:02}"), [&[*choice], text.as_bytes()].concat()));
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

/// Each behind the number of what it is.
const SETTINGS: [(u8, &str); 18] = [
    (0, "[count]\nsampling = 100\nconfig.mode = 'FAST'\n'hist[3]' = 4\n'calls@16' = 6"),
    (0, "'stats[3].packets' = 0xff\n['pin:/sys/fs/bpf/s']\n'[0]'.x = -9\n[count.config]\nlimits = [{ burst = 1 }]"),
    (0, "a.x = 1e400\nb.x = nan\nc.x = 2020-01-01\nd.x = 340282366920938463463374607431768211456"),
    (0, "a.b = \"\"\"\nx\\u001b\"\"\"\n[['prog:12'.list]]\na = true"),
    (
        1,
        "targets = ['count', '*.packets']\n[[metric]]\ntarget = 'count.hist'\nname = 'lat_seconds'\ntype = 'histogram'",
    ),
    (
        1,
        "[[metric]]\ntarget = 'a.b[*]'\nname = 'x_total'\nlabels = { a = 'b' }\nindex = 'cpu'\nnames = ['x']\nscale = 1e-9",
    ),
    (1, "[[metric]]\ntarget = 'a'\nenum = 'enum mode'\ntype = 'state'\nunit = 'bytes'\nname = 'm'\nhelp = 'h'"),
    (2, "prog:12..rodata"),
    (2, "pin:/sys/fs/bpf/count.hist[0..4]"),
    (2, "count.flows[{\"port\": 80, \"x\": [1]}].packets"),
    (2, "*.sam?ling[*]"),
    (2, "pid:4711.func.calls@16"),
    (3, "count.flags|=0x10"),
    (3, "a[\"b=c\"].x=1"),
    (3, "count.x&=~5"),
    (4, "count.packets > 1000000"),
    (4, "a.names[\"x>y\"]!=FAST"),
    (
        5,
        "{\"programs\": [{\"id\": 3, \"name\": \"c\"}], \"sections\": [{\"name\": \".data\", \"data\": true, \"map\": \
      {\"name\": \"c\"}, \"programs\": [3], \"variables\": [{\"name\": \"x\", \"type\": \"__u32\", \"value\": 5}]}]}",
    ),
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
