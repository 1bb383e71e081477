//! Units of types that no compiler makes: overlapping, out of order, with bitfields across everything. They are compared with the
//! claims of each scalar and bitfield, taken one by one from the definition, and with what is found without the order of members.

use super::super::emit::assemble;
use super::tests::{check_partition, check_same, without_order};
use super::*;

/// xorshift: the same types at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// No object is longer, so that all of its bytes can be asked for.
const LONGEST: u64 = 96;

/// Types as records of words.
struct Types {
    random: Random,
    words: Vec<u32>,
    /// In bytes, by number; the first is that of void.
    sizes: Vec<u64>,
    /// The types that a bitfield may have.
    of_bits: Vec<u32>,
}

impl Types {
    fn new(seed: u64) -> Types {
        let mut types = Types { random: Random(seed), words: Vec::new(), sizes: vec![0], of_bits: Vec::new() };
        (0..3 + types.random.below(5)).for_each(|_| types.int());
        let width = 1 << types.random.below(4);
        types.of_bits.push(types.sizes.len() as u32);
        types.add(&[0, 6 << 24, width], width.into());
        let float = [2, 4, 8, 12, 16][types.random.below(5) as usize];
        types.add(&[0, 16 << 24, float], float.into());
        types.add(&[0, 2 << 24, 1], 8);
        for _ in 0..4 + types.random.below(14) {
            match types.random.below(10) {
                0 => types.other_name(),
                1 | 2 => types.array(),
                _ => types.structure(),
            }
        }
        types
    }

    fn add(&mut self, words: &[u32], size: u64) {
        self.words.extend(words);
        self.sizes.push(size);
    }

    /// One of the last, mostly: so things nest.
    fn any(&mut self) -> u32 {
        let count = self.sizes.len() as u64;
        let from = if self.random.one_in(2) { count.saturating_sub(6).max(1) } else { 1 };
        (from + self.random.below(count - from)) as u32
    }

    /// Of any bits of its bytes.
    fn int(&mut self) {
        let size = 1 << self.random.below(5);
        let start = if self.random.one_in(3) { 0 } else { self.random.below(size * 8) };
        let len = if start == 0 { size * 8 } else { 1 + self.random.below(size * 8 - start) };
        self.of_bits.push(self.sizes.len() as u32);
        self.add(&[0, 1 << 24, size as u32, (start << 16 | len) as u32], size);
    }

    /// A typedef, `volatile` or `const`.
    fn other_name(&mut self) {
        let to = self.any();
        let kind = 8 + self.random.below(3) as u32;
        self.add(&[0, kind << 24, to], self.sizes[to as usize]);
    }

    fn array(&mut self) {
        let (element, len) = (self.any(), self.random.below(5));
        let size = self.sizes[element as usize] * len;
        if size <= LONGEST {
            self.add(&[0, 3 << 24, 0, element, 1, len as u32], size);
        }
    }

    /// Or a union, with members at any bit.
    fn structure(&mut self) {
        let (with_bits, ordered) = (self.random.one_in(2), !self.random.one_in(3));
        let (mut members, mut end, mut free) = (Vec::new(), 0, 0);
        for _ in 0..self.random.below(9) {
            let gap = if self.random.one_in(3) { self.random.below(40) } else { 0 };
            let at = if ordered { free + gap } else { self.random.below(200) };
            let (of, bits, at) = if with_bits && !self.random.one_in(4) {
                let of = self.of_bits[self.random.below(self.of_bits.len() as u64) as usize];
                (of, 1 + self.random.below(self.sizes[of as usize] * 8), at)
            } else {
                (self.any(), 0, if self.random.one_in(3) { at } else { at.next_multiple_of(8) })
            };
            free = at + if bits == 0 { self.sizes[of as usize] * 8 } else { bits };
            if free > LONGEST * 8 {
                break;
            }
            end = end.max(free);
            members.extend([0, of, (bits << 24 | at) as u32]);
        }
        let size = end.div_ceil(8) + self.random.below(3);
        let (kind, count) = (4 + self.random.below(2) as u32, members.len() as u32 / 3);
        let info = u32::from(with_bits) << 31 | kind << 24 | count;
        self.add(&[&[0, info, size as u32], &members[..]].concat(), size);
    }

    /// The BTF, with a section at the end in which a type is at an offset; and the number of that section. None if it is too hostile
    /// to be parsed.
    fn in_section(&self, of: u32, offset: u32) -> Option<(Btf, TypeId)> {
        let variable = self.sizes.len() as u32;
        let end = offset + self.sizes[of as usize] as u32;
        let section = [0, 14 << 24, of, 0, 0, 15 << 24 | 1, end, variable, offset, 0];
        let bytes: Vec<u8> = self.words.iter().chain(&section).flat_map(|word| word.to_ne_bytes()).collect();
        Some((Btf::parse(&assemble(&bytes, b"\0")).ok()?, TypeId(variable + 1)))
    }
}

/// What each scalar and each bitfield of an object claims, by the text at the head of `unit.rs` and nothing else.
fn all_claims(btf: &Btf, of: TypeId, at: u64, claims: &mut Vec<Unit>) {
    let size = btf.size(of).unwrap_or(0);
    let mut claim = |at: u64, width: u64| claims.push(Unit { at, width: width as u32 });
    match btf.kind(of) {
        Kind::Array { element, len } => {
            let step = btf.size(*element).unwrap_or(0);
            let elements = if step == 0 { 0 } else { u64::from(*len) };
            (0..elements).for_each(|index| all_claims(btf, *element, at + index * step, claims));
        }
        Kind::Struct { members, .. } => {
            for part in members.iter().map(|member| btf.part(member)) {
                let start = at + part.offset;
                let Some(bits) = part.bits else {
                    all_claims(btf, part.of, start, claims);
                    continue;
                };
                let bytes = start + bits.start / 8..start + (bits.start + u64::from(bits.len)).div_ceil(8);
                let shortest =
                    [1, 2, 4, 8].map(|width| bytes.start / width * width..bytes.start / width * width + width);
                match shortest.into_iter().find(|interval| bytes.end <= interval.end) {
                    Some(interval) if at <= interval.start && interval.end <= at + size => {
                        claims.push(Unit { at: interval.start, width: (interval.end - interval.start) as u32 });
                    }
                    _ => claims.extend(bytes.map(|at| Unit { at, width: 1 })),
                }
            }
        }
        _ => {
            let width = [8, 4, 2, 1].into_iter().find(|width| at % width == 0 && size % width == 0).unwrap();
            (0..size / width).for_each(|index| claim(at + index * width, width));
        }
    }
}

/// That pieces come in order, and that all bytes of scalars and bitfields from `start` on are in one.
fn check_pieces(units: &Units, claims: &[Unit], start: u64, len: u64) {
    let mut at = start;
    for (unit, piece) in pieces(units, start, len) {
        assert!(at <= piece.start && piece.start < piece.end && piece.end <= start + len, "{piece:?}");
        assert!(unit.holds(piece.start) && unit.holds(piece.end - 1), "{unit:?} {piece:?}");
        // Only padding is passed over, or the start of a unit before the bits in it.
        let passed = |claim: &&Unit| at <= claim.at && claim.at < piece.start && claim.end() <= piece.start;
        assert_eq!(claims.iter().find(passed), None, "before {piece:?}");
        at = piece.end;
    }
    let passed = claims.iter().find(|claim| at <= claim.at && claim.end() <= start + len);
    assert_eq!(passed, None, "behind {at}");
}

#[test]
fn they_are_what_the_definition_says() {
    let (mut objects, mut in_order) = (0, 0);
    for seed in 1..=300 {
        let mut types = Types::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        for id in 1..types.sizes.len() as u32 {
            let offset = types.random.below(24) as u32;
            let Some((btf, section)) = types.in_section(id, offset) else { continue };
            let Kind::Struct { search, .. } = btf.get(TypeId(id)).kind else { continue };
            let size = u64::from(offset) + types.sizes[id as usize];
            let (unordered, _) = types.in_section(id, offset).unwrap();
            let mut claims = Vec::new();
            all_claims(&btf, TypeId(id), offset.into(), &mut claims);
            let units = Units::new(btf, section, size).unwrap();
            for byte in 0..size {
                let widest = claims.iter().filter(|claim| claim.holds(byte)).max_by_key(|claim| claim.width);
                assert_eq!(units.at(byte), widest.copied(), "byte {byte} of type {id} at {offset}, seed {seed}");
            }
            check_partition(&units, size);
            check_same(&units, &Units::new(without_order(unordered), section, size).unwrap(), size);
            for _ in 0..4 {
                let start = types.random.below(size + 1);
                check_pieces(&units, &claims, start, types.random.below(size - start + 1));
            }
            objects += 1;
            in_order += u32::from(search.in_order);
        }
    }
    assert!(objects > 500 && in_order > 150 && objects - in_order > 150, "{objects}, {in_order}");
}
