//! What can go wrong, in one line with the next step.

use std::fmt::Display;
use std::io;

use bpfvar::error::{Advice, BindFault, Object, ObjectKind, Property};
use bpfvar::{Cause, Error, KeyedMap};

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library refused, or the kernel.
    Library(Error),
    /// The tool refused: the whole line.
    Message(String),
    /// The same: there is no object that is named so, or not yet.
    Absent(String),
    /// The same: the name is that of several objects.
    Ambiguous(String),
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

    /// Whether the object is not there that was named: it may come.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Failure::Absent(_) => true,
            Failure::Library(error) => matches!(error.cause(), Some(Cause::NoSuchId | Cause::NoSuchPath)),
            _ => false,
        }
    }

    /// The line. The system call and its errno are for those who ask.
    pub(crate) fn line(&self, verbose: bool) -> String {
        match self {
            Failure::Library(error) => library_line(error, verbose),
            Failure::Message(line) | Failure::Absent(line) | Failure::Ambiguous(line) => line.clone(),
            Failure::Told => String::new(),
            Failure::Output(error) => format!("standard output cannot be written: {error}"),
        }
    }
}

/// What failed, in the library's words, which state facts; and the next step, in words of the tool.
fn library_line(error: &Error, verbose: bool) -> String {
    let fact = match error {
        Error::Kernel { call, object, cause, source, .. } if verbose => {
            format!("{object}: {call} failed: {source}: {cause}")
        }
        Error::Kernel { object, cause, .. } => format!("{object}: {cause}"),
        Error::Argument { object, argument, found, rule, .. } => format!("{object}: {argument} is {found}, but {rule}"),
        Error::Mismatch { object, property: Property::MapType, found, .. } => return other_type(object, found, true),
        Error::Mismatch { object, property, found, expected, .. } => {
            format!("{object}: {property} is {found}, expected {expected}")
        }
        Error::NotFound { object, kind, name, known, .. } => not_found(object, *kind, name, known),
        Error::Ambiguous { object, kind, name, candidates, .. } => {
            let ways: Vec<String> = candidates.iter().map(way).collect();
            format!("{object}: {kind} {name:?} could be any of {}", ways.join(", "))
        }
        Error::Btf { object, fault, .. } => format!("{object}: {fault}"),
        Error::Layout { object, rust_type, mismatches, .. } => {
            format!("{object} does not have the type {rust_type}: {}", join(mismatches))
        }
        Error::Bind { object, rust_type, faults, .. } => {
            let line = |fault: &BindFault| format!("{}: {}", fault.field, library_line(&fault.error, verbose));
            format!("{rust_type} cannot be bound to {object}: {}", join(&faults.iter().map(line).collect::<Vec<_>>()))
        }
        Error::Torn { object, torn, .. } => format!("{object}: {torn}"),
        Error::Busy { object, holder, .. } => format!("{object}: {holder}"),
        Error::MaySleep { object, programs, .. } if !programs.is_empty() => {
            format!(
                "{object}: programs that are sleepable, or may be, use it, and no wait tells when they are done: {}",
                join(programs)
            )
        }
        Error::MaySleep { object, .. } => {
            format!("{object}: whether sleepable programs use it cannot be told without CAP_SYS_ADMIN")
        }
        Error::WrongObject { object, found, expected, .. } => format!("{object} is not a BPF {expected} but {found}"),
        other => other.to_string(),
    };
    match error.advice().and_then(|advice| words(advice, error.object())) {
        Some(advice) => format!("{fact}; {advice}"),
        None => fact,
    }
}

fn join(parts: &[impl Display]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn not_found(object: &Object, kind: ObjectKind, name: &str, known: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = known.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let known = match known.len() {
        0 => String::new(),
        count if count > SHOWN => format!("; there are {count}, among them {shown}"),
        _ => format!("; there are {shown}"),
    };
    format!("{object}: there is no {kind} {name:?}{known}")
}

/// How to name one of several.
fn way(object: &Object) -> String {
    match object {
        Object::Variable { path, type_name, offset, map, .. } => {
            let name = path.split('@').next().unwrap_or(path);
            format!("{name}@{offset} ({type_name} in {map})")
        }
        Object::Map { id, .. } => format!("map:{id} ({object})"),
        Object::Program { id, .. } => format!("prog:{id} ({object})"),
        other => other.to_string(),
    }
}

/// The line for a map of a type that has no variables; `described` says whether it has BTF.
pub(crate) fn other_type(map: &Object, map_type: impl Display, described: bool) -> String {
    let map_type = map_type.to_string();
    let is_keyed = KeyedMap::TYPES.iter().any(|keyed| keyed.to_string() == map_type);
    let look = map.id().map_or_else(String::new, |id| format!("; `bpftool map dump id {id}` shows what it holds"));
    match (is_keyed, described) {
        (true, true) => format!(
            "{map} is of type {map_type}: its entries are copied by system call and only read, by `get`, `show`, `dump` and `watch`"
        ),
        (true, false) => format!("{map} was created without BTF, so nothing describes its entries{look}"),
        (false, _) => format!("{map} is of type {map_type}, and bpfvar shows only arrays, hashes and LPM tries{look}"),
    }
}

/// The next step in commands of the tool. `None` where the fact says all that a user of the tool can use.
fn words(advice: Advice, object: &Object) -> Option<String> {
    Some(match advice {
        // By a pin, too: the kernel gives BTF by its id only.
        Advice::OpenByPin | Advice::GrantCapBpf | Advice::GiveBtf => "run as root (sudo bpfvar ...)".to_owned(),
        Advice::LeaveUserNamespace => "run it outside of the namespace (of the container)".to_owned(),
        Advice::UseReadOnly => "only loading the program anew sets it".to_owned(),
        Advice::UpdateUntilFrozen => "`set --rewrite` writes it by system call, until it is frozen".to_owned(),
        Advice::OpenReadWrite => "check owner and mode of the pin".to_owned(),
        Advice::DropMappings => {
            "end the process that maps it, such as the one that loaded the program, and try again".to_owned()
        }
        Advice::UseSystemCalls | Advice::ReadBySystemCall => "`get` reads it by system call".to_owned(),
        Advice::MapLess => "name a smaller map, or free memory".to_owned(),
        Advice::ListIds => "`bpfvar list` shows what there is".to_owned(),
        Advice::ListPrograms => "`bpfvar list` shows the programs that are loaded".to_owned(),
        Advice::CheckMode => "check owner and mode, or run as root".to_owned(),
        Advice::MakeMappable => "only the author of the program can set the flag, where the map is created".to_owned(),
        Advice::RewriteSection => {
            "`get` reads it by system call; `set --rewrite` writes it, and loses what programs store to the section meanwhile"
                .to_owned()
        }
        Advice::ReadAsBytes => match object.id() {
            Some(id) => format!("`bpftool map dump id {id}` shows them as bytes"),
            None => "`bpftool map dump` shows them as bytes".to_owned(),
        },
        Advice::TakeLoadedBtf => "load the program with the BTF of its own build".to_owned(),
        Advice::ReadAPart => "name a part of it".to_owned(),
        Advice::ChooseById => "choose one by its id, prog:ID or map:ID".to_owned(),
        Advice::ChooseByOffset => "choose one by NAME@OFFSET, where OFFSET is the byte at which it starts".to_owned(),
        Advice::ChooseEntry => "choose an entry, NAME[INDEX]".to_owned(),
        Advice::ReadAgainOrWrite => {
            "if it stays so, a writer was cut short, and setting all of the variable ends that".to_owned()
        }
        Advice::TryAgain => "try again when it is done".to_owned(),
        Advice::AllowSleepable => {
            "if none of them keeps the value while it sleeps, --allow-sleepable switches all the same".to_owned()
        }
        Advice::MoreSlots => "compile the program with -DBPFVAR_MAX_CPUS=N".to_owned(),
        Advice::ChooseCpu => "choose a CPU, NAME[NUMBER]".to_owned(),
        Advice::GiveMap | Advice::GiveProgram => "name the pin of a program or map".to_owned(),
        // These say the same to everybody.
        Advice::RaiseMemlock
        | Advice::CloseDescriptors
        | Advice::ListPins
        | Advice::MountBpffs
        | Advice::SeeManual
        | Advice::CompileWithBtf
        | Advice::ReadAgain
        | Advice::ChooseMember
        | Advice::WriteJson
        | Advice::WriteJsonKey => advice.to_string(),
        // About what the tool does not do.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_advice_is_in_words_of_the_tool() {
        for advice in Advice::ALL {
            let line = words(*advice, &Object::System).unwrap_or_default();
            for foreign in ["::", "Array", "TypedMap", "Shared", "ReadOnly", "crate"] {
                assert!(!line.contains(foreign), "{advice:?}: {line}");
            }
        }
    }
}
