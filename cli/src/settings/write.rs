//! Settings as text that can be read again.

use bpfvar::Value;

use crate::output::{clean, quoted};
use crate::value::fit;

/// Lines are no longer where that can be had.
const WIDTH: usize = 100;

/// A file of settings in the making.
#[derive(Debug)]
pub(crate) struct Document {
    comments: bool,
    /// Each with its name. The first has none: what belongs to no table has to stand before all of them.
    tables: Vec<(String, String)>,
    /// Which one is written to.
    at: usize,
    /// Whether settings become comments.
    commented_out: bool,
}

impl Document {
    /// With or without comments.
    pub(crate) fn new(comments: bool) -> Document {
        Document { comments, tables: vec![(String::new(), String::new())], at: 0, commented_out: false }
    }

    /// What follows is behind `[name]`, or for no name before the first table.
    pub(crate) fn table(&mut self, name: &str) {
        let known = self.tables.iter().position(|(known, _)| known == name);
        self.at = known.unwrap_or(self.tables.len());
        if known.is_none() {
            self.tables.push((name.to_owned(), String::new()));
            self.add(&format!("\n[{}]", key(name)));
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
                self.add(&line);
                line = "#  ".to_owned();
            }
            line = line + " " + word;
        }
        self.add(&line);
    }

    /// A line between what does not belong together.
    pub(crate) fn blank(&mut self) {
        if self.comments {
            self.add("");
        }
    }

    /// Whether settings that follow are comments: to be settings, they only lack that somebody takes the sign away.
    pub(crate) fn comment_out(&mut self, yes: bool) {
        self.commented_out = yes;
    }

    /// A setting, with what there is to say of it.
    pub(crate) fn set(&mut self, keys: &[String], value: &Value, note: &str) {
        let start = format!("{} = ", path(keys));
        let value = broken(value, 0, start.chars().count());
        let line = format!("{start}{value}");
        match (self.commented_out, self.comments) {
            (false, _) => self.with_note(&line, note),
            (true, true) => self.with_note(&format!("# {}", line.replace('\n', "\n# ")), note),
            (true, false) => {}
        }
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
        if note.is_empty() {
            return self.add(line);
        }
        let fits = !line.contains('\n') && line.chars().count() + note.chars().count() + 4 <= WIDTH;
        if self.comments && fits {
            return self.add(&format!("{line}  # {}", clean(note)));
        }
        self.note(note);
        self.add(line);
    }

    fn add(&mut self, line: &str) {
        let (_, text) = &mut self.tables[self.at];
        text.push_str(line);
        text.push('\n');
    }

    pub(crate) fn finish(self) -> String {
        self.tables.into_iter().map(|(_, text)| text).collect()
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
fn literal(value: &Value) -> String {
    match value {
        Value::Enum { name: Some(name), .. } => quoted(name),
        Value::Int(number) | Value::Enum { value: number, .. } => number_or_quoted(i64::try_from(*number), number),
        Value::Uint(number) => number_or_quoted(i64::try_from(*number), number),
        Value::F32(number) => match number {
            // Readers make a double of it first; where rounding twice is not rounding once, that double is written.
            finite
                if finite.is_finite()
                    && format!("{finite:?}").parse().is_ok_and(|wide: f64| wide as f32 != *finite) =>
            {
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

/// A value behind `used` columns of a line that is indented; an array in several lines if it is too wide for one.
fn broken(value: &Value, indent: usize, used: usize) -> String {
    let line = literal(value);
    let Value::Array(elements) = value else { return line };
    if used + line.chars().count() <= WIDTH {
        return line;
    }
    let is_nested = elements.iter().any(|element| matches!(element, Value::Array(_) | Value::Struct(_)));
    let inner = indent + 2;
    let (mut text, mut column) = ("[".to_owned(), WIDTH);
    for element in elements {
        // Behind each is a comma.
        let element = broken(element, inner, inner + 1);
        if is_nested || column + element.chars().count() + 2 > WIDTH {
            text += &format!("\n{}{element},", " ".repeat(inner));
            column = inner + 1 + element.chars().count();
        } else {
            text += &format!(" {element},");
            column += 2 + element.chars().count();
        }
    }
    format!("{text}\n{}]", " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let long = Value::Array((0..100_u32).map(Value::from).collect());
        let pair = |rate: f32| Value::Struct(vec![("rate".into(), rate.into()), ("odd name".into(), true.into())]);
        let values = [
            u64::MAX.into(),
            i64::MIN.into(),
            u128::MAX.into(),
            i128::MIN.into(),
            (-5).into(),
            Value::Bool(true),
            0.1_f64.into(),
            (-0.0_f64).into(),
            1e300_f64.into(),
            f64::NEG_INFINITY.into(),
            Value::Enum { value: 1, name: Some("FAST".into()) },
            Value::Enum { value: -7, name: None },
            Value::Pointer(u64::MAX),
            Value::Text("a\"b\\c\n\u{1b}\u{7f}\u{202e}'".into()),
            Value::Array(vec![]),
            Value::Struct(vec![]),
            long.clone(),
            Value::Array(vec![pair(0.5), pair(-2.0)]),
            Value::Array(vec![long.clone(), long]),
        ];
        let mut document = Document::new(true);
        document.table("prog:12");
        for (index, value) in values.iter().enumerate() {
            document.note(&"a long comment, and \u{1b} what a terminal obeys. ".repeat(5));
            document.set(&[format!("x[{index}]"), "y".to_owned()], value, "its type");
        }
        document.leave(&["z".to_owned()], "anything {", "cannot be set");
        document.table("");
        document.set(&["top".to_owned()], &Value::Bool(true), "");
        let text = document.finish();
        assert!(text.starts_with("top = true") && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let parsed: toml::Table = text.parse().unwrap();
        let read = &parsed["prog:12"];
        let shown = |index: usize| read[&format!("x[{index}]")]["y"].clone();
        for (index, value) in values.iter().enumerate() {
            let json = serde_json::to_value(value).unwrap();
            let found = serde_json::to_value(shown(index)).unwrap();
            // JSON has no infinity, and quotes integers that some readers would round.
            match (&found, value) {
                (serde_json::Value::Number(number), _) if json.is_string() => assert_eq!(json, number.to_string()),
                (serde_json::Value::Null, Value::F64(infinite)) => assert_eq!(shown(index).as_float(), Some(*infinite)),
                _ => assert_eq!(found, json),
            }
        }
    }

    #[test]
    fn floats_survive_being_read_as_doubles() {
        for bits in (0..u32::MAX - 10_007).step_by(10_007) {
            let value = f32::from_bits(bits);
            let text = literal(&Value::F32(value));
            let read: f64 = text.parse().unwrap_or(f64::NAN);
            assert!(value.is_nan() && read.is_nan() || (read as f32).to_bits() == bits, "{value:?}: {text}");
        }
        assert_eq!(literal(&Value::F32(f32::NAN)), "nan");
        assert_eq!(literal(&Value::F64(-f64::NAN)), "-nan");
        assert_eq!(literal(&Value::F32(1.0)), "1.0");
    }
}
