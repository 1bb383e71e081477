//! What was measured, as files that `cargo xtask bench` makes tables and charts of.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// How much of it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Each once, to see that it works: `cargo bench -- --test`. Nothing is written.
    Test,
    /// A tenth of the time or so, to see that tables and charts can be made: `cargo xtask bench --quick`.
    Quick,
    /// All.
    Full,
}

impl Effort {
    /// What this process was asked for.
    pub(crate) fn asked() -> Effort {
        if env::args().any(|argument| argument == "--test") {
            Effort::Test
        } else if env::var_os("BPFVAR_BENCH").is_some_and(|value| value == "quick") {
            Effort::Quick
        } else {
            Effort::Full
        }
    }

    /// How often the ways of an operation take turns. What slows the machine down for a while slows all of them down, and
    /// ratios are taken within a turn.
    pub(crate) fn turns(self) -> usize {
        match self {
            Effort::Test | Effort::Quick => 1,
            Effort::Full => 7,
        }
    }
}

/// What a way to do an operation is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The fastest that the machine has.
    Limit,
    /// One that the library has.
    Subject,
    /// One that another library has.
    #[allow(dead_code, reason = "not every bench has such")]
    Peer,
    /// The system call that the library replaces.
    Call,
}

/// One way to do an operation, as measured.
pub(crate) struct Row<'a> {
    pub(crate) operation: &'a str,
    pub(crate) way: &'a str,
    pub(crate) role: Role,
    /// Of the values.
    pub(crate) unit: &'static str,
    /// Where on an axis it belongs: a number of pages, of CPUs.
    pub(crate) at: Option<u64>,
    /// One for each turn.
    pub(crate) values: &'a [f64],
}

/// The figures of one bench program.
pub(crate) struct Figures {
    title: String,
    rows: Vec<Value>,
}

impl Figures {
    pub(crate) fn new(title: &str) -> Figures {
        Figures { title: title.to_owned(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: &Row<'_>) {
        let role = match row.role {
            Role::Limit => "limit",
            Role::Subject => "subject",
            Role::Peer => "peer",
            Role::Call => "call",
        };
        self.rows.push(json!({
            "operation": row.operation, "way": row.way, "role": role, "unit": row.unit, "at": row.at, "values": row.values,
        }));
    }

    /// Writes them to `target/figures`, unless this was a test or nothing was measured.
    pub(crate) fn write(&self) {
        if self.rows.is_empty() || Effort::asked() == Effort::Test {
            return;
        }
        let directory = target().join("figures");
        let path = directory.join(format!("{}.json", self.title.to_lowercase().replace([' ', '\''], "-")));
        let text = json!({ "title": self.title, "rows": self.rows }).to_string();
        fs::create_dir_all(&directory)
            .and_then(|()| fs::write(&path, text))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// The directory that cargo built to.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target directory").to_owned()
}

/// The one in the middle.
pub(crate) fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Three digits or so, in groups of three.
pub(crate) fn digits(number: f64) -> String {
    match number {
        ..0.1 => format!("{number:.3}"),
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => grouped(number.round() as u64),
    }
}

fn grouped(number: u64) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}
