//! The one error type: which call on which map, what was found, what was expected, and the next step.

use std::fmt;
use std::io;
use std::path::Path;

pub use crate::sys::Call;
use crate::sys::ENOTSUPP;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// Every message fits one line and names the map, what was found and what to do next. The variants carry the same facts
/// for programs; [`Error::cause`] and [`Error::raw_os_error`] are shortcuts for what is matched most.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused a call.
    #[error("{object}: {call} failed with {}: {cause}", Errno(source.raw_os_error().unwrap_or(0)))]
    #[non_exhaustive]
    Kernel {
        /// The call.
        call: Call,
        /// The map, program or BTF: its name and id, or the path or id under which it was sought.
        object: String,
        /// What the errno meant here, and what to do about it.
        cause: Cause,
        /// The errno.
        source: io::Error,
    },

    /// An argument that cannot work, found before any call was made. Nothing was changed.
    #[error("{object}: {argument} is {found}, but {rule}")]
    #[non_exhaustive]
    Argument {
        /// The map, program or variable.
        object: String,
        /// The argument.
        argument: &'static str,
        /// Its value.
        found: String,
        /// What it has to be.
        rule: String,
    },

    /// The map is not the one that the type or the operation needs.
    #[error("{object}: {property} is {found}, expected {expected}")]
    #[non_exhaustive]
    Mismatch {
        /// The map, program or variable.
        object: String,
        /// What was compared.
        property: &'static str,
        /// What the kernel says of the map.
        found: String,
        /// What the type or the operation needs, and why.
        expected: String,
    },

    /// Nothing of that name is there.
    #[error("{object}: there is no {what}; {hint}")]
    #[non_exhaustive]
    NotFound {
        /// Where it was sought: a program, a map, a variable, the system.
        object: String,
        /// What was sought.
        what: String,
        /// What there is instead, or where to look.
        hint: String,
    },

    /// Several things have that name. Nothing was changed.
    #[error("{what} could be any of {}; {hint}", candidates.join(", "))]
    #[non_exhaustive]
    Ambiguous {
        /// The name.
        what: String,
        /// What has it, each with its id.
        candidates: Vec<String>,
        /// How to say which is meant.
        hint: &'static str,
    },

    /// The types are not known: there is no BTF, or it cannot be used.
    #[error("{object}: {reason}")]
    #[non_exhaustive]
    Btf {
        /// The map, program or BTF.
        object: String,
        /// Why, and what to do.
        reason: String,
    },

    /// A Rust type is not that of the variable or map. Nothing was changed.
    #[error("{object} is no {expected}: {}", join(mismatches))]
    #[non_exhaustive]
    Layout {
        /// The variable or map with its type.
        object: String,
        /// The Rust type.
        expected: String,
        /// Each difference.
        mismatches: Vec<LayoutMismatch>,
    },

    /// As [`Error::NotAMap`], where a program was needed.
    #[error("{what} is not a BPF program but {found}; give the descriptor or the pin of a program")]
    #[non_exhaustive]
    NotAProgram {
        /// The descriptor or the path.
        what: String,
        /// What it is, as far as /proc tells.
        found: String,
    },

    /// The descriptor or the pin is some other object: a program, a link, BTF, an ordinary file.
    #[error("{what} is not a BPF map but {found}; give the descriptor or the pin of a map")]
    #[non_exhaustive]
    NotAMap {
        /// The descriptor or the path.
        what: String,
        /// What it is, as far as /proc tells.
        found: String,
    },
}

/// One difference between a Rust type and the BTF of a variable: [`Error::Layout`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutMismatch {
    /// The field, as a path from the value: `limits[0].burst`. Empty for the value itself.
    pub field: String,
    /// What the Rust type has: kind, offset and size in bytes.
    pub expected: String,
    /// What BTF has there.
    pub found: String,
}

impl fmt::Display for LayoutMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayoutMismatch { field, expected, found } = self;
        match field.as_str() {
            "" => write!(f, "expected {expected}, found {found}"),
            field => write!(f, "{field}: expected {expected}, found {found}"),
        }
    }
}

fn join(mismatches: &[LayoutMismatch]) -> String {
    mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Prints the message, as `Display` does: it is what `unwrap` and a `main` that returns an error show.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// What the kernel's errno meant, where the kernel refused a call.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Error::Kernel { cause, .. } => Some(*cause),
            _ => None,
        }
    }

    /// Names the pin that turned out to be something else.
    pub(crate) fn at_pin(self, path: &Path) -> Error {
        match self {
            Error::NotAMap { found, .. } => Error::NotAMap { what: format!("pin {path:?}"), found },
            Error::NotAProgram { found, .. } => Error::NotAProgram { what: format!("pin {path:?}"), found },
            other => other,
        }
    }

    /// The errno, where the kernel refused a call. Mind 524 (`ENOTSUPP`), which libc has no name for.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Error::Kernel { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }
}

/// What an errno meant in the call that it came from. Its text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// EPERM: the thread has no `CAP_BPF`.
    #[error(
        "this thread has neither CAP_BPF nor CAP_SYS_ADMIN; run as root or grant it (setcap cap_bpf+ep PROGRAM, AmbientCapabilities=CAP_BPF in systemd)"
    )]
    NeedsCapBpf,
    /// EPERM: ids are for `CAP_SYS_ADMIN` only.
    #[error("opening objects by id needs CAP_SYS_ADMIN (CAP_BPF is not enough); open a pin or a descriptor instead")]
    NeedsCapSysAdmin,
    /// EPERM: the right is there, and yet the kernel refused.
    #[error(
        "the thread has the capability or a token, so a user namespace, a security module or kernel lockdown refused"
    )]
    Policy,
    /// EPERM before Linux 5.11: `RLIMIT_MEMLOCK` is too small.
    #[error(
        "before Linux 5.11 map memory counts against RLIMIT_MEMLOCK, which is too small for it; raise it (ulimit -l unlimited, setrlimit)"
    )]
    MemlockLimit,
    /// EPERM: the map is frozen.
    #[error(
        "the map is frozen, for good: user space can only read it (map it read-only; of a variable, Var::read_only)"
    )]
    Frozen,
    /// EACCES: `BPF_F_RDONLY_PROG` maps are never mapped writable.
    #[error(
        "the map is BPF_F_RDONLY_PROG, which can never be mapped writable; open it read-only and write through Map::update until it is frozen"
    )]
    ReadOnlyForPrograms,
    /// The descriptor was opened with `BPF_F_RDONLY`, or a pin's mode allowed no more.
    #[error(
        "the descriptor is read-only: it can look values up, but never write, freeze or map them (a read-only mapping, too, needs a read-write descriptor); open the map read-write"
    )]
    ReadOnlyDescriptor,
    /// The descriptor was opened with `BPF_F_WRONLY`.
    #[error("the descriptor is write-only and can neither read nor map; open the map read-write")]
    WriteOnlyDescriptor,
    /// EBUSY: somebody still maps the map writable, or an update was in flight.
    #[error(
        "somebody still maps it writable (another Array, another process, a forked child) or was just updating it; drop those mappings and try again"
    )]
    MappedWritable,
    /// 524: the value type has a spin lock, timer, kptr or the like.
    #[error(
        "its value type (BTF) holds a bpf_spin_lock, bpf_timer or other kernel-managed field, so it can be neither mapped nor frozen; use Map::lookup and Map::update"
    )]
    KernelManagedFields,
    /// ENOMEM: no memory, or no address space.
    #[error(
        "the kernel has not enough memory for it; make it with fewer entries or smaller values, or map a window of it"
    )]
    OutOfMemory,
    /// EMFILE or ENFILE: no descriptor left.
    #[error("no file descriptor is left; close some or raise RLIMIT_NOFILE (ulimit -n)")]
    OutOfDescriptors,
    /// EPERM: BTF is opened by its id, and ids are for `CAP_SYS_ADMIN` only, also where a descriptor of the map or program is
    /// at hand.
    #[error(
        "reading an object's BTF needs CAP_SYS_ADMIN (CAP_BPF is not enough), also of a map or program that was opened by pin or descriptor; run as root, give the BTF yourself (Btf::parse), or bind the map by size alone (Array::from_map)"
    )]
    BtfNeedsCapSysAdmin,
    /// ENOENT: no such id.
    #[error("nothing has this id, or nothing any more; Map::ids and Program::ids list what there is")]
    NoSuchId,
    /// ENOENT, ENOTDIR: no such path.
    #[error("there is no such path, or no such directory to pin in")]
    NoSuchPath,
    /// EINVAL from delete: entries of an array cannot be deleted.
    #[error("entries of an array map always exist and cannot be deleted; write zeros instead")]
    CannotDelete,
    /// EEXIST: the path is taken.
    #[error("something is pinned there already; unpin it or choose another path")]
    PathTaken,
    /// EPERM or EINVAL from a pin: the directory is not in a BPF file system.
    #[error("the directory is not in a BPF file system; mount one (mount -t bpf bpf /sys/fs/bpf) and pin below it")]
    NotBpffs,
    /// EACCES from a get: the path is an ordinary file or a directory.
    #[error("the path is no pinned object; pins are the files in a BPF file system (ls /sys/fs/bpf)")]
    NotAPin,
    /// EACCES: the mode of the path forbids it.
    #[error(
        "the mode of the path or of a directory above it forbids that; check owner and mode (a pin that may only be read opens by Map::from_pin_read_only, for lookups: mapping takes the right to write, even read-only)"
    )]
    PathPermission,
    /// EINVAL from a create whose arguments were checked: this kernel does not know a flag, or what a flag refers to is not
    /// there.
    #[error(
        "this kernel does not know BPF_F_MMAPABLE (Linux 5.5) or tokens (6.9), the NUMA node does not exist, or the token is none"
    )]
    UnsupportedByKernel,
    /// E2BIG from a create: the values are too big together.
    #[error("value size and entries are more than this kernel takes")]
    TooBig,
    /// EBADF: a descriptor is closed.
    #[error("a descriptor is closed")]
    BadDescriptor,
    /// ENOSYS, EINVAL from a batch call: before Linux 5.6.
    #[error("this kernel lacks the call (batches need Linux 5.6, freezing 5.2)")]
    NoSuchCall,
    /// Anything else.
    #[error("this errno is not expected here; see bpf(2)")]
    Other,
}

/// An errno by its symbolic name.
struct Errno(i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            libc::EPERM => "EPERM",
            libc::ENOENT => "ENOENT",
            libc::E2BIG => "E2BIG",
            libc::EBADF => "EBADF",
            libc::EAGAIN => "EAGAIN",
            libc::ENOMEM => "ENOMEM",
            libc::EACCES => "EACCES",
            libc::EFAULT => "EFAULT",
            libc::EBUSY => "EBUSY",
            libc::EEXIST => "EEXIST",
            libc::ENODEV => "ENODEV",
            libc::ENOTDIR => "ENOTDIR",
            libc::EINVAL => "EINVAL",
            libc::ENFILE => "ENFILE",
            libc::EMFILE => "EMFILE",
            libc::EROFS => "EROFS",
            libc::ENAMETOOLONG => "ENAMETOOLONG",
            libc::ENOSYS => "ENOSYS",
            libc::ELOOP => "ELOOP",
            ENOTSUPP => "ENOTSUPP (524)",
            other => return write!(f, "errno {other}"),
        };
        f.write_str(name)
    }
}
