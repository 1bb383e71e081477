//! Values that are reached by keys.

use bpfvar::{KeyedEntry, Value};

use crate::entries;
use crate::error::Result;
use crate::resolve::Keyed;

/// What is to be printed of a map or an entry, each value with its label. All entries are one value `as_list`, an array of keys and
/// values.
pub(super) fn values(keyed: &Keyed, per_cpu: bool, as_list: bool) -> Result<Vec<(String, Value)>> {
    let Keyed { text, map, entry } = keyed;
    if let Some(entry) = entry {
        let read = |label, entry: &KeyedEntry| Ok((label, entry.read()?.ok_or_else(|| keyed.no_entry())?));
        let cpus = if per_cpu { entry.each_cpu()? } else { Vec::new() };
        if cpus.is_empty() {
            return Ok(vec![read(text.clone(), entry)?]);
        }
        let part = |of_one: &KeyedEntry| of_one.path().strip_prefix(entry.path()).unwrap_or_default().to_owned();
        return cpus.iter().map(|of_one| read(format!("{text}{}", part(of_one)), of_one)).collect();
    }
    let mut values = Vec::new();
    for (key, value) in entries::all(map)? {
        let cpus = if per_cpu { map.entry(&key)?.each_cpu()? } else { Vec::new() };
        let each = cpus.iter().map(KeyedEntry::read).collect::<bpfvar::Result<Option<Vec<_>>>>()?;
        // What was removed since its key was read is not there.
        let Some(each) = each else { continue };
        match (as_list, cpus.is_empty()) {
            (true, true) => values.push((String::new(), pair(key, value))),
            (true, false) => values.push((String::new(), pair(key, Value::Array(each)))),
            (false, true) => values.push((entries::label(text, &key), value)),
            (false, false) => {
                let label = entries::label(text, &key);
                let whole = map.entry(&key)?.path().len();
                values.extend(
                    cpus.iter().zip(each).map(|(of_one, value)| (format!("{label}{}", &of_one.path()[whole..]), value)),
                );
            }
        }
    }
    Ok(match as_list {
        true => vec![(text.clone(), Value::Array(values.into_iter().map(|(_, value)| value).collect()))],
        false => values,
    })
}

fn pair(key: Value, value: Value) -> Value {
    Value::Struct(vec![("key".to_owned(), key), ("value".to_owned(), value)])
}
