//! Wide copies on x86-64: which bytes go by words, and which by blocks of 16 bytes.
#![allow(unsafe_code)]

use std::arch::{asm, is_x86_feature_detected};
use std::ops::Range;

use super::blocks;
use crate::memory::{each_word, with_word};

/// Copies bytes, each aligned scalar of up to 8 bytes as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide(());

pub(crate) const WIDE: Option<Wide> = Some(Wide(()));

/// What is moved at once where the processor has AVX.
const BLOCK: usize = 16;

/// Whether the processor has AVX: a load and a test, after the first time.
#[inline(always)]
fn has_avx() -> bool {
    is_x86_feature_detected!("avx")
}

impl Wide {
    /// Copies `len` bytes out of shared memory, in rising order. Some may be loaded twice: what counts is the later one, and the
    /// order is that of those that count.
    ///
    /// # Safety
    ///
    /// - `len` bytes from `from` on are readable, and this process accesses them only atomically.
    /// - `len` bytes from `to` on may be written, and nobody else accesses them.
    #[inline(always)]
    pub(crate) unsafe fn load(self, from: *const u8, to: *mut u8, len: usize) {
        if (from.addr() | len) % BLOCK == 0 && len != 0 && has_avx() {
            // SAFETY: the caller's promise. All are whole blocks, and the processor has AVX.
            unsafe { blocks::load(from, to, len) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { load_ragged(from, to, len, has_avx()) };
        }
    }

    /// As [`Wide::load`], for one value: without a call where `len` is known when compiling and small.
    ///
    /// # Safety
    ///
    /// As for [`Wide::load`].
    #[inline(always)]
    pub(crate) unsafe fn load_one(self, from: *const u8, to: *mut u8, len: usize) {
        if len > 64 || from.addr() % 8 != 0 {
            // SAFETY: the caller's promise.
            return unsafe { self.load(from, to, len) };
        }
        each_word(0, len, |offset, width| {
            // SAFETY: the word lies inside both ranges, and is aligned to its width, for `from` is a multiple of 8.
            unsafe { load_word(from, to, offset, width) };
        });
    }

    /// Copies `count` values of 12 bytes out, which start 16 bytes apart in shared memory and lie without gaps in `to`.
    ///
    /// # Safety
    ///
    /// - `from` is a multiple of 8, and `count` times 16 bytes from there on are readable; this process accesses them only
    ///   atomically.
    /// - `count` times 12 bytes from `to` on may be written, and nobody else accesses them.
    pub(crate) unsafe fn load_twelves(self, from: *const u8, to: *mut u8, count: usize) {
        let mut done = 0;
        if from.addr() % BLOCK == 0 && count >= 8 && has_avx() {
            done = count / 8 * 8;
            // SAFETY: a part of the caller's bytes, at least 8 values, from the start of a block on. The processor has AVX.
            unsafe { blocks::load_twelves(from, to, done) };
        }
        for index in done..count {
            // SAFETY: inside both ranges.
            let from = unsafe { from.add(index * 16) };
            // SAFETY: as above.
            let to = unsafe { to.add(index * 12) };
            // SAFETY: one of the caller's values.
            unsafe { self.load_one(from, to, 12) };
        }
    }

    /// Copies `len` bytes into shared memory, in rising order, each once.
    ///
    /// # Safety
    ///
    /// - `len` bytes from `from` on may be read, and nobody writes them meanwhile.
    /// - `len` bytes from `to` on are writable, and this process accesses them only atomically.
    #[inline(always)]
    pub(crate) unsafe fn store(self, from: *const u8, to: *mut u8, len: usize) {
        if (to.addr() | len) % BLOCK == 0 && len != 0 && has_avx() {
            // SAFETY: the caller's promise. All are whole blocks, and the processor has AVX.
            unsafe { blocks::store(from, to, len) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { store_ragged(from, to, len, has_avx()) };
        }
    }

    /// As [`Wide::store`], for one value: without a call where `len` is known when compiling and small.
    ///
    /// # Safety
    ///
    /// As for [`Wide::store`].
    #[inline(always)]
    pub(crate) unsafe fn store_one(self, from: *const u8, to: *mut u8, len: usize) {
        if len > 64 || to.addr() % 8 != 0 {
            // SAFETY: the caller's promise.
            return unsafe { self.store(from, to, len) };
        }
        each_word(0, len, |offset, width| {
            // SAFETY: the word lies inside both ranges, and is aligned to its width, for `to` is a multiple of 8.
            unsafe { store_word(from, to, offset, width) };
        });
    }
}

/// As [`Wide::load`], from anywhere and on any processor.
///
/// # Safety
///
/// As for [`Wide::load`]; the processor has AVX if `has_avx` says so.
#[inline(never)]
unsafe fn load_ragged(from: *const u8, to: *mut u8, len: usize, has_avx: bool) {
    let head = (from.addr().wrapping_neg() % BLOCK).min(len);
    let blocks = (len - head) / BLOCK * BLOCK;
    if blocks == 0 || !has_avx {
        // SAFETY: the caller's promise.
        return unsafe { load_words(from, to, 0..len) };
    }
    // SAFETY: the start of the caller's bytes.
    unsafe { load_words(from, to, 0..head) };
    // SAFETY: inside both ranges.
    let from_blocks = unsafe { from.add(head) };
    // SAFETY: as above.
    let to_blocks = unsafe { to.add(head) };
    // SAFETY: a part of the caller's bytes: whole blocks. The processor has AVX.
    unsafe { blocks::load(from_blocks, to_blocks, blocks) };
    // SAFETY: the rest of the caller's bytes.
    unsafe { load_words(from, to, head + blocks..len) };
}

/// As [`Wide::store`], to anywhere and on any processor.
///
/// # Safety
///
/// As for [`Wide::store`]; the processor has AVX if `has_avx` says so.
#[inline(never)]
unsafe fn store_ragged(from: *const u8, to: *mut u8, len: usize, has_avx: bool) {
    let head = (to.addr().wrapping_neg() % BLOCK).min(len);
    let blocks = (len - head) / BLOCK * BLOCK;
    if blocks == 0 || !has_avx {
        // SAFETY: the caller's promise.
        return unsafe { store_words(from, to, 0..len) };
    }
    // SAFETY: the start of the caller's bytes.
    unsafe { store_words(from, to, 0..head) };
    // SAFETY: inside both ranges.
    let from_blocks = unsafe { from.add(head) };
    // SAFETY: as above.
    let to_blocks = unsafe { to.add(head) };
    // SAFETY: a part of the caller's bytes: whole blocks. The processor has AVX.
    unsafe { blocks::store(from_blocks, to_blocks, blocks) };
    // SAFETY: the rest of the caller's bytes.
    unsafe { store_words(from, to, head + blocks..len) };
}

/// Copies some of the bytes out.
///
/// # Safety
///
/// As for [`Wide::load`], with so many bytes that the range is inside.
#[inline(always)]
unsafe fn load_words(from: *const u8, to: *mut u8, bytes: Range<usize>) {
    each_word(from.addr() + bytes.start, bytes.len(), |offset, width| {
        // SAFETY: inside both ranges, and aligned to its width, says `each_word`.
        unsafe { load_word(from, to, bytes.start + offset, width) };
    });
}

/// Copies some of the bytes in.
///
/// # Safety
///
/// As for [`Wide::store`], with so many bytes that the range is inside.
#[inline(always)]
unsafe fn store_words(from: *const u8, to: *mut u8, bytes: Range<usize>) {
    each_word(to.addr() + bytes.start, bytes.len(), |offset, width| {
        // SAFETY: inside both ranges, and aligned to its width, says `each_word`.
        unsafe { store_word(from, to, bytes.start + offset, width) };
    });
}

/// Copies one word out.
///
/// # Safety
///
/// As for [`Wide::load`]: `width` bytes from `offset` on are inside both ranges. That is 1, 2, 4 or 8, and the address that is
/// loaded from a multiple of it.
#[inline(always)]
unsafe fn load_word(from: *const u8, to: *mut u8, offset: usize, width: usize) {
    // SAFETY: inside the range.
    let from = unsafe { from.add(offset) };
    // SAFETY: as above.
    let to = unsafe { to.add(offset) };
    with_word!(width, Word => {
        // SAFETY: readable, and aligned to its width.
        let word = unsafe { <Word as Move>::load(from) };
        // SAFETY: may be written, says the caller.
        unsafe { to.cast::<Word>().write_unaligned(word) };
    });
}

/// Copies one word in.
///
/// # Safety
///
/// As for [`Wide::store`]: `width` bytes from `offset` on are inside both ranges. That is 1, 2, 4 or 8, and the address that is
/// stored to a multiple of it.
#[inline(always)]
unsafe fn store_word(from: *const u8, to: *mut u8, offset: usize, width: usize) {
    // SAFETY: inside the range.
    let from = unsafe { from.add(offset) };
    // SAFETY: as above.
    let to = unsafe { to.add(offset) };
    with_word!(width, Word => {
        // SAFETY: may be read, says the caller.
        let word = unsafe { from.cast::<Word>().read_unaligned() };
        // SAFETY: writable, and aligned to its width.
        unsafe { <Word as Move>::store(to, word) };
    });
}

/// One `mov` of a word.
trait Move: Sized {
    /// Loads the scalars that these bytes are.
    ///
    /// # Safety
    ///
    /// The bytes are readable, accessed only atomically by this process, and aligned to their number.
    unsafe fn load(from: *const u8) -> Self;

    /// Stores the scalars that these bytes are.
    ///
    /// # Safety
    ///
    /// The bytes are writable, accessed only atomically by this process, and aligned to their number.
    unsafe fn store(to: *mut u8, word: Self);
}

macro_rules! moves {
    ($($word:ty: $class:ident $load:literal $store:literal;)*) => {$(
        impl Move for $word {
            #[inline(always)]
            unsafe fn load(from: *const u8) -> $word {
                let word;
                // SAFETY: an aligned load of up to 8 bytes is one access. To Rust it is a relaxed load of each scalar in them.
                unsafe {
                    asm!($load, word = out($class) word, from = in(reg) from, options(nostack, preserves_flags));
                }
                word
            }

            #[inline(always)]
            unsafe fn store(to: *mut u8, word: $word) {
                // SAFETY: an aligned store of up to 8 bytes is one access. To Rust it is a relaxed store of each scalar in them.
                unsafe {
                    asm!($store, word = in($class) word, to = in(reg) to, options(nostack, preserves_flags));
                }
            }
        }
    )*};
}

moves! {
    u8: reg_byte "mov {word}, byte ptr [{from}]" "mov byte ptr [{to}], {word}";
    u16: reg "mov {word:x}, word ptr [{from}]" "mov word ptr [{to}], {word:x}";
    u32: reg "mov {word:e}, dword ptr [{from}]" "mov dword ptr [{to}], {word:e}";
    u64: reg "mov {word:r}, qword ptr [{from}]" "mov qword ptr [{to}], {word:r}";
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 400;

    /// As from a page: what is tested is where bytes are.
    #[repr(align(64))]
    struct Bytes([u8; ROOM]);

    impl Bytes {
        fn numbered() -> Bytes {
            Bytes(std::array::from_fn(|index| (index % 251) as u8))
        }
    }

    /// Every length at every place, by blocks and without them.
    fn each(check: impl Fn(usize, usize, usize, bool)) {
        for shared in 0..32 {
            for private in [0, 1, 8, 16, 24] {
                for len in (0..80).chain([95, 111, 128, 129, 136, 144, 160, 255, 256, 264, 272, 300]) {
                    for avx in [false, has_avx()] {
                        check(shared, private, len, avx);
                    }
                }
            }
        }
    }

    #[test]
    fn every_length_is_loaded_from_every_place() {
        let mut from = Bytes::numbered();
        let shared = from.0.as_mut_ptr();
        each(|start, private, len, avx| {
            let mut to = Bytes([0xff; ROOM]);
            let (at, to_at) = (shared.wrapping_add(start), to.0.as_mut_ptr().wrapping_add(private));
            // SAFETY: so many bytes are there, at both places, and nobody else accesses them.
            unsafe { load_ragged(at, to_at, len, avx) };
            let loaded = &to.0[private..private + len];
            assert!(loaded.iter().zip(start..).all(|(byte, index)| usize::from(*byte) == index % 251));
            let around = to.0[..private].iter().chain(&to.0[private + len..]);
            assert!(around.copied().all(|byte| byte == 0xff), "{start} {private} {len} {avx}");
        });
    }

    #[test]
    fn every_length_is_stored_to_every_place() {
        let from = Bytes::numbered();
        each(|start, private, len, avx| {
            let mut to = Bytes([0xff; ROOM]);
            let at = to.0.as_mut_ptr().wrapping_add(start);
            // SAFETY: so many bytes are there, at both places, and nobody else accesses them.
            unsafe { store_ragged(from.0.as_ptr().wrapping_add(private), at, len, avx) };
            assert_eq!(to.0[start..start + len], from.0[private..private + len]);
            let around = to.0[..start].iter().chain(&to.0[start + len..]);
            assert!(around.copied().all(|byte| byte == 0xff), "{start} {private} {len} {avx}");
        });
    }
}
