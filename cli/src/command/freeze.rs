//! `bpfvar freeze`.

use bpfvar::Map;
use clap_complete::engine::ArgValueCompleter;

use crate::complete;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::{Origin, Target};

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar freeze count.bss
  bpfvar freeze map:7
  bpfvar freeze pin:/sys/fs/bpf/settings

From then on nothing in user space writes the map, neither bpfvar nor the program's owner, and nothing undoes that but \
loading the program anew. The BPF programs themselves still write it, unless it is .rodata. It fails while a process maps \
the map writable, as loaders often do.")]
pub(crate) struct Args {
    /// The map or section
    #[arg(add = ArgValueCompleter::new(complete::maps))]
    target: Target,
}

pub(super) fn run(Args { target }: &Args, out: &mut Output) -> Result<()> {
    if let Some(map) = named_map(target)? {
        map.freeze()?;
        return frozen(&target.text, out);
    }
    let resolver = Resolver::default();
    if let Some(keyed) = resolver.keyed(target)? {
        if keyed.entry.is_some() {
            let id = keyed.map.info().id;
            let line = format!("{} is an entry, and only whole maps are frozen; choose map:{id}", target.text);
            return Err(Failure::new(line));
        }
        keyed.map.as_map().freeze()?;
        return frozen(&target.text, out);
    }
    let found = resolver.find(target)?;
    let all = || found.sections().iter().map(|section| format!("map:{} ({})", section.info().id, section.name()));
    let refuse = |what: &str| {
        let ways = all().collect::<Vec<_>>().join(", ");
        let ways = if ways.is_empty() { "one by map:ID".to_owned() } else { ways };
        Err(Failure::new(format!("{} is {what}, and only whole maps are frozen; choose {ways}", target.text)))
    };
    match found.sections() {
        [section] if !found.is_var() && found.program().is_none() => section.as_map().freeze()?,
        [section] if section.section().is_none() && found.is_whole() => section.as_map().freeze()?,
        _ if found.is_var() => return refuse("a variable"),
        _ => return refuse("a program"),
    }
    frozen(&target.text, out)
}

/// The map, if the target is the id or the pin of one: freezing it takes no types.
fn named_map(target: &Target) -> Result<Option<Map>> {
    Ok(match &target.origin {
        Origin::Id { number, programs: false, maps: true } if target.rest.is_empty() => Some(Map::from_id(*number)?),
        // What else may be pinned there, or go wrong, is said by whoever looks for variables.
        Origin::Pin(path) if target.rest.is_empty() => Map::from_pin(path).ok(),
        _ => None,
    })
}

fn frozen(target: &str, out: &mut Output) -> Result<()> {
    if out.json {
        return out.json(&serde_json::json!({ (target): { "frozen": true } }));
    }
    if out.quiet { Ok(()) } else { out.line(format_args!("{target}: frozen")) }
}
