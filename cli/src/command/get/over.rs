//! Several values in one: what `--sum`, `--max`, `--min` and `--top` print.

use std::cmp::Ordering;

use bpfvar::Value;

use super::Labelled;
use crate::aggregate::{compare, sum};
use crate::error::{Failure, Result};
use crate::value::text;

/// What to print of several values.
#[derive(clap::Args, Debug)]
#[group(multiple = false)]
pub(super) struct Over {
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

impl Over {
    pub(super) fn is_asked(&self) -> bool {
        self.sum || self.max || self.min || self.top.is_some()
    }

    /// What is asked for, of what one target names.
    pub(super) fn of(&self, target: &str, mut values: Labelled) -> Result<Labelled> {
        if values.is_empty() {
            return Err(Failure::new(format!("{target} has no values now: there is nothing to add up or to compare")));
        }
        if self.sum {
            let example = values.first().map(|(label, _)| label.clone()).unwrap_or_default();
            let sum = sum(values.into_iter().map(|(_, value)| value).collect()).ok_or_else(|| {
                let why = "they are no numbers or structs of one type, or their sum takes more than 128 bits";
                Failure::new(format!("the values of {target} cannot be added up: {why}; the first is {example}"))
            })?;
            return Ok(vec![(target.to_owned(), sum)]);
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
            let order = compare(one, other).unwrap_or(Ordering::Equal);
            if self.min { order } else { order.reverse() }
        });
        values.truncate(self.top.map_or(1, |top| top as usize));
        Ok(values)
    }
}

/// The elements of an array that was named as one; anything else as it is.
pub(super) fn elements(values: Labelled) -> Labelled {
    match <[_; 1]>::try_from(values) {
        Ok([(label, Value::Array(elements))]) => {
            let label = |(index, value)| (format!("{label}[{index}]"), value);
            elements.into_iter().enumerate().map(label).collect()
        }
        Ok([one]) => vec![one],
        Err(several) => several,
    }
}
