//! A region seen as values of a type that only BTF knows.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::mapping;
use super::values::map_one;
use crate::error::Result;
use crate::kernel::Map;
use crate::memory::{Access, ReadWrite, Region, with_word};
use crate::types::{Unit, Units, pieces, put_masked};
use crate::view::{Field, Layout, MapValue, Shared};

/// A region that is only ever seen as `entries` values, a stride apart, by the units of their type: what makes views of it
/// sound. See [`Units`].
pub(crate) struct Typed<A: Access> {
    region: Arc<Region>,
    units: Units,
    stride: u64,
    entries: u32,
    access: PhantomData<fn() -> A>,
}

/// Bits to be put into a unit of an entry; those that `mask` leaves out stay as they are. Bytes are in the order of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) entry: u32,
    pub(crate) unit: Unit,
    pub(crate) mask: [u8; 8],
    pub(crate) bits: [u8; 8],
}

/// The pieces of some bytes of an entry, in order.
pub(crate) struct Plan {
    pieces: Vec<(Unit, Range<u64>)>,
    start: u64,
    len: usize,
}

impl Put {
    /// The unit with these bits put over what was seen in it.
    pub(crate) fn over(&self, seen: [u8; 8]) -> [u8; 8] {
        std::array::from_fn(|index| put_masked(seen[index], self.bits[index], self.mask[index]))
    }
}

impl<A: Access> Typed<A> {
    /// Maps all of `map`: one mmap. `units` were made for values of the map's size.
    pub(crate) fn map(map: &Map, units: Units) -> Result<Self> {
        let region = Arc::new(mapping::map_all::<A>(map)?);
        let info = map.info();
        let (stride, entries) = (info.stride(), info.max_entries);
        assert!(region.len() as u64 >= stride * u64::from(entries), "the region holds all entries");
        assert!(region.base().addr().get() % 8 == 0 && (region.is_writable() || !A::WRITABLE), "it is a mapping for A");
        // Nothing else sees this mapping, so all accesses of the process through it are those of this file and of the handles
        // that `share` gives.
        Ok(Typed { region, units, stride, entries, access: PhantomData })
    }

    /// Copies bytes of an entry out, each unit by one relaxed load; padding is left as it is in `bytes`.
    pub(crate) fn read(&self, entry: u32, range: Range<u64>, bytes: &mut [u8]) {
        for (unit, piece) in pieces(&self.units, range.start, range.end - range.start) {
            let word = self.load(entry, unit);
            let (from, to) = (span(&piece, unit.at), span(&piece, range.start));
            bytes[to].copy_from_slice(&word[from]);
        }
    }

    /// What `read_planned` needs to know of the bytes of an entry.
    pub(crate) fn plan(&self, range: Range<u64>) -> Plan {
        let len = range.end - range.start;
        Plan { pieces: pieces(&self.units, range.start, len).collect(), start: range.start, len: len as usize }
    }

    /// Copies the bytes as `read` does, without asking what the units are.
    pub(crate) fn read_planned(&self, entry: u32, plan: &Plan) -> Vec<u8> {
        let mut bytes = vec![0; plan.len];
        for (unit, piece) in &plan.pieces {
            let word = self.load(entry, *unit);
            bytes[span(piece, plan.start)].copy_from_slice(&word[span(piece, unit.at)]);
        }
        bytes
    }

    fn load(&self, entry: u32, unit: Unit) -> [u8; 8] {
        let mut word = [0; 8];
        with_word!(unit.width, Word => {
            // SAFETY: Word is as wide as the unit.
            let bits = unsafe { self.word::<Word>(entry, unit) }.load(Relaxed).to_ne_bytes();
            word[..bits.len()].copy_from_slice(&bits);
        });
        word
    }

    /// A handle to a `T` at byte `at` of an entry. It shares this mapping if `T` is accessed there in the units that there are;
    /// else, for a union's narrow member or for words of bytes, it has a mapping of its own, in which `T` alone counts.
    ///
    /// # Panics
    ///
    /// If that is not inside an entry, or not aligned for `T`; or if `B` may write and `A` may not.
    pub(crate) fn share<T: MapValue, B: Access>(&self, map: &Map, entry: u32, at: u64) -> Result<Shared<T, B>> {
        assert!(A::WRITABLE || !B::WRITABLE, "what is written is writable");
        let size = size_of::<T>() as u64;
        let inside = at.checked_add(size).is_some_and(|end| end <= self.stride) && entry < self.entries;
        assert!(inside, "the part lies inside an entry");
        let layout = Layout::of::<T>();
        let mut in_units = layout.end().is_some();
        layout.each_leaf(at as usize, &mut |at, width| {
            in_units &= self.units.admits(Unit { at: at as u64, width: width as u32 });
        });
        if !in_units {
            return map_one(map, entry, at);
        }
        let address = self.address(entry, at).cast::<T>();
        assert!(address.is_aligned(), "the part is aligned for its type");
        // SAFETY: aligned (asserted), and inside the entry (asserted), which lies inside the region. The region is as accessible
        // as A says while it lives, and B asks for no more (asserted). All of T's layout is known (`end`) and true of T (`of`): T is accessed by its leaves, and
        // each is a unit, or a byte of padding. All other accesses through this mapping are by the same units, and to padding by
        // bytes.
        let field = unsafe { Field::new(address) };
        // SAFETY: the field lies in the region, and all of that holds while the region lives.
        Ok(unsafe { Shared::new(field, Arc::clone(&self.region)) })
    }

    /// # Safety
    ///
    /// `W` is an unsigned integer as wide as the unit.
    unsafe fn word<W>(&self, entry: u32, unit: Unit) -> Field<'_, W, A> {
        assert!(entry < self.entries && unit.end() <= self.stride && self.units.at(unit.at) == Some(unit));
        // SAFETY: a unit is aligned to its width, from a base and by a stride that are multiples of 8; it is inside the region
        // (asserted), which stays accessible while `self` is borrowed; and its bytes are accessed by this unit only.
        unsafe { Field::new(self.address(entry, unit.at).cast()) }
    }

    /// The address of a byte that is inside an entry, or of the end of one.
    fn address(&self, entry: u32, at: u64) -> NonNull<u8> {
        let offset = self.stride * u64::from(entry) + at;
        assert!(offset <= self.region.len() as u64);
        // SAFETY: inside the region or at its end (asserted), so inside one mapping.
        unsafe { self.region.base().add(offset as usize) }
    }
}

impl Typed<ReadWrite> {
    /// Puts bits in: a whole unit by one swap, a part of one by a compare-and-swap that leaves the rest as it is. Returns what
    /// was there before, all of the unit.
    pub(crate) fn put(&self, put: &Put) -> [u8; 8] {
        if put.mask[..put.unit.width as usize].iter().any(|mask| *mask != 0xff) {
            let over = |seen| Some(put.over(seen));
            return self.update(put.entry, put.unit, over).unwrap_or_else(|seen| seen);
        }
        let mut old = [0; 8];
        with_word!(put.unit.width, Word => {
            let new = Word::from_ne_bytes(std::array::from_fn(|index| put.bits[index]));
            // SAFETY: Word is as wide as the unit.
            let before = unsafe { self.word::<Word>(put.entry, put.unit) }.swap(new, Relaxed);
            old[..size_of::<Word>()].copy_from_slice(&before.to_ne_bytes());
        });
        old
    }

    /// Replaces a unit by what `change` makes of it, in one step, unless that is None. `Ok` holds what was there before, `Err`
    /// what is there still.
    pub(crate) fn update(
        &self,
        entry: u32,
        unit: Unit,
        mut change: impl FnMut([u8; 8]) -> Option<[u8; 8]>,
    ) -> std::result::Result<[u8; 8], [u8; 8]> {
        let widen = |bytes: &[u8]| std::array::from_fn(|index| bytes.get(index).copied().unwrap_or(0));
        with_word!(unit.width, Word => {
            // SAFETY: Word is as wide as the unit.
            let word = unsafe { self.word::<Word>(entry, unit) };
            word.fetch_update(Relaxed, Relaxed, |seen| {
                let new = change(widen(&seen.to_ne_bytes()))?;
                Some(Word::from_ne_bytes(std::array::from_fn(|index| new[index])))
            })
            .map(|seen| widen(&seen.to_ne_bytes()))
            .map_err(|seen| widen(&seen.to_ne_bytes()))
        })
    }
}

/// A range of bytes as indexes from `start` on.
fn span(piece: &Range<u64>, start: u64) -> Range<usize> {
    (piece.start - start) as usize..(piece.end - start) as usize
}
