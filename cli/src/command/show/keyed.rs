//! Maps that are reached by keys.

use serde::Serialize;

use super::declaration;
use crate::entries::{ACCESS, type_name};
use crate::error::Result;
use crate::output::{Ink, Output};
use crate::resolve::Keyed;

#[derive(Debug, Serialize)]
struct Shown<'a> {
    target: &'a str,
    map: &'a str,
    map_id: u32,
    map_type: String,
    max_entries: u32,
    key: Part,
    value: Part,
    /// The entry that was named.
    entry: Option<String>,
    access: &'static str,
}

#[derive(Debug, Serialize)]
struct Part {
    #[serde(rename = "type")]
    ty: String,
    declaration: String,
    size: u32,
}

pub(super) fn run(keyed: &Keyed, out: &mut Output) -> Result<()> {
    let (map, info) = (&keyed.map, keyed.map.info());
    let shown = Shown {
        target: &keyed.text,
        map: &info.name,
        map_id: info.id,
        map_type: type_name(map),
        max_entries: info.max_entries,
        key: Part { ty: map.key_type(), declaration: map.key_declaration(), size: info.key_size },
        value: Part { ty: map.value_type(), declaration: map.value_declaration(), size: info.value_size },
        entry: keyed.entry.as_ref().map(|entry| entry.path().to_owned()),
        access: ACCESS,
    };
    if out.json {
        return out.json(&shown);
    }
    if !out.quiet {
        out.line(out.ink(Ink::Heading, shown.target))?;
    }
    declaration(&shown.key.declaration, out)?;
    declaration(&shown.value.declaration, out)?;
    if out.quiet {
        return Ok(());
    }
    let line = format!(
        "{} of at most {} entries, map:{} {}, {ACCESS}",
        shown.map_type, shown.max_entries, shown.map_id, shown.map
    );
    out.line(format_args!("  {}", out.ink(Ink::Faint, &line)))?;
    if map.is_per_cpu() {
        let line = "a value for each CPU, shown added up: [CPU] behind the key chooses one, `get --per-cpu` shows all";
        out.line(format_args!("  {}", out.ink(Ink::Faint, line)))?;
    }
    Ok(())
}
