//! What can go wrong, in one line with the next step.

use std::fmt::Display;
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
            format!(
                "{what} could be any of {}; say which by NAME@OFFSET, where OFFSET is the byte at which it starts, as it stands here",
                candidates.join(", ")
            )
        }
        Error::Mismatch { object, property: "map_type", found, .. } => other_type(object, found),
        Error::Mismatch { object, property, found, expected, .. } => {
            format!("{object}: {property} is {found}, expected {}", in_tool_words(expected, object))
        }
        Error::Btf { object, reason, .. } => format!("{object}: {}", in_tool_words(reason, object)),
        Error::Argument { object, argument: "value", found, rule, .. } => {
            format!("{object}: value is {found}, but {}", with_example(found, rule))
        }
        Error::Argument { object, argument, found, rule, .. } => {
            format!("{object}: {argument} is {found}, but {}", rule.replace("compare_exchange", "cas"))
        }
        other => other.to_string(),
    }
}

/// The line for a map of a type that has no variables. `map` is its name and id, as the library says it.
pub(crate) fn other_type(map: &str, map_type: impl Display) -> String {
    let look = id_of(map).map_or_else(String::new, |id| format!("; `bpftool map dump id {id}` shows what it holds"));
    format!("{map} is of type {map_type}, and bpfvar shows nothing of other maps than arrays{look}")
}

/// The number in `map "stats" (id 7)`, of the last of several.
fn id_of(object: &str) -> Option<u32> {
    object.rsplit("(id ").next()?.split_once(')')?.0.parse().ok()
}

/// What the library says for programmers, for users of the tool.
fn in_tool_words(text: &str, object: &str) -> String {
    let dump = id_of(object).map_or_else(
        || "`bpftool map dump` shows them as bytes".to_owned(),
        |id| format!("`bpftool map dump id {id}` shows them as bytes"),
    );
    let words = [
        ("read them as bytes by Map::lookup", dump.as_str()),
        (", or bind a type by size with Array::from_map", ""),
        (", or bind a type with Array::from_map", ""),
        (", or use Map::lookup and Map::update", ""),
        ("Var::read works by system call too", "get works by system call too"),
        ("Var::read and read_as read it by system call", "get reads it by system call"),
        ("Var::change_by_rewrite writes it", "`set --rewrite` writes it"),
        ("compare_exchange", "cas"),
    ];
    words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// What serde says of text that does not even start as JSON helps nobody who has never seen any.
fn with_example(found: &str, rule: &str) -> String {
    let is_serde = rule.contains("JSON") && rule.contains(" at line ");
    let is_meant = found.trim_start_matches('"').trim_start().starts_with(['[', '{']);
    match rule.split_once(": ") {
        Some((rule, _)) if is_serde && !is_meant => {
            format!("{rule}, such as [1,2,3,4] for an array and {{\"rate\": 5}} for a struct")
        }
        _ => rule.to_owned(),
    }
}

/// What to do where the library's advice is to call another of its functions.
fn advice(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Frozen => "the map is frozen, for good: user space can only read it",
        Cause::ReadOnlyForPrograms => {
            "the map is read-only for programs and can never be mapped writable; only `set --rewrite` writes it, by system call, until it is frozen"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_in_words_of_the_tool() {
        let causes = [
            Cause::NeedsCapBpf,
            Cause::NeedsCapSysAdmin,
            Cause::Policy,
            Cause::MemlockLimit,
            Cause::Frozen,
            Cause::ReadOnlyForPrograms,
            Cause::ReadOnlyDescriptor,
            Cause::WriteOnlyDescriptor,
            Cause::MappedWritable,
            Cause::KernelManagedFields,
            Cause::OutOfMemory,
            Cause::OutOfDescriptors,
            Cause::BtfNeedsCapSysAdmin,
            Cause::NoSuchId,
            Cause::NoSuchPath,
            Cause::NotAPin,
            Cause::PathPermission,
            Cause::BadDescriptor,
            Cause::NoSuchCall,
            Cause::Other,
        ];
        for cause in causes {
            let line = advice(cause).map_or_else(|| cause.to_string(), str::to_owned);
            assert!(!line.contains("::") && !line.contains("Array"), "{line}");
        }
    }

    #[test]
    fn what_the_library_says_is_put_in_words_of_the_tool() {
        let text = "no BTF says what its values are; read them as bytes by Map::lookup, or bind a type by size with Array::from_map";
        let line = in_tool_words(text, "map \"hist (id 3)\" (id 7)");
        assert_eq!(line, "no BTF says what its values are; `bpftool map dump id 7` shows them as bytes");
        let serde = "structs and arrays are written as JSON: expected value at line 1 column 1";
        let rule = with_example("\"abcd\"", serde);
        assert_eq!(
            rule,
            "structs and arrays are written as JSON, such as [1,2,3,4] for an array and {\"rate\": 5} for a struct"
        );
        assert_eq!(with_example("\"[1,,2]\"", serde), serde, "where JSON is wrong is of use to who writes it");
        assert_eq!(with_example("\"[1]\"", "hist takes 16 elements"), "hist takes 16 elements");
    }
}
