//! Values that were saved: what `bpfvar dump --json` printed, read from a file.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use bpfvar::{Input, Value};
use serde::{Deserialize, Deserializer};

use crate::error::{Failure, Result};

/// Sections with the values of their variables, as they were at some time.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Saved {
    programs: Vec<SavedProgram>,
    pub(crate) sections: Vec<SavedSection>,
}

#[derive(Clone, Debug, Deserialize)]
struct SavedProgram {
    id: u32,
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SavedSection {
    /// `.data`, or the name of the map that is no section.
    pub(crate) name: String,
    /// Whether it is a program's section.
    pub(crate) data: bool,
    pub(crate) map: SavedMap,
    programs: Vec<u32>,
    pub(crate) variables: Vec<SavedVariable>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SavedMap {
    pub(crate) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SavedVariable {
    /// Its path in the section.
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// None if it was left out.
    #[serde(deserialize_with = "value")]
    pub(crate) value: Option<Value>,
}

/// A value as far as the file tells: enumerators and addresses are text there.
fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Ok(Option::<Input>::deserialize(deserializer)?.map(read_back))
}

fn read_back(input: Input) -> Value {
    match input {
        Input::Array(elements) => Value::Array(elements.into_iter().map(read_back).collect()),
        Input::Struct(members) => {
            Value::Struct(members.into_iter().map(|(name, member)| (name, read_back(member))).collect())
        }
        Input::Value(value) => value,
        Input::Text(text) => Value::Text(text),
        other => Value::Text(other.to_string()),
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// As `dump --json` prints.
    Json,
}

impl Format {
    /// By the end of the file's name. What comes from a pipe has none.
    fn of(path: &Path) -> Option<Format> {
        match path.extension().and_then(OsStr::to_str) {
            Some("json") | None => Some(Format::Json),
            Some(_) => None,
        }
    }

    pub(crate) fn parse(self, text: &str) -> Result<Saved, String> {
        match self {
            Format::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        }
    }
}

/// Whether a text on the command line is meant to be a file: no target looks so.
pub(crate) fn is_file(text: &str) -> bool {
    text == "-" || !text.starts_with("pin:") && (text.contains('/') || text.ends_with(".json"))
}

impl Saved {
    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &str) -> Result<Saved> {
        let mut text = String::new();
        let read = match path {
            "-" => io::stdin().read_to_string(&mut text).map(drop),
            _ => fs::read_to_string(path).map(|contents| text = contents),
        };
        read.map_err(|error| Failure::new(format!("{path}: the file cannot be read: {error}")))?;
        let format = Format::of(Path::new(path)).ok_or_else(|| {
            Failure::new(format!("{path}: only files of JSON are read, as `bpfvar dump --json` prints them"))
        })?;
        format.parse(&text).map_err(|why| {
            Failure::new(format!("{path}: this is not what `bpfvar dump --json` prints, or not all of it: {why}"))
        })
    }

    /// The same as if it had been read from a file: what is there now.
    pub(crate) fn of(printed: &impl serde::Serialize) -> Result<Saved> {
        Ok(serde_json::from_str(&serde_json::to_string(printed)?)?)
    }

    /// The names of the programs that use a section.
    pub(crate) fn users<'a>(&'a self, section: &'a SavedSection) -> impl Iterator<Item = &'a str> {
        let users = self.programs.iter().filter(|program| section.programs.contains(&program.id));
        users.map(|program| program.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_from_targets() {
        for text in ["-", "saved.json", "./saved", "/tmp/saved.json", "a/b"] {
            assert!(is_file(text), "{text}");
        }
        for text in ["count", "count.sampling", "pin:/sys/fs/bpf/x", "prog:12"] {
            assert!(!is_file(text), "{text}");
        }
        assert_eq!(Format::of(Path::new("-")), Some(Format::Json));
        assert_eq!(Format::of(Path::new("saved.toml")), None);
    }

    #[test]
    fn what_dump_prints_is_read() {
        let text = r#"{"programs": [{"id": 3, "name": "count", "maps": [7]}], "sections": [{"name": ".data", "data": true,
            "map": {"id": 7, "name": "count.data", "entries": 1, "value_size": 4}, "access": "read-write", "programs": [3],
            "variables": [{"name": "x", "type": "__u32", "offset": 0, "size": 4, "linkage": "global", "value": 5}]}]}"#;
        let saved = Format::Json.parse(text).unwrap();
        assert_eq!(saved.sections[0].variables[0].value, Some(Value::from(5_u32)));
        assert_eq!(saved.users(&saved.sections[0]).collect::<Vec<_>>(), ["count"]);
        assert!(Format::Json.parse("{}").is_err() && Format::Json.parse("").is_err());
    }
}
