//! Comparisons: criterion measures, and a table says what it found in ratios.

use std::env;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use bpfvar_testkit::host;
use criterion::{Bencher, BenchmarkId, Criterion, SamplingMode};

// Benches of other packages have this file by its path.
#[path = "figures.rs"]
pub(crate) mod figures;

use figures::{Effort, Figures, Role, digits, middle, target};

/// One bench program: measures, then prints its table.
pub(crate) struct Bench {
    criterion: Criterion,
    directory: PathBuf,
    started: SystemTime,
    turns: usize,
    rows: Vec<Row>,
}

/// A way as measured.
struct Row {
    operation: String,
    way: &'static str,
    role: Role,
    /// Criterion's median of each turn, in nanoseconds.
    medians: Vec<f64>,
}

impl Bench {
    /// Runs `measure` and prints the table. If `measure` fails, as it does where no map can be made, says so, and that is
    /// all.
    pub(crate) fn run(title: &str, measure: impl FnOnce(&mut Bench) -> bpfvar::Result<()>) {
        host::pin_to(*host::cpus().last().expect("this runs on some CPU"));
        // Where criterion's results go by default, except that this is always the directory that cargo built to.
        let directory = env::var_os("CRITERION_HOME").map_or_else(|| target().join("criterion"), PathBuf::from);
        let (samples, warm_up, measurement) = match Effort::asked() {
            Effort::Full => (20, 50, 250),
            Effort::Test | Effort::Quick => (10, 5, 25),
        };
        let mut bench = Bench {
            criterion: Criterion::default()
                .sample_size(samples)
                .warm_up_time(Duration::from_millis(warm_up))
                .measurement_time(Duration::from_millis(measurement))
                .nresamples(2_000)
                .output_directory(&directory)
                .configure_from_args(),
            directory,
            started: SystemTime::now(),
            turns: Effort::asked().turns(),
            rows: Vec::new(),
        };
        match measure(&mut bench) {
            Ok(()) => {
                bench.print(title);
                bench.write(title);
            }
            Err(error) => println!("{title}: not measured: {error}"),
        }
    }

    /// Starts the comparison of some ways to do one thing.
    pub(crate) fn operation(&mut self, name: impl Into<String>) -> Operation<'_> {
        Operation { bench: self, name: name.into(), ways: Vec::new() }
    }

    /// Criterion's median, unless this run did not measure it: a filter left it out, or it was a test.
    fn median(&self, operation: &str, way: &str, turn: usize) -> Option<f64> {
        // As criterion makes names of directories.
        const NOT_IN_NAMES: [char; 10] = ['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'];
        let names = [operation, way, &turn.to_string()].map(|name| name.replace(NOT_IN_NAMES, "_"));
        let path = self.directory.join(names.join("/")).join("new/estimates.json");
        if fs::metadata(&path).ok()?.modified().ok()? < self.started {
            return None;
        }
        let estimates: serde_json::Value = serde_json::from_reader(File::open(path).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    }

    fn print(&self, title: &str) {
        if self.rows.is_empty() {
            return;
        }
        println!("\n| {title} | ns | of the limit | against the system call |");
        println!("|---|--:|--:|--:|");
        for row in &self.rows {
            let ns = digits(middle(row.medians.clone()));
            let of_limit = self.beside(row, Role::Limit).map(|limit| ratio(row, limit));
            let against_call = self.beside(row, Role::Call).map(|call| ratio(call, row));
            let [of_limit, against_call] = [of_limit, against_call].map(Option::unwrap_or_default);
            println!("| {}: {} | {ns} | {of_limit} | {against_call} |", row.operation, row.way);
        }
    }

    fn write(&self, title: &str) {
        let mut figures = Figures::new(title);
        for Row { operation, way, role, medians } in &self.rows {
            figures.add(&figures::Row { operation, way, role: *role, unit: "ns", at: None, values: medians });
        }
        figures.write();
    }

    /// The row of this role in the comparison that `row` belongs to, if that is another one.
    fn beside(&self, row: &Row, role: Role) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|other| other.operation == row.operation && other.role == role && role != row.role)
    }
}

/// Some ways to do one thing.
pub(crate) struct Operation<'b> {
    bench: &'b mut Bench,
    name: String,
    ways: Vec<Way<'b>>,
}

struct Way<'b> {
    name: &'static str,
    role: Role,
    run: Box<dyn FnMut(&mut Bencher<'_>) + 'b>,
}

impl<'b> Operation<'b> {
    /// Adds the fastest way that the machine has.
    pub(crate) fn limit(self, name: &'static str, run: impl FnMut(&mut Bencher<'_>) + 'b) -> Self {
        self.way(name, Role::Limit, run)
    }

    /// Adds a way that the library has.
    pub(crate) fn subject(self, name: &'static str, run: impl FnMut(&mut Bencher<'_>) + 'b) -> Self {
        self.way(name, Role::Subject, run)
    }

    /// Adds the system call.
    pub(crate) fn call(self, name: &'static str, run: impl FnMut(&mut Bencher<'_>) + 'b) -> Self {
        self.way(name, Role::Call, run)
    }

    /// Adds a way that another library has.
    #[allow(dead_code, reason = "not every bench has such")]
    pub(crate) fn peer(self, name: &'static str, run: impl FnMut(&mut Bencher<'_>) + 'b) -> Self {
        self.way(name, Role::Peer, run)
    }

    fn way(mut self, name: &'static str, role: Role, run: impl FnMut(&mut Bencher<'_>) + 'b) -> Self {
        let run = Box::new(run);
        self.ways.push(Way { name, role, run });
        self
    }

    /// Measures all of them, in turns.
    pub(crate) fn measure(self) {
        let Operation { bench, name, mut ways } = self;
        let mut group = bench.criterion.benchmark_group(&name);
        group.sampling_mode(SamplingMode::Flat);
        for turn in 0..bench.turns {
            for way in &mut ways {
                group.bench_function(BenchmarkId::new(way.name, turn), |bencher| (way.run)(bencher));
            }
        }
        group.finish();
        for Way { name: way, role, .. } in ways {
            if let Some(medians) = (0..bench.turns).map(|turn| bench.median(&name, way, turn)).collect() {
                bench.rows.push(Row { operation: name.clone(), way, role, medians });
            }
        }
    }
}

/// The ratio of two rows, each turn's for itself.
fn ratio(of: &Row, to: &Row) -> String {
    let ratios = of.medians.iter().zip(&to.medians).map(|(of, to)| of / to);
    format!("{}x", digits(middle(ratios.collect())))
}

/// `Bencher::iter` for what is over within a cycle or two: eight to a round, as the loop would be a part of it, and where the
/// loop happens to be aligned.
#[allow(dead_code, reason = "not every bench has such")]
pub(crate) fn eights<R>(bencher: &mut Bencher<'_>, routine: impl Fn() -> R + Copy) {
    #[inline(never)]
    fn time<R>(iterations: u64, routine: impl Fn() -> R) -> Duration {
        let start = Instant::now();
        for _ in 0..iterations / 8 {
            for _ in 0..8 {
                black_box(routine());
            }
        }
        for _ in 0..iterations % 8 {
            black_box(routine());
        }
        start.elapsed()
    }
    bencher.iter_custom(|iterations| time(iterations, routine));
}
