//! `bpfvar dump`.

use bpfvar::{Globals, Program, ProgramInfo, TypedMap};
use clap_complete::engine::ArgValueCompleter;
use unicode_width::UnicodeWidthStr;

use crate::complete;
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::resolve::{Found, Resolver, labels};
use crate::table::{self, Contents, JsonSection, JsonVar};
use crate::target::Target;
use crate::value::{bare, broken, read};

/// Where lines are not cut for a terminal, values still are to be read by people.
const WIDTH: usize = 100;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar dump count
  bpfvar dump count.bss --json
  bpfvar dump count.config
  bpfvar dump --json                      everything on the system

JSON has \"programs\" (id, name, maps) and \"sections\" (name, map, access, fixed, programs, variables with name, type, offset, size, \
linkage and value).")]
pub(crate) struct Args {
    /// What to print; everything if it is left out
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    target: Option<Target>,
}

pub(super) fn run(Args { target }: &Args, out: &mut Output) -> Result<()> {
    let Some(target) = target else {
        let (programs, all) = (Program::all()?, Globals::of_system()?);
        let of: Vec<&ProgramInfo> = programs.iter().collect();
        if out.json {
            return out.json(&whole(&of, &programs, all.maps())?);
        }
        return everything(&of, all.maps(), out);
    };
    let resolver = Resolver::default();
    let found = resolver.find(target)?;
    if found.is_var() && !out.json {
        let value = found.var()?.read()?;
        return if out.quiet { out.line(bare(&value)) } else { variable(&found.text, &value, 0, out) };
    }
    if out.json {
        return out.json(&contents(&resolver, &found)?);
    }
    everything(&programs_of(&resolver, &found), found.sections(), out)
}

/// What `--json` prints of a target.
pub(super) fn contents(resolver: &Resolver, found: &Found) -> Result<Contents> {
    let programs = programs_of(resolver, found);
    let all = resolver.programs().unwrap_or_default();
    if found.is_var() {
        let var = found.var()?;
        let section = JsonSection::new(var.map(), all, vec![JsonVar::new(&var, u64::MAX)?]);
        return Ok(Contents { programs: programs.into_iter().map(Into::into).collect(), sections: vec![section] });
    }
    whole(&programs, all, found.sections())
}

fn whole(of: &[&ProgramInfo], programs: &[ProgramInfo], sections: &[TypedMap]) -> Result<Contents> {
    let mut all = Vec::new();
    for section in sections {
        let vars = section.vars().map(|var| JsonVar::new(&var, u64::MAX)).collect::<Result<_>>()?;
        all.push(JsonSection::new(section, programs, vars));
    }
    Ok(Contents { programs: of.iter().map(|program| (*program).into()).collect(), sections: all })
}

/// The program that a target is, or those that use what it is.
fn programs_of<'a>(resolver: &'a Resolver, found: &Found) -> Vec<&'a ProgramInfo> {
    // A pin needs no right to list programs.
    let programs = resolver.programs().unwrap_or_default();
    let maps: Vec<u32> = found.sections().iter().map(|section| section.info().id).collect();
    let of = programs.iter().filter(|program| match found.program() {
        Some(info) => program.id == info.id,
        None => program.map_ids.iter().any(|id| maps.contains(id)),
    });
    of.collect()
}

fn everything(of: &[&ProgramInfo], sections: &[TypedMap], out: &mut Output) -> Result<()> {
    for (index, section) in sections.iter().enumerate() {
        if !out.quiet {
            if index > 0 {
                out.line("")?;
            }
            let id = section.info().id;
            let users = of.iter().filter(|program| program.uses(id));
            let users: Vec<String> = users.map(|program| table::program_name(program)).collect();
            let users =
                if users.is_empty() { "no program".to_owned() } else { format!("program {}", users.join(", ")) };
            let users = out.ink(Ink::Faint, &format!("used by {users}"));
            out.line(format_args!("{}  {users}", table::heading(out, section)))?;
        }
        for (label, var) in labels("", std::slice::from_ref(section)) {
            match read(&var)? {
                Ok(value) if out.quiet => out.line(bare(&value))?,
                Ok(value) => variable(label.trim_start_matches('.'), &value, 2, out)?,
                Err(torn) => out.line(format_args!("  {} = {torn}", clean(label.trim_start_matches('.'))))?,
            }
        }
    }
    if sections.is_empty() && !out.quiet {
        out.line("no variables that BTF describes")?;
    }
    Ok(())
}

fn variable(name: &str, value: &bpfvar::Value, indent: usize, out: &mut Output) -> Result<()> {
    let name = clean(name);
    let value = broken(value, indent, indent + name.width() + 3, out.width.unwrap_or(WIDTH));
    out.line(format_args!("{}{} = {value}", " ".repeat(indent), out.ink(Ink::Name, &name)))
}
