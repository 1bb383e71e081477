//! `bpfvar add`.

use super::set::changed;
use super::{Members, Written, writable};
use crate::cli::Switching;
use crate::error::Result;
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::bare;

pub(super) fn run(target: &Target, amount: &str, switch: Switching, out: &mut Output) -> Result<()> {
    let found = Resolver::default().find(target)?;
    let var = switch.apply_to(found.var()?);
    writable(&var, &target.text, "add", out)?;
    let (old, new) = var.add(amount)?;
    match (out.json, out.quiet) {
        (true, false) => out.json(&Members(&[(target.text.clone(), Written { old: &old, new: &new })])),
        (true, true) => out.json_line(&new),
        // What nobody else can tell afterwards.
        (false, true) => out.line(bare(&new)),
        (false, false) => changed(&target.text, &old, &new, out),
    }
}
