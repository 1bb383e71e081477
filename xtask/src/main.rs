//! Chores of the repository.
//!
//!     sudo -E cargo xtask bench            # measures everything: about 20 minutes; writes docs/benchmarks.md and docs/bench-*.svg
//!     sudo -E cargo xtask bench --quick    # the same with fewer and shorter measurements, to target/benchmarks: to try it
//!     cargo xtask vm                       # runs the tests that need the kernel on other kernels, in an emulator
//!     cargo xtask vm 6.1 -- map_flags      # on one of them, the tests with this in their names

mod bench;
mod charts;
mod figures;
mod fit;
mod footprint;
mod machine;
mod numbers;
mod report;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Chores of the repository")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs all benches and writes their figures as tables and charts
    Bench(bench::Args),
    /// Runs the tests that need the kernel on several kernels, in an emulator
    Vm(vm::Args),
}

/// What went wrong, in a sentence.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Bench(args) => bench::run(&args),
        Chore::Vm(args) => vm::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
