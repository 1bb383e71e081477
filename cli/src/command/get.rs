//! `bpfvar get`.

use std::collections::HashSet;

use clap_complete::engine::ArgValueCompleter;

use super::Members;
use crate::complete;
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::{bare, text};

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar get count.sampling count.config.rate 'count.hist[3]'
  bpfvar get -q count.sampling            the value only
  bpfvar get --per-cpu count.counters     what each CPU has counted
  bpfvar get count                        all variables of the program, a line each
  bpfvar get count.config --json          {\"count.config\":{\"rate\":1000,...}}

How targets are written: bpfvar --help")]
pub(crate) struct Args {
    /// What to print: PROGRAM.VARIABLE, MAP.VARIABLE, MAP[INDEX]
    #[arg(required = true, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Print what each CPU has, where it is shown added up otherwise
    ///
    /// For variables that are declared by BPFVAR_PERCPU, and for per-CPU array maps. One CPU is chosen by its number:
    /// count.counters[3].
    #[arg(long)]
    per_cpu: bool,
}

pub(super) fn run(Args { targets, per_cpu }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let selected = targets.iter().map(|target| resolver.select(target)).collect::<Result<Vec<_>>>()?;
    let mut values = Vec::new();
    for (label, var) in selected.into_iter().flatten() {
        let cpus = if *per_cpu { var.each_cpu()? } else { Vec::new() };
        if cpus.is_empty() {
            values.push((label, var.read()?));
            continue;
        }
        for of_one in &cpus {
            let part = of_one.path().strip_prefix(var.path()).unwrap_or_default();
            values.push((format!("{label}{part}"), of_one.read()?));
        }
    }
    match (out.json, out.quiet) {
        (true, false) => {
            // No key twice, whatever was asked for twice.
            let mut seen = HashSet::new();
            values.retain(|(label, _)| seen.insert(label.clone()));
            out.json(&Members(&values))
        }
        (true, true) => values.iter().try_for_each(|(_, value)| out.json_line(value)),
        (false, true) => values.iter().try_for_each(|(_, value)| out.line(bare(value))),
        (false, false) => values.iter().try_for_each(|(label, value)| {
            let label = out.ink(Ink::Name, &clean(label));
            out.line(format_args!("{label} = {}", text(value)))
        }),
    }
}
