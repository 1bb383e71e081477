//! `bpfvar watch`.

mod bars;
mod chart;
mod csv;
mod frame;
mod places;
mod row;
mod screen;
mod session;
mod source;
mod stale;
pub(crate) mod until;
mod view;

use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;

use crate::complete;
use crate::error::Result;
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::Target;
use bars::Choice;
use session::Session;
use until::Condition;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar watch count.packets                     once a second, until Ctrl-C
  bpfvar watch count.packets count.hist -i 100ms
  bpfvar watch count -n 10                       all variables of a program, ten samples
  bpfvar watch count.packets -i 1ms --json | jq -c 'select(.rate > 1000)'
  bpfvar watch flows 'hits[5]'                   entries of hashes, which come and go
  bpfvar watch --follow count.packets            goes on when the program is loaded anew; waits until it is loaded
  bpfvar watch --histogram count.hist            bars and percentiles
  bpfvar watch --csv count -i 10s > count.csv
  bpfvar watch -q --until 'count.packets > 1000000' --timeout 30s && echo enough

Arrays, map entries and structs are one row a scalar. CHANGE counts from the last sample that was shown; RATE is per second. What can be mapped \
is read from memory, without a system call; hashes and LPM tries are copied by system call at each sample. Ctrl-C, or the last sample, ends \
with a summary. On a terminal rows are redrawn in place, at most 25 times a second; elsewhere it is one line a row and sample. More than \
10000 rows are refused.

--json prints one object a line: time (seconds since 1970), name, value (null while it is gone or half written), change and rate; one with \"warning\" if a \
program is gone or was loaded anew (with --follow also \"target\" and \"event\": waiting, gone, found, cut); at the end one with \"summary\" for \
each row, and with --until one with \"until\", \"met\", name and value for the condition that came true, or for each that did not. \
--csv has the columns time, name, value, change, rate; with --histogram time, name, lower (the least value that the slot counts), count, \
change. With --follow, what was loaded anew counts from its first sample.

Without --follow it ends when the program is unloaded that all of it belongs to, and the exit status is 1.

Exit status with --until: 0 if a condition came true; 1 if -n, --timeout or Ctrl-C ended it before, or without --follow the end of the \
program, and for errors.")]
pub(crate) struct Args {
    /// What to watch; with --until it may be left out
    #[arg(required_unless_present = "until", value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Time between samples: 1ms, 100ms, 2s, 1m
    #[arg(short, long, default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// End after so many samples
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,
    /// End after this time
    #[arg(long, value_name = "TIME", value_parser = interval)]
    timeout: Option<Duration>,
    /// End when a scalar compares so with a value: 'TARGET > VALUE', or >= < <= == !=
    ///
    /// The target is sampled with the others; what is not there does not compare. Values are numbers, names of enumerators, true and
    /// false, and for == and != text. Of several conditions any will do.
    #[arg(long, value_name = "CONDITION")]
    until: Vec<Condition>,
    /// Go on with the successor when a program is loaded anew
    ///
    /// It is noticed within a second, and said. Meanwhile its rows say that they are gone. A program, a map or a pin that is not there
    /// yet is waited for, unless it is named by its id; a variable that its program does not have is an error.
    #[arg(short, long)]
    follow: bool,
    /// Show arrays of counters as histograms
    ///
    /// With percentiles, also of what was counted since the last sample. Slot N of log2 counts the values from 2^N to 2^(N+1)-1, slot N of
    /// linear:STEP those from N*STEP; the last slot also counts all that is greater. Without a scale, names such as hist, slots or
    /// buckets and the length tell. Of a program those variables are taken that have some. Arrays inside of structs and of the entries of maps are found. --json has name, scale, step, lower,
    /// counts, total, p50, p90, p99, and in "interval" the same of what was counted since the last line.
    #[arg(long, value_name = "SCALE", num_args = 0..=1, require_equals = true, default_missing_value = "guess", conflicts_with = "quiet")]
    histogram: Option<Choice>,
    /// Print CSV
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    csv: bool,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let resolver = Resolver::default();
    let left_out = args.targets.iter().filter_map(|target| resolver.find(target).ok()?.left_out());
    left_out.collect::<Vec<_>>().iter().try_for_each(|line| out.warn(&format!("{line}; name it to watch it")))?;
    drop(resolver);
    Session::start(args, out)?.run(out)
}

/// A time from a millisecond to a day. Without a unit it is in seconds, as other tools take it.
pub(in crate::command) fn interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let interval = seconds.map_or_else(|| humantime::parse_duration(text), Ok);
    let interval = interval.map_err(|_| "a time is needed: 100ms, 2s, 1m, or a number of seconds".to_owned())?;
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
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "1x", "fast", "999us", "0s", "0", "-1", "nan", "1e99", "-1s", "2days"] {
            assert!(interval(text).is_err(), "{text:?}");
        }
    }
}
