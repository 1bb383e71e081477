//! `bpfvar cas`.

use bpfvar::Value;
use serde::Serialize;

use super::set::changed;
use super::{Members, writable};
use crate::cli::Switching;
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

pub(super) fn run(target: &Target, old: &str, new: &str, switch: Switching, out: &mut Output) -> Result<()> {
    let found = Resolver::default().find(target)?;
    let var = switch.apply_to(found.var()?);
    writable(&var, &target.text, "cas", out)?;
    let outcome = var.compare_exchange(old, new)?;
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
