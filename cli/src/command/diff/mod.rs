//! `bpfvar diff`.

mod pair;

use std::str::FromStr;

use clap_complete::engine::ArgValueCompleter;

use super::dump;
use crate::complete;
use crate::difference::{Difference, text};
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::saved::{Saved, is_file};
use crate::target::Target;
use pair::{Side, differences, pairs};

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar diff prog:12 prog:14               two programs, variable by variable
  bpfvar diff map:7 map:9                   two maps
  bpfvar diff 'stats[0]' 'stats[1]'         two entries
  bpfvar dump count --json > before.json
  bpfvar diff before.json count             what changed since then
  bpfvar diff before.json                   the same for all that is in the file
  bpfvar diff before.json after.json

A line for each scalar that differs: NAME: OLD -> NEW. A file is told from a target by a / or by .json at its end; - is standard \
input. Variables are compared by their names, sections by theirs; of a file that holds several programs, those that have the name of \
the target's. Maps that are reached by keys are not compared. -q prints names only.

Exit status: 0 if nothing differs, 1 if something does (and if the command fails, which it says on standard error).")]
pub(crate) struct Args {
    /// What to compare: a target, or a file with what `dump --json` printed
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    left: Source,
    /// What to compare it with; if it is left out, what is in the file is compared with what is there now
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    right: Option<Source>,
}

/// Where values come from.
#[derive(Clone, Debug)]
enum Source {
    Now(Target),
    File(String),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Source, String> {
        if is_file(text) { Ok(Source::File(text.to_owned())) } else { text.parse().map(Source::Now) }
    }
}

impl Source {
    fn read(&self, resolver: &Resolver) -> Result<Side> {
        Ok(match self {
            Source::File(path) => Side::of_file(path, Saved::read(path)?),
            Source::Now(target) => {
                let found = resolver.find(target)?;
                let saved = Saved::of(&dump::contents(resolver, &found)?)?;
                Side::of_target(&target.text, saved, found.program().is_none())
            }
        })
    }
}

pub(super) fn run(Args { left, right }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let (left, right) = match (left, right) {
        (Source::Now(target), None) => {
            return Err(Failure::new(format!(
                "{} has nothing to be compared with; give a second target, or a file that `bpfvar dump --json` wrote",
                target.text
            )));
        }
        (file @ Source::File(_), None) => {
            let saved = file.read(&resolver)?;
            let now = saved.now(&resolver)?;
            (saved, now)
        }
        (left, Some(right)) => (left.read(&resolver)?, right.read(&resolver)?),
    };
    let (differences, left_out) = differences(&pairs(left, right)?);
    print(&differences, out)?;
    if left_out > 0 {
        let are = if left_out == 1 { "1 variable is".to_owned() } else { format!("{left_out} variables are") };
        out.warn(&format!(
            "{are} not compared, for a value is missing; `bpfvar list` leaves out large ones, `bpfvar dump` only what is half written"
        ))?;
    }
    if differences.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

fn print(differences: &[Difference], out: &mut Output) -> Result<()> {
    if out.json {
        let named: Vec<(String, &Difference)> =
            differences.iter().map(|difference| (difference.name.clone(), difference)).collect();
        return out.json(&super::Members(&named));
    }
    for difference in differences {
        let name = out.ink(Ink::Name, &clean(&difference.name));
        if out.quiet {
            out.line(&name)?;
            continue;
        }
        if let Some((old, new)) = &difference.types {
            out.line(format_args!("{name}: type {} -> {}", clean(old), out.ink(Ink::Changed, &clean(new))))?;
        }
        if difference.old != difference.new {
            let (old, new) = (text(difference.old.as_ref()), text(difference.new.as_ref()));
            out.line(format_args!("{name}: {} -> {}", clean(&old), out.ink(Ink::Changed, &new)))?;
        }
    }
    Ok(())
}
