//! `bpfvar list`.

use std::collections::HashSet;

use bpfvar::{Globals, KeyedMap, Map, MapInfo, MapType, Program, ProgramInfo, TypedMap, Var};

use crate::entries::JsonKeyedMap;
use crate::error::{Failure, Result, other_type};
use crate::output::{Ink, Output, clean};
use crate::resolve::{labels, why_none};
use crate::table::{self, Cells, Columns, Contents, JsonSection, JsonVar};
use crate::table_keyed;
use crate::value::preview;

/// Values of more bytes are left out of the JSON.
const MOST: u64 = 4096;
/// Variables stand below their section.
const INDENT: usize = 4;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar list                 everything that BTF describes
  bpfvar list sampling        programs, maps, sections and variables with `sampling` in their names, in any case
  bpfvar list prog:12         what `list` prints works too: prog:12, map:7, count.sampling
  bpfvar list -q              targets only, one a line
  bpfvar list --json | jq '.sections[].variables[].name'

Values are cut to fit the terminal; `bpfvar dump` shows them whole. --json leaves out values of more than 4096 bytes (null). Of maps that \
are reached by keys the first entries are shown, and no more than 1000 are counted: they are copied by system call.")]
pub(crate) struct Args {
    /// Show only what has this in its name
    filter: Option<String>,
}

pub(super) fn run(Args { filter }: &Args, out: &mut Output) -> Result<()> {
    let programs = Program::all()?;
    let all = Globals::of_system()?;
    let list = List::new(&programs, &all, filter.as_deref());
    match (out.json, out.quiet) {
        (true, _) => list.json(out)?,
        (false, true) => list.targets(out)?,
        (false, false) => list.tables(out)?,
    }
    Ok(())
}

struct List<'a> {
    programs: &'a [ProgramInfo],
    /// Their whole names in small letters, if there is a filter.
    names: Vec<String>,
    sections: &'a [TypedMap],
    keyed: &'a [KeyedMap],
    /// In small letters.
    filter: Option<String>,
}

impl<'a> List<'a> {
    fn new(programs: &'a [ProgramInfo], all: &'a Globals, filter: Option<&str>) -> List<'a> {
        let whole = |info: &ProgramInfo| Program::from_id(info.id).and_then(|program| program.full_name());
        // As `list` shows them.
        let names = programs.iter().map(|info| whole(info).unwrap_or_else(|_| info.name.clone()).to_lowercase());
        // Only a filter needs them.
        let names = if filter.is_some() { names.collect() } else { Vec::new() };
        let (sections, keyed) = (all.maps(), all.keyed_maps());
        List { programs, names, sections, keyed, filter: filter.map(str::to_lowercase) }
    }

    fn fits(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.to_lowercase().contains(filter))
    }

    /// Whether the filter is the kind and a name or the number of something: `prog:12`, `map:count.bss`.
    fn is_called(&self, kind: &str, name: &str, id: u32) -> bool {
        let called = |kind: &str| {
            let rest = self.filter.as_ref().and_then(|filter| filter.strip_prefix(kind)?.strip_prefix(':'));
            // The heading of a section goes on with the map's name.
            let rest = rest.map(|rest| rest.split_whitespace().next().unwrap_or(rest));
            rest.is_some_and(|rest| rest == id.to_string() || !rest.is_empty() && rest == name.to_lowercase())
        };
        called(kind) || self.filter.as_ref().is_some_and(|filter| *filter == format!("id:{id}"))
    }

    fn fits_program(&self, program: &ProgramInfo) -> bool {
        let index = self.programs.iter().position(|other| other.id == program.id);
        let whole = index.and_then(|index| self.names.get(index)).map_or("", String::as_str);
        let shown = self.filter.as_ref().is_some_and(|filter| *filter == format!("{whole} (id {})", program.id));
        self.fits(&program.name) || self.fits(whole) || shown || self.is_called("prog", &program.name, program.id)
    }

    fn fits_map(&self, section: &TypedMap) -> bool {
        let info = section.info();
        self.fits(section.name()) || self.fits(&info.name) || self.is_called("map", &info.name, info.id)
    }

    /// The variables that the filter leaves; all, if it is the name of what they lie in.
    fn vars(&self, program: Option<&ProgramInfo>, section: &'a TypedMap) -> Vec<Var> {
        let whole = program.is_some_and(|program| self.fits_program(program)) || self.fits_map(section);
        section.vars().filter(|var| whole || self.fits(var.path()) || self.is_target(section, var)).collect()
    }

    /// Whether the filter is the start of how to say it: `count.samp`, `prog:12.sampling`.
    fn is_target(&self, section: &TypedMap, var: &Var) -> bool {
        let Some(filter) = self.filter.as_ref().filter(|filter| filter.contains('.')) else { return false };
        let map = section.info();
        let starts = |object: &str| {
            let (path, offset) = (var.path(), var.offset());
            format!("{object}.{path}@{offset}").to_lowercase().starts_with(filter)
        };
        let mut users = self.programs.iter().filter(|program| program.uses(map.id));
        starts(&format!("map:{}", map.id))
            || starts(&map.name)
            || users.any(|program| starts(&program.name) || starts(&format!("prog:{}", program.id)))
    }

    fn sections_of(&self, program: &ProgramInfo) -> Vec<&'a TypedMap> {
        self.sections.iter().filter(|section| program.uses(section.info().id)).collect()
    }

    /// The maps of a program that are reached by keys, as far as the filter leaves them; without a program those that none uses.
    fn keyed_of(&self, program: Option<&ProgramInfo>) -> impl Iterator<Item = &'a KeyedMap> {
        self.keyed.iter().filter(move |map| {
            let info = map.info();
            let whole = program.is_some_and(|program| self.fits_program(program));
            let used = |user: &ProgramInfo| user.uses(info.id);
            let belongs = program.map_or_else(|| !self.programs.iter().any(used), used);
            belongs && (whole || self.fits(&info.name) || self.is_called("map", &info.name, info.id))
        })
    }

    fn unused(&self) -> impl Iterator<Item = &'a TypedMap> {
        let used: HashSet<u32> = self.programs.iter().flat_map(|program| program.map_ids.iter().copied()).collect();
        self.sections.iter().filter(move |section| !used.contains(&section.info().id))
    }

    /// The programs that the filter names and that have nothing to show.
    fn without(&self) -> impl Iterator<Item = &'a ProgramInfo> {
        let named = self.programs.iter().filter(|program| self.filter.is_some() && self.fits_program(program));
        named.filter(|program| self.sections_of(program).is_empty() && self.keyed_of(Some(program)).next().is_none())
    }

    fn nothing(&self) -> Failure {
        let Some(filter) = &self.filter else { return Failure::Told };
        if let Some(program) = self.without().next() {
            return Failure::new(format!("{} {}", table::program_name(program), why_none(program)));
        }
        let maps = Map::ids().filter_map(|id| Map::from_id(id.ok()?).ok());
        let fits = |info: &MapInfo| self.fits(&info.name) || self.is_called("map", &info.name, info.id);
        let map = maps.map(|map| map.info().clone()).find(fits);
        Failure::new(match map {
            Some(info) if info.map_type != MapType::ARRAY => {
                other_type(&info.object(), info.map_type, info.btf_id != 0)
            }
            Some(info) => format!(
                "{info} has no values that BTF describes; `bpftool map dump id {}` shows them as bytes",
                info.id
            ),
            None => format!("no program, map, section or variable has {filter:?} in its name; `bpfvar list` shows all"),
        })
    }

    fn tables(&self, out: &mut Output) -> Result<()> {
        let mut shown = HashSet::new();
        let (mut printed, mut without) = (0, 0);
        for program in self.programs {
            let sections = self.sections_of(program);
            if sections.is_empty() && !self.keyed.iter().any(|map| program.uses(map.info().id)) {
                without += 1;
                continue;
            }
            let (mut blocks, mut some_new) = (Vec::new(), self.filter.is_none() || self.fits_program(program));
            for section in sections {
                let vars = self.vars(Some(program), section);
                if vars.is_empty() && !(self.fits_program(program) || self.filter.is_none()) {
                    continue;
                }
                let heading = format!("  {}", table::heading(out, section));
                let is_new = shown.insert(section.info().id);
                some_new |= is_new;
                if is_new {
                    blocks.push((heading, rows(&vars)))
                } else {
                    blocks.push((format!("{heading}  {}", out.ink(Ink::Faint, "(shown above)")), Vec::new()))
                }
            }
            for map in self.keyed_of(Some(program)) {
                some_new |= shown.insert(map.info().id);
                blocks.push(keyed_block(out, map));
            }
            // What was shown of another program is no news of this one, unless the filter means this one.
            if !blocks.is_empty() && some_new {
                let title = format!("program {}", table::program_name(program));
                print(&title, blocks, printed, out)?;
                printed += 1;
            }
        }
        for program in self.without() {
            let title = format!("program {}", table::program_name(program));
            print(&title, vec![(format!("  {}", why_none(program)), Vec::new())], printed, out)?;
            printed += 1;
        }
        let mut blocks = Vec::new();
        for section in self.unused() {
            let vars = self.vars(None, section);
            if !vars.is_empty() {
                blocks.push((format!("  {}", table::heading(out, section)), rows(&vars)));
            }
        }
        blocks.extend(self.keyed_of(None).map(|map| keyed_block(out, map)));
        if !blocks.is_empty() {
            print("maps that no program uses", blocks, printed, out)?;
            printed += 1;
        }
        if self.filter.is_some() {
            return if printed > 0 { Ok(()) } else { Err(self.nothing()) };
        }
        let note = match (printed, without) {
            (0, 0) => "no BPF program is loaded".to_owned(),
            (0, _) => format!("{without} programs are loaded, and none has variables that BTF describes"),
            (_, 0) => return Ok(()),
            (_, 1) => "\n1 other program has no variables that BTF describes".to_owned(),
            _ => format!("\n{without} other programs have no variables that BTF describes"),
        };
        let (space, note) = note.strip_prefix('\n').map_or(("", note.as_str()), |note| ("\n", note));
        out.line(format_args!("{space}{}", out.ink(Ink::Faint, note)))
    }

    /// What can be given to other commands, a line each.
    fn targets(&self, out: &mut Output) -> Result<()> {
        let mut lines = Vec::new();
        let is_unique = |program: &&ProgramInfo| {
            !program.name.is_empty() && self.programs.iter().filter(|other| other.name == program.name).count() == 1
        };
        for section in self.sections {
            let id = section.info().id;
            let mut users = self.programs.iter().filter(|program| program.uses(id));
            let fitting = users.clone().find(|program| self.fits_program(program));
            let (object, user) = match (users.clone().find(is_unique), users.next()) {
                (Some(program), _) => (program.name.clone(), program.id),
                (None, Some(program)) => (format!("prog:{}", program.id), program.id),
                (None, None) => continue,
            };
            let by_id = format!("prog:{user}.");
            lines.extend(self.labels(fitting, &object, section).into_iter().map(|label| {
                if self.is_in_a_map(&label) { label.replacen(&format!("{object}."), &by_id, 1) } else { label }
            }));
        }
        for section in self.unused() {
            lines.extend(self.labels(None, &format!("map:{}", section.info().id), section));
        }
        let keyed = self.programs.iter().map(Some).chain([None]).flat_map(|program| self.keyed_of(program));
        let mut seen = HashSet::new();
        lines.extend(keyed.map(|map| map.info().id).filter(|id| seen.insert(*id)).map(|id| format!("map:{id}")));
        if lines.is_empty() && self.filter.is_some() {
            return Err(self.nothing());
        }
        lines.iter().try_for_each(|line| out.line(clean(line)))
    }

    /// Whether a program and a variable are together the name of a map, as `count.bss`.
    fn is_in_a_map(&self, label: &str) -> bool {
        let mut names = self.sections.iter().map(|section| &section.info().name);
        names.any(|name| label.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    fn labels(&self, program: Option<&ProgramInfo>, object: &str, section: &TypedMap) -> Vec<String> {
        let wanted: HashSet<(String, u64)> =
            self.vars(program, section).iter().map(|var| (var.path().to_owned(), var.offset())).collect();
        if section.section().is_none() && program.is_none() {
            return if wanted.is_empty() { Vec::new() } else { vec![object.to_owned()] };
        }
        let labels = labels(object, std::slice::from_ref(section)).into_iter();
        labels
            .filter(|(_, var)| wanted.contains(&(var.path().to_owned(), var.offset())))
            .map(|(label, _)| label)
            .collect()
    }

    fn json(&self, out: &mut Output) -> Result<()> {
        let mut sections = Vec::new();
        for section in self.sections {
            let id = section.info().id;
            let user = self.programs.iter().find(|program| program.uses(id) && self.fits_program(program));
            let vars = self.vars(user, section);
            if vars.is_empty() && self.filter.is_some() {
                continue;
            }
            let vars = vars.iter().map(|var| JsonVar::new(var, MOST)).collect::<Result<_>>()?;
            sections.push(JsonSection::new(section, self.programs, vars));
        }
        let mut keyed_maps = Vec::new();
        let mut seen = HashSet::new();
        for map in self.programs.iter().map(Some).chain([None]).flat_map(|program| self.keyed_of(program)) {
            if seen.insert(map.info().id) {
                keyed_maps.push(JsonKeyedMap::preview(map, self.programs)?);
            }
        }
        let users = sections.iter().flat_map(JsonSection::users);
        let used: HashSet<u32> = users.chain(keyed_maps.iter().flat_map(JsonKeyedMap::users)).collect();
        let programs = self.programs.iter();
        let programs: Vec<_> = programs
            .filter(|program| self.fits_program(program) || used.contains(&program.id))
            .map(Into::into)
            .collect();
        if self.filter.is_some() && programs.is_empty() && sections.is_empty() && keyed_maps.is_empty() {
            return Err(self.nothing());
        }
        out.json(&Contents { programs, sections, keyed_maps })
    }
}

fn keyed_block(out: &Output, map: &KeyedMap) -> (String, Vec<Cells>) {
    let (heading, rows) = table_keyed::block(out, map);
    (format!("  {heading}"), rows)
}

fn rows(vars: &[Var]) -> Vec<Cells> {
    let value = |var: &Var| preview(var).unwrap_or_else(|error| format!("({error})"));
    vars.iter().map(|var| [clean(var.path()), clean(&var.type_name()), var.size().to_string(), value(var)]).collect()
}

fn print(title: &str, blocks: Vec<(String, Vec<Cells>)>, printed: usize, out: &mut Output) -> Result<()> {
    if printed > 0 {
        out.line("")?;
    }
    out.line(out.ink(Ink::Heading, title))?;
    let columns = Columns::of(out, blocks.iter().flat_map(|(_, rows)| rows), INDENT);
    for (heading, rows) in blocks {
        out.line(heading)?;
        if !rows.is_empty() {
            out.line(table::variables(rows, columns, INDENT))?;
        }
    }
    Ok(())
}
