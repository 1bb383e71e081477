//! BTF that no compiler writes, and that the parser takes.

const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const FLOAT: u32 = 16;
/// Offsets of members hold the widths of bitfields.
const WITH_BITS: u32 = 1 << 31;

/// BTF in the making.
#[derive(Default)]
struct Types {
    words: Vec<u32>,
    count: u32,
    strings: Vec<u8>,
}

impl Types {
    fn string(&mut self, text: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// `info` is kind, number of what follows, flag.
    fn add(&mut self, name: &str, info: u32, size_or_type: u32, rest: &[u32]) -> u32 {
        let name = self.string(name);
        self.words.extend([name, info, size_or_type]);
        self.words.extend(rest);
        self.count += 1;
        self.count
    }

    fn int(&mut self, name: &str, size: u32) -> u32 {
        self.add(name, INT << 24, size, &[size * 8])
    }

    /// Members by name, type, and offset in bits, with the width of a bitfield in the highest byte.
    fn members(&mut self, kind: u32, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
        let rest: Vec<u32> = members.iter().flat_map(|(name, of, at)| [self.string(name), *of, *at]).collect();
        self.add(name, WITH_BITS | kind << 24 | members.len() as u32, size, &rest)
    }

    fn section(&mut self, name: &str, size: u32, variables: &[(&str, u32, u32)]) {
        let rest: Vec<u32> =
            variables.iter().flat_map(|(name, of, at)| [self.add(name, VAR << 24, *of, &[1]), *at, 0]).collect();
        self.add(name, DATASEC << 24 | variables.len() as u32, size, &rest);
    }

    fn bytes(&self) -> Vec<u8> {
        let types = self.words.len() as u32 * 4;
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, types, types, self.strings.len() as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(self.words.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.extend(&self.strings);
        bytes
    }
}

/// Names that are no names in Rust, or the same in Rust; members that overlap; sizes and numbers that do not fit.
pub(crate) fn forged() -> Vec<u8> {
    let mut types = Types::default();
    let (byte, word, wide, odd) = (types.int("u8", 1), types.int("u32", 4), types.int("u64", 8), types.int("u128", 16));
    let half = types.add("half", FLOAT << 24, 2, &[]);
    let huge = types.add("", ARRAY << 24, 0, &[byte, word, u32::MAX - 1]);
    let none = types.add("", ARRAY << 24, 0, &[wide, word, 0]);
    let empty = types.members(STRUCT, "empty", 0, &[]);
    let names = ["fn", "self", "_", "a`b", "x\"y", "\u{202e}é", "a b", "", "rxBytes", "same", "same", "r#try", "1st"];
    let members: Vec<_> = names.iter().enumerate().map(|(index, name)| (*name, word, index as u32 * 32)).collect();
    let named = types.members(STRUCT, "Option<[u8; 3]>::{impl#0}", 52, &members);
    let overlapping = types.members(
        STRUCT,
        "overlapping",
        16,
        &[("a", wide, 0), ("b", word, 32), ("c", word, 5 << 24 | 60), ("d", byte, 64), ("e", odd, 0)],
    );
    let bits = types.members(
        STRUCT,
        "bits",
        24,
        &[
            ("wide", odd, 100 << 24),
            ("across", wide, 60 << 24 | 102),
            ("flag", byte, 1 << 24 | 165),
            ("", byte, 3 << 24 | 166),
        ],
    );
    let sparse = types.members(STRUCT, "sparse", 64, &[("float", half, 16), ("none", none, 64), ("empty", empty, 0)]);
    let union = types.members(UNION, "union", 12, &[("a", wide, 0), ("b", byte, 0)]);
    let unions = types.add("", ARRAY << 24, 0, &[union, word, 3]);
    let values = |types: &mut Types, values: &[(&str, u32)]| -> Vec<u32> {
        values.iter().flat_map(|(name, value)| [types.string(name), *value]).collect()
    };
    let rest = values(&mut types, &[("SELF", 0), ("self", 0), ("A_B", 1), ("a b", 2), ("", 3), ("`", 3)]);
    let colors = types.add("colors", ENUM << 24 | 6, 4, &rest);
    let rest = values(&mut types, &[("A", 1), ("B", 300)]);
    let small = types.add("small", ENUM << 24 | 2, 1, &rest);
    let nothing = types.add("nothing", ENUM << 24, 4, &[]);
    let holder = types.members(STRUCT, "Forged", 40, &[("unions", unions, 0), ("colors", colors, 36 * 8)]);
    let alias = types.add("ForgedView", TYPEDEF << 24, holder, &[]);
    types.section(
        ".data",
        4096,
        &[
            ("named", named, 0),
            ("overlapping", overlapping, 64),
            ("bits", bits, 96),
            ("sparse", sparse, 128),
            ("colors", colors, 192),
            ("small", small, 196),
            ("nothing", nothing, 200),
            ("Nothing", nothing, 204),
            ("nothing", nothing, 208),
            ("holder", alias, 256),
            ("half", half, 300),
            ("misaligned", word, 302),
            ("a\"b\\c", word, 308),
            ("a@1", word, 312),
            ("b\u{202e}`d", word, 324),
            ("twice", word, 316),
            ("empty", empty, 320),
        ],
    );
    types.section(".bss", u32::MAX, &[("huge", huge, 0), ("twice", word, 316)]);
    types.bytes()
}
