//! `bpfvar get`.

mod keyed;
mod over;
mod raw;

use std::collections::HashSet;

use bpfvar::{Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::Members;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::{Keyed, Resolver, Selected};
use crate::target::Target;
use crate::value::{bare, only_entry, text};
use over::Over;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar get count.sampling count.config.rate 'count.hist[3]'
  bpfvar get -q count.sampling            the value only
  bpfvar get '*.sampling'                 that of every program
  bpfvar get 'count.hist[0..4]'           elements 0 to 3
  bpfvar get --sum 'stats[*].packets'     added up over all entries of the map
  bpfvar get --top 3 'stats[*].packets'   the three greatest, each with its entry
  bpfvar get --per-cpu count.counters     what each CPU has counted
  bpfvar get count                        all variables of the program, a line each
  bpfvar get count.config --json          {\"count.config\":{\"rate\":1000,...}}
  bpfvar get 'hits[5]' 'names[\"http\"]' 'flows[{\"port\": 80}].packets'
                                          entries of hashes, by their keys
  bpfvar get flows                        all entries, a line each, sorted by key
  bpfvar get --top 3 'flows[*].packets'   the three with most packets
  bpfvar get --raw count.config > FILE    the bytes as they are in memory

Hashes and LPM tries cannot be mapped: what is printed of them is a copy by system call. With --json all entries are an array of \
{\"key\", \"value\"}.

--sum, --max, --min and --top are over what each target names: all that fits a pattern, the elements of an array, or the entries of a \
hash. Whole numbers are added and compared exactly; --sum adds up structs member by member.

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
    #[command(flatten)]
    over: Over,
    /// Write the bytes of the values as they are in memory, one target behind the other
    ///
    /// What changes as one (BPFVAR_SEQ, BPFVAR_SWITCH) is of one moment. Padding is 0.
    #[arg(long, conflicts_with_all = ["per_cpu", "json", "quiet", "Over"])]
    raw: bool,
}

/// Values, each with its label.
type Labelled = Vec<(String, Value)>;

pub(super) fn run(Args { targets, per_cpu, over, raw }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    // All are found before the first is read.
    let selected = targets.iter().map(|target| resolver.look_up(target)).collect::<Result<Vec<_>>>()?;
    if *raw {
        return raw::print(selected, out);
    }
    let mut values = Labelled::new();
    for (target, selected) in targets.iter().zip(selected) {
        // What is one thing is over its elements, but each entry of a map that is reached by keys counts.
        let is_several = target.is_pattern() || matches!(&selected, Selected::Keyed(Keyed { entry: None, .. }));
        let read = match selected {
            Selected::Vars(vars) if over.is_asked() && !is_several => {
                let vars = vars.into_iter().map(|(label, var)| only_entry(label, var));
                read(vars.collect::<bpfvar::Result<_>>()?, *per_cpu)?
            }
            Selected::Vars(vars) => read(vars, *per_cpu)?,
            // A pattern means each entry for itself.
            Selected::Keyed(keyed) => {
                let as_list = out.json && !over.is_asked() && !target.is_pattern();
                keyed::values(&keyed, *per_cpu, as_list)?
            }
        };
        values.extend(match over.is_asked() {
            false => read,
            true if is_several => over.of(&target.text, read)?,
            true => over.of(&target.text, over::elements(read))?,
        });
    }
    print(values, out)
}

fn read(vars: Vec<(String, Var)>, per_cpu: bool) -> Result<Labelled> {
    let mut values = Labelled::new();
    for (label, var) in vars {
        let cpus = if per_cpu { of_each_cpu(&label, &var)? } else { Vec::new() };
        if cpus.is_empty() {
            values.push((label, var.read()?));
            continue;
        }
        for of_one in &cpus {
            values.push((label_like(&label, &var, of_one), of_one.read()?));
        }
    }
    Ok(values)
}

/// So many lines are of use to nobody.
const MOST_LINES: u64 = 10_000;

/// What each CPU has, of all entries of a map one after the other. Empty for what has no value for each CPU.
fn of_each_cpu(label: &str, var: &Var) -> Result<Vec<Var>> {
    if var.entry().is_some() {
        return Ok(var.each_cpu()?);
    }
    let entries = var.indices()?;
    let first = var.at("[0]")?.each_cpu()?;
    if entries.end.saturating_mul(first.len() as u64) > MOST_LINES {
        return Err(Failure::new(format!(
            "{label} has {} entries with a value for each CPU, which is too much to print; name one, {label}[0]",
            entries.end
        )));
    }
    if first.is_empty() {
        return Ok(first);
    }
    let mut all = Vec::new();
    for entry in entries {
        all.extend(var.at(&format!("[{entry}]"))?.each_cpu()?);
    }
    Ok(all)
}

/// How another part of a variable is named, if this one is named so: what comes behind the name of the whole differs.
fn label_like(label: &str, var: &Var, other: &Var) -> String {
    let name = var.path().find(['.', '[']).unwrap_or(var.path().len());
    let start = label.strip_suffix(&var.path()[name..]).unwrap_or(label);
    format!("{start}{}", other.path().get(name..).unwrap_or_default())
}

fn print(mut values: Labelled, out: &mut Output) -> Result<()> {
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
