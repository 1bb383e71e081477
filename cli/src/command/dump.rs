//! `bpfvar dump`.

use bpfvar::{Globals, KeyedMap, Program, ProgramInfo, TypedMap};
use clap_complete::engine::ArgValueCompleter;
use unicode_width::UnicodeWidthStr;

use crate::complete;
use crate::entries::{self, JsonKeyedMap};
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::per_cpu::{cpus_added, each_of_entry, mark};
use crate::resolve::{Found, Keyed, Resolver, labels};
use crate::table::{self, Contents, JsonSection, JsonVar};
use crate::table_keyed;
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

JSON has \"programs\" (id, name, maps), \"sections\" (name, map, access, fixed, programs, variables with name, type, offset, \
size, linkage and value) and \"keyed_maps\", hashes and LPM tries (id, name, map_type, types and sizes, programs, entries with key and value). \
Those are copied by system call, all entries of them.")]
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
            let contents = whole(&of, &programs, all.maps())?;
            return out.json(&Contents { keyed_maps: entries_of(all.keyed_maps(), &programs)?, ..contents });
        }
        return everything(&of, (all.maps(), all.keyed_maps()), out);
    };
    let resolver = Resolver::default();
    if let Some(keyed) = resolver.keyed(target)? {
        return dump_keyed(&keyed, resolver.programs().unwrap_or_default(), out);
    }
    let found = resolver.find(target)?;
    if found.is_var() && !out.json {
        let var = found.var()?;
        let value = var.read()?;
        return if out.quiet {
            out.line(bare(&value))
        } else {
            variable(&found.text, &value, cpus_added(&var), 0, out)
        };
    }
    if out.json {
        let keyed_maps = entries_of(found.keyed_maps(), resolver.programs().unwrap_or_default())?;
        return out.json(&Contents { keyed_maps, ..contents(&resolver, &found)? });
    }
    everything(&programs_of(&resolver, &found), (found.sections(), found.keyed_maps()), out)
}

/// The variables of a target as `--json` prints them.
pub(super) fn contents(resolver: &Resolver, found: &Found) -> Result<Contents> {
    let programs = programs_of(resolver, found);
    let all = resolver.programs().unwrap_or_default();
    if !found.is_var() {
        return whole(&programs, all, found.sections());
    }
    let var = found.var()?;
    let section = JsonSection::new(var.map(), all, vec![JsonVar::new(&var, u64::MAX)?]);
    let programs = programs.into_iter().map(Into::into).collect();
    Ok(Contents { programs, sections: vec![section], keyed_maps: Vec::new() })
}

fn whole(of: &[&ProgramInfo], programs: &[ProgramInfo], sections: &[TypedMap]) -> Result<Contents> {
    let mut all = Vec::new();
    for section in sections {
        let vars = section.vars().map(|var| JsonVar::new(&var, u64::MAX)).collect::<Result<_>>()?;
        all.push(JsonSection::new(section, programs, vars));
    }
    let programs = of.iter().map(|program| (*program).into()).collect();
    Ok(Contents { programs, sections: all, keyed_maps: Vec::new() })
}

/// Maps that are reached by keys, with all their entries.
fn entries_of(maps: &[KeyedMap], programs: &[ProgramInfo]) -> Result<Vec<JsonKeyedMap>> {
    let whole = |map: &KeyedMap| {
        let entries = entries::all(map.entries())?;
        let count = Some(entries.len());
        Ok(JsonKeyedMap::new(map, programs, entries, count))
    };
    maps.iter().map(whole).collect()
}

/// The program that a target is, or those that use what it is.
fn programs_of<'a>(resolver: &'a Resolver, found: &Found) -> Vec<&'a ProgramInfo> {
    // A pin needs no right to list programs.
    let programs = resolver.programs().unwrap_or_default();
    let sections = found.sections().iter().map(|section| section.info().id);
    let maps: Vec<u32> = sections.chain(found.keyed_maps().iter().map(|map| map.info().id)).collect();
    let of = programs.iter().filter(|program| match found.program() {
        Some(info) => program.id == info.id,
        None => program.map_ids.iter().any(|id| maps.contains(id)),
    });
    of.collect()
}

/// A map that is reached by keys, or an entry of one.
fn dump_keyed(keyed: &Keyed, programs: &[ProgramInfo], out: &mut Output) -> Result<()> {
    let of: Vec<&ProgramInfo> = programs.iter().filter(|program| program.uses(keyed.map.info().id)).collect();
    let json = |keyed_maps, out: &mut Output| {
        let programs = of.iter().map(|program| (*program).into()).collect();
        out.json(&Contents { programs, sections: Vec::new(), keyed_maps })
    };
    let maps = std::slice::from_ref(&keyed.map);
    let Some(entry) = &keyed.entry else {
        return if out.json { json(entries_of(maps, programs)?, out) } else { everything(&of, (&[], maps), out) };
    };
    let value = entry.read()?.ok_or_else(|| keyed.no_entry())?;
    if out.json {
        return json(vec![JsonKeyedMap::new(&keyed.map, programs, vec![(entry.key(), value)], None)], out);
    }
    let cpus = each_of_entry(&keyed.text, &keyed.map, entry)?.len();
    if out.quiet { out.line(bare(&value)) } else { variable(&keyed.text, &value, cpus, 0, out) }
}

/// All of some maps; `of` are the programs that they are of.
fn everything(of: &[&ProgramInfo], (sections, keyed): (&[TypedMap], &[KeyedMap]), out: &mut Output) -> Result<()> {
    for (index, section) in sections.iter().enumerate() {
        if !out.quiet {
            if index > 0 {
                out.line("")?;
            }
            let users = users(of, section.info().id, out);
            out.line(format_args!("{}  {users}", table::heading(out, section)))?;
        }
        for (label, var) in labels("", std::slice::from_ref(section)) {
            match read(&var)? {
                Ok(value) if out.quiet => out.line(bare(&value))?,
                Ok(value) => variable(label.trim_start_matches('.'), &value, cpus_added(&var), 2, out)?,
                Err(torn) => out.line(format_args!("  {} = {torn}", clean(label.trim_start_matches('.'))))?,
            }
        }
    }
    for (index, map) in keyed.iter().enumerate() {
        let entries = entries::all(map.entries())?;
        if !out.quiet {
            if index + sections.len() > 0 {
                out.line("")?;
            }
            let count = format!("{} of at most {} entries", entries.len(), map.info().max_entries);
            let users = users(of, map.info().id, out);
            out.line(format_args!("{}  {users}", table_keyed::heading(out, map, &count)))?;
        }
        let cpus = match entries.first() {
            Some((key, _)) => map.entry(key)?.each_cpu()?.len(),
            None => 0,
        };
        for (key, value) in &entries {
            match out.quiet {
                true => out.line(bare(value))?,
                false => variable(&entries::label("", key), value, cpus, 2, out)?,
            }
        }
    }
    if sections.is_empty() && keyed.is_empty() && !out.quiet {
        out.line("no variables that BTF describes")?;
    }
    Ok(())
}

/// `used by program count (id 12)`.
fn users(of: &[&ProgramInfo], map: u32, out: &Output) -> String {
    let users = of.iter().filter(|program| program.uses(map));
    let users: Vec<String> = users.map(|program| table::program_name(program)).collect();
    let users = if users.is_empty() { "no program".to_owned() } else { format!("program {}", users.join(", ")) };
    out.ink(Ink::Faint, &format!("used by {users}"))
}

/// A value, which is the sum of those of so many CPUs.
fn variable(name: &str, value: &bpfvar::Value, cpus: usize, indent: usize, out: &mut Output) -> Result<()> {
    let (name, mark) = (clean(name), mark(cpus));
    let value = broken(value, indent, indent + name.width() + 3 + mark.width(), out.width.unwrap_or(WIDTH));
    out.line(format_args!("{}{} = {value}{mark}", " ".repeat(indent), out.ink(Ink::Name, &name)))
}
