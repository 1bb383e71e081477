//! What std does not tell of files and memory.
#![allow(unsafe_code)]

use std::ffi::{CString, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

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
    let mut stat = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: `path` is NUL-terminated; `stat` is writable and as large as the call expects.
    match unsafe { libc::statfs(path.as_ptr(), stat.as_mut_ptr()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => {
            // SAFETY: zeroed, then filled by the kernel; every field is an integer.
            let stat = unsafe { stat.assume_init() };
            Ok(stat.f_type == libc::BPF_FS_MAGIC)
        }
    }
}

/// The size of a page in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("every Linux has pages")
}
