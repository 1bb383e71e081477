//! Values that are reached by keys.

use bpfvar::{KeyedEntry, Value};

use crate::entries;
use crate::error::Result;
use crate::per_cpu::{self, check_lines};
use crate::resolve::Keyed;

/// What is to be printed of a map or an entry, each value with its label. All entries are one value `as_list`: an array of keys and
/// values, in which what each CPU has is an array, too.
pub(super) fn values(keyed: &Keyed, by_cpu: bool, as_list: bool) -> Result<Vec<(String, Value)>> {
    let Keyed { text, map, .. } = keyed;
    if let Some(entry) = &keyed.entry {
        let values = labelled(keyed, text, entry, by_cpu)?;
        return values.ok_or_else(|| keyed.no_entry());
    }
    let mut all = Vec::new();
    let entries = entries::all(keyed.entries()?)?;
    if by_cpu && !as_list {
        check_lines(entries.len() * cpus_added(keyed)?, &keyed.example())?;
    }
    for (key, value) in entries {
        let label = keyed.label(&key);
        let values = match by_cpu && map.is_per_cpu() {
            true => labelled(keyed, &label, &keyed.entry_of(&key)?, true)?,
            false => Some(vec![(label, value)]),
        };
        // None if it was removed since its key was read.
        if let Some(values) = values {
            all.push((key, values));
        }
    }
    if !as_list {
        return Ok(all.into_iter().flat_map(|(_, values)| values).collect());
    }
    let pair = |(key, values): (Value, Vec<(String, Value)>)| {
        let mut values: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
        let value = if by_cpu && map.is_per_cpu() { Value::Array(values) } else { values.remove(0) };
        Value::Struct(vec![("key".to_owned(), key), ("value".to_owned(), value)])
    };
    Ok(vec![(text.clone(), Value::Array(all.into_iter().map(pair).collect()))])
}

/// The value of an entry, or those that each CPU has; None if it is not there.
fn labelled(keyed: &Keyed, label: &str, entry: &KeyedEntry, by_cpu: bool) -> Result<Option<Vec<(String, Value)>>> {
    let cpus = if by_cpu { per_cpu::each_of_entry(label, &keyed.map, entry)? } else { Vec::new() };
    if cpus.is_empty() {
        return Ok(entry.read()?.map(|value| vec![(label.to_owned(), value)]));
    }
    let read = |(label, of_one): (String, KeyedEntry)| Ok(of_one.read()?.map(|value| (label, value)));
    cpus.into_iter().map(read).collect()
}

/// Of how many CPUs what is printed without --per-cpu is the sum; 0 if it is no sum.
pub(super) fn cpus_added(keyed: &Keyed) -> Result<usize> {
    if !keyed.map.is_per_cpu() {
        return Ok(0);
    }
    let entry = match (&keyed.entry, keyed.map.entries().next().transpose()?) {
        (Some(entry), _) => entry.clone(),
        (None, Some((key, _))) => keyed.entry_of(&key)?,
        (None, None) => return Ok(0),
    };
    Ok(per_cpu::each_of_entry("", &keyed.map, &entry)?.len())
}
