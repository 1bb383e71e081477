//! Which bytes one atomic access moves: the partition of a value's bytes that its type alone decides.
//!
//! Rust's memory model wants one access width a byte. In C a byte may be part of several things: of members of a union, of a
//! bitfield and of its neighbour. So each scalar and each bitfield is a claim to an aligned interval of 1, 2, 4 or 8 bytes
//! ([`Btf::claim`]), and **the unit of a byte is the widest interval that claims it**. Such intervals, each aligned to its own
//! length, either nest or are disjoint; so the units are a partition. A narrower member is read and written as a part of its
//! unit: by a compare-and-swap that leaves the rest alone.
//!
//! Claims stay inside the struct or scalar that makes them. So the units of a variable do not depend on its neighbours.

use super::{Bits, Btf, Kind, Part, Placed, TypeId};

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
                let mut free = 0;
                variables.iter().all(|placed| {
                    let starts_behind = u64::from(placed.offset) >= free;
                    free = u64::from(placed.offset) + btf.size(placed.variable).unwrap_or(0);
                    starts_behind && free <= size
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
        let (of, at) = match self.btf.kind(self.root) {
            Kind::Section { variables, .. } => {
                let behind = variables.partition_point(|placed| u64::from(placed.offset) <= byte);
                let Placed { variable, offset } = *variables.get(behind.checked_sub(1)?)?;
                (variable, u64::from(offset))
            }
            _ => (self.root, 0),
        };
        let mut widest = None;
        self.btf.claims(of, at, byte, &mut widest);
        widest
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
            Kind::Struct { members, .. } => {
                for member in members {
                    match self.part(member) {
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
fn bitfield(inside: std::ops::Range<u64>, at: u64, bits: Bits, byte: u64) -> Unit {
    let first = at + bits.start / 8;
    let last = at + (bits.start + u64::from(bits.len.max(1)) - 1) / 8;
    let shortest = [1, 2, 4, 8].into_iter().find(|width| first / width == last / width);
    match shortest.map(|width| Unit { at: first / width * width, width: width as u32 }) {
        Some(unit) if inside.start <= unit.at && unit.end() <= inside.end => unit,
        // One that does not hold `byte` is no claim to it.
        _ => Unit { at: byte.clamp(first, last), width: 1 },
    }
}

/// The pieces of `len` bytes from `start` on: each is the bytes that it has in common with a unit.
pub(crate) fn pieces(units: &Units, start: u64, len: u64) -> impl Iterator<Item = (Unit, std::ops::Range<u64>)> + '_ {
    let end = start + len;
    let mut at = start;
    std::iter::from_fn(move || {
        while at < end {
            let Some(unit) = units.at(at) else {
                at += 1;
                continue;
            };
            let piece = at..unit.end().min(end);
            at = piece.end;
            return Some((unit, piece));
        }
        None
    })
}
