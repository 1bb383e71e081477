//! Settings as text that can be read again.

use std::fmt::Write;

use bpfvar::Value;

use crate::output::{clean, quoted};
use crate::value::fit;

/// Lines are no longer where that can be had.
const WIDTH: usize = 100;

/// A file of settings in the making.
#[derive(Debug)]
pub(crate) struct Document {
    comments: bool,
    /// What belongs to no table has to stand before all tables.
    top: String,
    tables: String,
    in_table: bool,
}

impl Document {
    /// With or without comments.
    pub(crate) fn new(comments: bool) -> Document {
        Document { comments, top: String::new(), tables: String::new(), in_table: false }
    }

    /// What follows is behind `[name]`; without a name, before the first table.
    pub(crate) fn table(&mut self, name: Option<&str>) {
        self.in_table = name.is_some();
        if let Some(name) = name {
            self.add(format_args!("\n[{}]", key(name)));
        }
    }

    /// A comment, in as many lines as it needs.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.comments {
            return;
        }
        let mut line = "#".to_owned();
        for word in clean(text).split(' ') {
            if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.add(format_args!("{line}"));
                line = "#  ".to_owned();
            }
            line = line + " " + word;
        }
        self.add(format_args!("{line}"));
    }

    /// A line between what does not belong together.
    pub(crate) fn blank(&mut self) {
        if self.comments {
            self.add(format_args!(""));
        }
    }

    /// A setting, with what there is to say of it.
    pub(crate) fn set(&mut self, keys: &[String], value: &Value, note: &str) {
        let start = format!("{} = ", path(keys));
        let value = broken(value, start.chars().count());
        self.with_note(&format!("{start}{value}"), note);
    }

    /// What cannot be set, as a comment. The value is for people.
    pub(crate) fn leave(&mut self, keys: &[String], value: &str, note: &str) {
        let line = format!("# {} = {}", path(keys), clean(value));
        let line = fit(&line, WIDTH);
        if self.comments {
            self.with_note(&line, note);
        }
    }

    fn with_note(&mut self, line: &str, note: &str) {
        let fits = !line.contains('\n') && line.chars().count() + note.chars().count() + 4 <= WIDTH;
        if self.comments && fits {
            return self.add(format_args!("{line}  # {}", clean(note)));
        }
        self.note(note);
        self.add(format_args!("{line}"));
    }

    fn add(&mut self, line: std::fmt::Arguments<'_>) {
        let to = if self.in_table { &mut self.tables } else { &mut self.top };
        *to += &format!("{line}\n");
    }

    pub(crate) fn finish(self) -> String {
        self.top + &self.tables
    }
}

fn path(keys: &[String]) -> String {
    keys.iter().map(|name| key(name)).collect::<Vec<_>>().join(".")
}

/// As it is, if TOML takes it so.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A value in one line. A number for which other readers of TOML have no room is quoted, and so are addresses.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Enum { name: Some(name), .. } => quoted(name),
        Value::Int(number) | Value::Enum { value: number, .. } => number_or_quoted(i64::try_from(*number), number),
        Value::Uint(number) => number_or_quoted(i64::try_from(*number), number),
        Value::F32(number) => match number {
            // Readers make a double of it first; where rounding twice is not rounding once, that double is written.
            finite if finite.is_finite() && format!("{finite:?}").parse().is_ok_and(|wide: f64| wide as f32 != *finite) => {
                format!("{:?}", f64::from(*finite))
            }
            number => float(format!("{number:?}"), number.is_sign_negative()),
        },
        Value::F64(number) => float(format!("{number:?}"), number.is_sign_negative()),
        Value::Text(text) => quoted(text),
        Value::Array(elements) => format!("[{}]", elements.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Struct(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{} = {}", key(name), literal(value))).collect();
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
        Value::Bool(value) => value.to_string(),
        // `Value` may grow.
        other => quoted(&other.to_string()),
    }
}

fn number_or_quoted<E>(narrow: Result<i64, E>, number: &impl ToString) -> String {
    narrow.map_or_else(|_| quoted(&number.to_string()), |narrow| narrow.to_string())
}

fn float(text: String, is_negative: bool) -> String {
    match text.as_str() {
        "NaN" if is_negative => "-nan".to_owned(),
        "NaN" => "nan".to_owned(),
        _ => text,
    }
}

/// A value behind `used` columns; an array in several lines if it is too wide for one.
fn broken(value: &Value, used: usize) -> String {
    let line = literal(value);
    let Value::Array(elements) = value else { return line };
    if used + line.chars().count() <= WIDTH {
        return line;
    }
    let is_nested = elements.iter().any(|element| matches!(element, Value::Array(_) | Value::Struct(_)));
    let (mut text, mut column) = ("[".to_owned(), WIDTH);
    for element in elements {
        let element = if is_nested { broken_in(element) } else { literal(element) };
        if is_nested || column + element.len() + 2 > WIDTH {
            let _ = write!(text, "\n  {element},");
            column = 3 + element.len();
        } else {
            let _ = write!(text, " {element},");
            column += 2 + element.len();
        }
    }
    text + "\n]"
}

/// An element of an array in a line of its own, or in several that are indented.
fn broken_in(element: &Value) -> String {
    broken(element, 3).replace('\n', "\n  ")
}
