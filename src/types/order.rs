//! Which end of a number comes first in memory.

use super::Bits;

/// A byte order. That of the machine is the only one at work; the other one is there so that tests try both on any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) const NATIVE: Order = if cfg!(target_endian = "little") { Order::Little } else { Order::Big };

    /// Up to 16 bytes as an integer.
    pub(crate) fn integer(self, bytes: &[u8]) -> u128 {
        let one = |word: u128, byte: &u8| word << 8 | u128::from(*byte);
        match self {
            Order::Little => bytes.iter().rev().fold(0, one),
            Order::Big => bytes.iter().fold(0, one),
        }
    }

    /// The lowest `size` bytes of an integer in the order of memory.
    pub(crate) fn bytes(self, word: u128, size: usize) -> Vec<u8> {
        let mut bytes = word.to_le_bytes()[..size.min(16)].to_vec();
        if self == Order::Big {
            bytes.reverse();
        }
        bytes
    }

    /// How far bits of an integer of `size` bytes are from its lowest. The first bit is the lowest where the lowest byte comes first,
    /// else the highest.
    pub(crate) fn shift(self, size: usize, bits: Bits) -> u32 {
        let start = bits.start as u32;
        match self {
            Order::Little => start,
            Order::Big => (size as u32 * 8).saturating_sub(start + bits.len),
        }
    }
}
