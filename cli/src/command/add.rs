//! `bpfvar add`.

use clap_complete::engine::ArgValueCompleter;

use super::set::changed;
use super::{Members, Written, writable};
use crate::cli::Switching;
use crate::complete;
use crate::error::Result;
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::bare;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar add count.sampling 10            count.sampling: 1 -> 11
  bpfvar add count.sampling -10
  bpfvar add -q count.sampling 0          prints the new value only

No increment that a program makes atomically meanwhile is lost. A sum that does not fit the type is refused.")]
pub(crate) struct Args {
    /// The number
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    target: Target,
    /// How much; may be negative
    #[arg(allow_hyphen_values = true)]
    amount: String,
    #[command(flatten)]
    switch: Switching,
}

pub(super) fn run(Args { target, amount, switch }: &Args, out: &mut Output) -> Result<()> {
    let found = Resolver::default().find(target)?;
    let var = switch.apply_to(found.var()?);
    writable(&var, &target.text, "add", out)?;
    let (old, new) = var.add(amount.as_str())?;
    match (out.json, out.quiet) {
        (true, false) => out.json(&Members(&[(target.text.clone(), Written { old: &old, new: &new })])),
        (true, true) => out.json_line(&new),
        // What nobody else can tell afterwards.
        (false, true) => out.line(bare(&new)),
        (false, false) => changed(&target.text, &old, &new, out),
    }
}
