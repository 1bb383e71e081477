//! Blocks of 16 bytes, moved to and from shared memory by `vmovdqa` of 16 bytes, which Intel and AMD promise to be one access where
//! the processor has AVX. Nothing wider and nothing else touches the shared side: no 32-byte move, no memory operand of another
//! instruction, no string move, no non-temporal one. Private memory is accessed in whatever way is fast.
#![allow(unsafe_code)]

use std::arch::asm;

/// Copies `len` bytes out, in rising order; some may be loaded twice.
///
/// # Safety
///
/// As for [`Wide::load`](super::Wide::load). `len` is a multiple of 16 and not 0, `from` a multiple of 16.
#[target_feature(enable = "avx")]
pub(super) unsafe fn load(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: each load is of one of the `len / 16` blocks that the caller may load, and an aligned one, hence one access. To Rust
    // it is a relaxed load of each scalar in it. Stores are to the place of the same bytes behind `to`, which may be written. The
    // registers that change are named: all, as `vzeroupper` clears the upper halves of all.
    unsafe {
        asm!(
            "cmp {len}, 64",
            "ja 4f",
            "cmp {len}, 32",
            "ja 3f",
            // One block or two: the first and the last.
            "vmovdqa xmm0, [{from}]",
            "vmovdqa xmm1, [{from} + {len} - 16]",
            "vmovdqu [{to}], xmm0",
            "vmovdqu [{to} + {len} - 16], xmm1",
            "jmp 7f",
            // Three or four: the first two and the last two.
            "3:",
            "vmovdqa xmm0, [{from}]",
            "vmovdqa xmm1, [{from} + 16]",
            "vmovdqa xmm2, [{from} + {len} - 32]",
            "vmovdqa xmm3, [{from} + {len} - 16]",
            "vmovdqu [{to}], xmm0",
            "vmovdqu [{to} + 16], xmm1",
            "vmovdqu [{to} + {len} - 32], xmm2",
            "vmovdqu [{to} + {len} - 16], xmm3",
            "jmp 7f",
            // Five to eight: the first four and the last four.
            "4:",
            "cmp {len}, 128",
            "ja 5f",
            "vmovdqa xmm0, [{from}]",
            "vmovdqa xmm1, [{from} + 16]",
            "vinsertf128 ymm0, ymm0, xmm1, 1",
            "vmovdqu [{to}], ymm0",
            "vmovdqa xmm2, [{from} + 32]",
            "vmovdqa xmm3, [{from} + 48]",
            "vinsertf128 ymm2, ymm2, xmm3, 1",
            "vmovdqu [{to} + 32], ymm2",
            "vmovdqa xmm4, [{from} + {len} - 64]",
            "vmovdqa xmm5, [{from} + {len} - 48]",
            "vinsertf128 ymm4, ymm4, xmm5, 1",
            "vmovdqu [{to} + {len} - 64], ymm4",
            "vmovdqa xmm6, [{from} + {len} - 32]",
            "vmovdqa xmm7, [{from} + {len} - 16]",
            "vinsertf128 ymm6, ymm6, xmm7, 1",
            "vmovdqu [{to} + {len} - 32], ymm6",
            "vzeroupper",
            "jmp 7f",
            // More: eight at a time, and the last eight. The first one alone where that makes stores of 32 bytes aligned, as it
            // does in a `Vec`. Loads and stores take turns, as the machine does both at once.
            "5:",
            "xor {at:e}, {at:e}",
            "test {to:l}, 16",
            "jz 6f",
            "vmovdqa xmm0, [{from}]",
            "vmovdqu [{to}], xmm0",
            "mov {at:e}, 16",
            "6:",
            "add {len}, -128",
            ".p2align 5",
            "2:",
            "vmovdqa xmm0, [{from} + {at}]",
            "vmovdqa xmm1, [{from} + {at} + 16]",
            "vinsertf128 ymm0, ymm0, xmm1, 1",
            "vmovdqu [{to} + {at}], ymm0",
            "vmovdqa xmm2, [{from} + {at} + 32]",
            "vmovdqa xmm3, [{from} + {at} + 48]",
            "vinsertf128 ymm2, ymm2, xmm3, 1",
            "vmovdqu [{to} + {at} + 32], ymm2",
            "vmovdqa xmm4, [{from} + {at} + 64]",
            "vmovdqa xmm5, [{from} + {at} + 80]",
            "vinsertf128 ymm4, ymm4, xmm5, 1",
            "vmovdqu [{to} + {at} + 64], ymm4",
            "vmovdqa xmm6, [{from} + {at} + 96]",
            "vmovdqa xmm7, [{from} + {at} + 112]",
            "vinsertf128 ymm6, ymm6, xmm7, 1",
            "vmovdqu [{to} + {at} + 96], ymm6",
            "sub {at}, -128",
            "cmp {at}, {len}",
            "jb 2b",
            "vmovdqa xmm0, [{from} + {len}]",
            "vmovdqa xmm1, [{from} + {len} + 16]",
            "vinsertf128 ymm0, ymm0, xmm1, 1",
            "vmovdqu [{to} + {len}], ymm0",
            "vmovdqa xmm2, [{from} + {len} + 32]",
            "vmovdqa xmm3, [{from} + {len} + 48]",
            "vinsertf128 ymm2, ymm2, xmm3, 1",
            "vmovdqu [{to} + {len} + 32], ymm2",
            "vmovdqa xmm4, [{from} + {len} + 64]",
            "vmovdqa xmm5, [{from} + {len} + 80]",
            "vinsertf128 ymm4, ymm4, xmm5, 1",
            "vmovdqu [{to} + {len} + 64], ymm4",
            "vmovdqa xmm6, [{from} + {len} + 96]",
            "vmovdqa xmm7, [{from} + {len} + 112]",
            "vinsertf128 ymm6, ymm6, xmm7, 1",
            "vmovdqu [{to} + {len} + 96], ymm6",
            "vzeroupper",
            "7:",
            from = in(reg) from,
            to = in(reg) to,
            len = inout(reg) len => _,
            at = out(reg) _,
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
            out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
            out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nostack),
        );
    }
}

/// Copies `count` values of 12 bytes out, one from the start of each block.
///
/// # Safety
///
/// As for [`Wide::load_twelves`](super::Wide::load_twelves). `count` is a multiple of 8 and not 0, `from` a multiple of 16.
#[target_feature(enable = "avx")]
pub(super) unsafe fn load_twelves(from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: each load is of one of the `count` blocks that the caller may load, and an aligned one, hence one access. To Rust it is
    // a relaxed load of each scalar in the first 12 bytes of it. Each round stores 96 bytes, those of 8 values, behind those of the
    // rounds before. The registers that change are named: all, as `vzeroupper` clears the upper halves of all.
    unsafe {
        asm!(
            ".p2align 5",
            "2:",
            // Four times three words of 4 bytes, without the gaps, are three registers: 000 1, 11 22, 2 333.
            "vmovdqa xmm0, [{from}]",
            "vmovdqa xmm1, [{from} + 16]",
            "vmovdqa xmm2, [{from} + 32]",
            "vinsertps xmm8, xmm0, xmm1, 0x30",
            "vshufps xmm9, xmm1, xmm2, 0x49",
            "vinsertf128 ymm8, ymm8, xmm9, 1",
            "vmovdqu [{to}], ymm8",
            "vmovdqa xmm3, [{from} + 48]",
            "vmovdqa xmm4, [{from} + 64]",
            "vmovdqa xmm5, [{from} + 80]",
            "vpermilps xmm10, xmm3, 0x90",
            "vinsertps xmm10, xmm10, xmm2, 0x80",
            "vinsertps xmm0, xmm4, xmm5, 0x30",
            "vinsertf128 ymm10, ymm10, xmm0, 1",
            "vmovdqu [{to} + 32], ymm10",
            "vmovdqa xmm6, [{from} + 96]",
            "vmovdqa xmm7, [{from} + 112]",
            "vshufps xmm1, xmm5, xmm6, 0x49",
            "vpermilps xmm2, xmm7, 0x90",
            "vinsertps xmm2, xmm2, xmm6, 0x80",
            "vinsertf128 ymm1, ymm1, xmm2, 1",
            "vmovdqu [{to} + 64], ymm1",
            "sub {from}, -128",
            "add {to}, 96",
            "sub {count}, 8",
            "jnz 2b",
            "vzeroupper",
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            count = inout(reg) count => _,
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
            out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
            out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nostack),
        );
    }
}

/// Copies `len` bytes in, in rising order, each once.
///
/// # Safety
///
/// As for [`Wide::store`](super::Wide::store). `len` is a multiple of 16 and not 0, `to` a multiple of 16.
#[target_feature(enable = "avx")]
pub(super) unsafe fn store(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: each store is of one of the `len / 16` blocks that the caller may store, and an aligned one, hence one access. To Rust
    // it is a relaxed store of each scalar in it. What is stored was loaded from the same place behind `from`, which may be read.
    // The registers that change are named.
    unsafe {
        asm!(
            "sub {len}, 64",
            "jb 3f",
            ".p2align 5",
            "2:",
            "vmovdqu xmm0, [{from}]",
            "vmovdqa [{to}], xmm0",
            "vmovdqu xmm1, [{from} + 16]",
            "vmovdqa [{to} + 16], xmm1",
            "vmovdqu xmm2, [{from} + 32]",
            "vmovdqa [{to} + 32], xmm2",
            "vmovdqu xmm3, [{from} + 48]",
            "vmovdqa [{to} + 48], xmm3",
            "add {from}, 64",
            "add {to}, 64",
            "sub {len}, 64",
            "jae 2b",
            "3:",
            "add {len}, 64",
            "jz 5f",
            "4:",
            "vmovdqu xmm0, [{from}]",
            "vmovdqa [{to}], xmm0",
            "add {from}, 16",
            "add {to}, 16",
            "sub {len}, 16",
            "jnz 4b",
            "5:",
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            len = inout(reg) len => _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            options(nostack),
        );
    }
}
