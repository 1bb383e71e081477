//! What an errno meant. The kernel uses few numbers for many reasons; these functions look at the thread, the descriptor
//! and the map afterwards to tell them apart. They run on the way to an error only.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use super::{MapInfo, MapType};
use crate::error::Cause;
use crate::sys::bpf::{self, IdKind};
use crate::sys::{self, ENOTSUPP};

// Bits of CapEff, from include/uapi/linux/capability.h.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_BPF: u32 = 39;

/// Errnos that mean the same in every call.
fn common(errno: i32) -> Cause {
    match errno {
        libc::ENOMEM => Cause::OutOfMemory,
        libc::EMFILE | libc::ENFILE => Cause::OutOfDescriptors,
        libc::EBADF => Cause::BadDescriptor,
        libc::ENOSYS => Cause::NoSuchCall,
        ENOTSUPP => Cause::KernelManagedFields,
        _ => Cause::Other,
    }
}

fn errno(source: &io::Error) -> i32 {
    source.raw_os_error().unwrap_or(0)
}

/// Why `BPF_MAP_CREATE` failed with arguments that were checked before.
pub(super) fn of_create(source: &io::Error, with_token: bool) -> Cause {
    match errno(source) {
        libc::EPERM if !with_token && has_capability(CAP_BPF) && in_user_namespace() => Cause::UserNamespace,
        libc::EPERM => of_refused_create(with_token || has_capability(CAP_BPF), &kernel_release()),
        // An attribute behind those that the kernel knows counts as a struct too big: only the token lies there.
        libc::E2BIG if !with_token => Cause::TooBig,
        libc::EINVAL | libc::E2BIG => Cause::UnsupportedByKernel,
        other => common(other),
    }
}

/// Bad attributes would have been EINVAL already.
fn of_refused_create(has_right: bool, release: &str) -> Cause {
    match parse_release(release) {
        _ if !has_right => Cause::NeedsCapBpf,
        Some(version) if version < (5, 11) => Cause::MemlockLimit,
        _ => Cause::Policy,
    }
}

/// Why mmap failed on a map that is an array with `BPF_F_MMAPABLE`, inside its length.
pub(super) fn of_mmap(source: &io::Error, fd: BorrowedFd<'_>, info: &MapInfo) -> Cause {
    match (errno(source), sys::access_mode(fd)) {
        // The generic mmap code wants a descriptor that can read and, for a shared mapping, one that can write.
        (libc::EACCES | libc::EINVAL, Ok(libc::O_RDONLY)) => Cause::ReadOnlyDescriptor,
        (libc::EACCES, Ok(libc::O_WRONLY)) => Cause::WriteOnlyDescriptor,
        (libc::EACCES, _) if info.flags.rdonly_prog() => Cause::ReadOnlyForPrograms,
        // Of mmap itself, only a writable mapping of a frozen map gets EPERM.
        (libc::EPERM, _) if frozen_by_fdinfo(fd).unwrap_or(true) => Cause::Frozen,
        (libc::EPERM, _) => Cause::Policy,
        (other, _) => common(other),
    }
}

/// Why `BPF_MAP_FREEZE` failed.
pub(super) fn of_freeze(source: &io::Error, fd: BorrowedFd<'_>, info: &MapInfo) -> Cause {
    match errno(source) {
        // Twice is EPERM since 6.5 and EBUSY before.
        libc::EPERM | libc::EBUSY if seems_frozen(fd) => Cause::Frozen,
        libc::EBUSY => Cause::MappedWritable,
        libc::EPERM if sys::access_mode(fd).is_ok_and(|mode| mode == libc::O_RDONLY) => Cause::ReadOnlyDescriptor,
        // Before 6.5 freezing took CAP_BPF, whatever the descriptor.
        libc::EPERM if !has_capability(CAP_BPF) => Cause::NeedsCapBpf,
        libc::EPERM => Cause::Policy,
        libc::EINVAL => Cause::NoSuchCall,
        // Also a map of a type that is never frozen.
        ENOTSUPP if info.map_type != MapType::ARRAY => Cause::Other,
        other => common(other),
    }
}

/// Why a lookup, update or batch failed with key and value of the right size.
pub(super) fn of_element(source: &io::Error, fd: BorrowedFd<'_>) -> Cause {
    match (errno(source), sys::access_mode(fd)) {
        (libc::EPERM, _) if bpf_is_closed() => Cause::UnprivilegedBpfDisabled,
        (libc::EPERM, Ok(libc::O_RDONLY)) => Cause::ReadOnlyDescriptor,
        (libc::EPERM, Ok(libc::O_WRONLY)) => Cause::WriteOnlyDescriptor,
        (libc::EPERM, _) if seems_frozen(fd) => Cause::Frozen,
        (libc::EPERM, _) if !has_capability(CAP_BPF) => Cause::NeedsCapBpf,
        (libc::EPERM, _) => Cause::Policy,
        (libc::EINVAL, _) => Cause::NoSuchCall,
        (other, _) => common(other),
    }
}

/// Why a pin could not be made.
pub(super) fn of_pin(source: &io::Error, path: &Path) -> Cause {
    match errno(source) {
        libc::EEXIST => Cause::PathTaken,
        libc::ENOENT | libc::ENOTDIR => Cause::NoSuchPath,
        libc::EPERM | libc::EINVAL if !path.parent().is_some_and(in_bpffs) => Cause::NotBpffs,
        libc::EPERM if !has_capability(CAP_BPF) => Cause::NeedsCapBpf,
        libc::EPERM => Cause::Policy,
        libc::EACCES => Cause::PathPermission,
        other => common(other),
    }
}

/// Why a pin could not be opened.
pub(super) fn of_get(source: &io::Error, path: &Path) -> Cause {
    match errno(source) {
        libc::ENOENT | libc::ENOTDIR => Cause::NoSuchPath,
        libc::EPERM if bpf_is_closed() => Cause::UnprivilegedBpfDisabled,
        // Also what the kernel says of a path that is no pin at all.
        libc::EACCES | libc::EPERM if path.is_dir() || path.exists() && !in_bpffs(path) => Cause::NotAPin,
        libc::EACCES | libc::EPERM => Cause::PathPermission,
        other => common(other),
    }
}

/// Why an object could not be opened by its id, or ids not be listed.
pub(super) fn of_id(source: &io::Error, kind: IdKind) -> Cause {
    match errno(source) {
        libc::ENOENT => Cause::NoSuchId,
        // A link has its number a moment before it can be opened.
        libc::EAGAIN if kind == IdKind::Link => Cause::NoSuchId,
        libc::EPERM if kind == IdKind::Btf && !has_capability(CAP_SYS_ADMIN) => Cause::BtfNeedsCapSysAdmin,
        libc::EPERM if !has_capability(CAP_SYS_ADMIN) => Cause::NeedsCapSysAdmin,
        libc::EPERM if in_user_namespace() => Cause::UserNamespace,
        libc::EPERM => Cause::Policy,
        other => common(other),
    }
}

/// Why info on a descriptor could not be had.
pub(super) fn of_info(source: &io::Error) -> Cause {
    match errno(source) {
        libc::EPERM if bpf_is_closed() => Cause::UnprivilegedBpfDisabled,
        other => common(other),
    }
}

/// Whether the map is frozen, with certainty.
pub(super) fn is_frozen(fd: BorrowedFd<'_>) -> io::Result<bool> {
    // Asking procfs disturbs nobody; asking the kernel by an update that must fail makes a freeze at the same time fail. But procfs
    // may be absent, or no descriptor left to open it. The update proves only that a map is not frozen.
    frozen_by_fdinfo(fd).or_else(|error| match sys::access_mode(fd)? {
        libc::O_RDONLY => Err(error),
        _ if bpf::map_refuses_updates(fd)? => Err(error),
        _ => Ok(false),
    })
}

/// Whether the map is frozen, as far as can be told: enough to explain an EPERM.
fn seems_frozen(fd: BorrowedFd<'_>) -> bool {
    frozen_by_fdinfo(fd).or_else(|_| bpf::map_refuses_updates(fd)).unwrap_or(false)
}

/// The `frozen:` line of a map's fdinfo (Linux 5.2).
fn frozen_by_fdinfo(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let text = sys::read_proc(&format!("/proc/thread-self/fdinfo/{}", fd.as_raw_fd()))?;
    match text.lines().find_map(|line| line.strip_prefix("frozen:")).map(str::trim) {
        Some("1") => Ok(true),
        Some("0") => Ok(false),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "fdinfo has no line `frozen:` with 0 or 1")),
    }
}

/// What a descriptor is, as /proc names it: `anon_inode:bpf-map`, a path, ...
pub(super) fn describe(fd: BorrowedFd<'_>) -> String {
    match sys::descriptor_target(fd) {
        Ok(target) => target.display().to_string(),
        Err(_) => "something else".to_owned(),
    }
}

/// Whether this thread has `capability` or `CAP_SYS_ADMIN`, which stands for all that bpf(2) asks. Where /proc does not
/// tell, yes: then the message blames no missing right.
fn has_capability(capability: u32) -> bool {
    let Ok(status) = fs::read_to_string("/proc/thread-self/status") else {
        return true;
    };
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_none_or(|effective| effective & (1 << capability | 1 << CAP_SYS_ADMIN) != 0)
}

/// Whether this thread's capabilities are those of a user namespace other than the first one.
fn in_user_namespace() -> bool {
    // PROC_USER_INIT_INO, from include/linux/proc_ns.h.
    fs::read_link("/proc/thread-self/ns/user").is_ok_and(|link| link.as_os_str() != "user:[4026531837]")
}

/// Whether the kernel refuses every bpf(2) call of this thread. Since 5.19 it refuses only those that create and load.
fn bpf_is_closed() -> bool {
    let setting = fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled").unwrap_or_default();
    !has_capability(CAP_BPF) && closes_bpf(&setting, &kernel_release())
}

fn closes_bpf(setting: &str, release: &str) -> bool {
    matches!(setting.trim(), "1" | "2") && parse_release(release).is_some_and(|version| version < (5, 19))
}

fn kernel_release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}

/// `6.18.44-fc` is (6, 18).
fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn in_bpffs(path: &Path) -> bool {
    // The parent of a bare file name is the empty path.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    sys::is_bpffs(path).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_parse() {
        assert_eq!(parse_release("6.18.44-fc-v657\n"), Some((6, 18)));
        assert_eq!(parse_release("5.4-rc1"), Some((5, 4)));
        assert_eq!(parse_release("garbage"), None);
        assert!(parse_release(&kernel_release()).is_some());
    }

    #[test]
    fn eperm_on_create_is_the_capability_then_the_memory_limit() {
        assert_eq!(of_refused_create(false, "5.10.1"), Cause::NeedsCapBpf);
        assert_eq!(of_refused_create(true, "5.10.0-23-amd64"), Cause::MemlockLimit);
        assert_eq!(of_refused_create(true, "5.11.0"), Cause::Policy);
        assert_eq!(of_refused_create(true, ""), Cause::Policy);
        assert!(Cause::MemlockLimit.to_string().contains("RLIMIT_MEMLOCK"));
    }

    #[test]
    fn old_kernels_close_bpf_to_those_without_rights() {
        assert!(closes_bpf("2\n", "5.10.0-46-cloud-amd64") && closes_bpf("1\n", "5.18.1"));
        assert!(!closes_bpf("0\n", "5.10.0") && !closes_bpf("2\n", "5.19.0") && !closes_bpf("", "5.10.0"));
    }

    #[test]
    fn a_missing_descriptor_or_number_has_a_cause_of_its_own() {
        assert_eq!(of_create(&io::Error::from_raw_os_error(libc::EMFILE), false), Cause::OutOfDescriptors);
        assert_eq!(of_create(&io::Error::from_raw_os_error(libc::E2BIG), false), Cause::TooBig);
        assert_eq!(of_create(&io::Error::from_raw_os_error(libc::E2BIG), true), Cause::UnsupportedByKernel);
        assert_eq!(of_id(&io::Error::from_raw_os_error(libc::ESRCH), IdKind::Map), Cause::Other);
    }

    #[test]
    fn a_link_that_is_being_made_is_not_there_yet() {
        let error = io::Error::from_raw_os_error(libc::EAGAIN);
        assert_eq!(of_id(&error, IdKind::Link), Cause::NoSuchId);
        assert_eq!(of_id(&error, IdKind::Map), Cause::Other);
    }
}
