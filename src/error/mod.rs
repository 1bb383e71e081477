//! The one error type: what failed, on which object, what was found, what was expected, and the next step. All of it is data.

mod cause;
mod detail;
mod errno;
mod object;
mod plain;

use std::fmt::{self, Write};
use std::io;
use std::path::Path;

pub use cause::{Advice, Cause};
pub use detail::{BindFault, BtfFault, Holder, LayoutMismatch, Property, Torn};
use errno::Errno;
pub use object::{Object, ObjectKind};
pub(crate) use plain::{Plain, short};

pub use crate::sys::Call;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as data.
///
/// `Display` makes one line of it: the object, what was found, what was expected, and the next step. `Debug` prints that line
/// and then the fields. [`Error::object`], [`Error::cause`], [`Error::advice`] and [`Error::raw_os_error`] return what is matched
/// most.
///
/// ```
/// use bpfvar::{Error, Map};
///
/// match Map::builder().name("stats").create() {
///     Err(Error::Argument { argument: "value_size", .. }) => {} // the builder was not given one
///     Err(error) => eprintln!("{error}"),
///     Ok(map) => println!("{}", map.info()),
/// }
/// ```
#[non_exhaustive]
pub enum Error {
    /// The kernel refused a call.
    #[non_exhaustive]
    Kernel {
        /// The call.
        call: Call,
        /// What it was about.
        object: Box<Object>,
        /// What the errno meant here. It has the advice.
        cause: Cause,
        /// The errno.
        source: io::Error,
    },

    /// An argument cannot work. This was found before any call. Nothing was changed.
    #[non_exhaustive]
    Argument {
        /// What it was given for.
        object: Box<Object>,
        /// The argument.
        argument: &'static str,
        /// Its value.
        found: String,
        /// The rule that it breaks: a clause that follows "but".
        rule: String,
        /// The next step.
        advice: Option<Advice>,
    },

    /// The map is not the one that the type or the operation needs.
    #[non_exhaustive]
    Mismatch {
        /// The map or the variable.
        object: Box<Object>,
        /// What was compared.
        property: Property,
        /// What it is.
        found: String,
        /// What it must be.
        expected: String,
        /// The next step.
        advice: Option<Advice>,
    },

    /// Nothing of that name exists.
    #[non_exhaustive]
    NotFound {
        /// Where it was sought.
        object: Box<Object>,
        /// The kind of what was sought.
        kind: ObjectKind,
        /// Its name, as it was given.
        name: String,
        /// The names of what exists there.
        known: Vec<String>,
        /// The next step.
        advice: Option<Advice>,
    },

    /// Several objects have that name. Nothing was changed.
    #[non_exhaustive]
    Ambiguous {
        /// Where it was sought.
        object: Box<Object>,
        /// The kind of what was sought.
        kind: ObjectKind,
        /// Its name.
        name: String,
        /// What has it.
        candidates: Vec<Object>,
        /// How to choose one.
        advice: Advice,
    },

    /// The types are not known: there is no BTF, or it cannot be used.
    #[non_exhaustive]
    Btf {
        /// The map, program or BTF.
        object: Box<Object>,
        /// Why.
        fault: BtfFault,
    },

    /// A Rust type is not that of the variable or map. Nothing was changed.
    #[non_exhaustive]
    Layout {
        /// The variable or map.
        object: Box<Object>,
        /// The Rust type.
        rust_type: String,
        /// Each difference.
        mismatches: Vec<LayoutMismatch>,
    },

    /// Fields of a struct that derives [`Bind`](crate::Bind) cannot be bound. Nothing was bound.
    #[non_exhaustive]
    Bind {
        /// The program.
        object: Box<Object>,
        /// The Rust type.
        rust_type: String,
        /// Each field that cannot be bound, and why.
        faults: Vec<BindFault>,
    },

    /// There was no consistent copy of a value that changes as one.
    #[non_exhaustive]
    Torn {
        /// The variable.
        object: Box<Object>,
        /// What was seen.
        torn: Torn,
    },

    /// Somebody else is writing a value that changes as one. Nothing was changed.
    #[non_exhaustive]
    Busy {
        /// The variable.
        object: Box<Object>,
        /// Who.
        holder: Holder,
    },

    /// Sleepable programs use a switch, or programs of which it cannot be told whether they are, and no wait can tell when they
    /// are done with its old value. Nothing was changed.
    #[non_exhaustive]
    MaySleep {
        /// The variable.
        object: Box<Object>,
        /// The programs. Empty if nobody can tell which programs use it (that needs `CAP_SYS_ADMIN`).
        programs: Vec<Object>,
    },

    /// The descriptor or the pin is another kind of object: a program, a link, BTF, an ordinary file.
    #[non_exhaustive]
    WrongObject {
        /// The descriptor or the pin.
        object: Box<Object>,
        /// What it is, as far as /proc tells.
        found: String,
        /// What was needed: a map, a program or a link.
        expected: ObjectKind,
    },
}

impl From<Torn> for Error {
    fn from(torn: Torn) -> Error {
        Error::Torn { object: Box::new(Object::Value), torn }
    }
}

/// So many names are shown; all are in the data.
const SHOWN: usize = 12;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Plain(f);
        match self {
            Error::Kernel { call, object, cause, source } => match source.raw_os_error() {
                Some(errno) => write!(f, "{object}: {call} failed with {}: {cause}", Errno(errno))?,
                None => write!(f, "{object}: {call} failed: {source}")?,
            },
            Error::Argument { object, argument, found, rule, .. } => {
                write!(f, "{object}: {argument} is {}, but {}", short(found), short(rule))?;
            }
            Error::Mismatch { object, property, found, expected, .. } => {
                write!(f, "{object}: {property} is {found}, expected {expected}")?;
            }
            Error::NotFound { object, kind, name, known, .. } => {
                write!(f, "{object}: there is no {kind} {name:?}")?;
                let shown = known.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
                match known.len() {
                    0 => {}
                    count if count > SHOWN => write!(f, "; there are {count}, among them {shown}")?,
                    _ => write!(f, "; there are {shown}")?,
                }
            }
            Error::Ambiguous { object, kind, name, candidates, .. } => {
                let list: Vec<String> = candidates.iter().map(candidate).collect();
                write!(f, "{object}: {kind} {name:?} could be any of {}", list.join(", "))?;
            }
            Error::Btf { object, fault } => write!(f, "{object}: {fault}")?,
            Error::Layout { object, rust_type, mismatches } => {
                write!(f, "{object} does not have the type {rust_type}: {}", join(mismatches))?;
            }
            Error::Bind { object, rust_type, faults } => {
                write!(f, "{rust_type} cannot be bound to {object}: {}", join(faults))?;
            }
            Error::Torn { object, torn } => write!(f, "{object}: {torn}")?,
            Error::Busy { object, holder } => write!(f, "{object}: {holder}")?,
            Error::MaySleep { object, programs } if programs.is_empty() => {
                write!(f, "{object}: whether sleepable programs use it cannot be told without CAP_SYS_ADMIN")?;
            }
            Error::MaySleep { object, programs } => {
                write!(
                    f,
                    "{object}: programs that are sleepable, or may be, use it, and no wait tells when they are done: {}",
                    join(programs)
                )?;
            }
            Error::WrongObject { object, found, expected } => {
                write!(f, "{object} is not a BPF {expected} but {found}")?;
            }
        }
        match self {
            // What is no errno is explained by itself.
            Error::Kernel { source, .. } if source.raw_os_error().is_none() => Ok(()),
            _ => self.advice().map_or(Ok(()), |advice| write!(f, "; {advice}")),
        }
    }
}

fn join(parts: &[impl fmt::Display]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What tells an object from others of its name. A variable's offset does, in the form in which it is given.
fn candidate(object: &Object) -> String {
    match object {
        Object::Variable { path, type_name, offset, map } => {
            let name = path.split('@').next().unwrap_or(path);
            format!("{name}@{offset} ({type_name} in {map})")
        }
        other => other.to_string(),
    }
}

/// Prints the message, then the fields: the first is for people who see `unwrap` fail, the second for logs.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ")?;
        match self {
            Error::Kernel { call, object, cause, source } => f
                .debug_struct("Kernel")
                .field("call", call)
                .field("object", object)
                .field("cause", cause)
                .field("source", source)
                .finish(),
            Error::Argument { object, argument, found, rule, advice } => f
                .debug_struct("Argument")
                .field("object", object)
                .field("argument", argument)
                .field("found", found)
                .field("rule", rule)
                .field("advice", advice)
                .finish(),
            Error::Mismatch { object, property, found, expected, advice } => f
                .debug_struct("Mismatch")
                .field("object", object)
                .field("property", property)
                .field("found", found)
                .field("expected", expected)
                .field("advice", advice)
                .finish(),
            Error::NotFound { object, kind, name, known, advice } => f
                .debug_struct("NotFound")
                .field("object", object)
                .field("kind", kind)
                .field("name", name)
                .field("known", known)
                .field("advice", advice)
                .finish(),
            Error::Ambiguous { object, kind, name, candidates, advice } => f
                .debug_struct("Ambiguous")
                .field("object", object)
                .field("kind", kind)
                .field("name", name)
                .field("candidates", candidates)
                .field("advice", advice)
                .finish(),
            Error::Btf { object, fault } => {
                f.debug_struct("Btf").field("object", object).field("fault", fault).finish()
            }
            Error::Layout { object, rust_type, mismatches } => f
                .debug_struct("Layout")
                .field("object", object)
                .field("rust_type", rust_type)
                .field("mismatches", mismatches)
                .finish(),
            Error::Bind { object, rust_type, faults } => f
                .debug_struct("Bind")
                .field("object", object)
                .field("rust_type", rust_type)
                .field("faults", faults)
                .finish(),
            Error::Torn { object, torn } => f.debug_struct("Torn").field("object", object).field("torn", torn).finish(),
            Error::Busy { object, holder } => {
                f.debug_struct("Busy").field("object", object).field("holder", holder).finish()
            }
            Error::MaySleep { object, programs } => {
                f.debug_struct("MaySleep").field("object", object).field("programs", programs).finish()
            }
            Error::WrongObject { object, found, expected } => f
                .debug_struct("WrongObject")
                .field("object", object)
                .field("found", found)
                .field("expected", expected)
                .finish(),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Kernel { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Error {
    /// Returns what the error is about.
    pub fn object(&self) -> &Object {
        match self {
            Error::Kernel { object, .. }
            | Error::Argument { object, .. }
            | Error::Mismatch { object, .. }
            | Error::NotFound { object, .. }
            | Error::Ambiguous { object, .. }
            | Error::Btf { object, .. }
            | Error::Layout { object, .. }
            | Error::Bind { object, .. }
            | Error::Torn { object, .. }
            | Error::Busy { object, .. }
            | Error::MaySleep { object, .. }
            | Error::WrongObject { object, .. } => object,
        }
    }

    /// Returns what the kernel's errno meant, where the kernel refused a call.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Error::Kernel { cause, .. } => Some(*cause),
            _ => None,
        }
    }

    /// Returns the next step, where there is one.
    pub fn advice(&self) -> Option<Advice> {
        match self {
            Error::Kernel { cause, .. } => cause.advice(),
            Error::Argument { advice, .. } | Error::Mismatch { advice, .. } | Error::NotFound { advice, .. } => *advice,
            Error::Ambiguous { advice, .. } => Some(*advice),
            Error::Btf { fault, .. } => fault.advice(),
            Error::WrongObject { expected: ObjectKind::Program, .. } => Some(Advice::GiveProgram),
            Error::WrongObject { expected: ObjectKind::Link, .. } => Some(Advice::GiveLink),
            Error::WrongObject { .. } => Some(Advice::GiveMap),
            Error::Torn { torn, .. } if torn.begun != torn.ended => Some(Advice::ReadAgainOrWrite),
            Error::Torn { .. } => Some(Advice::ReadAgain),
            Error::Busy { holder: Holder::Program, .. } => Some(Advice::ReadAgainOrWrite),
            Error::Busy { holder: Holder::ThisThread, .. } => Some(Advice::WriteOnce),
            Error::Busy { .. } => Some(Advice::TryAgain),
            Error::MaySleep { .. } => Some(Advice::AllowSleepable),
            Error::Layout { .. } | Error::Bind { .. } => None,
        }
    }

    /// Returns the errno, where the kernel refused a call. Note 524 (`ENOTSUPP`), for which libc has no name.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Error::Kernel { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }

    /// The same error about another object: the pin that was opened, the variable that was accessed.
    pub(crate) fn about(mut self, about: Object) -> Error {
        match &mut self {
            Error::Kernel { object, .. }
            | Error::Argument { object, .. }
            | Error::Mismatch { object, .. }
            | Error::NotFound { object, .. }
            | Error::Ambiguous { object, .. }
            | Error::Btf { object, .. }
            | Error::Layout { object, .. }
            | Error::Bind { object, .. }
            | Error::Torn { object, .. }
            | Error::Busy { object, .. }
            | Error::MaySleep { object, .. }
            | Error::WrongObject { object, .. } => **object = about,
        }
        self
    }

    /// Names the pin that turned out to be something else.
    pub(crate) fn at_pin(self, path: &Path) -> Error {
        match self {
            Error::WrongObject { .. } => self.about(Object::Pin { path: path.to_owned(), map: None }),
            other => other,
        }
    }
}
