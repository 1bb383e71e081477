//! Values that are reached by keys.

use bpfvar::{KeyedEntry, Value};

use crate::entries;
use crate::error::Result;
use crate::resolve::Keyed;

/// What is to be printed of a map or an entry, each value with its label. All entries are one value `as_list`: an array of keys and
/// values, in which what each CPU has is an array, too.
pub(super) fn values(keyed: &Keyed, per_cpu: bool, as_list: bool) -> Result<Vec<(String, Value)>> {
    let Keyed { text, map, .. } = keyed;
    if let Some(entry) = &keyed.entry {
        let values = labelled(text, entry, per_cpu)?;
        return values.ok_or_else(|| keyed.no_entry());
    }
    let mut all = Vec::new();
    for (key, value) in entries::all(keyed.entries()?)? {
        let label = keyed.label(&key);
        let values = match per_cpu && map.is_per_cpu() {
            true => labelled(&label, &keyed.entry_of(&key)?, true)?,
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
        let value = if per_cpu && map.is_per_cpu() { Value::Array(values) } else { values.remove(0) };
        Value::Struct(vec![("key".to_owned(), key), ("value".to_owned(), value)])
    };
    Ok(vec![(text.clone(), Value::Array(all.into_iter().map(pair).collect()))])
}

/// The value of an entry, or those that each CPU has; None if it is not there.
fn labelled(label: &str, entry: &KeyedEntry, per_cpu: bool) -> Result<Option<Vec<(String, Value)>>> {
    let cpus = if per_cpu { entry.each_cpu()? } else { Vec::new() };
    if cpus.is_empty() {
        return Ok(entry.read()?.map(|value| vec![(label.to_owned(), value)]));
    }
    let read = |of_one: &KeyedEntry| {
        let part = of_one.path().strip_prefix(entry.path()).unwrap_or_default();
        Ok(of_one.read()?.map(|value| (format!("{label}{part}"), value)))
    };
    cpus.iter().map(read).collect()
}
