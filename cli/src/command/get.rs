//! `bpfvar get`.

use std::collections::HashSet;

use super::Members;
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::{bare, text};

pub(super) fn run(targets: &[Target], per_cpu: bool, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let found = resolver.find_all(targets)?;
    let mut values = Vec::new();
    for found in &found {
        for (label, var) in found.vars()? {
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
