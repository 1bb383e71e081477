//! Objects with their programs, sections and variables, for people.

use std::collections::HashSet;

use bpfvar::{ProgramInfo, TypedMap, Var};

use super::List;
use super::facts::Facts;
use crate::error::Result;
use crate::group::Group;
use crate::output::{Ink, Output, clean};
use crate::owner::Owner;
use crate::per_cpu::cpus_added;
use crate::resolve::why_none;
use crate::table::{self, Cells, Columns};
use crate::table_keyed;
use crate::value::preview;

/// Variables stand below their section.
const INDENT: usize = 4;

/// What stands below one title.
struct Block {
    /// Lines of programs.
    head: String,
    sections: Vec<(String, Vec<Cells>)>,
}

impl List<'_> {
    pub(super) fn tables(&self, long: bool, out: &mut Output) -> Result<()> {
        let facts = long.then(Facts::look);
        let mut shown = HashSet::new();
        let (mut printed, mut without) = (0, 0);
        for group in &self.groups {
            let sections = self.sections_of(group, &mut shown, out);
            let programs = self.programs_of(group);
            if sections.is_empty() && (!self.filter.is_set() || programs.is_empty()) {
                without += group.programs.len();
                continue;
            }
            let mut head = table::programs(
                programs.iter().map(|program| match &facts {
                    Some(facts) => facts.cells(program),
                    None => vec![format!("program {}", table::program_name(program))],
                }),
                out,
            );
            if sections.is_empty() {
                programs.iter().for_each(|program| head += &format!("\n  {}", why_none(program)));
            }
            let title = format!("object {}, {}", group.name, self.holder(group));
            print(&title, Block { head, sections }, printed, out)?;
            printed += 1;
        }
        let unused = self.unused(long, out);
        if !unused.is_empty() {
            print("maps that no program uses", Block { head: String::new(), sections: unused }, printed, out)?;
            printed += 1;
        }
        if self.filter.is_set() {
            return if printed > 0 { Ok(()) } else { Err(self.filter.nothing(self.programs)) };
        }
        let note = match (printed, without) {
            (0, 0) => match self.resolver.maps()?.len() {
                0 => "no BPF program is loaded".to_owned(),
                maps => format!("no BPF program is loaded, and of {maps} maps none has values that BTF describes"),
            },
            (0, _) => format!("{without} programs are loaded, and none has variables that BTF describes"),
            (_, 0) => return Ok(()),
            (_, 1) => "\n1 other program has no variables that BTF describes".to_owned(),
            _ => format!("\n{without} other programs have no variables that BTF describes"),
        };
        let (space, note) = note.strip_prefix('\n').map_or(("", note.as_str()), |note| ("\n", note));
        out.line(format_args!("{space}{}", out.ink(Ink::Faint, note)))
    }

    /// The maps of an object that are to be shown. What was shown of another one is only named.
    fn sections_of(&self, group: &Group<'_>, shown: &mut HashSet<u32>, out: &Output) -> Vec<(String, Vec<Cells>)> {
        let mut sections = Vec::new();
        for map in &group.maps {
            let vars = self.filter.vars(map, self.programs);
            if vars.is_empty() && !self.filter.shows_whole(map, self.programs) {
                continue;
            }
            let heading = format!("  {}", table::heading(out, map));
            sections.push(if shown.insert(map.info().id) {
                (heading, rows(&vars))
            } else {
                shown_above(&heading, out)
            });
        }
        for map in group.keyed.iter().filter(|map| self.filter.shows_keyed(map, self.programs)) {
            let (heading, rows) = table_keyed::block(out, map);
            let heading = format!("  {heading}");
            let is_new = shown.insert(map.info().id);
            sections.push(if is_new { (heading, rows) } else { shown_above(&heading, out) });
        }
        sections
    }

    /// The programs of an object that the filter means; if it means none, those that use what is shown.
    fn programs_of<'a>(&self, group: &Group<'a>) -> Vec<&'a ProgramInfo> {
        let meant = group.programs.iter().copied().filter(|program| self.filter.means(program));
        let meant: Vec<&ProgramInfo> = meant.collect();
        if !meant.is_empty() {
            return meant;
        }
        let is_shown = |map: &&&TypedMap| !self.filter.vars(map, self.programs).is_empty();
        let typed = group.maps.iter().filter(is_shown).map(|map| map.info().id);
        let keyed = group.keyed.iter().filter(|map| self.filter.shows_keyed(map, self.programs));
        let shown: Vec<u32> = typed.chain(keyed.map(|map| map.info().id)).collect();
        let uses = |program: &&ProgramInfo| shown.iter().any(|map| program.uses(*map));
        group.programs.iter().copied().filter(uses).collect()
    }

    /// Who keeps the programs of an object loaded.
    fn holder(&self, group: &Group<'_>) -> String {
        let pin = || group.programs.iter().find_map(|program| self.resolver.owners().pin_of_program(program.id));
        match group.owners.as_slice() {
            [] => match pin() {
                Some(path) => format!("pinned at {}", path.display()),
                None if self.resolver.owners().are_hidden() => {
                    "holder not known: not all processes may be looked at".to_owned()
                }
                None => "held by no process, but in use by the kernel".to_owned(),
            },
            owners => held_by(owners),
        }
    }

    /// Who holds them is only looked for if asked: each descriptor of a map takes some time.
    fn unused(&self, long: bool, out: &Output) -> Vec<(String, Vec<Cells>)> {
        let used: HashSet<u32> = self.programs.iter().flat_map(|program| program.map_ids.iter().copied()).collect();
        let mut sections = Vec::new();
        for map in self.maps.iter().filter(|map| !used.contains(&map.info().id)) {
            let vars = self.filter.vars(map, self.programs);
            if !vars.is_empty() {
                let holder = if long { self.holder_of_map(map.info().id, out) } else { String::new() };
                sections.push((format!("  {}{holder}", table::heading(out, map)), rows(&vars)));
            }
        }
        let keyed = self.keyed.iter().filter(|map| !used.contains(&map.info().id));
        for map in keyed.filter(|map| self.filter.shows_keyed(map, self.programs)) {
            let holder = if long { self.holder_of_map(map.info().id, out) } else { String::new() };
            let (heading, rows) = table_keyed::block(out, map);
            sections.push((format!("  {heading}{holder}"), rows));
        }
        sections
    }

    /// The end of a map's heading: who holds it, where anybody does.
    fn holder_of_map(&self, id: u32, out: &Output) -> String {
        let owners = self.resolver.owners();
        let holder = match owners.of_map(id) {
            [] => owners.pin_of_map(id).map(|path| format!("pinned at {}", path.display())),
            owners => Some(held_by(owners)),
        };
        holder.map_or_else(String::new, |holder| format!("  {}", out.ink(Ink::Faint, &holder)))
    }
}

fn shown_above(heading: &str, out: &Output) -> (String, Vec<Cells>) {
    (format!("{heading}  {}", out.ink(Ink::Faint, "(shown above)")), Vec::new())
}

fn held_by(owners: &[Owner]) -> String {
    format!("held by {}", owners.iter().map(Owner::to_string).collect::<Vec<_>>().join(", "))
}

fn rows(vars: &[Var]) -> Vec<Cells> {
    // What is behind a value may be cut.
    let mark = |var: &Var| if cpus_added(var) > 0 { "(sum) " } else { "" };
    let value = |var: &Var| {
        let value = preview(var).unwrap_or_else(|error| format!("({error})"));
        format!("{}{value}", mark(var))
    };
    vars.iter().map(|var| [clean(var.path()), clean(&var.type_name()), var.size().to_string(), value(var)]).collect()
}

fn print(title: &str, Block { head, sections }: Block, printed: usize, out: &mut Output) -> Result<()> {
    if printed > 0 {
        out.line("")?;
    }
    out.line(out.ink(Ink::Heading, title))?;
    if !head.is_empty() {
        out.line(head)?;
    }
    let columns = Columns::of(out, sections.iter().flat_map(|(_, rows)| rows), INDENT);
    for (heading, rows) in sections {
        out.line(heading)?;
        if !rows.is_empty() {
            out.line(table::variables(rows, columns, INDENT))?;
        }
    }
    Ok(())
}
