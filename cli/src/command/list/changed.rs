//! What changes between two looks.

use std::thread;
use std::time::{Duration, Instant};

use bpfvar::{Value, Var};
use serde::Serialize;

use super::List;
use crate::columns;
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::value::{change, fit, per_second, read, signed, text};

/// Longer texts say no more.
const MOST_WIDTH: usize = 40;

/// A scalar that is not what it was.
#[derive(Debug, Serialize)]
struct Moved {
    name: String,
    old: Value,
    new: Value,
    /// None for what is no number.
    change: Option<Value>,
    /// A second.
    rate: Option<f64>,
}

/// What a look saw of a variable.
struct Seen {
    label: String,
    var: Var,
    at: Instant,
    value: Option<Value>,
}

#[derive(Debug, Serialize)]
struct Changed {
    seconds: f64,
    changed: Vec<Moved>,
}

impl List<'_> {
    pub(super) fn changed(&self, time: Duration, out: &mut Output) -> Result<()> {
        let first = self.look();
        if first.is_empty() && self.filter.is_set() {
            return Err(self.filter.nothing(self.programs));
        }
        thread::sleep(time);
        let mut changed = Vec::new();
        for Seen { label, var, at, value } in first {
            let (Some(old), Some(new)) = (value, seen(&var)) else { continue };
            moved(&label, &old, &new, at.elapsed().as_secs_f64(), &mut changed);
        }
        let seconds = time.as_secs_f64();
        match (out.json, out.quiet) {
            (true, _) => out.json(&Changed { seconds, changed }),
            (false, true) => changed.iter().try_for_each(|moved| out.line(clean(&moved.name))),
            (false, false) if changed.is_empty() => {
                let note = format!("nothing changed in {}", humantime::format_duration(time));
                out.line(out.ink(Ink::Faint, &note))
            }
            (false, false) => table(&changed, out),
        }
    }

    fn look(&self) -> Vec<Seen> {
        let mut seen_all = Vec::new();
        for map in self.maps {
            let shown = self.filter.vars(map, self.programs);
            for (label, var) in self.resolver.named(map) {
                if shown.iter().any(|other| other.path() == var.path()) {
                    let at = Instant::now();
                    seen_all.push(Seen { label, value: seen(&var), var, at });
                }
            }
        }
        seen_all
    }
}

/// None of what is half written, or cannot be read: that is no change.
fn seen(var: &Var) -> Option<Value> {
    read(var).ok()?.ok()
}

/// Adds the scalars in which two values of one type differ.
fn moved(path: &str, old: &Value, new: &Value, seconds: f64, out: &mut Vec<Moved>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Struct(old), Value::Struct(new)) => {
            old.iter()
                .zip(new)
                .for_each(|((name, old), (_, new))| moved(&format!("{path}.{name}"), old, new, seconds, out));
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter()
                .zip(new)
                .enumerate()
                .for_each(|(index, (old, new))| moved(&format!("{path}[{index}]"), old, new, seconds, out));
        }
        _ => {
            let change = change(old, new);
            let rate = change.as_ref().and_then(Value::as_f64).map(|change| change / seconds);
            out.push(Moved { name: path.to_owned(), old: old.clone(), new: new.clone(), change, rate });
        }
    }
}

fn table(changed: &[Moved], out: &mut Output) -> Result<()> {
    let head = ["NAME", "VALUE", "CHANGE", "RATE"].map(str::to_owned);
    let rows = changed.iter().map(|moved| {
        let change = moved.change.as_ref().map_or_else(|| format!("from {}", text(&moved.old)), signed);
        let rate = moved.rate.map_or_else(String::new, per_second);
        [clean(&moved.name), fit(&text(&moved.new), MOST_WIDTH), fit(&change, MOST_WIDTH), rate]
    });
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let widths = columns::widths(rows.iter());
    for (index, row) in rows.iter().enumerate() {
        let line = columns::line(row.iter().map(String::as_str).zip(widths));
        let line = fit(line.trim_end(), out.width.unwrap_or(usize::MAX));
        let line = if index == 0 { out.ink(Ink::Heading, &line) } else { line };
        out.line(line)?;
    }
    Ok(())
}
