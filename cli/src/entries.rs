//! Maps that are reached by keys: their entries in order, and as JSON.

use std::cmp::Ordering;

use bpfvar::{Entries, KeyedMap, ProgramInfo, Value};
use serde::Serialize;

use crate::error::Result;
use crate::key;

/// How such maps are read.
pub(crate) const ACCESS: &str = "system call, a copy";
/// So many entries are counted for a line or two; counting a million would take as long as reading them.
pub(crate) const COUNTED: usize = 1000;
/// So many are shown then.
const SHOWN: usize = 4;

/// A key and its value.
pub(crate) type Entry = (Value, Value);

/// All entries, sorted by their keys: the kernel's order says nothing.
pub(crate) fn all(entries: Entries) -> bpfvar::Result<Vec<Entry>> {
    let mut entries = entries.collect::<bpfvar::Result<Vec<_>>>()?;
    entries.sort_by(|(one, _), (other, _)| order(one, other));
    Ok(entries)
}

/// `flows[{"port":80}]`.
pub(crate) fn label(map: &str, key: &Value) -> String {
    format!("{map}[{}]", key::text(key))
}

/// Numbers by their size, texts by their letters, structs and arrays by their first difference.
pub(crate) fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Struct(one), Value::Struct(other)) => {
            let pairs = one.iter().zip(other);
            pairs.map(|((_, one), (_, other))| order(one, other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other);
            pairs.map(|(one, other)| order(one, other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }
        (Value::Uint(one), Value::Uint(other)) => one.cmp(other),
        _ => match (one.as_i128(), other.as_i128()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.to_string().cmp(&other.to_string()),
        },
    }
}

/// The first entries, and how many there are.
pub(crate) struct Preview {
    pub(crate) entries: Vec<Entry>,
    /// None if there are more than are counted.
    pub(crate) count: Option<usize>,
}

pub(crate) fn preview(map: &KeyedMap) -> bpfvar::Result<Preview> {
    let mut entries = map.entries().take(COUNTED + 1).collect::<bpfvar::Result<Vec<_>>>()?;
    let count = (entries.len() <= COUNTED).then_some(entries.len());
    entries.sort_by(|(one, _), (other, _)| order(one, other));
    entries.truncate(SHOWN);
    Ok(Preview { entries, count })
}

/// As the kernel calls it: `LRU_HASH`.
pub(crate) fn type_name(map: &KeyedMap) -> String {
    let name = map.info().map_type.to_string();
    name.strip_prefix("BPF_MAP_TYPE_").map_or_else(|| name.clone(), str::to_owned)
}

/// What `list`, `show` and `dump` print of a map as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct JsonKeyedMap {
    id: u32,
    name: String,
    map_type: String,
    key_type: String,
    value_type: String,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    access: &'static str,
    /// The ids of those that use it.
    programs: Vec<u32>,
    /// How many entries there are; null if more than are counted.
    count: Option<usize>,
    entries: Vec<JsonEntry>,
}

#[derive(Debug, Serialize)]
pub(crate) struct JsonEntry {
    key: Value,
    value: Value,
}

impl From<Entry> for JsonEntry {
    fn from((key, value): Entry) -> JsonEntry {
        JsonEntry { key, value }
    }
}

impl JsonKeyedMap {
    /// With its first entries.
    pub(crate) fn preview(map: &KeyedMap, programs: &[ProgramInfo]) -> Result<JsonKeyedMap> {
        let Preview { entries, count } = preview(map)?;
        Ok(JsonKeyedMap::new(map, programs, entries, count))
    }

    /// With some entries, or all.
    pub(crate) fn new(
        map: &KeyedMap,
        programs: &[ProgramInfo],
        entries: Vec<Entry>,
        count: Option<usize>,
    ) -> JsonKeyedMap {
        let info = map.info();
        JsonKeyedMap {
            id: info.id,
            name: info.name.clone(),
            map_type: type_name(map),
            key_type: map.key_type(),
            value_type: map.value_type(),
            key_size: info.key_size,
            value_size: info.value_size,
            max_entries: info.max_entries,
            access: ACCESS,
            programs: programs.iter().filter(|program| program.uses(info.id)).map(|program| program.id).collect(),
            count,
            entries: entries.into_iter().map(JsonEntry::from).collect(),
        }
    }

    /// The ids of the programs that use it.
    pub(crate) fn users(&self) -> impl Iterator<Item = u32> {
        self.programs.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_by_their_keys() {
        let flow = |address: u32, port: u16| {
            Value::Struct(vec![("address".to_owned(), address.into()), ("port".to_owned(), port.into())])
        };
        let sorted = |mut keys: Vec<Value>| {
            keys.sort_by(order);
            keys.iter().map(key::text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(sorted(vec![10_u32.into(), 9_u32.into(), 100_u32.into()]), "9 10 100");
        assert_eq!(sorted(vec![(-1).into(), 5.into(), (-7).into()]), "-7 -1 5");
        assert_eq!(sorted(vec![Value::Uint(u128::MAX), 1_u8.into()]), format!("1 {}", u128::MAX));
        assert_eq!(
            sorted(vec![flow(2, 1), flow(1, 443), flow(1, 80)]),
            r#"{"address":1,"port":80} {"address":1,"port":443} {"address":2,"port":1}"#
        );
    }
}
