//! What the benches have measured: the files that `benches/support/figures.rs` writes to `target/figures`.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;

/// The figures of one bench program.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Bench {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

/// One way to do an operation, as measured.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) operation: String,
    pub(crate) way: String,
    pub(crate) role: Role,
    pub(crate) unit: String,
    /// Where on an axis it belongs.
    pub(crate) at: Option<u64>,
    /// One for each turn.
    pub(crate) values: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// The fastest that the machine has.
    Limit,
    /// One that bpfvar has.
    Subject,
    /// One that another library has.
    Peer,
    /// The system call.
    Call,
}

impl Row {
    pub(crate) fn median(&self) -> f64 {
        median(self.values.clone())
    }

    /// The ratio of two rows, each turn's for itself: what slows the machine for a while slows both.
    pub(crate) fn ratio(&self, to: &Row) -> f64 {
        median(self.values.iter().zip(&to.values).map(|(of, to)| of / to).collect())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The figures of all bench programs.
pub(crate) struct Figures {
    benches: Vec<Bench>,
}

impl Figures {
    /// Reads a directory.
    pub(crate) fn read(directory: &Path) -> Result<Figures> {
        let mut benches = Vec::new();
        for entry in fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))? {
            let path = entry?.path();
            let text = fs::read_to_string(&path)?;
            let bench: Bench = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            benches.push(bench);
        }
        Ok(Figures { benches })
    }

    /// Those of one bench program.
    pub(crate) fn bench(&self, title: &str) -> Result<&Bench> {
        self.benches.iter().find(|bench| bench.title == title).ok_or_else(|| {
            format!(
                "{title:?} was not measured; the benches need root and a kernel with BPF: sudo -E cargo xtask bench"
            )
            .into()
        })
    }
}

impl Bench {
    /// The operations, in their order.
    pub(crate) fn operations(&self) -> Vec<&str> {
        let mut operations: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !operations.contains(&row.operation.as_str()) {
                operations.push(&row.operation);
            }
        }
        operations
    }

    /// The ways to do an operation, in their order.
    pub(crate) fn of(&self, operation: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.operation == operation).collect()
    }

    /// One way to do an operation at several places of an axis: place and value, in order.
    pub(crate) fn series(&self, operation: &str, way: &str) -> Vec<(f64, f64)> {
        let rows = self.rows.iter().filter(|row| row.operation == operation && row.way == way);
        rows.filter_map(|row| Some((row.at? as f64, row.median()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Bench, Figures, Role, median};

    const TEXT: &str = r#"{"title": "Peers", "rows": [
        {"operation": "set", "way": "raw", "role": "limit", "unit": "ns", "at": null, "values": [1.0, 2.0, 100.0]},
        {"operation": "set", "way": "bpfvar", "role": "subject", "unit": "ns", "at": null, "values": [2.0, 2.0, 100.0]},
        {"operation": "map", "way": "mmap", "role": "limit", "unit": "ns", "at": 1, "values": [5.0]},
        {"operation": "map", "way": "mmap", "role": "limit", "unit": "ns", "at": 16, "values": [9.0]}]}"#;

    fn bench() -> Bench {
        serde_json::from_str(TEXT).expect("what benches write")
    }

    #[test]
    fn ratios_are_taken_within_a_turn() {
        let bench = bench();
        let rows = bench.of("set");
        assert_eq!((rows.len(), rows[0].role, rows[0].median()), (2, Role::Limit, 2.0));
        assert_eq!(rows[1].ratio(rows[0]), 1.0, "of 2, 1 and 1");
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn operations_and_series_keep_their_order() {
        assert_eq!(bench().operations(), ["set", "map"]);
        assert_eq!(bench().series("map", "mmap"), [(1.0, 5.0), (16.0, 9.0)]);
        assert_eq!(bench().series("set", "raw"), [], "it has no axis");
    }

    #[test]
    fn a_directory_is_read_and_what_is_missing_is_named() {
        let directory = std::env::temp_dir().join(format!("bpfvar-figures-{}", std::process::id()));
        fs::create_dir(&directory).expect("a new directory");
        fs::write(directory.join("peers.json"), TEXT).expect("a new file");
        let figures = Figures::read(&directory).expect("it is there");
        assert_eq!(figures.bench("Peers").expect("it was written").rows.len(), 4);
        let error = figures.bench("Size").expect_err("nobody wrote it").to_string();
        assert!(error.contains("\"Size\" was not measured"), "{error}");
        fs::write(directory.join("other.json"), "{}").expect("a new file");
        let error = Figures::read(&directory).err().expect("no figures").to_string();
        assert!(error.contains("other.json"), "{error}");
        fs::remove_dir_all(directory).expect("it was there");
    }
}
