//! What a caller wants to write.

use std::fmt;

use super::Value;

/// What is to be written to a variable: text, a number, a value that was read before, or several of them.
///
/// Everything is checked by the variable's type before the first byte is written.
///
/// | type | text |
/// |---|---|
/// | integer, bitfield | decimal, `0x1f`, `0o17`, `0b101`, with a sign. A number that is out of range is refused, and so is `017`, which may mean either base. One byte also as `'a'` |
/// | `bool` | `true`, `false`, `on`, `off`, `1`, `0` |
/// | enum | an enumerator's name, several with `\|` between them for flags, or a number in the range of its size |
/// | float, double | `1.5`, `1e9`, `inf`, `nan`. A finite number that would become infinite is refused |
/// | pointer | a number |
/// | `char [N]` | the text, of at most `N - 1` bytes; the rest becomes NUL. Or all numbers as a JSON array |
/// | array | JSON, all elements |
/// | struct | JSON; members that are not named keep their values |
/// | union | JSON with one member, or several that agree |
///
/// JSON in text needs the feature `json`. With it, text in JSON's quotes is accepted for any type: what is printed as JSON is
/// accepted as text. [`Input::Array`] and [`Input::Struct`] need no feature. With the feature `serde`, `Input` implements
/// `Deserialize`, so it can be a field of a configuration file or come from a JSON value.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Globals, Input};
///
/// let globals = Globals::by_name("count")?;
/// globals.var("sampling")?.set(100)?;            // a number
/// globals.var("config.mode")?.set("FAST")?;      // text, read by the type: an enumerator
/// let both = Input::Struct(vec![("rate".into(), 5.into()), ("mode".into(), "FAST".into())]);
/// globals.var("config")?.set(both)?;
/// let before = globals.var("label")?.read()?;
/// globals.var("label")?.set(before)?;            // a value that was read
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// Text as a user types it. It is read by the type that it is for.
    Text(String),
    /// A scalar or text, as it is. [`Value::Text`] is accepted for a number or an enumerator, too.
    Value(Value),
    /// All elements of an array, or all entries of a map.
    Array(Vec<Input>),
    /// Members of a struct or union, by name. Members that are not named keep their values.
    Struct(Vec<(String, Input)>),
}

/// Prints it in one line, in the form in which [`Value`] prints.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Debug escapes what could confuse a terminal.
            Input::Text(text) => write!(f, "{text:?}"),
            Input::Value(value) => value.fmt(f),
            Input::Array(elements) => super::write_array(f, elements),
            Input::Struct(members) => super::write_struct(f, members),
        }
    }
}

impl From<Value> for Input {
    fn from(value: Value) -> Input {
        match value {
            Value::Array(elements) => Input::Array(elements.into_iter().map(Input::from).collect()),
            Value::Struct(members) => {
                Input::Struct(members.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
            scalar => Input::Value(scalar),
        }
    }
}

impl From<&Value> for Input {
    fn from(value: &Value) -> Input {
        value.clone().into()
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Input {
        Input::Text(text.to_owned())
    }
}

impl From<String> for Input {
    fn from(text: String) -> Input {
        Input::Text(text)
    }
}

impl From<&Input> for Input {
    fn from(input: &Input) -> Input {
        input.clone()
    }
}

macro_rules! from {
    ($($from:ty),*) => {$(
        impl From<$from> for Input {
            fn from(value: $from) -> Input {
                Input::Value(value.into())
            }
        }
    )*};
}

from!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, bool, f32, f64);
