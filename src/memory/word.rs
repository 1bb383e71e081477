//! The four widths of an access, and which of them some bytes are accessed in.

use std::ops::Range;

/// Runs `$use` with the unsigned integer of `$width` bytes, which is 1, 2, 4 or 8, as the type `$word`.
macro_rules! with_word {
    ($width:expr, $word:ident => $use:expr) => {
        match $width {
            1 => {
                type $word = u8;
                $use
            }
            2 => {
                type $word = u16;
                $use
            }
            4 => {
                type $word = u32;
                $use
            }
            _ => {
                type $word = u64;
                $use
            }
        }
    };
}

pub(crate) use with_word;

/// Calls `access` with offset and width of every word that a value of `len` bytes is accessed in. `place` is an address of
/// which only the lowest three bits count.
#[inline(always)]
pub(crate) fn each_word(place: usize, len: usize, mut access: impl FnMut(usize, usize)) {
    // Narrow words up to where 8 bytes are aligned and from where they no longer fit. Those between are a loop of their own,
    // which is unrolled.
    let head = (place.wrapping_neg() % 8).min(len);
    let tail = len - (len - head) % 8;
    narrow_words(place, 0..head, &mut access);
    for offset in (head..tail).step_by(8) {
        access(offset, 8);
    }
    narrow_words(place, tail..len, &mut access);
}

#[inline(always)]
fn narrow_words(place: usize, bytes: Range<usize>, access: &mut impl FnMut(usize, usize)) {
    let mut offset = bytes.start;
    while offset < bytes.end {
        let aligned = 1 << (place + offset).trailing_zeros().min(2);
        let fits = 1 << (bytes.end - offset).ilog2().min(2);
        let width = aligned.min(fits);
        access(offset, width);
        offset += width;
    }
}
