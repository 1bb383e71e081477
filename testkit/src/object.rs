//! What a loader of object files needs: BTF, maps of any type that it describes, programs with names and types.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::insn::Insn;
use crate::program::{Program, ProgramType, address, bpf_fd, with_verifier_log};

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_OBJ_GET: libc::c_long = 7;
/// Programs of some types must say that they sleep.
const BPF_F_SLEEPABLE: u32 = 1 << 4;
const BPF_BTF_LOAD: libc::c_long = 18;
/// The longest name that the kernel keeps, and a NUL.
const NAME_LEN: usize = 16;

#[repr(C)]
#[derive(Default)]
struct BtfLoadAttr {
    btf: u64,
    log_buf: u64,
    btf_size: u32,
    log_size: u32,
    log_level: u32,
    _pad: u32,
}

#[repr(C)]
#[derive(Default)]
struct MapCreateAttr {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    map_name: [u8; NAME_LEN],
    map_ifindex: u32,
    btf_fd: u32,
    btf_key_type_id: u32,
    btf_value_type_id: u32,
}

#[repr(C)]
#[derive(Default)]
struct ProgLoadAttr {
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
    _pad: u32,
}

#[repr(C)]
#[derive(Default)]
struct ObjGetAttr {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

/// Cut as loaders cut names that are too long.
fn name_field(name: &str) -> [u8; NAME_LEN] {
    let mut field = [0; NAME_LEN];
    let len = name.len().min(NAME_LEN - 1);
    field[..len].copy_from_slice(&name.as_bytes()[..len]);
    field
}

/// Gives a BTF blob to the kernel.
///
/// # Errors
///
/// The kernel's errno with the end of its log.
pub fn load_btf(blob: &[u8]) -> io::Result<OwnedFd> {
    with_verifier_log(|log| {
        let mut attr = BtfLoadAttr {
            btf: address(blob),
            log_buf: log.as_mut_ptr().expose_provenance() as u64,
            btf_size: blob.len() as u32,
            log_size: log.len() as u32,
            log_level: 1,
            ..BtfLoadAttr::default()
        };
        // SAFETY: blob and log are borrowed for the call and as long as said.
        unsafe { bpf_fd(BPF_BTF_LOAD, &mut attr) }
    })
}

/// A map of any type with a name and, where the kernel has types for it, BTF; unchecked.
#[derive(Clone, Copy, Debug, Default)]
pub struct MapSpec<'a> {
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// In bytes.
    pub key_size: u32,
    /// In bytes.
    pub value_size: u32,
    /// How many.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub map_flags: u32,
    /// Cut to 15 bytes.
    pub name: &'a str,
    /// The BTF object, then the ids of the types of key and value.
    pub btf: Option<(BorrowedFd<'a>, u32, u32)>,
}

impl MapSpec<'_> {
    /// Makes the map.
    ///
    /// # Errors
    ///
    /// The kernel's errno.
    pub fn create(&self) -> io::Result<OwnedFd> {
        let mut attr = MapCreateAttr {
            map_type: self.map_type,
            key_size: self.key_size,
            value_size: self.value_size,
            max_entries: self.max_entries,
            map_flags: self.map_flags,
            map_name: name_field(self.name),
            ..MapCreateAttr::default()
        };
        if let Some((btf, key, value)) = &self.btf {
            (attr.btf_fd, attr.btf_key_type_id, attr.btf_value_type_id) = (btf.as_raw_fd() as u32, *key, *value);
        }
        // SAFETY: no address in it; the kernel checks the descriptor.
        unsafe { bpf_fd(BPF_MAP_CREATE, &mut attr) }
    }
}

/// A program as an object file describes it.
#[derive(Clone, Copy, Debug)]
pub struct ProgramSpec<'a> {
    /// What runs it.
    pub program_type: ProgramType,
    /// Relocated.
    pub insns: &'a [Insn],
    /// Of the section `license`.
    pub license: &'a CStr,
    /// Cut to 15 bytes; BTF tells the whole of it.
    pub name: &'a str,
    /// The BTF object of its functions, if it has one.
    pub btf: Option<BorrowedFd<'a>>,
    /// `struct bpf_func_info` in a row: instruction, type id.
    pub func_info: &'a [[u32; 2]],
    /// `struct bpf_line_info` in a row: instruction, file name, line's text, line and column.
    pub line_info: &'a [[u32; 4]],
}

impl ProgramSpec<'_> {
    /// Loads the program.
    ///
    /// # Errors
    ///
    /// The kernel's errno with the end of the verifier's log.
    pub fn load(&self) -> io::Result<Program> {
        let fd = with_verifier_log(|log| {
            let mut attr = ProgLoadAttr {
                prog_type: self.program_type as u32,
                prog_flags: if self.program_type == ProgramType::Syscall { BPF_F_SLEEPABLE } else { 0 },
                insn_cnt: self.insns.len() as u32,
                insns: address(self.insns),
                license: address(self.license),
                log_level: 1,
                log_size: log.len() as u32,
                log_buf: log.as_mut_ptr().expose_provenance() as u64,
                prog_name: name_field(self.name),
                prog_btf_fd: self.btf.map_or(0, |btf| btf.as_raw_fd() as u32),
                func_info_rec_size: size_of::<[u32; 2]>() as u32,
                func_info: address(self.func_info),
                func_info_cnt: self.func_info.len() as u32,
                line_info_rec_size: size_of::<[u32; 4]>() as u32,
                line_info: address(self.line_info),
                line_info_cnt: self.line_info.len() as u32,
                ..ProgLoadAttr::default()
            };
            // SAFETY: whatever has an address in it is borrowed for the call and as long as said.
            unsafe { bpf_fd(BPF_PROG_LOAD, &mut attr) }
        })?;
        Ok(Program::from(fd))
    }
}

impl Program {
    /// Opens a pinned program.
    ///
    /// # Errors
    ///
    /// The kernel's errno.
    ///
    /// # Panics
    ///
    /// If the path holds a NUL.
    pub fn from_pin(path: &Path) -> io::Result<Program> {
        let path = CString::new(path.as_os_str().as_encoded_bytes()).expect("no NUL in a path");
        let mut attr = ObjGetAttr { pathname: address(path.as_c_str()), ..ObjGetAttr::default() };
        // SAFETY: the path is NUL-terminated and borrowed for the call.
        unsafe { bpf_fd(BPF_OBJ_GET, &mut attr) }.map(Program::from)
    }

    /// The kernel's number for it.
    ///
    /// # Panics
    ///
    /// If /proc does not tell.
    pub fn id(&self) -> u32 {
        let path = format!("/proc/thread-self/fdinfo/{}", self.as_fd().as_raw_fd());
        let text = fs::read_to_string(path).expect("/proc is mounted");
        let line = text.lines().find_map(|line| line.strip_prefix("prog_id:")).expect("a program's descriptor");
        line.trim().parse().expect("a number")
    }
}
