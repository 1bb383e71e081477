//! `bpfvar list`.

mod changed;
mod facts;
mod filter;
mod json;
mod tables;

use std::time::Duration;

use bpfvar::{KeyedMap, ProgramInfo, TypedMap};

use crate::error::Result;
use crate::group::{Group, groups};
use crate::output::{Output, clean};
use crate::resolve::Resolver;
use filter::Filter;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar list                 everything that BTF describes
  bpfvar list sampling        what has `sampling` in its name, in any case
  bpfvar list burst           what has a member of such a name, too: config.limits[].burst
  bpfvar list opensnoop       what processes of such a name hold, too
  bpfvar list prog:12         what `list` prints works too: prog:12, map:7, pid:4711, count.sampling
  bpfvar list -l              with types of programs, where they are attached, since when, maps, BTF
  bpfvar list --changed 1s    only what changes within a second, and how fast
  bpfvar list -q              targets only, one a line
  bpfvar list --json | jq '.sections[].variables[].name'

Programs that were loaded together are one object, which is named as libbpf names its maps, by at most 8 bytes. It is held by the processes \
that have a descriptor of one of its programs or links. Values are cut to fit the terminal; `bpfvar dump` shows them whole. --json prints \
what `dump --json` does, without values of more than 4096 bytes (null), and \"objects\" (name, owners, pin, programs with type, attached, \
loaded, uid and btf_id, maps).

Of maps that are reached by keys the first entries are shown, and no more than 1000 are counted: they are copied by system call. --changed \
looks at variables only.")]
pub(crate) struct Args {
    /// Show only what has this in its name
    filter: Option<String>,
    /// Show of each program its type, where it is attached, since when it is loaded, its maps, and whether it has BTF
    #[arg(short, long)]
    long: bool,
    /// Look twice, so far apart (500ms, 1s), and show only what changed
    #[arg(long, value_name = "TIME", value_parser = super::watch::interval, conflicts_with = "long")]
    changed: Option<Duration>,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let programs = resolver.programs()?;
    // Names alone need nobody who holds them.
    let by_object = args.filter.is_some() || out.json || !out.quiet && args.changed.is_none();
    let (system, groups) = if by_object {
        let (system, owners) = resolver.system_with_owners()?;
        (system, groups(programs, system, owners))
    } else {
        (resolver.system()?, Vec::new())
    };
    let filter = Filter::new(args.filter.as_deref(), &groups);
    let (maps, keyed) = (system.maps(), system.keyed_maps());
    let list = List { resolver: &resolver, programs, maps, keyed, groups, filter };
    match (args.changed, out.json, out.quiet) {
        (Some(time), ..) => list.changed(time, out),
        (None, true, _) => list.json(out),
        (None, false, true) => list.targets(out),
        (None, false, false) => list.tables(args.long, out),
    }
}

struct List<'a> {
    resolver: &'a Resolver,
    programs: &'a [ProgramInfo],
    maps: &'a [TypedMap],
    keyed: &'a [KeyedMap],
    groups: Vec<Group<'a>>,
    filter: Filter,
}

impl List<'_> {
    /// What can be given to other commands, a line each.
    fn targets(&self, out: &mut Output) -> Result<()> {
        let named = self.maps.iter().flat_map(|map| {
            let shown = self.filter.vars(map, self.programs);
            let is_shown = move |path: &str| shown.iter().any(|var| var.path() == path);
            self.resolver.named(map).into_iter().filter(move |(_, var)| is_shown(var.path()))
        });
        let keyed = self.keyed.iter().filter(|map| self.filter.shows_keyed(map, self.programs));
        let by_id = keyed.map(|map| format!("map:{}", map.info().id));
        let lines: Vec<String> = named.map(|(label, _)| label).chain(by_id).collect();
        if lines.is_empty() && self.filter.is_set() {
            return Err(self.filter.nothing(self.programs));
        }
        lines.iter().try_for_each(|line| out.line(clean(line)))
    }
}
