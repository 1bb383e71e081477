//! Loading programs, running them, attaching them for as long as a value lives.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use crate::insn::Insn;
use crate::object::ProgramSpec;

const BPF_OBJ_PIN: libc::c_long = 6;
const BPF_PROG_TEST_RUN: libc::c_long = 10;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_long = 17;

/// `enum bpf_prog_type`, as far as used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramType {
    /// Runs by [`Program::run`]; gets a packet.
    SocketFilter = 1,
    /// Never attached here: a type that has sleepable variants, of which this is none.
    Kprobe = 2,
    /// Never run here: always sleepable.
    Syscall = 31,
    /// Runs at every hit of a tracepoint while [`Attached`].
    RawTracepoint = 17,
}

#[repr(C)]
#[derive(Default)]
struct TestRunAttr {
    prog_fd: u32,
    retval: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
}

#[repr(C)]
struct PinAttr {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct RawTracepointAttr {
    name: u64,
    prog_fd: u32,
    _pad: u32,
}

/// # Safety
///
/// `attr` is the struct of `command`; addresses in it are valid for it.
pub(crate) unsafe fn bpf<A>(command: libc::c_long, attr: &mut A) -> io::Result<i32> {
    // SAFETY: `attr` is exclusively borrowed and as long as said; the caller answers for its contents.
    match unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<A>()) } {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result as i32),
    }
}

/// # Safety
///
/// As for [`bpf`]; and `command` returns a descriptor.
pub(crate) unsafe fn bpf_fd<A>(command: libc::c_long, attr: &mut A) -> io::Result<OwnedFd> {
    // SAFETY: passed on to the caller.
    let fd = unsafe { bpf(command, attr) }?;
    // SAFETY: a new descriptor that nobody else knows of.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(crate) fn address<T: ?Sized>(value: &T) -> u64 {
    std::ptr::from_ref(value).cast::<u8>().expose_provenance() as u64
}

/// Lends `call` a buffer for the kernel's log, whose end is added to its error. The verifier gives up with EAGAIN when a signal
/// comes, such as that of a child's end; then it is asked again, as libbpf does.
pub(crate) fn with_verifier_log<R>(mut call: impl FnMut(&mut [u8]) -> io::Result<R>) -> io::Result<R> {
    // A log that does not fit fails the call.
    let mut log = vec![0_u8; 1 << 20];
    let mut result = call(&mut log);
    for _ in 0..5 {
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            result = call(&mut log);
        }
    }
    result.map_err(|error| {
        let text = CStr::from_bytes_until_nul(&log).map(CStr::to_string_lossy).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(8).collect();
        io::Error::new(error.kind(), format!("{error}; verifier, last line first: {tail:?}"))
    })
}

/// A loaded program.
#[derive(Debug)]
pub struct Program {
    fd: OwnedFd,
}

impl Program {
    /// Loads a program.
    ///
    /// # Errors
    ///
    /// The kernel's errno with the end of the verifier's log.
    pub fn load(program_type: ProgramType, insns: &[Insn]) -> io::Result<Program> {
        ProgramSpec { program_type, insns, license: c"GPL", name: "", btf: None, func_info: &[], line_info: &[] }.load()
    }

    /// Loads a socket filter, which [`Program::run`] drives.
    ///
    /// # Panics
    ///
    /// If the kernel refuses it.
    pub fn socket_filter(insns: &[Insn]) -> Program {
        Program::load(ProgramType::SocketFilter, insns).expect("the kernel takes the program")
    }

    /// Runs a socket filter `times` times on this CPU, in one system call. Returns what its last run returned.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn run(&self, times: u32) -> u32 {
        let packet = [0_u8; 64];
        let mut attr = TestRunAttr {
            prog_fd: self.fd.as_raw_fd() as u32,
            data_size_in: packet.len() as u32,
            data_in: address(&packet),
            repeat: times,
            ..TestRunAttr::default()
        };
        // SAFETY: the packet is borrowed for the call and as long as said; no output is asked for.
        unsafe { bpf(BPF_PROG_TEST_RUN, &mut attr) }.expect("BPF_PROG_TEST_RUN works");
        attr.retval
    }

    /// Pins the program.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn pin(&self, path: &Path) {
        pin(self.as_fd(), path);
    }

    /// Attaches a raw tracepoint program for as long as the result lives. The kernel detaches it when the descriptor is
    /// closed, so also if the process dies.
    ///
    /// # Errors
    ///
    /// The kernel's errno: ENOENT for a tracepoint that it does not have.
    pub fn attach(&self, tracepoint: &CStr) -> io::Result<Attached> {
        let mut attr = RawTracepointAttr {
            name: address(tracepoint),
            prog_fd: self.fd.as_raw_fd() as u32,
            ..RawTracepointAttr::default()
        };
        // SAFETY: the name is NUL-terminated and borrowed for the call.
        let link = unsafe { bpf_fd(BPF_RAW_TRACEPOINT_OPEN, &mut attr) }?;
        Ok(Attached { link })
    }
}

/// Pins what has this descriptor.
fn pin(fd: BorrowedFd<'_>, path: &Path) {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).expect("no NUL in a path");
    let mut attr = PinAttr { pathname: address(path.as_c_str()), bpf_fd: fd.as_raw_fd() as u32, file_flags: 0 };
    // SAFETY: the path is NUL-terminated and borrowed for the call.
    unsafe { bpf(BPF_OBJ_PIN, &mut attr) }.expect("BPF_OBJ_PIN works");
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Program {
    fn from(fd: OwnedFd) -> Program {
        Program { fd }
    }
}

impl From<Program> for OwnedFd {
    fn from(program: Program) -> OwnedFd {
        program.fd
    }
}

/// A program at its tracepoint. Dropping it detaches.
#[derive(Debug)]
#[must_use]
pub struct Attached {
    link: OwnedFd,
}

impl Attached {
    /// Pins the link.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn pin(&self, path: &Path) {
        pin(self.as_fd(), path);
    }
}

impl AsFd for Attached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}
