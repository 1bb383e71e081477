//! A watch that runs: its samples, how long it waits, how it ends.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::Args;
use super::places::Places;
use super::source::{Kind, MOST_ROWS, Source, too_many};
use super::stale::Stale;
use super::until::{Condition, Ended, Seen};
use super::view::View;
use crate::error::{Failure, Result};
use crate::live::Turn;
use crate::output::Output;
use crate::signals::{self, Asked};
use crate::target::{Origin, Target};
use crate::value::text;

/// A sample that is taken before the end is told apart from the last one if they are so far apart.
const BEFORE_END: Duration = Duration::from_millis(10);
/// Programs are looked for so often: one that was loaded anew is noticed within a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Whether the target names its object by an id, which never comes again.
fn is_id(target: &Target) -> bool {
    matches!(target.origin, Origin::Id { .. })
}

/// Of several variables those that are histograms, or have some.
fn only_histograms(target: &Target, opened: Vec<Result<Source>>) -> Result<Vec<Source>> {
    let (mut found, mut refused) = (Vec::new(), None);
    for source in opened {
        match source {
            Ok(source) => found.push(source),
            Err(Failure::Message(line)) => refused = refused.or(Some(line)),
            Err(failure) => return Err(failure),
        }
    }
    match refused {
        Some(line) if found.is_empty() => {
            Err(Failure::new(format!("{}: none of its variables is a histogram; the first: {line}", target.text)))
        }
        _ => Ok(found),
    }
}

/// What became of a target, as JSON.
#[derive(Serialize)]
struct Event<'a> {
    target: &'a str,
    event: &'static str,
    warning: &'a str,
}

pub(super) struct Session<'a> {
    args: &'a Args,
    kind: Kind,
    /// What is shown, then what is compared.
    targets: Vec<Target>,
    places: Places,
    /// Of what is shown, by target.
    sources: Vec<Vec<Source>>,
    view: View,
    /// Whether what is watched is still in use, unless it is followed.
    stale: Option<Stale>,
    interrupted: Receiver<Asked>,
    /// When it was looked for programs last.
    looked: Instant,
}

/// Why it ended.
enum End {
    Samples,
    Timeout,
    Interrupted,
    /// No program uses what the conditions are about.
    Gone,
    /// A condition came true: which, and what was seen.
    Met(usize, Seen),
}

impl<'a> Session<'a> {
    /// Finds what is watched, or as much of it as is there.
    pub(super) fn start(args: &'a Args, out: &mut Output) -> Result<Session<'a>> {
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
        let mut session = Session {
            args,
            kind,
            targets,
            stale: (!args.follow).then(|| Stale::new(&places)),
            places,
            sources: Vec::new(),
            view: View::new(kind, args.csv, out),
            interrupted: signals::listen(false)?,
            looked: Instant::now(),
        };
        session.sources.resize_with(shown, Vec::new);
        let mut waiting: Vec<&str> = Vec::new();
        for (index, failure) in missing {
            if is_id(&session.targets[index]) {
                return Err(failure);
            }
            let target = &session.targets[index].text;
            if !waiting.contains(&target.as_str()) {
                let line = format!("{}; waiting until it is there", failure.line(out.verbose));
                session.view.warn(&Event { target, event: "waiting", warning: &line }, &line, out)?;
                waiting.push(target);
            }
        }
        (0..shown).try_for_each(|index| session.open(index))?;
        session.check_conditions()?;
        Ok(session)
    }

    /// Takes samples until it ends.
    pub(super) fn run(&mut self, out: &mut Output) -> Result<()> {
        let Args { interval, samples, timeout, .. } = self.args;
        let start = Instant::now();
        let (mut done, mut tick, mut shown, mut ending) = (0, 0, true, None);
        let end = loop {
            if let Some(stale) = self.stale.as_mut().filter(|stale| stale.is_due()) {
                stale.check(&mut self.view, out)?;
                let is_gone = |source: &&mut Source| source.map_id().is_some_and(|map| stale.is_gone(map));
                self.sources.iter_mut().flatten().filter(is_gone).for_each(Source::outlive);
            }
            let (now, time) = (Instant::now(), SystemTime::now());
            let cut = self.sample(now, shown)?;
            if done == 0 {
                // Only now it is known how many entries there are.
                self.check_len()?;
            }
            self.say_cut(&cut, out)?;
            done += 1;
            let end = match (self.met()?, ending.take()) {
                (Some((condition, seen)), _) => Some(End::Met(condition, seen)),
                (None, ending @ Some(_)) => ending,
                (None, None) if self.cannot_be_met() || self.is_lost() => Some(End::Gone),
                (None, None) if Some(done) == *samples => Some(End::Samples),
                (None, None) => None,
            };
            shown = self.view.show(self.sources.iter().flatten(), (now - start, time), end.is_some(), out)?;
            if let Some(end) = end {
                break end;
            }
            // Deadlines are multiples of the interval since the start, so that they do not drift; those that have passed are left out.
            let elapsed = start.elapsed().as_nanos();
            tick = (elapsed / interval.as_nanos()).max(tick) + 1;
            let deadline = Duration::from_nanos((interval.as_nanos() * tick) as u64);
            let timed_out = timeout.is_some_and(|timeout| timeout <= deadline);
            let deadline = timeout.filter(|_| timed_out).unwrap_or(deadline);
            ending = match self.wait(start + deadline, out)? {
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
    fn wait(&mut self, until: Instant, out: &mut Output) -> Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let step = if self.args.follow { left.min(BETWEEN_LOOKS) } else { left };
            if self.interrupted.recv_timeout(step).is_ok() {
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
        let opened: Vec<Result<Source>> = vars.chain(keyed).collect();
        self.sources[index] = match self.kind {
            Kind::Bars(_) if opened.len() > 1 => only_histograms(&self.targets[index], opened)?,
            _ => opened.into_iter().collect::<Result<_>>()?,
        };
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

    /// Gives the targets with more entries than are shown, since this sample.
    fn sample(&mut self, now: Instant, last_was_shown: bool) -> Result<Vec<usize>> {
        let mut cut = Vec::new();
        for (index, sources) in self.sources.iter_mut().enumerate() {
            for source in sources {
                let was_cut = source.is_cut;
                source.sample(now, last_was_shown)?;
                cut.extend((source.is_cut && !was_cut).then_some(index));
            }
        }
        Ok(cut)
    }

    fn say_cut(&mut self, cut: &[usize], out: &mut Output) -> Result<()> {
        for index in cut {
            let target = &self.targets[*index].text;
            let line =
                format!("{target}: there are more entries now than rows are shown, {MOST_ROWS}; the rest is left out");
            self.view.warn(&Event { target, event: "cut", warning: &line }, &line, out)?;
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
                Turn::Gone if is_id(&self.targets[index]) => (
                    "gone",
                    format!("{target}: no program uses it any more, and no other gets its id; follow it by its name"),
                ),
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
        for source in &mut self.sources[index] {
            if let Some((_, var)) = self.places.vars(index).iter().find(|(label, _)| source.is_of(label)) {
                source.take_var(var)?;
            }
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

    /// Whether no condition can come true any more: no program uses what they are about, and nothing is followed.
    fn cannot_be_met(&self) -> bool {
        let Some(stale) = &self.stale else { return false };
        let is_gone = |(index, _): (usize, &Condition)| {
            let vars = self.places.vars(index).iter().map(|(_, var)| var.map().info().id);
            let mut maps = vars.chain(self.places.keyed(index).map(|keyed| keyed.map.info().id));
            maps.all(|map| stale.is_gone(map))
        };
        !self.args.until.is_empty() && self.conditions().all(is_gone)
    }

    /// Whether all that is shown was a program's, and no program uses it any more.
    fn is_lost(&self) -> bool {
        let Some(stale) = &self.stale else { return false };
        let mut shown = self.sources.iter().flatten().peekable();
        shown.peek().is_some() && shown.all(|source| source.map_id().is_some_and(|map| stale.is_lost(map)))
    }

    /// Says how the waiting ended, if there was any.
    fn ended(&mut self, end: End, out: &mut Output) -> Result<()> {
        let why = match end {
            End::Met(number, seen) => {
                let condition = &self.args.until[number];
                self.view.note(&Ended::new(condition, true, Some(&seen)), out)?;
                return self.view.line(&format!("{condition}: it is {}", text(&seen.value)), out);
            }
            // The warning has said it.
            End::Gone if self.args.until.is_empty() => return Err(Failure::Told),
            _ if self.args.until.is_empty() && self.sources.iter().all(Vec::is_empty) => {
                return Err(Failure::new("nothing that was waited for came"));
            }
            _ if self.args.until.is_empty() => return Ok(()),
            End::Samples => "the last sample was taken".to_owned(),
            End::Timeout => {
                format!("{} passed", humantime::format_duration(self.args.timeout.unwrap_or_default()))
            }
            End::Gone => "the program is gone (--follow waits for its successor)".to_owned(),
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
