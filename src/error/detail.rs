//! The parts of an error that have a type of their own.

use std::fmt;

use super::{Advice, Error};

/// The property of a map that [`Error::Mismatch`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Property {
    /// `map_type`
    MapType,
    /// `key_size`
    KeySize,
    /// `value_size`
    ValueSize,
    /// `map_flags`
    Flags,
    /// How the map can be accessed: [`AccessMode`](crate::AccessMode).
    Access,
    /// Whether the map is frozen.
    Frozen,
    /// Which map is pinned at a path.
    Pinned,
    /// How many slots there are for CPUs.
    CpuSlots,
    /// Which version a switch is at.
    Version,
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Property::MapType => "map_type",
            Property::KeySize => "key_size",
            Property::ValueSize => "value_size",
            Property::Flags => "map_flags",
            Property::Access => "its access",
            Property::Frozen => "its state",
            Property::Pinned => "the pinned map",
            Property::CpuSlots => "the number of its slots",
            Property::Version => "its version",
        })
    }
}

/// Why BTF cannot be used: [`Error::Btf`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BtfFault {
    /// The bytes are not BTF, or break its rules.
    Malformed(
        /// What is wrong, and where.
        String,
    ),
    /// Nothing describes the values of the map.
    Missing,
    /// The map was created without BTF, and no program that uses it has any.
    NoUserHasBtf,
    /// The type is not that of the map's values.
    #[non_exhaustive]
    DoesNotFit {
        /// The type.
        type_name: String,
        /// Its size in bytes.
        size: u64,
        /// The size of the map's values in bytes.
        value_size: u32,
    },
    /// The members overlap so often, or so many are out of order, that a value of it would take too much memory or time.
    #[non_exhaustive]
    TooMuchContent {
        /// The size of the variable in bytes.
        size: u64,
        /// What a value of it would take, in bytes; for what takes time, as many as would take as long.
        content: u64,
    },
}

impl BtfFault {
    /// Returns the next step, where there is one.
    pub fn advice(&self) -> Option<Advice> {
        match self {
            BtfFault::Malformed(_) => None,
            BtfFault::Missing => Some(Advice::ReadAsBytes),
            BtfFault::NoUserHasBtf => Some(Advice::CompileWithBtf),
            BtfFault::DoesNotFit { .. } => Some(Advice::TakeLoadedBtf),
            BtfFault::TooMuchContent { .. } => Some(Advice::ReadAPart),
        }
    }
}

impl fmt::Display for BtfFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BtfFault::Malformed(reason) => write!(f, "its BTF is malformed: {reason}"),
            BtfFault::Missing => f.write_str("no BTF describes its values"),
            BtfFault::NoUserHasBtf => f.write_str("it was created without BTF, and no program that uses it has any"),
            BtfFault::DoesNotFit { type_name, size, value_size } => write!(
                f,
                "its BTF ({type_name}, {size} bytes) does not fit its values of {value_size} bytes: it belongs to another program or build, or is \
                 incomplete"
            ),
            BtfFault::TooMuchContent { size, content } => {
                write!(
                    f,
                    "its members overlap so often, or so many are out of order, that {size} bytes would become a value of {content} bytes"
                )
            }
        }
    }
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
    /// The next step.
    pub advice: Option<Advice>,
}

impl fmt::Display for LayoutMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayoutMismatch { field, expected, found, advice } = self;
        if !field.is_empty() {
            write!(f, "{field}: ")?;
        }
        write!(f, "expected {expected}, found {found}")?;
        advice.map_or(Ok(()), |advice| write!(f, " ({advice})"))
    }
}

/// A field that cannot be bound: [`Error::Bind`].
#[derive(Debug)]
#[non_exhaustive]
pub struct BindFault {
    /// The field of the Rust struct.
    pub field: String,
    /// Why.
    pub error: Error,
}

impl fmt::Display for BindFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.error)
    }
}

/// There was no consistent copy: in each of a bounded number of tries, a writer was at work. What
/// [`SeqView::read`](crate::SeqView::read) and [`SwitchView::read`](crate::SwitchView::read) give; small, so that it costs nothing to
/// return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Torn {
    /// How many writers had come when it was looked last. For a switch, its version.
    pub begun: u64,
    /// How many of them had left. For a switch, its version.
    pub ended: u64,
}

impl Torn {
    pub(crate) fn new(begun: u64, ended: u64) -> Torn {
        Torn { begun, ended }
    }
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Torn { begun, ended } = self;
        f.write_str("there was no consistent copy, because a writer was at work in every try ")?;
        match begun.wrapping_sub(*ended) {
            0 => write!(f, "(the last number was {begun})"),
            inside => write!(f, "({begun} came, {ended} left, {inside} inside)"),
        }
    }
}

impl std::error::Error for Torn {}

/// Who keeps others from writing: [`Error::Busy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// A thread of user space, by its number in its PID namespace. It lives, or it cannot be told that it does not.
    Thread(u64),
    /// This very thread: it writes the value inside of the closure that makes the value.
    ThisThread,
    /// A writer that takes no lock: a BPF program that is inside, or one that was cut short and never left.
    Program,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Thread(id) => write!(f, "thread {id} is writing it"),
            Holder::ThisThread => f.write_str("this thread is writing it already"),
            Holder::Program => f.write_str("a program is writing it, or was cut short while it did"),
        }
    }
}
