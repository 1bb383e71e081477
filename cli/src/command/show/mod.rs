//! `bpfvar show`.

mod keyed;

use bpfvar::{Linkage, Var};
use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::access::Access;
use crate::complete;
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::resolve::{Resolver, Selected};
use crate::target::Target;
use crate::value::fit;

#[derive(Debug, Serialize)]
struct Shown {
    target: String,
    name: String,
    #[serde(rename = "type")]
    ty: String,
    declaration: String,
    section: Option<String>,
    map: String,
    map_id: u32,
    entries: u32,
    linkage: Option<String>,
    entry: Option<u32>,
    offset: u64,
    size: u64,
    /// `BPFVAR_SEQ` and its kin, from the outside to the inside.
    together: Vec<&'static str>,
    access: &'static str,
    /// Why nobody can change it at run time, in a word.
    fixed: Option<&'static str>,
    #[serde(skip)]
    reach: Access,
}

impl Shown {
    fn new(target: &str, var: &Var) -> Result<Shown> {
        let section = var.map();
        let reach = Access::of(section)?;
        let info = section.info();
        Ok(Shown {
            target: target.to_owned(),
            name: var.path().to_owned(),
            ty: var.type_name(),
            declaration: var.declaration(),
            section: section.section().map(str::to_owned),
            map: info.name.clone(),
            map_id: info.id,
            entries: info.max_entries,
            linkage: var.linkage().as_ref().map(Linkage::to_string),
            entry: var.entry(),
            offset: var.offset(),
            size: var.size(),
            together: var.together(),
            access: reach.mode(),
            fixed: reach.fixed(),
            reach,
        })
    }
}

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar show count.config                the struct with offsets and sizes
  bpfvar show count.config.mode           its enumerators
  bpfvar show count                       all variables of the program
  bpfvar show flows                       the types of a hash's keys and values
  bpfvar show '*.sampling'                that of every program
  bpfvar show -q count.config             the declaration only")]
pub(crate) struct Args {
    /// What to show
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    target: Target,
}

pub(super) fn run(Args { target }: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let vars = match resolver.look_up(target)? {
        Selected::Keyed(shown) => return keyed::run(&shown, out),
        Selected::Vars(vars) => vars,
    };
    // A pattern means several, also where one fits.
    let is_one = !target.is_pattern() && resolver.find(target)?.is_var();
    let all: Vec<Shown> = vars.iter().map(|(label, var)| Shown::new(label, var)).collect::<Result<_>>()?;
    if out.json {
        return if is_one { out.json(&all[0]) } else { out.json(&all) };
    }
    for (index, shown) in all.iter().enumerate() {
        if index > 0 && !out.quiet {
            out.line("")?;
        }
        print(shown, out)?;
    }
    Ok(())
}

/// A declaration, with its comments in the background.
fn declaration(text: &str, out: &mut Output) -> Result<()> {
    let indent = if out.quiet { "" } else { "  " };
    for line in text.lines() {
        let line = fit(&clean(line), out.width.unwrap_or(usize::MAX).saturating_sub(indent.len()));
        let (code, note) = line.find("//").map_or((line.as_str(), ""), |at| line.split_at(at));
        let note = if note.is_empty() { String::new() } else { out.ink(Ink::Faint, note) };
        out.line(format_args!("{indent}{code}{note}"))?;
    }
    Ok(())
}

fn print(shown: &Shown, out: &mut Output) -> Result<()> {
    if !out.quiet {
        out.line(out.ink(Ink::Heading, &shown.target))?;
    }
    declaration(&shown.declaration, out)?;
    if out.quiet {
        return Ok(());
    }
    let place = match (&shown.section, shown.entry) {
        (Some(section), _) => format!("byte {} of section {section}", shown.offset),
        (None, Some(entry)) => format!("byte {} of entry {entry}", shown.offset),
        (None, None) => format!("all {} entries, chosen by [INDEX]", shown.entries),
    };
    let linkage = shown.linkage.as_ref().map_or(String::new(), |linkage| format!("{linkage}, "));
    let size = if shown.size == 1 { "1 byte".to_owned() } else { format!("{} bytes", shown.size) };
    let line = format!("{linkage}{place}, {size}, map:{} {}, {}", shown.map_id, shown.map, shown.access);
    out.line(format_args!("  {}", out.ink(Ink::Faint, &line)))?;
    if let Some(why) = shown.reach.why_fixed() {
        let section = shown.section.as_deref().unwrap_or("the map");
        for line in [Some(format!("cannot be changed: {section} {why}")), shown.reach.remedy().map(str::to_owned)] {
            line.map_or(Ok(()), |line| out.line(format_args!("  {}", out.ink(Ink::Faint, &line))))?;
        }
    }
    for word in &shown.together {
        let line = match *word {
            "BPFVAR_SEQ" => "BPFVAR_SEQ: what is read is of one moment, and what is set is seen as one",
            "BPFVAR_SWITCH" => {
                "BPFVAR_SWITCH: what one command sets changes as one, and no run of a program sees two versions"
            }
            _ => "a value for each CPU, shown added up: [CPU] chooses one, `get --per-cpu` shows all",
        };
        out.line(format_args!("  {}", out.ink(Ink::Faint, line)))?;
    }
    Ok(())
}
