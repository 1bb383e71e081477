//! `bpfvar list`.

use std::collections::HashSet;

use bpfvar::{Globals, Program, ProgramInfo, Section, Var};

use crate::error::{Failure, Result};
use crate::output::{Ink, Output, clean};
use crate::resolve::labels;
use crate::table::{self, Cells, Columns, Contents, JsonSection, JsonVar};
use crate::value::preview;

/// Values of more bytes are left out of the JSON.
const MOST: u64 = 4096;
/// Variables stand below their section.
const INDENT: usize = 4;

pub(super) fn run(filter: Option<&str>, out: &mut Output) -> Result<()> {
    let programs = Program::all()?;
    let all = Globals::of_system()?;
    let list = List { programs: &programs, sections: all.sections(), filter };
    match (out.json, out.quiet) {
        (true, _) => list.json(out)?,
        (false, true) => list.targets(out)?,
        (false, false) => list.tables(out)?,
    }
    Ok(())
}

struct List<'a> {
    programs: &'a [ProgramInfo],
    sections: &'a [Section],
    filter: Option<&'a str>,
}

impl<'a> List<'a> {
    fn fits(&self, name: &str) -> bool {
        self.filter.is_none_or(|filter| name.contains(filter))
    }

    /// The variables that the filter leaves; all, if it is the name of what they lie in.
    fn vars(&self, program: Option<&ProgramInfo>, section: &'a Section) -> Vec<Var<'a>> {
        let by_program = program.is_some_and(|program| self.fits(&program.name));
        let whole = by_program || self.fits(section.name()) || self.fits(&section.map().info().name);
        section.vars().filter(|var| whole || self.fits(var.path())).collect()
    }

    fn sections_of(&self, program: &ProgramInfo) -> Vec<&'a Section> {
        self.sections.iter().filter(|section| program.map_ids.contains(&section.map().info().id)).collect()
    }

    fn unused(&self) -> impl Iterator<Item = &'a Section> {
        let used: HashSet<u32> = self.programs.iter().flat_map(|program| program.map_ids.iter().copied()).collect();
        self.sections.iter().filter(move |section| !used.contains(&section.map().info().id))
    }

    fn nothing(&self) -> Failure {
        Failure::new(match self.filter {
            Some(filter) => {
                format!("no program, map, section or variable has {filter:?} in its name; `bpfvar list` shows all")
            }
            None => return Failure::Told,
        })
    }

    fn tables(&self, out: &mut Output) -> Result<()> {
        let mut shown = HashSet::new();
        let (mut printed, mut without) = (0, 0);
        for program in self.programs {
            let sections = self.sections_of(program);
            if sections.is_empty() {
                without += 1;
                continue;
            }
            let mut blocks = Vec::new();
            for section in sections {
                let vars = self.vars(Some(program), section);
                if vars.is_empty() && !(self.fits(&program.name) || self.filter.is_none()) {
                    continue;
                }
                let heading = format!("  {}", table::heading(out, section));
                match shown.insert(section.map().info().id) {
                    true => blocks.push((heading, rows(&vars))),
                    false => blocks.push((format!("{heading}  {}", out.ink(Ink::Faint, "(shown above)")), Vec::new())),
                }
            }
            if !blocks.is_empty() {
                let title = format!("program {}", table::program_name(program));
                print(&title, blocks, printed, out)?;
                printed += 1;
            }
        }
        let mut blocks = Vec::new();
        for section in self.unused() {
            let vars = self.vars(None, section);
            if !vars.is_empty() {
                blocks.push((format!("  {}", table::heading(out, section)), rows(&vars)));
            }
        }
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
            let id = section.map().info().id;
            let mut users = self.programs.iter().filter(|program| program.map_ids.contains(&id));
            let fitting = users.clone().find(|program| self.fits(&program.name));
            let (object, user) = match (users.clone().find(is_unique), users.next()) {
                (Some(program), _) => (program.name.clone(), program.id),
                (None, Some(program)) => (format!("prog:{}", program.id), program.id),
                (None, None) => continue,
            };
            let by_id = format!("prog:{user}.");
            lines.extend(self.labels(fitting, &object, section).into_iter().map(
                |label| match self.is_in_a_map(&label) {
                    true => label.replacen(&format!("{object}."), &by_id, 1),
                    false => label,
                },
            ));
        }
        for section in self.unused() {
            lines.extend(self.labels(None, &format!("map:{}", section.map().info().id), section));
        }
        if lines.is_empty() && self.filter.is_some() {
            return Err(self.nothing());
        }
        lines.iter().try_for_each(|line| out.line(clean(line)))
    }

    /// Whether a program and a variable are together the name of a map, as `count.bss`.
    fn is_in_a_map(&self, label: &str) -> bool {
        let mut names = self.sections.iter().map(|section| &section.map().info().name);
        names.any(|name| label.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    fn labels(&self, program: Option<&ProgramInfo>, object: &str, section: &Section) -> Vec<String> {
        let wanted: HashSet<(String, u64)> =
            self.vars(program, section).iter().map(|var| (var.path().to_owned(), var.offset())).collect();
        if !section.is_data() && program.is_none() {
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
            let id = section.map().info().id;
            let user = self.programs.iter().find(|program| program.map_ids.contains(&id) && self.fits(&program.name));
            let vars = self.vars(user, section);
            if vars.is_empty() && self.filter.is_some() {
                continue;
            }
            let vars = vars.iter().map(|var| JsonVar::new(var, MOST)).collect::<Result<_>>()?;
            sections.push(JsonSection::new(section, self.programs, vars));
        }
        let used: HashSet<u32> = sections.iter().flat_map(JsonSection::users).collect();
        let programs = self.programs.iter();
        let programs: Vec<_> =
            programs.filter(|program| self.fits(&program.name) || used.contains(&program.id)).map(Into::into).collect();
        if self.filter.is_some() && programs.is_empty() && sections.is_empty() {
            return Err(self.nothing());
        }
        out.json(&Contents { programs, sections })
    }
}

fn rows(vars: &[Var<'_>]) -> Vec<Cells> {
    let value = |var: &Var<'_>| preview(var).unwrap_or_else(|error| format!("({error})"));
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
