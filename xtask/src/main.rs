//! Chores of the repository.
//!
//!     sudo -E cargo xtask bench            # measures everything: about 20 minutes; writes docs/benchmarks.md and docs/bench-*.svg
//!     sudo -E cargo xtask bench --quick    # the same with fewer and shorter measurements, to target/benchmarks: to try it

mod bench;
mod charts;
mod figures;
mod fit;
mod footprint;
mod machine;
mod numbers;
mod report;

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
}

/// What went wrong, in a sentence.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let Arguments { chore: Chore::Bench(args) } = Arguments::parse();
    match bench::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
