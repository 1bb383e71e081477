//! `bpfvar get`.

use std::collections::HashSet;

use bpfvar::{Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::Members;
use crate::aggregate::{compare, sum};
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::{bare, only_entry, text};

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

--sum, --max, --min and --top are over what each target names: all that fits a pattern, or the elements of an array. Whole numbers are \
added and compared exactly; --sum adds up structs member by member.

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
}

/// What to print of several values.
#[derive(clap::Args, Debug)]
#[group(multiple = false)]
struct Over {
    /// Print the sum of what each target names
    #[arg(long)]
    sum: bool,
    /// Print the greatest of what each target names, and where it is
    #[arg(long)]
    max: bool,
    /// Print the least of what each target names, and where it is
    #[arg(long)]
    min: bool,
    /// Print the N greatest of what each target names, the greatest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
}

/// Values, each with its label.
type Labelled = Vec<(String, Value)>;

pub(super) fn run(Args { targets, per_cpu, over }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    // All are found before the first is read.
    let selected = targets.iter().map(|target| resolver.select(target)).collect::<Result<Vec<_>>>()?;
    let mut values = Vec::new();
    for (target, mut vars) in targets.iter().zip(selected) {
        if over.is_asked() && !target.is_pattern() {
            vars = vars.into_iter().map(|(label, var)| only_entry(label, var)).collect::<bpfvar::Result<_>>()?;
        }
        let read = read(vars, *per_cpu)?;
        values.extend(if over.is_asked() { over.of(target, read)? } else { read });
    }
    print(values, out)
}

fn read(vars: Vec<(String, Var)>, per_cpu: bool) -> Result<Labelled> {
    let mut values = Vec::new();
    for (label, var) in vars {
        let cpus = if per_cpu { var.each_cpu()? } else { Vec::new() };
        if cpus.is_empty() {
            values.push((label, var.read()?));
            continue;
        }
        for of_one in &cpus {
            let part = of_one.path().strip_prefix(var.path()).unwrap_or_default();
            values.push((format!("{label}{part}"), of_one.read()?));
        }
    }
    Ok(values)
}

impl Over {
    fn is_asked(&self) -> bool {
        self.sum || self.max || self.min || self.top.is_some()
    }

    /// What is asked for, of what one target names.
    fn of(&self, target: &Target, mut values: Labelled) -> Result<Labelled> {
        // The elements of an array that was named as one.
        if let (false, [(label, Value::Array(_))]) = (target.is_pattern(), values.as_slice()) {
            let label = label.clone();
            let elements = values.into_iter().flat_map(|(_, value)| match value {
                Value::Array(elements) => elements,
                other => vec![other],
            });
            values = elements.enumerate().map(|(index, value)| (format!("{label}[{index}]"), value)).collect();
        }
        if self.sum {
            let example = values.first().map(|(label, _)| label.clone()).unwrap_or_default();
            let sum = sum(values.into_iter().map(|(_, value)| value).collect()).ok_or_else(|| {
                let why = "they are no numbers or structs of one type, or their sum takes more than 128 bits";
                Failure::new(format!("the values of {} cannot be added up: {why}; the first is {example}", target.text))
            })?;
            return Ok(vec![(target.text.clone(), sum)]);
        }
        if let Some((label, value)) = values.iter().find(|(_, value)| compare(value, value).is_none()) {
            let member = match value {
                Value::Struct(members) => members.iter().find(|(_, value)| compare(value, value).is_some()),
                _ => None,
            };
            let hint =
                member.map_or_else(String::new, |(name, _)| format!("; choose a member, such as {label}.{name}"));
            return Err(Failure::new(format!("{label} is {}, which is no number to compare{hint}", text(value))));
        }
        // Those that are equal stay in their order.
        values.sort_by(|(_, one), (_, other)| {
            let order = compare(one, other).unwrap_or(std::cmp::Ordering::Equal);
            if self.min { order } else { order.reverse() }
        });
        values.truncate(self.top.map_or(1, |top| top as usize));
        Ok(values)
    }
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
