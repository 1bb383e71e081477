//! What is printed of a target: a value with its label, or what stands in place of one that is not whole.

use std::collections::HashSet;

use bpfvar::{Error, Value, Var};

use super::Labelled;
use crate::command::Members;
use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::per_cpu::{self, cpus_added};
use crate::value::{bare, text, why_not_whole};

/// One value.
pub(super) struct Part {
    label: String,
    /// The error if it is half written, and the like.
    value: Result<Value, Error>,
    /// Of how many CPUs it is the sum; 0 if it is no sum.
    cpus: usize,
}

impl Part {
    pub(super) fn new(label: String, value: Value, cpus: usize) -> Part {
        Part { label, value: Ok(value), cpus }
    }

    fn read(label: String, var: &Var, cpus: usize) -> Result<Part> {
        match var.read() {
            Err(error) if why_not_whole(&error).is_none() => Err(error.into()),
            value => Ok(Part { label, value, cpus }),
        }
    }
}

/// Reads variables; or what each CPU has of them, where it has something.
pub(super) fn read(vars: Vec<(String, Var)>, by_cpu: bool) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (label, var) in vars {
        let cpus = if by_cpu { per_cpu::each(&label, &var)? } else { Vec::new() };
        if cpus.is_empty() {
            parts.push(Part::read(label, &var, cpus_added(&var))?);
        }
        for (label, of_one) in cpus {
            parts.push(Part::read(label, &of_one, 0)?);
        }
    }
    Ok(parts)
}

/// The values, where all of them are needed.
pub(super) fn whole(parts: Vec<Part>) -> Result<Labelled> {
    parts.into_iter().map(|part| Ok((part.label, part.value?))).collect()
}

/// Prints all that is whole, and says what is not. That is an error.
pub(super) fn print(mut parts: Vec<Part>, out: &mut Output) -> Result<()> {
    // With nothing to print, the error alone says it.
    if parts.iter().any(|part| part.value.is_ok()) {
        if out.json && !out.quiet {
            // No key twice, whatever was asked for twice.
            let mut seen = HashSet::new();
            parts.retain(|part| seen.insert(part.label.clone()));
            let members: Vec<_> = parts.iter().map(|part| (part.label.clone(), part.value.as_ref().ok())).collect();
            out.json(&Members(&members))?;
        } else {
            parts.iter().try_for_each(|part| line(part, out))?;
        }
    }
    let mut errors: Vec<Error> = parts.into_iter().filter_map(|part| part.value.err()).collect();
    let Some(last) = errors.pop() else { return Ok(()) };
    errors.into_iter().try_for_each(|error| {
        let line = Failure::from(error).line(out.verbose);
        out.warn(&line)
    })?;
    Err(last.into())
}

fn line(part: &Part, out: &mut Output) -> Result<()> {
    match (&part.value, out.json, out.quiet) {
        (value, true, _) => out.json_line(&value.as_ref().ok()),
        (Ok(value), false, true) => out.line(bare(value)),
        // A line each, so that lines can be told apart by counting.
        (Err(_), false, true) => out.line(""),
        (value, false, false) => {
            let label = out.ink(Ink::Name, &clean(&part.label));
            match value {
                Ok(value) => out.line(format_args!("{label} = {}{}", text(value), per_cpu::mark(part.cpus))),
                Err(error) => out.line(format_args!("{label} = {}", why_not_whole(error).unwrap_or_default())),
            }
        }
    }
}
