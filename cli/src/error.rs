//! What can go wrong, in one line with the next step.

use std::io;

use bpfvar::{Cause, Error};

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library refused, or the kernel.
    Library(Error),
    /// The tool refused: the whole line.
    Message(String),
    /// What was printed says it all.
    Told,
    /// Standard output cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Library(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::Output(error.into())
    }
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure::Message(message.into())
    }

    /// The line. The system call and its errno are for those who ask.
    pub(crate) fn line(&self, verbose: bool) -> String {
        match self {
            Failure::Library(error) => library_line(error, verbose),
            Failure::Message(message) => message.clone(),
            Failure::Told => String::new(),
            Failure::Output(error) => format!("standard output cannot be written: {error}"),
        }
    }
}

fn library_line(error: &Error, verbose: bool) -> String {
    match error {
        Error::Kernel { call, object, cause, source, .. } => {
            let advice = advice(*cause).map_or_else(|| cause.to_string(), str::to_owned);
            match verbose {
                true => format!("{object}: {call} failed: {source}: {advice}"),
                false => format!("{object}: {advice}"),
            }
        }
        Error::Ambiguous { what, candidates, .. } if candidates.iter().any(|candidate| candidate.contains('@')) => {
            format!("{what} could be any of {}; say which by NAME@OFFSET", candidates.join(", "))
        }
        other => other.to_string(),
    }
}

/// What to do where the library's advice is to call another of its functions.
fn advice(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Frozen => "the map is frozen, for good: user space can only read it",
        Cause::ReadOnlyForPrograms => {
            "the map is read-only for programs and can never be mapped writable; `set --rewrite` writes it by system call, until it is frozen"
        }
        Cause::ReadOnlyDescriptor => "the map could only be opened read-only; check owner and mode of the pin",
        Cause::MappedWritable => {
            "a process maps it writable (such as the one that loaded the program) or was just updating it; end that and try again"
        }
        Cause::KernelManagedFields => {
            "its values hold a bpf_spin_lock, bpf_timer or other field that the kernel manages, so it can be neither mapped nor frozen"
        }
        Cause::OutOfMemory => "the kernel has not enough memory to map it; name a smaller map or free memory",
        Cause::BtfNeedsCapSysAdmin => {
            "reading an object's BTF needs CAP_SYS_ADMIN (CAP_BPF is not enough), also of a map or program that is pinned; run as root"
        }
        Cause::NeedsCapSysAdmin => {
            "opening objects by id or name needs CAP_SYS_ADMIN (CAP_BPF is not enough), and so does reading their BTF; run as root (sudo bpfvar ...)"
        }
        Cause::NoSuchId => "nothing has this id, or nothing any more; `bpfvar list` shows what there is",
        Cause::NoSuchPath => "there is no such path; pins are the files in a BPF file system (ls /sys/fs/bpf)",
        Cause::PathPermission => {
            "the mode of the path or of a directory above it forbids that; check owner and mode, or run as root"
        }
        _ => return None,
    })
}
