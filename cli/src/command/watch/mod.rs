//! `bpfvar watch`.

mod bars;
mod chart;
mod csv;
mod frame;
mod places;
mod row;
mod screen;
mod source;
mod stale;
mod until;
mod view;

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::complete;
use crate::error::{Failure, Result};
use crate::live::Turn;
use crate::output::Output;
use crate::signals::{self, Asked};
use crate::target::Target;
use crate::value::text;
use bars::Choice;
use places::Places;
use source::{Kind, MOST_ROWS, Source, too_many};
use stale::Stale;
use until::{Condition, Ended, Seen};
use view::View;

/// A sample that is taken before the end is told apart from the last one if they are so far apart.
const BEFORE_END: Duration = Duration::from_millis(10);
/// Programs are looked for so often: one that was loaded anew is noticed within a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

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

--json prints one object a line: time (seconds since 1970), name, value (null while it is gone), change and rate; one with \"warning\" if a \
program is gone or was loaded anew (with --follow also \"target\" and \"event\": waiting, gone, found); at the end one with \"summary\" for \
each row, and with --until one with \"until\", \"met\", name and value for the condition that came true, or for each that did not. \
--csv has the columns time, name, value, change, rate; with --histogram time, name, lower (the least value that the slot counts), count, \
change. With --follow, what was loaded anew counts from its first sample.

Exit status with --until: 0 if a condition came true; 1 if -n, --timeout or Ctrl-C ended it before, and for errors.")]
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
    /// yet is waited for; a variable that its program does not have is an error.
    #[arg(short, long)]
    follow: bool,
    /// Show arrays of counters as histograms
    ///
    /// With percentiles, also of what was counted since the last sample. Slot N of log2 counts the values from 2^N to 2^(N+1)-1, slot N of
    /// linear:STEP those from N*STEP; the last slot also counts all that is greater. Without a scale, names such as hist, slots or
    /// buckets and the length tell. Arrays inside of structs and of the entries of maps are found.
    #[arg(long, value_name = "SCALE", num_args = 0..=1, require_equals = true, default_missing_value = "guess", conflicts_with = "quiet")]
    histogram: Option<Choice>,
    /// Print CSV
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    csv: bool,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    // Those of the conditions stand behind those that are shown.
    let mut targets = args.targets.clone();
    if targets.is_empty() {
        targets.extend(args.until.iter().map(|condition| condition.target.clone()));
        targets.dedup();
    }
    let shown = targets.len();
    targets.extend(args.until.iter().map(|condition| condition.target.clone()));
    let kind = args.histogram.map_or(Kind::Rows, Kind::Bars);
    let (places, missing) = match args.follow {
        true => Places::follow(&targets)?,
        false => (Places::find(&targets)?, Vec::new()),
    };
    let interrupted = signals::listen(false)?;
    let mut watch = Watch {
        args,
        kind,
        targets,
        places,
        sources: Vec::new(),
        view: View::new(kind, args.csv, out),
        looked: Instant::now(),
    };
    watch.sources.resize_with(shown, Vec::new);
    let mut waiting: Vec<&str> = Vec::new();
    for (index, failure) in &missing {
        let target = &watch.targets[*index].text;
        if !waiting.contains(&target.as_str()) {
            let line = format!("{}; waiting until it is there", failure.line(out.verbose));
            watch.view.warn(&Event { target, event: "waiting", warning: &line }, &line, out)?;
            waiting.push(target);
        }
    }
    (0..shown).try_for_each(|index| watch.open(index))?;
    watch.check_conditions()?;
    let stale = (!args.follow).then(|| Stale::new(&watch.places));
    watch.run(stale, &interrupted, out)
}

/// What became of a target, as JSON.
#[derive(Serialize)]
struct Event<'a> {
    target: &'a str,
    event: &'static str,
    warning: &'a str,
}

struct Watch<'a> {
    args: &'a Args,
    kind: Kind,
    /// What is shown, then what is compared.
    targets: Vec<Target>,
    places: Places,
    /// Of what is shown, by target.
    sources: Vec<Vec<Source>>,
    view: View,
    /// When it was looked for programs last.
    looked: Instant,
}

/// Why it ended.
enum End {
    Samples,
    Timeout,
    Interrupted,
    /// A condition came true: which, and what was seen.
    Met(usize, Seen),
}

impl Watch<'_> {
    fn run(&mut self, mut stale: Option<Stale>, interrupted: &Receiver<Asked>, out: &mut Output) -> Result<()> {
        if let Some(stale) = &mut stale {
            stale.check(&mut self.view, out)?;
        }
        let Args { interval, samples, timeout, .. } = self.args;
        let start = Instant::now();
        let (mut done, mut tick, mut shown, mut ending) = (0, 0, true, None);
        let end = loop {
            let (now, time) = (Instant::now(), SystemTime::now());
            self.sample(now, shown, done == 0, out)?;
            if done == 0 {
                // Only now it is known how many entries there are.
                self.check_len()?;
            }
            done += 1;
            let end = match (self.met()?, ending.take()) {
                (Some((condition, seen)), _) => Some(End::Met(condition, seen)),
                (None, ending @ Some(_)) => ending,
                (None, None) if Some(done) == *samples => Some(End::Samples),
                (None, None) => None,
            };
            shown = self.view.show(self.sources.iter().flatten(), (now - start, time), end.is_some(), out)?;
            if let Some(end) = end {
                break end;
            }
            if let Some(stale) = stale.as_mut().filter(|stale| stale.is_due()) {
                stale.check(&mut self.view, out)?;
            }
            // Deadlines are multiples of the interval since the start, so that they do not drift; those that have passed are left out.
            let elapsed = start.elapsed().as_nanos();
            tick = (elapsed / interval.as_nanos()).max(tick) + 1;
            let deadline = Duration::from_nanos((interval.as_nanos() * tick) as u64);
            let timed_out = timeout.is_some_and(|timeout| timeout <= deadline);
            let deadline = timeout.filter(|_| timed_out).unwrap_or(deadline);
            ending = match self.wait(start + deadline, interrupted, out)? {
                true => Some(End::Interrupted),
                false if timed_out => Some(End::Timeout),
                false => None,
            };
            // What happened since the last sample belongs to what was watched.
            if let Some(end) = ending.take_if(|_| now.elapsed() < BEFORE_END) {
                break end;
            }
        };
        self.view.summary(self.sources.iter().flatten(), done, out)?;
        self.ended(end, out)
    }

    /// Waits until a moment, and looks for programs meanwhile. Whether the user has had enough.
    fn wait(&mut self, until: Instant, interrupted: &Receiver<Asked>, out: &mut Output) -> Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let step = if self.args.follow { left.min(BETWEEN_LOOKS) } else { left };
            if interrupted.recv_timeout(step).is_ok() {
                return Ok(true);
            }
            self.look(out)?;
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }

    /// What a target names now, to be read.
    fn open(&mut self, index: usize) -> Result<()> {
        let vars = self.places.vars(index).iter().map(|(label, var)| Source::of_var(label, var, self.kind));
        let keyed = self.places.keyed(index).map(|keyed| Source::of_keyed(keyed, self.kind));
        self.sources[index] = vars.chain(keyed).collect::<Result<_>>()?;
        self.check_len()
    }

    /// That no more is shown than is of use.
    fn check_len(&self) -> Result<()> {
        let mut len = 0;
        for source in self.sources.iter().flatten() {
            len += source.len();
            if len > MOST_ROWS || source.is_cut {
                return Err(too_many(&source.example()));
            }
        }
        Ok(())
    }

    fn sample(&mut self, now: Instant, last_was_shown: bool, first: bool, out: &mut Output) -> Result<()> {
        for source in self.sources.iter_mut().flatten() {
            let was_cut = source.is_cut;
            source.sample(now, last_was_shown)?;
            // At the first sample it is refused.
            if source.is_cut && !was_cut && !first {
                out.warn(&format!("{} has more entries now than are shown; the rest is left out", source.example()))?;
            }
        }
        Ok(())
    }

    /// Finds targets anew whose program was loaded anew.
    fn look(&mut self, out: &mut Output) -> Result<()> {
        if !self.args.follow || self.looked.elapsed() < BETWEEN_LOOKS {
            return Ok(());
        }
        self.looked = Instant::now();
        if !self.places.has_changed()? {
            return Ok(());
        }
        self.sources.iter_mut().flatten().for_each(Source::let_go);
        let turns = self.places.find_anew()?;
        for index in 0..self.sources.len() {
            match turns.iter().find(|(turned, _)| *turned == index) {
                Some((_, Turn::Found)) => self.open(index)?,
                Some((_, Turn::Gone)) => self.sources[index].iter_mut().for_each(Source::lose),
                None => self.resume(index)?,
            }
        }
        let mut said: Vec<&str> = Vec::new();
        for (index, turn) in turns {
            let target = &self.targets[index].text;
            if said.contains(&target.as_str()) {
                continue;
            }
            said.push(target);
            let (event, line) = match turn {
                Turn::Found => ("found", format!("{target}: loaded anew, found in {}", self.found_in(index))),
                Turn::Gone => {
                    ("gone", format!("{target}: no program uses it any more; waiting until it is loaded again"))
                }
            };
            self.view.warn(&Event { target, event, warning: &line }, &line, out)?;
        }
        self.check_conditions()
    }

    /// Goes on with what is still there.
    fn resume(&mut self, index: usize) -> Result<()> {
        for (source, (_, var)) in self.sources[index].iter_mut().zip(self.places.vars(index)) {
            source.take_var(var)?;
        }
        if let (Some(keyed), Some(source)) = (self.places.keyed(index), self.sources[index].first_mut()) {
            source.take_keyed(keyed);
        }
        Ok(())
    }

    fn found_in(&self, index: usize) -> String {
        let vars = self.places.vars(index).iter().map(|(_, var)| var.map().to_string());
        let mut maps: Vec<String> = vars.chain(self.places.keyed(index).map(|keyed| keyed.map.to_string())).collect();
        maps.dedup();
        maps.join(", ")
    }

    /// That all conditions compare what can be compared, as far as it is there.
    fn check_conditions(&self) -> Result<()> {
        self.conditions().try_for_each(|(index, condition)| condition.look(&self.places, index).map(drop))
    }

    /// The conditions, each with the index of its target.
    fn conditions(&self) -> impl Iterator<Item = (usize, &Condition)> {
        (self.sources.len()..).zip(&self.args.until)
    }

    /// The first condition that is true now, and of what.
    fn met(&self) -> Result<Option<(usize, Seen)>> {
        for (number, (index, condition)) in self.conditions().enumerate() {
            let seen = condition.look(&self.places, index)?;
            if let Some((seen, _)) = seen.into_iter().find(|(_, holds)| *holds) {
                return Ok(Some((number, seen)));
            }
        }
        Ok(None)
    }

    /// Says how the waiting ended, if there was any.
    fn ended(&mut self, end: End, out: &mut Output) -> Result<()> {
        let why = match end {
            End::Met(number, seen) => {
                let condition = &self.args.until[number];
                self.view.note(&Ended::new(condition, true, Some(&seen)), out)?;
                return self.view.line(&format!("\n{condition}: it is {}", text(&seen.value)), out);
            }
            _ if self.args.until.is_empty() => return Ok(()),
            End::Samples => "the last sample was taken".to_owned(),
            End::Timeout => {
                format!("{} passed", humantime::format_duration(self.args.timeout.unwrap_or_default()))
            }
            End::Interrupted => "it was interrupted".to_owned(),
        };
        let mut still = Vec::new();
        let seen: Vec<Option<Seen>> = self
            .conditions()
            .map(|(index, condition)| Ok(condition.look(&self.places, index)?.into_iter().next().map(|(seen, _)| seen)))
            .collect::<Result<_>>()?;
        for (condition, seen) in self.args.until.iter().zip(&seen) {
            self.view.note(&Ended::new(condition, false, seen.as_ref()), out)?;
            let is = seen.as_ref().map_or_else(|| "not there".to_owned(), |seen| text(&seen.value));
            still.push(format!("{condition} (it is {is})"));
        }
        Err(Failure::new(format!("{why} before {}", still.join(" or "))))
    }
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
