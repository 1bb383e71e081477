//! `bpfvar cas`.

use bpfvar::Value;
use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use super::set::changed;
use super::{Members, writable};
use crate::cli::Switching;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::text;

#[derive(Debug, Serialize)]
struct Outcome<'a> {
    swapped: bool,
    /// What was there.
    old: &'a Value,
}

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar cas count.config.mode FAST OFF   count.config.mode: FAST -> OFF
  bpfvar cas count.owner 0 1 || echo taken

One atomic step. If another value is there, it is printed, nothing is written, and the exit status is 1.")]
pub(crate) struct Args {
    /// The scalar
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    target: Target,
    /// The value that must be there
    #[arg(allow_hyphen_values = true)]
    old: String,
    /// The value to write
    #[arg(allow_hyphen_values = true)]
    new: String,
    #[command(flatten)]
    switch: Switching,
}

pub(super) fn run(Args { target, old, new, switch }: &Args, out: &mut Output) -> Result<()> {
    let found = Resolver::default().find(target)?;
    let var = switch.apply_to(found.var()?);
    writable(&var, &target.text, "cas", out)?;
    let outcome = var.compare_exchange(old.as_str(), new.as_str())?;
    if out.json {
        let (swapped, seen) = match &outcome {
            Ok(seen) => (true, seen),
            Err(seen) => (false, seen),
        };
        out.json(&Members(&[(target.text.clone(), Outcome { swapped, old: seen })]))?;
        return if swapped { Ok(()) } else { Err(Failure::Told) };
    }
    match outcome {
        Ok(_) if out.quiet => Ok(()),
        Ok(seen) => changed(&target.text, &seen, &var.read()?, out),
        Err(seen) => Err(Failure::new(format!("{} is {}, not {old}; nothing was written", target.text, text(&seen)))),
    }
}
