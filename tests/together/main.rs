//! Values that change together, between real programs and user space: `bpfvar.bpf.h` on one side, `Seq`, `Switch` and `PerCpu`
//! on the other.
//!
//! Needs root. A test that cannot run says so; in CI it fails instead. With `BPFVAR_HUNT=1` the hunts for torn values take as
//! long as it takes to believe them: `BPFVAR_HUNT=1 cargo test --release --test together -- --nocapture`.

mod killed;
mod names;
mod per_cpu;
mod recovery;
mod seq;
mod switch;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use bpfvar::{Globals, MapValue};
use bpfvar_objects::{Loaded, Source, load};
use bpfvar_testkit::host;

/// `struct block` of `together.bpf.c`, all words of which are one number.
#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Block {
    words: [u64; 8],
}

impl Block {
    fn is_whole(&self) -> bool {
        self.words.iter().all(|word| *word == self.words[0])
    }
}

/// `struct config` of `together.bpf.c`. The program counts a run that sees different numbers in it.
#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Config {
    rate: u64,
    mode: u32,
    burst: u32,
    words: [u64; 8],
}

impl Config {
    fn of(number: u64) -> Config {
        Config { rate: number, mode: (number % 3) as u32, burst: number as u32, words: [number; 8] }
    }
}

/// `struct counters` of `together.bpf.c`.
#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Counters {
    packets: u64,
    bytes: u64,
}

fn loaded() -> Option<(Loaded, Globals)> {
    loaded_as(SOURCES[0])
}

/// The ways in which the header can be compiled for this machine, that for old kernels first.
const SOURCES: &[Source] =
    if cfg!(target_arch = "x86_64") { &[Source::TogetherX86, Source::Together] } else { &[Source::Together] };

fn loaded_as(source: Source) -> Option<(Loaded, Globals)> {
    if !host::ready(source.needs()) {
        return None;
    }
    let loaded = load(source);
    let globals = Globals::by_id(loaded.program("read_config").id()).unwrap();
    Some((loaded, globals))
}

/// So often a hunt does what it does: `usually`, or `hunting` where it is asked for.
fn times(usually: u64, hunting: u64) -> u64 {
    if std::env::var_os("BPFVAR_HUNT").is_some() { hunting } else { usually }
}

/// Runs a program on every CPU, over and over, while `work` is at work; with short breaks unless this is a long hunt, as
/// without them a value that all CPUs write is hardly ever at rest. Gives the number of runs.
fn on_all_cpus<R>(loaded: &Loaded, program: &str, work: impl FnOnce() -> R) -> (u64, R) {
    let done = AtomicBool::new(false);
    let pauses = times(1, 0) == 1;
    let program = loaded.program(program);
    thread::scope(|scope| {
        let run = |cpu| {
            let done = &done;
            scope.spawn(move || {
                host::pin_to(cpu);
                let mut runs = 0;
                while !done.load(Relaxed) {
                    program.run(100);
                    runs += 100;
                    if pauses {
                        thread::sleep(Duration::from_nanos(1));
                    }
                }
                runs
            })
        };
        let threads: Vec<_> = host::cpus().into_iter().map(run).collect();
        let result = work();
        done.store(true, Relaxed);
        (threads.into_iter().map(|thread| thread.join().unwrap()).sum(), result)
    })
}

/// A variable of the program that it counts in.
fn count(globals: &Globals, name: &str) -> u64 {
    globals.var(name).unwrap().read().unwrap().as_i128().unwrap() as u64
}
