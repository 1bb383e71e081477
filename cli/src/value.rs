//! Values for people: cut, broken into lines, taken apart into rows.

use bpfvar::error::Property;
use bpfvar::{Error, KeyedEntry, Value, Var};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::clean;

/// So many bytes are read for one line; more would not be seen.
const PREVIEW: u64 = 1024;
/// So many elements are shown of what is bigger.
const ELEMENTS: usize = 16;

/// A value in one line, not longer than of use: of big arrays and maps the first elements.
pub(crate) fn preview(var: &Var) -> bpfvar::Result<String> {
    let entries = match var.entry() {
        Some(_) => 1,
        None => u64::from(var.map().info().max_entries),
    };
    let entries = if is_slots(var) { 0 } else { entries };
    if var.size().saturating_mul(entries) <= PREVIEW {
        return Ok(match read(var)? {
            Ok(value) => text(&value),
            Err(torn) => torn.to_owned(),
        });
    }
    let mut elements = Vec::new();
    while let Ok(element) = var.at(&format!("[{}]", elements.len())) {
        if elements.len() == ELEMENTS {
            elements.push("…".to_owned());
            break;
        }
        elements.push(preview(&element)?);
    }
    Ok(if elements.is_empty() {
        format!("{{…}} ({} bytes)", var.size())
    } else {
        format!("[{}]", elements.join(", "))
    })
}

/// The value, or what to show in place of one that somebody is writing or has left half written, or that cannot be added up.
pub(crate) fn read(var: &Var) -> bpfvar::Result<Result<Value, &'static str>> {
    whole(var.read())
}

/// The same of what was read with others.
pub(crate) fn whole(read: bpfvar::Result<Value>) -> bpfvar::Result<Result<Value, &'static str>> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(error) => why_not_whole(&error).map(Err).ok_or(error),
    }
}

/// What to show in place of a value that is not whole; None where reading failed otherwise.
pub(crate) fn why_not_whole(error: &Error) -> Option<&'static str> {
    match error {
        Error::Torn { torn, .. } if torn.begun == torn.ended => Some("(changing too fast)"),
        Error::Torn { .. } => Some("(half written)"),
        Error::Mismatch { property: Property::CpuSlots, .. } => Some("(not a slot for each CPU of this machine)"),
        _ => None,
    }
}

/// The only entry of a map in place of the map, as its elements come behind the index of that; anything else as it is.
pub(crate) fn only_entry(label: String, var: Var) -> bpfvar::Result<(String, Var)> {
    let is_map = var.linkage().is_none() && var.path() == var.map().info().name;
    Ok(match var.entry() {
        Some(0) if is_map => (format!("{label}[0]"), var.at("[0]")?),
        _ => (label, var),
    })
}

/// Whether it is the sum of slots, and so takes much more memory than its value.
pub(crate) fn is_slots(var: &Var) -> bool {
    var.together().first() == Some(&"BPFVAR_PERCPU")
}

/// The value in one line.
pub(crate) fn text(value: &Value) -> String {
    clean(&value.to_string())
}

/// The same for scripts: text without quotes.
pub(crate) fn bare(value: &Value) -> String {
    match value {
        Value::Text(text) => clean(text),
        other => text(other),
    }
}

/// The value in as many lines as it needs to be no wider than `width`, the first of them behind `used` columns.
pub(crate) fn broken(value: &Value, indent: usize, used: usize, width: usize) -> String {
    let line = text(value);
    let (open, close, parts): (_, _, Vec<(String, &Value)>) = match value {
        _ if used + line.width() <= width => return line,
        Value::Array(elements)
            if elements.iter().any(|element| matches!(element, Value::Array(_) | Value::Struct(_))) =>
        {
            ("[", "]", elements.iter().enumerate().map(|(index, value)| (format!("[{index}] "), value)).collect())
        }
        Value::Array(elements) => return filled(elements, indent, width),
        Value::Struct(members) => {
            ("{", "}", members.iter().map(|(name, value)| (format!("{}: ", clean(name)), value)).collect())
        }
        _ => return line,
    };
    let inner = " ".repeat(indent + 2);
    let mut out = open.to_owned();
    for (name, value) in parts {
        let used = inner.len() + name.width();
        out += &format!("\n{inner}{name}{}", broken(value, indent + 2, used, width));
    }
    format!("{out}\n{}{close}", " ".repeat(indent))
}

/// Scalars, as many a line as fit; each line starts with the index of its first.
fn filled(elements: &[Value], indent: usize, width: usize) -> String {
    let inner = " ".repeat(indent + 2);
    let digits = elements.len().saturating_sub(1).to_string().len();
    let (mut out, mut column) = ("[".to_owned(), usize::MAX);
    for (index, element) in elements.iter().enumerate() {
        let element = text(element);
        if column.saturating_add(element.width() + 2) > width {
            let label = format!("{inner}{:<pad$}", format!("[{index}]"), pad = digits + 3);
            column = label.len();
            out += &format!("\n{label}{element},");
        } else {
            out += &format!(" {element},");
        }
        column += element.width() + 2;
    }
    format!("{}\n{}]", out.trim_end_matches(','), " ".repeat(indent))
}

/// As much of a line as fits, with a sign that there is more.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let cut: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect();
    cut + "…"
}

/// As much of the end of a name as fits: what names have in common is their start.
pub(crate) fn fit_name(name: &str, width: usize) -> String {
    if name.width() <= width {
        return name.to_owned();
    }
    let mut used = 1;
    let kept = name.chars().rev().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= width
    });
    let kept: Vec<char> = kept.collect();
    format!("…{}", kept.into_iter().rev().collect::<String>())
}

/// The scalars of a value. Taken once, so that its rows stay the same whatever the bytes are: a char array that is no text
/// for a moment reads as numbers.
#[derive(Debug)]
pub(crate) enum Shape {
    Leaf,
    Parts(Vec<(String, Shape)>),
}

/// What a value belongs to, as far as its shape depends on it.
pub(crate) trait Place: Sized {
    /// Whether it is one text.
    fn is_text(&self) -> bool;
    /// A part of it: `.rate`, `[3]`.
    fn part(&self, path: &str) -> Option<Self>;
}

impl Place for Var {
    fn is_text(&self) -> bool {
        // All entries of a map are no text, though each may be.
        self.is_text() && self.entry().is_some()
    }

    fn part(&self, path: &str) -> Option<Var> {
        self.at(path).ok()
    }
}

impl Place for KeyedEntry {
    fn is_text(&self) -> bool {
        self.is_text()
    }

    fn part(&self, path: &str) -> Option<KeyedEntry> {
        self.at(path).ok()
    }
}

impl Shape {
    pub(crate) fn of(var: &impl Place, value: &Value) -> Shape {
        match value {
            Value::Array(elements) if !var.is_text() => Shape::Parts(
                (0..).zip(elements).map(|(index, value): (usize, _)| part(var, format!("[{index}]"), value)).collect(),
            ),
            Value::Struct(members) => {
                Shape::Parts(members.iter().map(|(name, value)| part(var, format!(".{name}"), value)).collect())
            }
            _ => Shape::Leaf,
        }
    }

    /// The paths of the leaves, each behind `path`.
    pub(crate) fn paths(&self, path: &str, paths: &mut Vec<String>) {
        match self {
            Shape::Leaf => paths.push(path.to_owned()),
            Shape::Parts(parts) => parts.iter().for_each(|(name, shape)| shape.paths(&format!("{path}{name}"), paths)),
        }
    }

    /// The values of the leaves, in the same order.
    pub(crate) fn leaves(&self, value: Value, leaves: &mut Vec<Value>) {
        match (self, value) {
            (Shape::Leaf, value) => leaves.push(value),
            (Shape::Parts(parts), Value::Array(values)) => {
                parts.iter().zip(values).for_each(|((_, shape), value)| shape.leaves(value, leaves));
            }
            (Shape::Parts(parts), Value::Struct(values)) => {
                parts.iter().zip(values).for_each(|((_, shape), (_, value))| shape.leaves(value, leaves));
            }
            // A type has one shape; but a row too few would move all others.
            (Shape::Parts(parts), value) => parts.iter().for_each(|(_, shape)| shape.leaves(value.clone(), leaves)),
        }
    }
}

fn part(var: &impl Place, name: String, value: &Value) -> (String, Shape) {
    let shape = match value {
        Value::Array(_) | Value::Struct(_) => var.part(&name).map_or(Shape::Leaf, |var| Shape::of(&var, value)),
        _ => Shape::Leaf,
    };
    (name, shape)
}

/// What was added to a number; None for what is no number or too big to tell. Enumerators, flags and addresses do not count
/// as numbers.
pub(crate) fn change(from: &Value, to: &Value) -> Option<Value> {
    let integer = |value: &Value| match *value {
        Value::Int(value) => Some(value),
        Value::Uint(value) => i128::try_from(value).ok(),
        _ => None,
    };
    match (from, to) {
        (Value::F32(from), Value::F32(to)) => Some(Value::F64(f64::from(*to) - f64::from(*from))),
        (Value::F64(from), Value::F64(to)) => Some(Value::F64(to - from)),
        _ => integer(to)?.checked_sub(integer(from)?).map(Value::Int),
    }
}

/// With its sign: `+5`, `-3`, `0`.
pub(crate) fn signed(change: &Value) -> String {
    match change.as_f64() {
        Some(number) if number > 0.0 => format!("+{change}"),
        _ => change.to_string(),
    }
}

/// A rate, as exact as is of use: `12.5/s`, `48210/s`.
pub(crate) fn per_second(rate: f64) -> String {
    if rate.abs() >= 1000.0 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_exact_and_may_be_negative() {
        let uint = |value: u64| Value::Uint(value.into());
        assert_eq!(change(&uint(u64::MAX - 1), &uint(u64::MAX)), Some(Value::Int(1)));
        assert_eq!(change(&uint(u64::MAX), &uint(4)), Some(Value::Int(4 - i128::from(u64::MAX))));
        assert_eq!(change(&Value::Int(-5), &Value::Int(-7)), Some(Value::Int(-2)));
        assert_eq!(change(&Value::F64(1.5), &Value::F64(1.0)), Some(Value::F64(-0.5)));
        assert_eq!(change(&Value::Bool(false), &Value::Bool(true)), None);
        assert_eq!(signed(&Value::Int(3)), "+3");
        assert_eq!(signed(&Value::Int(-3)), "-3");
        assert_eq!(signed(&Value::Int(0)), "0");
    }

    #[test]
    fn what_is_too_wide_is_broken_into_lines() {
        let numbers = Value::Array((0..12_u32).map(|number| Value::from(number * 1000)).collect());
        assert_eq!(broken(&numbers, 0, 4, 80), numbers.to_string());
        let lines = broken(&numbers, 2, 4, 40);
        assert!(lines.lines().all(|line| line.width() <= 40), "{lines}");
        assert!(lines.ends_with("\n  ]") && lines.contains("\n    [0]  0, 1000,"), "{lines}");
        let nested = Value::Struct(vec![("rate".to_owned(), 5_u32.into()), ("hist".to_owned(), numbers)]);
        assert!(broken(&nested, 0, 0, 30).starts_with("{\n  rate: 5\n  hist: [\n"));
    }

    #[test]
    fn what_does_not_fit_is_cut_with_a_sign() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit_name("count.hist[3]", 13), "count.hist[3]");
        assert_eq!(fit_name("count.hist[3]", 8), "…hist[3]");
        assert_eq!(fit_name("日本語", 4), "…語");
    }
}
