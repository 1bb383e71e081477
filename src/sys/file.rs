//! What std does not tell of files and memory.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int};
use std::fs::{self, File};
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How a descriptor was opened: `O_RDONLY`, `O_WRONLY` or `O_RDWR`.
pub(crate) fn access_mode(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    // SAFETY: F_GETFL takes no further argument and changes nothing.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) } {
        -1 => Err(io::Error::last_os_error()),
        flags => Ok(flags & libc::O_ACCMODE),
    }
}

/// Whether `path` lies in a BPF file system.
pub(crate) fn is_bpffs(path: &Path) -> io::Result<bool> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    Ok(type_of_file_system(&path)? == BPF_FS_MAGIC)
}

fn type_of_file_system(path: &CStr) -> io::Result<FileSystem> {
    file_system(|stat| {
        // SAFETY: `path` is NUL-terminated; `stat` is writable and as large as the call expects.
        unsafe { libc::statfs(path.as_ptr(), stat) }
    })
}

/// A file system's magic number. libc has it in types of 4 or 8 bytes, by the machine.
type FileSystem = u32;

const BPF_FS_MAGIC: FileSystem = libc::BPF_FS_MAGIC as FileSystem;
const PROC_SUPER_MAGIC: FileSystem = libc::PROC_SUPER_MAGIC as FileSystem;

/// The magic number of a file system, which `call` asks for.
fn file_system(call: impl FnOnce(*mut libc::statfs) -> c_int) -> io::Result<FileSystem> {
    let mut stat = MaybeUninit::<libc::statfs>::zeroed();
    if call(stat.as_mut_ptr()) == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed, then filled by the kernel; every field is an integer.
    Ok(unsafe { stat.assume_init() }.f_type as FileSystem)
}

/// The text of a file in /proc, if that is what is mounted there: anybody with a mount namespace can put files of his own in its
/// place.
pub(crate) fn read_proc(path: &str) -> io::Result<String> {
    let mut file = File::open(path)?;
    if file_system(|stat| {
        // SAFETY: `stat` is writable and as large as the call expects.
        unsafe { libc::fstatfs(file.as_raw_fd(), stat) }
    })? != PROC_SUPER_MAGIC
    {
        return Err(not_procfs());
    }
    // The names of threads are any bytes.
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a descriptor is, as /proc names it: `anon_inode:bpf-map`, a path. A path starts with a slash, so no file can pass for a
/// BPF object.
pub(crate) fn descriptor_target(fd: BorrowedFd<'_>) -> io::Result<PathBuf> {
    if type_of_file_system(c"/proc/thread-self/fd")? != PROC_SUPER_MAGIC {
        return Err(not_procfs());
    }
    fs::read_link(format!("/proc/thread-self/fd/{}", fd.as_raw_fd()))
}

fn not_procfs() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "what is mounted at /proc is not procfs")
}

/// The size of a page in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("every Linux has pages")
}
