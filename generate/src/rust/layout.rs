//! Where the parts of a struct lie, and which of them Rust can have as they are.

use std::ops::Range;

use bpfvar::btf::{Kind, Member, Type};

use super::limits::alignment;
use super::types::{Types, UNION, Value, Why};

/// A struct of C, as far as Rust can have it.
pub(crate) struct Layout<'b> {
    /// In the order of their offsets. They do not overlap.
    pub(crate) slots: Vec<Slot<'b>>,
    /// Members without bytes, which Rust needs not: flexible arrays, empty structs.
    pub(crate) without_bytes: Vec<Member<'b>>,
    /// What the struct can be aligned to at most.
    pub(crate) max_align: u64,
}

/// A part of a struct that becomes one field.
pub(crate) struct Slot<'b> {
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) what: What<'b>,
}

pub(crate) enum What<'b> {
    /// A member as it is.
    Field(Member<'b>, Value),
    /// Members that Rust cannot have, as words of this width.
    Words { members: Vec<Member<'b>>, width: u64, why: Why },
    /// Bitfields in a word or in bytes, each with its first bit from the start of the struct.
    Bits { bitfields: Vec<Bitfield<'b>>, width: u64 },
}

#[derive(Clone, Copy)]
pub(crate) struct Bitfield<'b> {
    pub(crate) member: Member<'b>,
    /// Its first bit, counted from the start of the struct.
    pub(crate) first: u64,
    pub(crate) len: u32,
}

impl Bitfield<'_> {
    /// The bytes that hold it.
    pub(crate) fn bytes(&self) -> Range<u64> {
        self.first / 8..(self.first + u64::from(self.len)).div_ceil(8)
    }
}

/// The members of a struct with those of anonymous structs in it, all counted from its start.
#[derive(Default)]
struct Flat<'b> {
    members: Vec<Member<'b>>,
    bitfields: Vec<(Bitfield<'b>, Range<u64>)>,
}

impl<'b> Flat<'b> {
    fn add(&mut self, ty: Type<'b>, base: u64) {
        let inside = base..base + ty.size().unwrap_or(0);
        for mut member in ty.members() {
            member.offset += base;
            let is_anonymous = member.name.is_empty() && member.ty.resolve().kind() == Kind::Struct;
            match member.bits {
                Some(bits) => {
                    let first = member.offset * 8 + bits.start;
                    self.bitfields.push((Bitfield { member, first, len: bits.len }, inside.clone()));
                }
                None if is_anonymous => self.add(member.ty, member.offset),
                None => self.members.push(member),
            }
        }
    }
}

impl<'b> Layout<'b> {
    /// `context` is the name of the struct, after which types without a name are called.
    pub(crate) fn new(types: &mut Types<'b>, ty: Type<'b>, context: &str, max_align: u64) -> Layout<'b> {
        let mut flat = Flat::default();
        flat.add(ty, 0);
        let (with_bytes, without_bytes) =
            flat.members.into_iter().partition::<Vec<_>, _>(|member| member.ty.size().unwrap_or(0) > 0);
        let mut slots: Vec<Slot<'b>> = with_bytes
            .into_iter()
            .map(|member| {
                let context = format!("{context}_{}", member.name);
                slot(types, member, &context, max_align)
            })
            .collect();
        slots = apart(slots);
        let storage = storage(flat.bitfields, &slots, max_align);
        slots.extend(storage);
        Layout { slots: apart(slots), without_bytes, max_align }
    }
}

fn slot<'b>(types: &mut Types<'b>, member: Member<'b>, context: &str, max_align: u64) -> Slot<'b> {
    let (offset, size) = (member.offset, member.ty.size().unwrap_or(0));
    let limit = max_align.min(alignment(offset));
    let what = match types.value(member.ty, context, limit) {
        // Only forged BTF has a member without a name that is no struct or union.
        Ok(value) if !member.name.is_empty() => What::Field(member, value),
        Ok(_) => What::Words { members: vec![member], width: 1, why: "without a name" },
        Err(why) => {
            let width = if why == UNION { widest(member.ty) } else { 1 };
            let width = width.min(limit).min(alignment(size));
            What::Words { members: vec![member], width, why }
        }
    };
    Slot { offset, size, what }
}

/// The size of the widest scalar in a type, which is how wide it is accessed.
fn widest(ty: Type<'_>) -> u64 {
    let ty = ty.resolve();
    match ty.kind() {
        Kind::Struct | Kind::Union => ty.members().map(|member| widest(member.ty)).max().unwrap_or(1),
        Kind::Array { element, .. } => widest(element),
        Kind::Seq(_) | Kind::Switch(_) => 8,
        Kind::PerCpu(value) => widest(value),
        _ => ty.size().unwrap_or(1).clamp(1, 8).next_power_of_two(),
    }
}

/// What holds the bitfields: of each the shortest aligned word that holds all of its bits and lies inside its struct, which
/// is how the library accesses it. Where there is none, or something else is in that word, bytes.
fn storage<'b>(bitfields: Vec<(Bitfield<'b>, Range<u64>)>, slots: &[Slot<'b>], max_align: u64) -> Vec<Slot<'b>> {
    let is_free = |bytes: &Range<u64>| {
        let before = slots.partition_point(|slot| slot.offset + slot.size <= bytes.start);
        slots.get(before).is_none_or(|slot| bytes.end <= slot.offset)
    };
    let word = |bitfield: &Bitfield<'b>, inside: &Range<u64>| {
        let Range { start, end } = bitfield.bytes();
        let width = [1, 2, 4, 8].into_iter().find(|width| start / width == (end - 1) / width)?;
        let word = start / width * width..(start / width + 1) * width;
        let fits = inside.start <= word.start && word.end <= inside.end && width <= max_align;
        (fits && is_free(&word)).then_some(word)
    };
    let mut held: Vec<(Range<u64>, u64, Bitfield<'b>)> = bitfields
        .into_iter()
        .filter(|(bitfield, _)| bitfield.len > 0)
        .map(|(bitfield, inside)| match word(&bitfield, &inside) {
            Some(word) => (word.clone(), word.end - word.start, bitfield),
            None => (bitfield.bytes(), 1, bitfield),
        })
        .collect();
    held.sort_by_key(|(bytes, _, bitfield)| (bytes.start, bitfield.first));
    let mut storage: Vec<Slot<'b>> = Vec::new();
    for (bytes, width, bitfield) in held {
        match storage.last_mut() {
            Some(Slot { offset, size, what: What::Bits { bitfields, width: known } })
                if bytes.start < *offset + *size =>
            {
                if bytes.end > *offset + *size {
                    // Aligned words lie in one another or apart; what else overlaps is bytes.
                    *known = if bytes.start == *offset { width } else { 1 };
                    *size = bytes.end - *offset;
                }
                bitfields.push(bitfield);
            }
            _ => storage.push(Slot {
                offset: bytes.start,
                size: bytes.end - bytes.start,
                what: What::Bits { bitfields: vec![bitfield], width },
            }),
        }
    }
    storage
}

/// Sorted, with what overlaps made into one. C has that in unions only, which are one member here; forged BTF has it anywhere.
fn apart(mut slots: Vec<Slot<'_>>) -> Vec<Slot<'_>> {
    slots.sort_by_key(|slot| slot.offset);
    let mut apart: Vec<Slot<'_>> = Vec::with_capacity(slots.len());
    for slot in slots {
        match apart.last_mut() {
            Some(last) if slot.offset < last.offset + last.size => last.absorb(slot),
            _ => apart.push(slot),
        }
    }
    apart
}

impl<'b> Slot<'b> {
    /// Takes in what overlaps it.
    fn absorb(&mut self, other: Slot<'b>) {
        self.size = (self.offset + self.size).max(other.offset + other.size) - self.offset;
        let why = "in the bytes of others";
        let mut members =
            std::mem::replace(&mut self.what, What::Words { members: Vec::new(), width: 1, why }).members();
        members.extend(other.what.members());
        self.what = What::Words { members, width: 1, why };
    }
}

impl<'b> What<'b> {
    fn members(self) -> Vec<Member<'b>> {
        match self {
            What::Field(member, _) => vec![member],
            What::Words { members, .. } => members,
            What::Bits { bitfields, .. } => bitfields.iter().map(|bitfield| bitfield.member).collect(),
        }
    }
}
