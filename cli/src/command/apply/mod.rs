//! `bpfvar apply`.

mod arrivals;
mod follow;
mod pass;
mod plan;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cli::Switching;
use crate::command::watch::interval;
use crate::error::{Failure, Result};
use crate::help;
use crate::output::Output;
use crate::resolve::Resolver;
use crate::settings::{DIRECTORIES, Group, Settings};
use crate::signals;
use arrivals::Arrivals;
use pass::{Passes, Wrong};
use plan::Rules;
use report::{NotLoaded, Report};

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = help::APPLY)]
pub(crate) struct Args {
    /// Files, directories (their *.toml), or - for standard input
    ///
    /// Without any, the *.toml of /etc/bpfvar.d, /run/bpfvar.d, /usr/local/lib/bpfvar.d and /usr/lib/bpfvar.d, in the order of their
    /// names. A file hides those of its name in the directories behind its own.
    #[arg(value_name = "FILE|DIR|-", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Check names, types and ranges, and write nothing
    #[arg(long)]
    check: bool,
    /// Show what would change, and write nothing; exit status 1 if anything would
    #[arg(long)]
    diff: bool,
    /// Wait so long for programs that are not loaded yet: 30s, 2m
    #[arg(long, value_name = "TIME", value_parser = interval)]
    wait: Option<Duration>,
    /// Keep running, and apply again whenever a program is loaded anew
    #[arg(long, conflicts_with_all = ["check", "diff", "wait", "if_loaded"])]
    follow: bool,
    /// How often --wait and --follow look for programs: 10ms, 1s
    #[arg(short, long, value_name = "TIME", default_value = "100ms", value_parser = interval)]
    interval: Duration,
    /// Programs that are not loaded are no failure
    #[arg(long)]
    if_loaded: bool,
    /// Write sections that cannot be mapped by rewriting them whole
    ///
    /// As `bpfvar set --rewrite`: whatever programs store to the section in between IS LOST.
    #[arg(long)]
    rewrite: bool,
    #[command(flatten)]
    switch: Switching,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let rules = Rules { rewrite: args.rewrite, switch: args.switch, verbose: out.verbose };
    if args.follow {
        return follow::run(&args.paths, args.interval, rules, out);
    }
    let settings = match Settings::read(&args.paths) {
        Ok(settings) => settings,
        Err(failed) => return end(args, &Settings::default(), &Report { failed, ..Report::default() }, out),
    };
    let asked = signals::listen(false)?;
    let mut passes = Passes::new(rules, args.check || args.diff);
    // What comes from here on is noticed.
    let mut arrivals = args.wait.map(|_| Arrivals::look(&settings)).transpose()?;
    let start = Instant::now();
    // A program is begun only if nobody asked to end.
    let mut report = passes.pass(&settings, Wrong::StopsAll, || asked.try_recv().is_ok());
    // Where something is wrong and so nothing was written, nothing is waited for.
    if let (Some(arrivals), Some(wait), true) = (&mut arrivals, args.wait, report.written || report.failed.is_empty()) {
        let mut is_over = false;
        while !is_over && passes.not_loaded(&settings).next().is_some() {
            let left = wait.saturating_sub(start.elapsed());
            is_over = left.is_zero() || asked.recv_timeout(args.interval.min(left)).is_ok();
            // A last look at the end, for what nobody notices: maps without programs.
            if is_over || arrivals.changed()? {
                report.extend(passes.pass(&settings, Wrong::StopsItself, || asked.try_recv().is_ok()));
            }
        }
    }
    let resolver = Resolver::default();
    let missing = |group: &Group| {
        let found = resolver.find(&group.settings.first()?.target);
        let why = found.err().map_or_else(|| "it was loaded too late".to_owned(), |failure| failure.line(out.verbose));
        NotLoaded::new(group, why)
    };
    report.not_loaded = passes.not_loaded(&settings).filter_map(missing).collect();
    end(args, &settings, &report, out)
}

/// Prints what happened, and says whether all is as it should be.
fn end(args: &Args, settings: &Settings, report: &Report, out: &mut Output) -> Result<()> {
    let is_missing = !args.if_loaded && !report.not_loaded.is_empty();
    let failed = is_missing || !report.failed.is_empty();
    if out.json && !out.quiet {
        out.json(report)?;
    } else {
        let is_shown = !out.quiet && (args.diff || !args.check && report.written);
        if is_shown {
            report.print_changes(out)?;
        }
        report.print_warnings(out)?;
        report.print_failures(out)?;
        if is_missing {
            report.print_missing(out)?;
        }
        if !out.quiet {
            out.line(conclusion(args, settings, report, failed))?;
        }
    }
    let differs = args.diff && !report.changed.is_empty();
    if failed || differs { Err(Failure::Told) } else { Ok(()) }
}

fn conclusion(args: &Args, settings: &Settings, report: &Report, failed: bool) -> String {
    let summary = report.summary();
    match settings.len() {
        0 if !failed => {
            let named: Vec<_> = args.paths.iter().map(|path| path.display().to_string()).collect();
            format!("no settings in {}", if named.is_empty() { DIRECTORIES.join(", ") } else { named.join(", ") })
        }
        _ if report.written || args.diff => summary,
        _ if failed && !args.check => format!("nothing was written: {summary}"),
        _ if failed => summary,
        1 => format!("1 setting is right: {summary}"),
        count => format!("{count} settings are right: {summary}"),
    }
}
