//! Comparisons: criterion measures, and a table of ratios says what it found.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bpfvar_testkit::host;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};

/// One bench program: measures, then prints its table.
///
/// The ratios are those of criterion's medians. What a run did not measure, because a filter left it out or because it was
/// a test, is not in its table.
pub(crate) struct Bench {
    criterion: Criterion,
    directory: PathBuf,
    started: SystemTime,
    rows: Vec<Row>,
}

/// Something measured, and what stands beside it.
struct Row {
    operation: String,
    name: String,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The fastest that the machine does.
    Limit,
    /// What is asked about.
    Subject,
    /// What it is instead of.
    Call,
}

impl Bench {
    /// Runs `measure` and prints the table. If it fails, which it does where no map can be made, says so and that is all.
    pub(crate) fn run(title: &str, measure: impl FnOnce(&mut Bench) -> bpfvar::Result<()>) {
        // One CPU, so that what is compared runs on the same one.
        host::pin_to(*host::cpus().last().expect("this runs on some CPU"));
        // Where criterion puts its results by itself too, but without asking cargo.
        let directory = env::var_os("CRITERION_HOME").map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion"),
            PathBuf::from,
        );
        let mut bench = Bench {
            criterion: Criterion::default()
                .sample_size(40)
                .warm_up_time(Duration::from_millis(400))
                .measurement_time(Duration::from_secs(2))
                .nresamples(10_000)
                .output_directory(&directory)
                .configure_from_args(),
            directory,
            started: SystemTime::now(),
            rows: Vec::new(),
        };
        match measure(&mut bench) {
            Ok(()) => bench.print(title),
            Err(error) => println!("{title}: not measured: {error}"),
        }
    }

    /// Starts the comparison of some ways to do one thing.
    pub(crate) fn operation(&mut self, name: impl Into<String>) -> Operation<'_> {
        let name = name.into();
        let mut group = self.criterion.benchmark_group(&name);
        group.sampling_mode(SamplingMode::Flat);
        Operation {
            name,
            group,
            rows: &mut self.rows,
        }
    }

    fn print(&self, title: &str) {
        let rows: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, self.median(row)?)))
            .collect();
        if rows.is_empty() {
            return;
        }
        println!("\n## {title}\n");
        println!("| operation | ns | of the limit | against the system call |");
        println!("|---|--:|--:|--:|");
        for &(row, ns) in &rows {
            let beside = |role| {
                let mut all = rows.iter();
                let &(_, other) = all.find(|(other, _)| other.operation == row.operation && other.role == role)?;
                (row.role != role).then_some(other)
            };
            let of_limit = beside(Role::Limit).map(|limit| times(ns / limit));
            let against_call = beside(Role::Call).map(|call| times(call / ns));
            println!(
                "| {}: {} | {} | {} | {} |",
                row.operation,
                row.name,
                digits(ns),
                of_limit.unwrap_or_default(),
                against_call.unwrap_or_default()
            );
        }
    }

    /// The median in nanoseconds, if this run measured it.
    fn median(&self, row: &Row) -> Option<f64> {
        // Criterion's names for directories.
        let of = |name: &str| name.replace(['/', ':', '<', '>', '*', '?', '"', '\\', '|', '^'], "_");
        let path = self.directory.join(of(&row.operation)).join(of(&row.name));
        let path = path.join("new/estimates.json");
        if fs::metadata(&path).ok()?.modified().ok()? < self.started {
            return None;
        }
        let estimates: serde_json::Value = serde_json::from_reader(File::open(path).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    }
}

/// Some ways to do one thing, measured one after the other.
pub(crate) struct Operation<'b> {
    name: String,
    group: BenchmarkGroup<'b, WallTime>,
    rows: &'b mut Vec<Row>,
}

impl Operation<'_> {
    /// Measures the fastest way that the machine has.
    pub(crate) fn limit<R>(&mut self, name: &str, routine: impl FnMut() -> R) -> &mut Self {
        self.measure(Role::Limit, name, routine)
    }

    /// Measures a way that the library has.
    pub(crate) fn subject<R>(&mut self, name: &str, routine: impl FnMut() -> R) -> &mut Self {
        self.measure(Role::Subject, name, routine)
    }

    /// Measures the system call.
    pub(crate) fn call<R>(&mut self, name: &str, routine: impl FnMut() -> R) -> &mut Self {
        self.measure(Role::Call, name, routine)
    }

    fn measure<R>(&mut self, role: Role, name: &str, mut routine: impl FnMut() -> R) -> &mut Self {
        self.group.bench_function(name, |bencher| bencher.iter(&mut routine));
        self.rows.push(Row {
            operation: self.name.clone(),
            name: name.to_owned(),
            role,
        });
        self
    }
}

fn times(ratio: f64) -> String {
    format!("{}x", digits(ratio))
}

/// Three digits, or all before the point, in groups of three.
fn digits(number: f64) -> String {
    let decimals = if number < 10.0 {
        2
    } else if number < 100.0 {
        1
    } else {
        0
    };
    let text = format!("{number:.decimals$}");
    if decimals > 0 {
        return text;
    }
    let start = text.len() % 3;
    let groups = text.as_bytes()[start..].chunks(3);
    let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
    let first = (start > 0).then(|| text[..start].to_owned());
    first.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}
