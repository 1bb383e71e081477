//! Which bytes one atomic access moves: the partition of a value's bytes that its type alone decides.
//!
//! Rust's memory model wants one access width a byte. In C a byte may be part of several things: of members of a union, of a
//! bitfield and of its neighbour. So each scalar and each bitfield is a claim to an aligned interval of 1, 2, 4 or 8 bytes
//! ([`Btf::claims`]), and **the unit of a byte is the widest interval that claims it**. Such intervals, each aligned to its own
//! length, either nest or are disjoint; so the units are a partition of all bytes but padding, of which only single bytes are
//! accessed. A narrower member is read and written as a part of its unit: by a compare-and-swap that leaves the rest alone.
//!
//! Soundness rests on this file: `mapped::Typed` accesses memory by these units and relies on their being a partition, whatever the
//! BTF says.
//!
//! Claims stay inside the struct or scalar that makes them. So the units of a variable do not depend on its neighbours. Where the
//! members of a struct do not overlap, only those near a byte are asked: a struct may have thousands.

use std::ops::Range;

use super::{Bits, Btf, Kind, Member, Part, Placed, Search, TypeId};

/// Bytes that are accessed together: `width` is 1, 2, 4 or 8, and `at` a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The first byte, counted from an address that is a multiple of 8.
    pub(crate) at: u64,
    pub(crate) width: u32,
}

impl Unit {
    pub(crate) fn end(self) -> u64 {
        self.at + u64::from(self.width)
    }

    fn holds(self, byte: u64) -> bool {
        self.at <= byte && byte < self.end()
    }
}

/// The units of values of one type: of a variable's section, or of a map's value.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    btf: Btf,
    root: TypeId,
}

impl Units {
    /// None if the root is a section whose variables overlap, are out of order or end behind `size` bytes, or another type that
    /// is longer than that.
    pub(crate) fn new(btf: Btf, root: TypeId, size: u64) -> Option<Units> {
        let fits = match btf.kind(root) {
            Kind::Section { variables, .. } => {
                let mut free = 0_u64;
                variables.iter().all(|placed| {
                    let start = u64::from(placed.offset);
                    let starts_behind = start >= free;
                    let end = start.checked_add(btf.size(placed.variable).unwrap_or(0));
                    free = end.unwrap_or(u64::MAX);
                    starts_behind && end.is_some_and(|end| end <= size)
                })
            }
            _ => btf.size(root).is_some_and(|of_type| of_type <= size),
        };
        fits.then_some(Units { btf, root })
    }

    pub(crate) fn btf(&self) -> &Btf {
        &self.btf
    }

    pub(crate) fn root(&self) -> TypeId {
        self.root
    }

    /// The unit that holds a byte of the value; None for padding.
    pub(crate) fn at(&self, byte: u64) -> Option<Unit> {
        let (of, at) = self.object_at(byte)?;
        let mut widest = None;
        self.btf.claims(of, at, byte, &mut widest);
        widest
    }

    /// Whether the value is accessed so: by a unit, or by a single byte of padding.
    pub(crate) fn admits(&self, leaf: Unit) -> bool {
        self.at(leaf.at).map_or(leaf.width == 1, |unit| unit == leaf)
    }

    /// The first byte from `byte` on at which something may start: where padding ends at the soonest.
    fn next(&self, byte: u64) -> u64 {
        let Some((of, at)) = self.object_at(byte) else { return byte };
        let inside = self.btf.next_start(of, at, byte);
        inside.unwrap_or_else(|| byte.max(at + self.btf.size(of).unwrap_or(0)))
    }

    /// How many types are asked at most, to find the unit of a byte of the variable that holds this one.
    pub(crate) fn asked(&self, byte: u64) -> u64 {
        let Some((of, _)) = self.object_at(byte) else { return 1 };
        let mut of = of;
        loop {
            match *self.btf.kind(of) {
                Kind::Variable { of: next, .. } | Kind::Array { element: next, .. } => of = next,
                Kind::Struct { search, .. } => return search.asked,
                _ => return 1,
            }
        }
    }

    /// The variable that starts last before or at a byte, and where; or the value itself.
    fn object_at(&self, byte: u64) -> Option<(TypeId, u64)> {
        match self.btf.kind(self.root) {
            Kind::Section { variables, .. } => {
                let behind = variables.partition_point(|placed| u64::from(placed.offset) <= byte);
                let Placed { variable, offset } = *variables.get(behind.checked_sub(1)?)?;
                Some((variable, offset.into()))
            }
            _ => Some((self.root, 0)),
        }
    }
}

impl Btf {
    /// Leaves in `widest` the widest claim to `byte` of an object of type `of` at `at`.
    fn claims(&self, of: TypeId, at: u64, byte: u64, widest: &mut Option<Unit>) {
        let size = self.size(of).unwrap_or(0);
        if byte < at || byte - at >= size {
            return;
        }
        match self.kind(of) {
            Kind::Variable { of, .. } => self.claims(*of, at, byte, widest),
            Kind::Array { element, .. } => {
                // Not 0, for the array's size is not.
                let step = self.size(*element).unwrap_or(1);
                self.claims(*element, at + (byte - at) / step * step, byte, widest);
            }
            Kind::Struct { members, search, .. } => {
                // A claim to the byte lies in the same eight as the byte does, and so do bytes of whoever makes it.
                let eight = byte / 8 * 8;
                for part in self.between(members, *search, eight.saturating_sub(at)..eight + 8 - at) {
                    match part {
                        Part { of, offset, bits: None } => self.claims(of, at + offset, byte, widest),
                        Part { offset, bits: Some(bits), .. } => {
                            let claim = bitfield(at..at + size, at + offset, bits, byte);
                            keep_widest(claim, byte, widest);
                        }
                    }
                }
            }
            _ => keep_widest(scalar(at, size, byte), byte, widest),
        }
    }
}

impl Btf {
    /// The first byte from `byte` on at which a part of an object of type `of` at `at` starts, if one does.
    fn next_start(&self, of: TypeId, at: u64, byte: u64) -> Option<u64> {
        let size = self.size(of).unwrap_or(0);
        if size == 0 || byte >= at + size {
            return None;
        }
        match self.kind(of) {
            Kind::Variable { of, .. } => self.next_start(*of, at, byte),
            Kind::Array { element, len } => {
                let step = self.size(*element).unwrap_or(1);
                let index = byte.saturating_sub(at) / step;
                let elements = (index..u64::from(*len)).take(2);
                elements.map(|index| at + index * step).find_map(|at| self.next_start(*element, at, byte))
            }
            Kind::Struct { members, search, .. } => {
                let behind = self.between(members, *search, byte.saturating_sub(at)..u64::MAX);
                let mut starts = behind.filter_map(|part| match part {
                    Part { of, offset, bits: None } => self.next_start(of, at + offset, byte),
                    Part { offset, .. } => (at + offset >= byte).then_some(at + offset),
                });
                if search.in_order { starts.next() } else { starts.min() }
            }
            _ => (at >= byte).then_some(at),
        }
    }
}

impl Btf {
    /// The members; of those in order only the ones that end behind the start of `bytes` and start before their end.
    fn between<'m>(
        &'m self,
        members: &'m [Member],
        Search { in_order, .. }: Search,
        bytes: Range<u64>,
    ) -> impl Iterator<Item = Part> + 'm {
        let end = |member: &Member| self.bit_range(member).end.div_ceil(8);
        let first = if in_order { members.partition_point(|member| end(member) <= bytes.start) } else { 0 };
        let parts = members[first..].iter().map(|member| self.part(member));
        parts.take_while(move |part| !in_order || part.offset < bytes.end)
    }

    /// How the members of each type are found.
    pub(super) fn searches(&self) -> Vec<Search> {
        let mut known = vec![None; self.types.len()];
        for id in 0..self.types.len() {
            self.find_search(TypeId(id as u32), &mut known);
        }
        known.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// Finds it for the type and what is in it. Gives how many types are asked for a byte of it at most.
    fn find_search(&self, id: TypeId, known: &mut [Option<Search>]) -> u64 {
        let (id, ty) = self.resolve(id);
        match &ty.kind {
            Kind::Array { element: of, .. } | Kind::Variable { of, .. } => self.find_search(*of, known),
            Kind::Struct { members, .. } => {
                if let Some(search) = known[id.0 as usize] {
                    return search.asked;
                }
                let in_order = self.is_in_order(members);
                let inside = members.iter().map(|member| self.find_search(member.of, known));
                let asked = match in_order {
                    true => self.most_in_eight(members) + inside.max().unwrap_or(0),
                    false => inside.fold(1, |sum: u64, asked| sum.saturating_add(asked).saturating_add(1)),
                };
                known[id.0 as usize] = Some(Search { in_order, asked });
                asked
            }
            _ => 1,
        }
    }

    /// Of members in order, how many are asked at most: those that eight bytes, wherever they start, have a byte of.
    fn most_in_eight(&self, members: &[Member]) -> u64 {
        let mut behind = members.iter().map(|member| self.bit_range(member).start / 8).enumerate().peekable();
        let each = members.iter().enumerate().map(|(index, member)| {
            let last = self.bit_range(member).end.div_ceil(8) + 7;
            while behind.next_if(|(_, start)| *start < last).is_some() {}
            (behind.peek().map_or(members.len(), |(next, _)| *next) - index) as u64
        });
        each.max().unwrap_or(0)
    }

    /// Whether each member lies behind the one before it.
    fn is_in_order(&self, members: &[Member]) -> bool {
        let mut free = 0;
        members.iter().map(|member| self.bit_range(member)).all(|bits| {
            let is_behind = free <= bits.start;
            free = bits.end;
            is_behind
        })
    }

    fn bit_range(&self, member: &Member) -> Range<u64> {
        let part = self.part(member);
        let (start, len) = match part.bits {
            Some(bits) => (bits.start, bits.len.into()),
            None => (0, self.size(part.of).unwrap_or(0) * 8),
        };
        let start = part.offset * 8 + start;
        start..start + len
    }
}

fn keep_widest(claim: Unit, byte: u64, widest: &mut Option<Unit>) {
    if claim.holds(byte) && widest.is_none_or(|found| found.width < claim.width) {
        *widest = Some(claim);
    }
}

/// A scalar claims itself. If it is misaligned, as in a packed struct, or too wide, pieces of it, as compilers access it.
fn scalar(at: u64, size: u64, byte: u64) -> Unit {
    let width = 1_u64 << (at | size | 8).trailing_zeros();
    Unit { at: at + (byte - at) / width * width, width: width as u32 }
}

/// A bitfield claims the shortest aligned interval with all of its bits that lies inside its struct. If there is none, as may be
/// in a packed struct, each byte for itself.
fn bitfield(inside: Range<u64>, at: u64, bits: Bits, byte: u64) -> Unit {
    let first = at + bits.start / 8;
    let last = at + (bits.start + u64::from(bits.len.max(1)) - 1) / 8;
    let shortest = [1, 2, 4, 8].into_iter().find(|width| first / width == last / width);
    match shortest.map(|width| Unit { at: first / width * width, width: width as u32 }) {
        Some(unit) if inside.start <= unit.at && unit.end() <= inside.end => unit,
        // One that does not hold `byte` is no claim to it.
        _ => Unit { at: byte.clamp(first, last), width: 1 },
    }
}

/// The byte with the bits of `new` that `mask` selects, and its own elsewhere.
pub(crate) fn put_masked(byte: u8, new: u8, mask: u8) -> u8 {
    byte & !mask | new & mask
}

/// The pieces of `len` bytes from `start` on: each is the bytes that it has in common with a unit.
pub(crate) fn pieces(units: &Units, start: u64, len: u64) -> impl Iterator<Item = (Unit, Range<u64>)> + '_ {
    let end = start + len;
    let mut at = start;
    std::iter::from_fn(move || {
        while at < end {
            let Some(unit) = units.at(at) else {
                // Padding: on to what comes next, be it in the next variable.
                at = units.next(at + 1);
                continue;
            };
            let piece = at..unit.end().min(end);
            at = piece.end;
            return Some((unit, piece));
        }
        None
    })
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::emit::assemble;
    use super::*;

    /// That the units of a value are a partition: each byte's unit is that of all of its bytes, aligned and inside.
    pub(super) fn check_partition(units: &Units, size: u64) {
        for byte in 0..size {
            let Some(unit) = units.at(byte) else { continue };
            assert!(unit.holds(byte) && unit.at % u64::from(unit.width) == 0, "{unit:?} of byte {byte}");
            assert!(unit.end() <= size, "{unit:?} of {size} bytes");
            for other in unit.at..unit.end() {
                assert_eq!(units.at(other), Some(unit), "bytes {byte} and {other}");
            }
        }
    }

    /// The same BTF without what is known of the order of members: every one is asked.
    pub(super) fn without_order(mut btf: Btf) -> Btf {
        for ty in Arc::get_mut(&mut btf.types).expect("it was just parsed") {
            if let Kind::Struct { search, .. } = &mut ty.kind {
                search.in_order = false;
            }
        }
        btf
    }

    pub(super) fn check_same(units: &Units, others: &Units, size: u64) {
        for byte in 0..size {
            assert_eq!(units.at(byte), others.at(byte), "byte {byte}");
            assert_eq!(units.next(byte), others.next(byte), "behind byte {byte}");
        }
    }

    /// BTF of records of words; names are in "\0a\0b\0c\0int\0".
    fn btf(records: &[&[u32]]) -> Btf {
        let types: Vec<u8> = records.iter().copied().flatten().flat_map(|word| word.to_ne_bytes()).collect();
        let parsed = || Btf::parse(&assemble(&types, b"\0a\0b\0c\0int\0")).unwrap();
        let (btf, unordered) = (parsed(), without_order(parsed()));
        for id in (1..).map_while(|id| btf.id(id)) {
            if let Kind::Struct { size, .. } = *btf.kind(id) {
                let [ours, others] = [&btf, &unordered].map(|btf| Units::new(btf.clone(), id, size.into()).unwrap());
                check_same(&ours, &others, size.into());
            }
        }
        btf
    }

    fn int(size: u32) -> [u32; 4] {
        [7, 1 << 24, size, size * 8]
    }

    fn units(btf: &Btf, root: u32, size: u64) -> Vec<(u64, u32)> {
        let units = Units::new(btf.clone(), TypeId(root), size).unwrap();
        check_partition(&units, size);
        let mut found: Vec<_> = (0..size).filter_map(|byte| units.at(byte)).map(|unit| (unit.at, unit.width)).collect();
        found.dedup();
        found
    }

    #[test]
    fn scalars_are_their_own_units_and_padding_has_none() {
        // struct { u8 a; u32 b; u64 c; }
        let btf = btf(&[&int(1), &int(4), &int(8), &[0, 4 << 24 | 3, 16, 1, 1, 0, 3, 2, 32, 5, 3, 64]]);
        assert_eq!(units(&btf, 4, 16), [(0, 1), (4, 4), (8, 8)]);
        assert_eq!(Units::new(btf, TypeId(4), 16).unwrap().at(2), None);
    }

    #[test]
    fn the_widest_member_of_a_union_counts() {
        // union { u64 a; struct { u32, u32 } b; u8 c[8]; }
        let btf = btf(&[
            &int(1),
            &int(4),
            &int(8),
            &[0, 4 << 24 | 2, 8, 1, 2, 0, 3, 2, 32],
            &[0, 3 << 24, 0, 1, 2, 8],
            &[0, 5 << 24 | 3, 8, 1, 3, 0, 3, 4, 0, 5, 5, 0],
        ]);
        assert_eq!(units(&btf, 6, 8), [(0, 8)]);
        assert_eq!(units(&btf, 4, 8), [(0, 4), (4, 4)]);
        assert_eq!(units(&btf, 5, 8).len(), 8);
    }

    #[test]
    fn bitfields_claim_the_shortest_interval_and_their_neighbours_share_it() {
        // struct { u32 a : 24; u8 b; u32 c : 3; }, b in the last byte of a's interval.
        let btf =
            btf(&[&int(1), &int(4), &[0, 1 << 31 | 4 << 24 | 3, 8, 1, 2, 24 << 24, 3, 1, 24, 5, 2, 3 << 24 | 32]]);
        assert_eq!(units(&btf, 3, 8), [(0, 4), (4, 1)]);
    }

    #[test]
    fn a_bitfield_claims_nothing_outside_of_its_struct() {
        // struct { u32 a : 24; } packed, 3 bytes long: each byte for itself.
        let btf = btf(&[&int(4), &[0, 1 << 31 | 4 << 24 | 1, 3, 1, 1, 24 << 24]]);
        assert_eq!(units(&btf, 2, 3), [(0, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn a_misaligned_scalar_is_accessed_in_pieces() {
        // struct { u8 a; u64 b; u32 c; } packed.
        let btf = btf(&[&int(1), &int(4), &int(8), &[0, 4 << 24 | 3, 13, 1, 1, 0, 3, 3, 8, 5, 2, 72]]);
        assert_eq!(units(&btf, 4, 13), (0..13).map(|at| (at, 1)).collect::<Vec<_>>());
        // struct { u32 a; u64 b; } packed to 4.
        let btf = self::btf(&[&int(4), &int(8), &[0, 4 << 24 | 2, 12, 1, 1, 0, 3, 2, 32]]);
        assert_eq!(units(&btf, 3, 12), [(0, 4), (4, 4), (8, 4)]);
    }

    #[test]
    fn members_that_overlap_without_being_a_union_share_their_units_too() {
        // struct { u64 a; u16 b; u32 c; } with b and c inside a.
        let btf = btf(&[&int(2), &int(4), &int(8), &[0, 4 << 24 | 3, 8, 1, 3, 0, 3, 1, 16, 5, 2, 32]]);
        assert_eq!(units(&btf, 4, 8), [(0, 8)]);
    }

    #[test]
    fn a_section_whose_variables_overlap_or_stick_out_has_no_units() {
        // Two variables of 8 bytes at 0 and at the offset given, in a section of 16.
        let section = |second: u32| {
            btf(&[&int(8), &[1, 14 << 24, 1, 1], &[3, 14 << 24, 1, 1], &[5, 15 << 24 | 2, 16, 2, 0, 8, 3, second, 8]])
        };
        assert!(Units::new(section(8), TypeId(4), 16).is_some());
        for wrong in [0, 4, 7, 9] {
            assert!(Units::new(section(wrong), TypeId(4), 16).is_none(), "{wrong}");
        }
        assert!(Units::new(section(8), TypeId(4), 15).is_none());
    }

    /// Every struct and union of the kernel: thousands, with every trick that C knows.
    #[test]
    fn the_units_of_the_kernels_types_are_partitions() {
        let Ok(bytes) = std::fs::read("/sys/kernel/btf/vmlinux") else {
            println!("no /sys/kernel/btf/vmlinux here: not checked");
            return;
        };
        let btf = Btf::parse(&bytes).unwrap();
        let unordered = without_order(Btf::parse(&bytes).unwrap());
        let (mut checked, mut in_order) = (0, 0);
        for id in (1..).map_while(|id| btf.id(id)) {
            let Kind::Struct { size, search, .. } = btf.get(id).kind else { continue };
            // The large ones take long in a debug build and hold the small ones.
            if (1..=256).contains(&size) {
                let units = Units::new(btf.clone(), id, size.into()).unwrap();
                check_partition(&units, size.into());
                let linear = Units::new(unordered.clone(), id, size.into()).unwrap();
                check_same(&units, &linear, size.into());
                checked += 1;
                in_order += u32::from(search.in_order);
            }
        }
        assert!(checked > 1000 && in_order > 1000, "{checked}, {in_order}");
    }
}
