//! `bpfvar watch`.

mod row;
mod screen;
mod stale;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bpfvar::{Value, Var};
use clap_complete::engine::ArgValueCompleter;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::complete;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::Target;
use crate::value::{Shape, only_entry, read};
use row::Row;
use screen::Screen;
use stale::Stale;

/// So many rows are of use to nobody, and each costs memory and time.
const MOST_ROWS: usize = 10_000;
/// A sample that is taken before the end is told apart from the last one if they are so far apart.
const BEFORE_END: Duration = Duration::from_millis(10);

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar watch count.packets                     once a second, until Ctrl-C
  bpfvar watch count.packets count.hist -i 100ms
  bpfvar watch count -n 10                       all variables of a program, ten samples
  bpfvar watch count.packets -i 1ms --json | jq -c 'select(.rate > 1000)'

Arrays, map entries and structs are one row a scalar. CHANGE counts from the last sample that was shown; RATE is per second. What can be mapped \
is read from memory, without a system call. Ctrl-C, or the last sample, ends with a summary. On a terminal rows are redrawn in place, \
at most 25 times a second; elsewhere it is one line a row and sample. --json prints one object a line: time (seconds since 1970), name, \
value, change and rate, one with \"warning\" if the program is gone, and at the end one with \"summary\". More than 10000 rows are \
refused.")]
pub(crate) struct Args {
    /// What to watch
    #[arg(required = true, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Time between samples: 1ms, 100ms, 2s, 1m
    #[arg(short, long, default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// End after so many samples
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let Args { targets, interval, samples } = args;
    let resolver = Resolver::default();
    let mut vars = Vec::new();
    for target in targets {
        vars.extend(resolver.select(target)?);
    }
    let interrupted = interrupted()?;
    let mut stale = Stale::new(vars.iter().map(|(_, var)| var.map()));
    let mut sources = Vec::new();
    let mut count = 0;
    for (label, var) in vars {
        let source = Source::new(&label, var)?;
        count += source.rows.len();
        if count > MOST_ROWS {
            return Err(too_many(&source.rows[0].name));
        }
        sources.push(source);
    }
    let mut screen = Screen::new(out);
    stale.check(&mut screen, out)?;

    let start = Instant::now();
    let (mut done, mut tick, mut shown) = (0, 0, true);
    loop {
        let (now, time) = (Instant::now(), SystemTime::now());
        sources.iter_mut().try_for_each(|source| source.sample(now, shown))?;
        done += 1;
        let last = Some(done) == *samples;
        shown = screen.show(&rows(&sources), (now - start, time), last, out)?;
        if last {
            break;
        }
        if stale.is_due() {
            stale.check(&mut screen, out)?;
        }
        // Deadlines are multiples of the interval since the start, so that they do not drift; those that have passed are left out.
        let elapsed = start.elapsed().as_nanos();
        tick = (elapsed / interval.as_nanos()).max(tick) + 1;
        let deadline = Duration::from_nanos((interval.as_nanos() * tick) as u64);
        if interrupted.recv_timeout(deadline.saturating_sub(start.elapsed())).is_ok() {
            // What happened since the last sample belongs to what was watched.
            if now.elapsed() >= BEFORE_END {
                let (now, time) = (Instant::now(), SystemTime::now());
                sources.iter_mut().try_for_each(|source| source.sample(now, shown))?;
                done += 1;
                screen.show(&rows(&sources), (now - start, time), true, out)?;
            }
            break;
        }
    }
    screen.summary(&rows(&sources), done, out)
}

fn rows(sources: &[Source]) -> Vec<&Row> {
    sources.iter().flat_map(|source| &source.rows).collect()
}

fn too_many(example: &str) -> Failure {
    Failure::new(format!(
        "more than {MOST_ROWS} rows are too many to watch; name a part, such as {example}, or read all at once by `bpfvar dump`"
    ))
}

/// Something to read, and its rows.
struct Source {
    var: Var,
    shape: Shape,
    rows: Vec<Row>,
    leaves: Vec<Value>,
}

impl Source {
    fn new(label: &str, var: Var) -> Result<Source> {
        let (label, var) = only_entry(label.to_owned(), var)?;
        // Each entry is a row at least: no need to read them.
        if var.entry().is_none() && var.map().info().max_entries as usize > MOST_ROWS {
            return Err(too_many(&format!("{label}[0]")));
        }
        let shape = Shape::of(&var, &var.read()?);
        let mut paths = Vec::new();
        shape.paths(&label, &mut paths);
        Ok(Source { var, shape, rows: paths.into_iter().map(Row::new).collect(), leaves: Vec::new() })
    }

    fn sample(&mut self, now: Instant, last_was_shown: bool) -> Result<()> {
        // What is just being written keeps its last value.
        let Ok(value) = read(&self.var)? else { return Ok(()) };
        self.leaves.clear();
        self.shape.leaves(value, &mut self.leaves);
        self.rows.iter_mut().zip(self.leaves.drain(..)).for_each(|(row, value)| row.update(value, now, last_was_shown));
        Ok(())
    }
}

/// Tells when the user has had enough. A second signal ends the process at once, should writing hang.
fn interrupted() -> Result<Receiver<()>> {
    let failed = |error: std::io::Error| Failure::new(format!("signals cannot be handled: {error}"));
    let once = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, once.clone()).map_err(failed)?;
        flag::register(signal, once.clone()).map_err(failed)?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || signals.forever().try_for_each(|_| sender.send(())));
    Ok(receiver)
}

/// A time from a millisecond to a day.
pub(in crate::command) fn interval(text: &str) -> Result<Duration, String> {
    let interval =
        humantime::parse_duration(text).map_err(|_| "a time with its unit is needed: 1ms, 100ms, 2s, 1m".to_owned())?;
    if interval < Duration::from_millis(1) || interval > Duration::from_secs(24 * 60 * 60) {
        Err("it must be from 1ms to 1day".to_owned())
    } else {
        Ok(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units_and_bounds() {
        assert_eq!(interval("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(interval("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "1", "fast", "999us", "0s", "-1s", "2days"] {
            assert!(interval(text).is_err(), "{text:?}");
        }
    }
}
