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
    /// The members overlap so often that a value of it would take too much memory.
    #[non_exhaustive]
    TooMuchContent {
        /// The size of the variable in bytes.
        size: u64,
        /// What a value of it would take, in bytes.
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
                write!(f, "its members overlap so often that {size} bytes would become a value of {content} bytes")
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
