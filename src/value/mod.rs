//! Values whose type is known when running only: from bytes to a tree and from a tree to bytes, by what BTF says.

mod decode;
mod encode;
mod input;
#[cfg(test)]
mod orders;
#[cfg(feature = "serde")]
mod serde;
mod sum;
mod text;

use std::fmt::{self, Write};

use crate::error::Plain;

pub(crate) use decode::decode;
pub(crate) use encode::{Image, encode};
pub use input::Input;
pub(crate) use text::{parse_float, parse_number};

/// The value of a variable whose type is not known when compiling: what [`Var::read`](crate::Var::read) returns. What may be
/// written is an [`Input`], and every `Value` is one.
///
/// `Display` prints it in one line: numbers decimal, enumerators by name, pointers and unknown bytes hexadecimal, text in
/// quotes with escapes, `{rate: 5, mode: FAST}`, `[1, 2, 3]`.
///
/// `Int` and `Uint` of the same number are not equal, nor is an enum its number: compare by [`Value::as_i128`] or
/// [`Value::as_str`].
///
/// # serde
///
/// With the feature `serde` it implements `Serialize`. Integers beyond ±2^53, which many readers of JSON would round, become
/// decimal strings. So do `NaN`, `Infinity` and `-Infinity`. Pointers and bytes without a meaning become strings of hexadecimal
/// digits. Enumerators become their names, or numbers if they have none. All of these are accepted as [`Input`].
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Globals, Value};
///
/// let globals = Globals::by_name("count")?;
/// if let Value::Struct(members) = globals.var("config")?.read()? {
///     for (name, value) in members {
///         println!("{name} = {value}");
///     }
/// }
/// assert_eq!(globals.var("packets")?.read()?.as_i128(), Some(17));
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A signed integer or bitfield of up to 128 bits.
    Int(i128),
    /// An unsigned one.
    Uint(u128),
    /// `bool`: whether its byte is not zero.
    Bool(bool),
    /// `float`.
    F32(f32),
    /// `double`.
    F64(f64),
    /// An enum.
    Enum {
        /// The number.
        value: i128,
        /// The first enumerator with that number.
        name: Option<String>,
    },
    /// An address in the kernel.
    Pointer(u64),
    /// A `char` array up to its first NUL, if there is one and that is UTF-8; else it is an [`Array`](Value::Array) of numbers.
    Text(String),
    /// What BTF gives no meaning to: a float of 16 bytes, a bitfield of more than 64 bits.
    Bytes(Vec<u8>),
    /// An array, or all entries of a map.
    Array(Vec<Value>),
    /// The members of a struct or a union, with those of anonymous ones in place of these.
    Struct(Vec<(String, Value)>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(value) | Value::Enum { value, name: None } => write!(f, "{value}"),
            Value::Uint(value) => write!(f, "{value}"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::F32(value) => write!(f, "{value:?}"),
            Value::F64(value) => write!(f, "{value:?}"),
            Value::Enum { name: Some(name), .. } => f.write_str(name),
            Value::Pointer(address) => write!(f, "{address:#x}"),
            // Debug escapes what could confuse a terminal.
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Bytes(bytes) => f.write_str(&hex(bytes)),
            Value::Array(elements) => write_array(f, elements),
            Value::Struct(members) => write_struct(f, members),
        }
    }
}

fn write_array(f: &mut fmt::Formatter<'_>, elements: &[impl fmt::Display]) -> fmt::Result {
    f.write_str("[")?;
    for (index, element) in elements.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{element}")?;
    }
    f.write_str("]")
}

fn write_struct(f: &mut fmt::Formatter<'_>, members: &[(String, impl fmt::Display)]) -> fmt::Result {
    f.write_str("{")?;
    for (index, (name, value)) in members.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        f.write_str(separator)?;
        Plain(f).write_str(name)?;
        write!(f, ": {value}")?;
    }
    f.write_str("}")
}

/// `0x` and the bytes in the order of memory.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

impl Value {
    /// Adds up values of one type: numbers as numbers, structs member by member, arrays element by element. Whole numbers are added
    /// exactly. What is no number, such as an enumerator, a flag or text, and what does not fit 128 bits, is what all of them
    /// have, or the [`Array`](Value::Array) of what each has.
    ///
    /// ```
    /// use bpfvar::Value;
    ///
    /// let total = Value::sum(vec![u64::MAX.into(), u64::MAX.into()]);
    /// assert_eq!(total, Value::Uint(2 * u128::from(u64::MAX)));
    /// ```
    pub fn sum(values: Vec<Value>) -> Value {
        sum::sum(values)
    }

    /// Returns the number, if it is a whole one: also that of a `bool`, an enum and a pointer.
    pub fn as_i128(&self) -> Option<i128> {
        match *self {
            Value::Int(value) | Value::Enum { value, .. } => Some(value),
            Value::Uint(value) => value.try_into().ok(),
            Value::Bool(value) => Some(value.into()),
            Value::Pointer(address) => Some(address.into()),
            _ => None,
        }
    }

    /// Returns the text of a `char` array, or the name of an enumerator.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Enum { name, .. } => name.as_deref(),
            _ => None,
        }
    }

    /// Returns the number, if it is one: also that of a `bool`, an enum, a pointer and a whole float. For rates and comparisons.
    pub fn as_f64(&self) -> Option<f64> {
        Some(match *self {
            Value::Int(value) | Value::Enum { value, .. } => value as f64,
            Value::Uint(value) => value as f64,
            Value::Bool(value) => f64::from(u8::from(value)),
            Value::F32(value) => value.into(),
            Value::F64(value) => value,
            Value::Pointer(address) => address as f64,
            _ => return None,
        })
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Value {
                Value::$variant(value.into())
            }
        }
    )*};
}

from! {
    u8 => Uint, u16 => Uint, u32 => Uint, u64 => Uint, u128 => Uint,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, i128 => Int,
    bool => Bool, f32 => F32, f64 => F64
}
