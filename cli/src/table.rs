//! Sections with their variables, as tables and as JSON.

use bpfvar::{Program, ProgramInfo, TypedMap, Value, Var};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use serde::Serialize;

use crate::access::Access;
use crate::columns;
use crate::entries::JsonKeyedMap;
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::value::{fit, is_slots, read};

/// A table without lines, as wide as its contents.
fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::MAX);
    table
}

/// Its lines, indented, without blanks at their ends.
fn lines(table: &Table, indent: usize) -> String {
    let pad = " ".repeat(indent);
    table
        .lines()
        .map(|line| format!("{pad}{}", line.strip_prefix(' ').unwrap_or(&line).trim_end()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where nobody can tell how a section is reached.
const UNKNOWN: &str = "unknown";

/// Name, type, size, value.
pub(crate) type Cells = [String; 4];

/// How wide the columns of several tables are, so that they stand below each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    widths: [usize; 3],
    room: usize,
}

impl Columns {
    /// Names and types are broken where the terminal is too narrow; values get what is left, and are cut.
    pub(crate) fn of<'a>(out: &Output, rows: impl Iterator<Item = &'a Cells>, indent: usize) -> Columns {
        let [name, ty, size, _] = columns::widths(rows);
        let mut widths = [name, ty, size];
        let Some(width) = out.width else { return Columns { widths, room: usize::MAX } };
        // Each of the four columns has a blank on either side, but for the first and the last.
        let free = width.saturating_sub(indent + widths[2] + 8).max(16);
        widths[0] = widths[0].min(free * 2 / 5);
        widths[1] = widths[1].min(free - widths[0] - free / 3);
        Columns { widths, room: free - widths[0] - widths[1] }
    }
}

pub(crate) fn variables(rows: Vec<Cells>, columns: Columns, indent: usize) -> String {
    let Columns { widths, room } = columns;
    let mut table = table();
    for [name, ty, size, value] in rows {
        table.add_row([name, ty, size, fit(&value, room)]);
    }
    for (column, width) in table.column_iter_mut().zip(widths) {
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed((width + 2).min(u16::MAX.into()) as u16)));
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    lines(&table, indent)
}

/// Lines of programs below the title of their object, each cut where the terminal ends.
pub(crate) fn programs(rows: impl Iterator<Item = Vec<String>>, out: &Output) -> String {
    let mut table = table();
    for row in rows {
        table.add_row(row);
    }
    let width = out.width.unwrap_or(usize::MAX);
    lines(&table, 2).lines().map(|line| fit(line, width)).collect::<Vec<_>>().join("\n")
}

/// A section in a line: `.bss  map:7 count.bss  read-write`.
pub(crate) fn heading(out: &Output, section: &TypedMap) -> String {
    let info = section.info();
    let name = if section.section().is_some() {
        section.name().to_owned()
    } else {
        format!("{}[{}]", info.name, info.max_entries)
    };
    let place =
        if section.section().is_some() { format!("map:{} {}", info.id, info.name) } else { format!("map:{}", info.id) };
    let access = match Access::of(section) {
        Ok(access) => match access.fixed() {
            Some(fixed) => format!("{} ({fixed})", access.mode()),
            None => access.mode().to_owned(),
        },
        Err(_) => UNKNOWN.to_owned(),
    };
    format!("{}  {}  {}", out.ink(Ink::Name, &name), clean(&place), out.ink(Ink::Faint, &access))
}

/// `count (id 12)`.
pub(crate) fn program_name(program: &ProgramInfo) -> String {
    // The kernel's own name may be cut; the function's is in the program's BTF.
    let whole = Program::from_id(program.id).and_then(|program| program.full_name());
    let name = whole.unwrap_or_else(|_| program.name.clone());
    let name = if name.is_empty() { "(no name)" } else { &name };
    format!("{} (id {})", clean(name), program.id)
}

/// What `list` and `dump` print as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Contents {
    pub(crate) programs: Vec<JsonProgram>,
    pub(crate) sections: Vec<JsonSection>,
    /// Maps that are reached by keys.
    pub(crate) keyed_maps: Vec<JsonKeyedMap>,
}

#[derive(Debug, Serialize)]
pub(crate) struct JsonProgram {
    id: u32,
    name: String,
    maps: Vec<u32>,
}

#[derive(Debug, Serialize)]
pub(crate) struct JsonMap {
    id: u32,
    name: String,
    entries: u32,
    value_size: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct JsonSection {
    name: String,
    /// Whether it is a program's section, and no other map.
    data: bool,
    map: JsonMap,
    access: &'static str,
    /// Why nobody can change it at run time, in a word.
    fixed: Option<&'static str>,
    /// The ids of those that use it.
    programs: Vec<u32>,
    variables: Vec<JsonVar>,
}

#[derive(Debug, Serialize)]
pub(crate) struct JsonVar {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    offset: u64,
    size: u64,
    linkage: Option<String>,
    value: Option<Value>,
}

impl From<&ProgramInfo> for JsonProgram {
    fn from(info: &ProgramInfo) -> JsonProgram {
        JsonProgram { id: info.id, name: info.name.clone(), maps: info.map_ids.clone() }
    }
}

impl JsonSection {
    pub(crate) fn new(section: &TypedMap, programs: &[ProgramInfo], variables: Vec<JsonVar>) -> JsonSection {
        let info = section.info();
        let programs = programs.iter().filter(|program| program.uses(info.id)).map(|program| program.id);
        let access = Access::of(section).ok();
        JsonSection {
            name: section.name().to_owned(),
            data: section.section().is_some(),
            map: JsonMap {
                id: info.id,
                name: info.name.clone(),
                entries: info.max_entries,
                value_size: info.value_size,
            },
            access: access.map_or(UNKNOWN, Access::mode),
            fixed: access.and_then(Access::fixed),
            programs: programs.collect(),
            variables,
        }
    }
}

impl JsonSection {
    /// The ids of the programs that use it.
    pub(crate) fn users(&self) -> impl Iterator<Item = u32> {
        self.programs.iter().copied()
    }
}

impl JsonVar {
    /// With its value, unless that is longer than `most` bytes.
    pub(crate) fn new(var: &Var, most: u64) -> Result<JsonVar> {
        let entries = if var.entry().is_some() { 1 } else { u64::from(var.map().info().max_entries) };
        let shown = is_slots(var) || var.size().saturating_mul(entries) <= most;
        let value = if shown { read(var)?.ok() } else { None };
        Ok(JsonVar {
            name: var.path().to_owned(),
            ty: var.type_name(),
            offset: var.offset(),
            size: var.size(),
            linkage: var.linkage().map(|linkage| linkage.to_string()),
            value,
        })
    }
}
