//! BPF instructions, as many as the tests need: `struct bpf_insn` of include/uapi/linux/bpf.h.

use std::os::fd::{AsRawFd, BorrowedFd};

/// One instruction slot of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Insn {
    code: u8,
    /// Destination and source, each a bitfield of four bits: the first is the low half on a little-endian machine, the high half on another.
    registers: u8,
    offset: i16,
    imm: i32,
}

/// A register: R0 holds results, R1 to R5 are arguments and lost in calls, R6 to R9 survive calls, R10 is the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reg {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
}

/// Width of a load or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 1 byte
    B = 0x10,
    /// 2 bytes
    H = 0x08,
    /// 4 bytes
    W = 0x00,
    /// 8 bytes
    DW = 0x18,
}

/// A helper that the kernel offers to programs (`enum bpf_func_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Helper {
    MapLookupElem = 1,
    MapUpdateElem = 2,
    GetSmpProcessorId = 8,
    GetCurrentPidTgid = 14,
}

impl Insn {
    /// Any instruction, with its registers as numbers.
    pub const fn raw(code: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Insn {
        let registers = if cfg!(target_endian = "little") { dst | src << 4 } else { dst << 4 | src };
        Insn { code, registers, offset, imm }
    }
}

const fn insn(code: u8, dst: Reg, src: u8, offset: i16, imm: i32) -> Insn {
    Insn::raw(code, dst as u8, src, offset, imm)
}

/// `dst = imm`, 64 bits.
pub const fn mov_imm(dst: Reg, imm: i32) -> Insn {
    insn(0xb7, dst, 0, 0, imm)
}

/// `dst = src`, 64 bits.
pub const fn mov(dst: Reg, src: Reg) -> Insn {
    insn(0xbf, dst, src as u8, 0, 0)
}

/// `dst = (u32)src`.
pub const fn mov32(dst: Reg, src: Reg) -> Insn {
    insn(0xbc, dst, src as u8, 0, 0)
}

/// `dst = (u32)imm`.
pub const fn mov32_imm(dst: Reg, imm: i32) -> Insn {
    insn(0xb4, dst, 0, 0, imm)
}

/// `dst += imm`, 64 bits.
pub const fn add_imm(dst: Reg, imm: i32) -> Insn {
    insn(0x07, dst, 0, 0, imm)
}

/// `dst += src`, 64 bits.
pub const fn add(dst: Reg, src: Reg) -> Insn {
    insn(0x0f, dst, src as u8, 0, 0)
}

/// `dst = *(size *)(src + offset)`, zero-extended.
pub const fn load(size: Size, dst: Reg, src: Reg, offset: i16) -> Insn {
    insn(0x61 | size as u8, dst, src as u8, offset, 0)
}

/// `*(size *)(dst + offset) = src`.
pub const fn store(size: Size, dst: Reg, offset: i16, src: Reg) -> Insn {
    insn(0x63 | size as u8, dst, src as u8, offset, 0)
}

/// `*(size *)(dst + offset) = imm`.
pub const fn store_imm(size: Size, dst: Reg, offset: i16, imm: i32) -> Insn {
    insn(0x62 | size as u8, dst, 0, offset, imm)
}

/// `lock *(size *)(dst + offset) += src`; 4 or 8 bytes.
pub const fn atomic_add(size: Size, dst: Reg, offset: i16, src: Reg) -> Insn {
    insn(0xc3 | size as u8, dst, src as u8, offset, 0)
}

/// `if dst == imm, skip offset slots`.
pub const fn jump_eq(dst: Reg, imm: i32, offset: i16) -> Insn {
    insn(0x15, dst, 0, offset, imm)
}

/// `if dst > src, skip offset slots`, unsigned.
pub const fn jump_gt_reg(dst: Reg, src: Reg, offset: i16) -> Insn {
    insn(0x2d, dst, src as u8, offset, 0)
}

/// `if dst != src, skip offset slots`.
pub const fn jump_ne_reg(dst: Reg, src: Reg, offset: i16) -> Insn {
    insn(0x5d, dst, src as u8, offset, 0)
}

/// `r0 = helper(r1, ...)`.
pub const fn call(helper: Helper) -> Insn {
    insn(0x85, Reg::R0, 0, 0, helper as i32)
}

/// Returns R0.
pub const fn exit() -> Insn {
    insn(0x95, Reg::R0, 0, 0, 0)
}

/// `dst = map`, for helpers. Two slots (`BPF_PSEUDO_MAP_FD`).
pub fn load_map(dst: Reg, map: BorrowedFd<'_>) -> [Insn; 2] {
    [insn(0x18, dst, 1, 0, map.as_raw_fd()), insn(0, Reg::R0, 0, 0, 0)]
}

/// `dst = &value[0][offset]`, as clang does for a global variable. Two slots (`BPF_PSEUDO_MAP_VALUE`); the map has one entry.
pub fn load_value(dst: Reg, map: BorrowedFd<'_>, offset: i32) -> [Insn; 2] {
    [insn(0x18, dst, 2, 0, map.as_raw_fd()), insn(0, Reg::R0, 0, 0, offset)]
}

/// `r0 = bpf_map_lookup_elem(map, &key)`, or the program ends with -1. Uses the frame below -8 for the key.
pub fn lookup(map: BorrowedFd<'_>, key: u32) -> Vec<Insn> {
    let mut insns = vec![store_imm(Size::W, Reg::R10, -4, key as i32), mov(Reg::R2, Reg::R10), add_imm(Reg::R2, -4)];
    insns.extend(load_map(Reg::R1, map));
    insns.extend([call(Helper::MapLookupElem), insn(0x55, Reg::R0, 0, 2, 0), mov_imm(Reg::R0, -1), exit()]);
    insns
}
