//! `bpfvar get`.

mod keyed;
mod over;
mod part;
mod raw;

use bpfvar::Value;
use clap_complete::engine::ArgValueCompleter;

use crate::complete;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::per_cpu::is_per_cpu;
use crate::resolve::{Keyed, Resolver, Selected};
use crate::target::Target;
use crate::value::only_entry;
use over::Over;
use part::Part;

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

What is half written (BPFVAR_SEQ) is printed as such, null with --json and an empty line with -q, beside all others; then the exit status \
is 1.

How targets are written: bpfvar --help")]
pub(crate) struct Args {
    /// What to print: PROGRAM.VARIABLE, MAP.VARIABLE, MAP[INDEX]
    #[arg(required = true, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Print what each CPU has, where it is shown added up otherwise
    ///
    /// For variables that are declared by BPFVAR_PERCPU, and for per-CPU maps, each entry of them. One CPU is chosen by its number:
    /// count.counters[3], hits[0][3]. An error if no target has a value for each CPU; others beside such are printed as they are.
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
    if *per_cpu && !selected.iter().any(has_cpus) {
        let texts: Vec<&str> = targets.iter().map(|target| target.text.as_str()).collect();
        return Err(Failure::new(format!(
            "{}: there is no value for each CPU; leave --per-cpu out to print the one value",
            texts.join(" ")
        )));
    }
    let mut parts = Vec::new();
    for (target, selected) in targets.iter().zip(selected) {
        // What is one thing is over its elements, but each entry of a map that is reached by keys counts.
        let is_several = target.is_pattern() || matches!(&selected, Selected::Keyed(Keyed { entry: None, .. }));
        let read = match selected {
            Selected::Vars(vars) if over.is_asked() && !is_several => {
                let vars = vars.into_iter().map(|(label, var)| only_entry(label, var));
                part::read(vars.collect::<bpfvar::Result<_>>()?, *per_cpu)?
            }
            Selected::Vars(vars) => part::read(vars, *per_cpu)?,
            // A pattern means each entry for itself.
            Selected::Keyed(keyed) => {
                let as_list = out.json && !over.is_asked() && !target.is_pattern();
                let cpus = if *per_cpu || as_list { 0 } else { keyed::cpus_added(&keyed)? };
                let values = keyed::values(&keyed, *per_cpu, as_list)?;
                values.into_iter().map(|(label, value)| Part::new(label, value, cpus)).collect()
            }
        };
        if !over.is_asked() {
            parts.extend(read);
            continue;
        }
        let values = part::whole(read)?;
        let values = if is_several { values } else { over::elements(values) };
        parts.extend(over.of(&target.text, values)?.into_iter().map(|(label, value)| Part::new(label, value, 0)));
    }
    part::print(parts, out)?;
    if out.quiet {
        return Ok(());
    }
    let left_out = targets.iter().filter_map(|target| resolver.find(target).ok()?.left_out());
    left_out.collect::<Vec<_>>().iter().try_for_each(|line| out.warn(&format!("{line}; name it, or use `bpfvar dump`")))
}

/// Whether anything that is selected has a value for each CPU.
fn has_cpus(selected: &Selected) -> bool {
    match selected {
        Selected::Vars(vars) => vars.iter().any(|(_, var)| is_per_cpu(var)),
        Selected::Keyed(keyed) => keyed.map.is_per_cpu(),
    }
}
