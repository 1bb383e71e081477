//! What was changed, what was so already, what failed: as lines and as JSON.

use bpfvar::Value;
use serde::Serialize;

use crate::command::set::changed;
use crate::error::Result;
use crate::output::{Ink, Output};
use crate::settings::{Fault, Group, Place, Setting};
use crate::value::text;

/// What happened to settings. Each is in one of the lists.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether anything could be written: not by --check and --diff, nor where something is wrong with the settings.
    pub(super) written: bool,
    pub(super) changed: Vec<Changed>,
    pub(super) unchanged: Vec<Unchanged>,
    pub(super) failed: Vec<Fault>,
    /// Those that are right, but belong to a program another of whose settings failed.
    pub(super) not_written: Vec<NotWritten>,
    pub(super) not_loaded: Vec<NotLoaded>,
    /// What is set and may be a slip.
    pub(super) warnings: Vec<String>,
}

/// A variable that got another value, or would get it.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    target: String,
    /// None if it is half written.
    old: Option<Value>,
    new: Option<Value>,
    #[serde(flatten)]
    place: Place,
}

/// A variable that had its value already.
#[derive(Debug, Serialize)]
pub(super) struct Unchanged {
    target: String,
    value: Value,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Serialize)]
pub(super) struct NotWritten {
    target: String,
    #[serde(flatten)]
    place: Place,
}

/// A program or map that is not there.
#[derive(Debug, Serialize)]
pub(super) struct NotLoaded {
    /// What its targets start with.
    object: String,
    /// How many settings it has.
    settings: usize,
    error: String,
    /// The first of its settings.
    #[serde(flatten)]
    place: Place,
}

impl Changed {
    pub(super) fn new(Setting { target, place, .. }: &Setting, old: Option<Value>, new: Option<Value>) -> Changed {
        Changed { target: target.text.clone(), old, new, place: place.clone() }
    }
}

impl Unchanged {
    pub(super) fn new(Setting { target, place, .. }: &Setting, value: Value) -> Unchanged {
        Unchanged { target: target.text.clone(), value, place: place.clone() }
    }
}

impl NotWritten {
    pub(super) fn new(Setting { target, place, .. }: &Setting) -> NotWritten {
        NotWritten { target: target.text.clone(), place: place.clone() }
    }
}

impl NotLoaded {
    /// None for a group without settings.
    pub(super) fn new(group: &Group, error: String) -> Option<NotLoaded> {
        let place = group.settings.first()?.place.clone();
        Some(NotLoaded { object: group.name.clone(), settings: group.settings.len(), error, place })
    }
}

impl Report {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        let Report { written: _, changed, unchanged, failed, not_written, not_loaded, warnings: _ } = self;
        let counts = [changed.len(), unchanged.len(), failed.len(), not_written.len(), not_loaded.len()];
        counts.iter().all(|count| *count == 0)
    }

    /// Adds what happened later.
    pub(super) fn extend(&mut self, later: Report) {
        let Report { written, changed, unchanged, failed, not_written, not_loaded, warnings } = later;
        self.written |= written;
        self.changed.extend(changed);
        self.unchanged.extend(unchanged);
        self.failed.extend(failed);
        self.not_written.extend(not_written);
        self.not_loaded.extend(not_loaded);
        self.warnings.extend(warnings);
    }

    /// A line for what changed, or would change.
    pub(super) fn print_changes(&self, out: &mut Output) -> Result<()> {
        let or_unknown = |value: &Option<Value>| value.as_ref().map_or("(half written)".to_owned(), text);
        self.changed.iter().try_for_each(|Changed { target, old, new, .. }| match (old, new) {
            (Some(old), Some(new)) => changed(target, old, new, out),
            (old, new) => {
                let name = out.ink(Ink::Name, target);
                out.line(format_args!("{name}: {} -> {}", or_unknown(old), or_unknown(new)))
            }
        })
    }

    /// A line on standard error for what may be a slip.
    pub(super) fn print_warnings(&self, out: &mut Output) -> Result<()> {
        self.warnings.iter().try_for_each(|warning| out.warn(warning))
    }

    /// A line on standard error for what failed.
    pub(super) fn print_failures(&self, out: &mut Output) -> Result<()> {
        self.failed.iter().try_for_each(|fault| out.warn(&fault.to_string()))
    }

    /// A line on standard error for what is not loaded.
    pub(super) fn print_missing(&self, out: &mut Output) -> Result<()> {
        self.not_loaded.iter().try_for_each(|of| out.warn(&format!("{}: {}", of.place, of.error)))
    }

    /// `2 changed, 10 already so, 1 failed`.
    pub(super) fn summary(&self) -> String {
        let changed = if self.written { "changed" } else { "would change" };
        let counts = [
            (self.changed.len(), changed),
            (self.unchanged.len(), "already so"),
            (self.failed.len(), "failed"),
            (self.not_written.len(), "not written"),
            (self.not_loaded.iter().map(|of| of.settings).sum(), "not loaded"),
        ];
        let is_told = |(count, what): &&(usize, &str)| *count > 0 || *what == changed && self.failed.is_empty();
        let told = counts.iter().filter(is_told).map(|(count, what)| format!("{count} {what}"));
        told.collect::<Vec<_>>().join(", ")
    }
}
