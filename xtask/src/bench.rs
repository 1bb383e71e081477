//! `cargo xtask bench`: runs the benches, then writes what they measured.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::figures::Figures;
use crate::{Result, footprint, machine, report};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure little, to see that it works; writes to target/benchmarks
    #[arg(long)]
    quick: bool,
    /// Measure nothing; draw again what the last run measured
    #[arg(long)]
    draw: bool,
    /// Where to write [default: docs, with --quick target/benchmarks]
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

/// The packages with benches, and what cargo has to know of them. What `bpfvar top` costs is measured apart: it takes minutes.
const BENCHES: [&[&str]; 3] = [
    &["-p", "bpfvar"],
    &["-p", "bpfvar-cli", "--bench", "processes", "--bench", "export"],
    &["-p", "bpfvar-peers", "--features", "loaders"],
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the repository");
    env::set_current_dir(root)?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let out = match &args.out {
        Some(out) => out.clone(),
        None if args.quick => target.join("benchmarks"),
        None => root.join("docs"),
    };
    let (figures, of_run) = (target.join("figures"), target.join("benchmarks/run.json"));
    if !args.draw {
        if figures.exists() {
            fs::remove_dir_all(&figures)?;
        }
        let machine = machine::describe(&fs::read_to_string("Cargo.lock")?);
        for arguments in BENCHES {
            bench(arguments, args.quick)?;
        }
        let run = report::Run { machine, footprint: footprint::measure(&target)?, quick: args.quick };
        fs::create_dir_all(target.join("benchmarks"))?;
        fs::write(&of_run, serde_json::to_string(&run)?)?;
    }
    let run = fs::read_to_string(&of_run).map_err(|error| format!("{}: {error}", of_run.display()))?;
    let run: report::Run = serde_json::from_str(&run)?;
    fs::create_dir_all(&out)?;
    report::write(&out, &run, &Figures::read(&figures)?)?;
    println!("\n{} is written, and the charts beside it", out.join("benchmarks.md").display());
    Ok(())
}

fn bench(arguments: &[&str], quick: bool) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "--locked"]).args(arguments);
    if quick {
        cargo.env("BPFVAR_BENCH", "quick");
    }
    match cargo.status()? {
        status if status.success() => Ok(()),
        status => Err(format!("cargo bench {}: {status}", arguments.join(" ")).into()),
    }
}
