//! Running a BPF iterator: a program that the kernel calls for each of its objects of a kind, and whose output is read like a file.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use super::Call;
use super::bpf::{Attr, NAME_LEN, address, bpf_fd};

/// `BPF_PROG_TYPE_TRACING` and `BPF_TRACE_ITER`.
const TRACING: u32 = 26;
const TRACE_ITER: u32 = 28;

/// `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insn {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

impl Insn {
    pub(crate) fn new(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Insn {
        // Two bitfields of 4 bits, which C lays out by byte order.
        let registers = if cfg!(target_endian = "little") { to | from << 4 } else { to << 4 | from };
        Insn { code, registers, offset, immediate }
    }
}

/// Attributes of `BPF_PROG_LOAD`, up to and with `attach_btf_id`.
#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; NAME_LEN],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// Attributes of `BPF_LINK_CREATE`, as far as they are needed.
#[repr(C)]
#[derive(Default)]
struct LinkCreate {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
}

/// Attributes of `BPF_ITER_CREATE`.
#[repr(C)]
#[derive(Default)]
struct IterCreate {
    link_fd: u32,
    flags: u32,
}

const _: () = {
    assert!(size_of::<Insn>() == 8);
    assert!(size_of::<ProgLoad>() == 112);
    assert!(offset_of!(ProgLoad, prog_name) == 48);
    assert!(offset_of!(ProgLoad, expected_attach_type) == 68);
    assert!(offset_of!(ProgLoad, attach_btf_id) == 108);
    assert!(size_of::<LinkCreate>() == 16);
    assert!(size_of::<IterCreate>() == 8);
};

// SAFETY: `repr(C)` without padding, sizes and offsets asserted above against uapi/linux/bpf.h.
unsafe impl Attr for ProgLoad {}
// SAFETY: as above.
unsafe impl Attr for LinkCreate {}
// SAFETY: as above.
unsafe impl Attr for IterCreate {}

/// Loads the iterator for the function with this id in the kernel's BTF, and gives what it wrote. It is unloaded again: nothing
/// stays.
pub(crate) fn run_iterator(name: &CStr, attach_btf_id: u32, insns: &[Insn], license: &CStr) -> io::Result<Vec<u8>> {
    let program = load(name, attach_btf_id, insns, license)?;
    let raw = |fd: &OwnedFd| fd.as_fd().as_raw_fd() as u32;
    let mut attr = LinkCreate { prog_fd: raw(&program), attach_type: TRACE_ITER, ..LinkCreate::default() };
    // SAFETY: no address in it; the call makes a descriptor.
    let link = unsafe { bpf_fd(Call::LinkCreate, &mut attr) }?;
    let mut attr = IterCreate { link_fd: raw(&link), flags: 0 };
    // SAFETY: as above.
    let iterator = unsafe { bpf_fd(Call::IterCreate, &mut attr) }?;
    let mut output = Vec::new();
    File::from(iterator).read_to_end(&mut output)?;
    Ok(output)
}

fn load(name: &CStr, attach_btf_id: u32, insns: &[Insn], license: &CStr) -> io::Result<OwnedFd> {
    let mut prog_name = [0; NAME_LEN];
    let len = name.count_bytes().min(NAME_LEN - 1);
    prog_name[..len].copy_from_slice(&name.to_bytes()[..len]);
    let mut tries = 0..5;
    loop {
        let mut attr = ProgLoad {
            prog_type: TRACING,
            insn_cnt: insns.len() as u32,
            insns: address(insns),
            license: address(license),
            prog_name,
            expected_attach_type: TRACE_ITER,
            attach_btf_id,
            ..ProgLoad::default()
        };
        // SAFETY: the instructions are as many as said, the license ends with NUL, and both are borrowed for the call. The call
        // makes a descriptor.
        match unsafe { bpf_fd(Call::ProgLoad, &mut attr) } {
            // The verifier gives up when a signal comes.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && tries.next().is_some() => {}
            result => return result,
        }
    }
}
