//! Maps that are reached by keys, as tables.

use bpfvar::KeyedMap;

use crate::entries::{ACCESS, COUNTED, Entry, Preview, preview, type_name};
use crate::key;
use crate::output::{Ink, Output, clean};
use crate::table::Cells;
use crate::value::text;

/// A map as a block of a listing: its heading, and its first entries.
pub(crate) fn block(out: &Output, map: &KeyedMap) -> (String, Vec<Cells>) {
    match preview(map) {
        Ok(Preview { entries, count }) => {
            let mark = if map.is_per_cpu() { "(sum) " } else { "" };
            let size = map.info().value_size.to_string();
            let row = |(index, (key, value)): (usize, &Entry)| {
                let (ty, size) = if index == 0 { (clean(&map.value_type()), size.clone()) } else { Default::default() };
                [clean(&format!("[{}]", key::text(key))), ty, size, format!("{mark}{}", text(value))]
            };
            let mut rows: Vec<Cells> = entries.iter().enumerate().map(row).collect();
            if count.is_none_or(|count| count > entries.len()) {
                rows.push(["…".to_owned(), String::new(), String::new(), String::new()]);
            }
            let count = count.map_or_else(|| format!("more than {COUNTED}"), |count| count.to_string());
            (heading(out, map, &format!("{count} of at most {} entries", map.info().max_entries)), rows)
        }
        Err(error) => (heading(out, map, &format!("({error})")), Vec::new()),
    }
}

/// `flows[struct flow]  map:7  system call, a copy  LRU_HASH, 4 of at most 64 entries`.
pub(crate) fn heading(out: &Output, map: &KeyedMap, entries: &str) -> String {
    let name = out.ink(Ink::Name, &format!("{}[{}]", map.name(), map.key_type()));
    let ty = type_name(map);
    let rest = out.ink(Ink::Faint, &format!("{ACCESS}  {ty}, {entries}"));
    format!("{name}  map:{}  {rest}", map.info().id)
}
