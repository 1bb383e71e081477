//! One scalar over time.

use std::time::Instant;

use bpfvar::Value;

use crate::value::change;

/// A scalar: what it was, what it is, how fast it changes.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) samples: Option<Samples>,
    /// Why there is no value now, if there is none.
    absent: Option<&'static str>,
    /// Whether no program uses what it is in any more.
    pub(super) is_unused: bool,
}

/// In place of a value that is gone.
const GONE: &str = "(gone)";

#[derive(Debug)]
pub(super) struct Samples {
    first: (Instant, Value),
    previous: Option<(Instant, Value)>,
    last: (Instant, Value),
}

impl Row {
    pub(super) fn new(name: String) -> Row {
        Row { name, samples: None, absent: None, is_unused: false }
    }

    /// What it is of is gone.
    pub(super) fn lose(&mut self) {
        self.absent = Some(GONE);
    }

    /// There is no whole value now; what comes later is of the same variable.
    pub(super) fn interrupt(&mut self, why: &'static str) {
        self.absent = Some(why);
    }

    /// Whether there is anything to show.
    pub(super) fn is_known(&self) -> bool {
        self.samples.is_some() || self.absent.is_some()
    }

    /// The samples, unless there is no value now.
    pub(super) fn shown(&self) -> Option<&Samples> {
        self.samples.as_ref().filter(|_| self.absent.is_none())
    }

    /// What is shown where there is no value.
    pub(super) fn why_absent(&self) -> &'static str {
        match self.absent {
            Some(why) if why != GONE || self.samples.is_some() => why,
            _ => "(not there)",
        }
    }

    /// Takes a sample. Changes count from the last one that was shown, and from none of what is gone: what comes after it is another
    /// variable of the same name.
    pub(super) fn update(&mut self, value: Value, now: Instant, last_was_shown: bool) {
        if self.absent.take() == Some(GONE) {
            self.samples = None;
        }
        match &mut self.samples {
            Some(samples) => {
                let last = std::mem::replace(&mut samples.last, (now, value));
                if last_was_shown {
                    samples.previous = Some(last);
                }
            }
            None => self.samples = Some(Samples { first: (now, value.clone()), previous: None, last: (now, value) }),
        }
    }
}

/// What became of a value between two samples.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    /// None for what is no number.
    pub(super) change: Option<Value>,
    /// A second.
    pub(super) rate: Option<f64>,
    pub(super) changed: bool,
}

impl Samples {
    pub(super) fn first(&self) -> &Value {
        &self.first.1
    }

    pub(super) fn last(&self) -> &Value {
        &self.last.1
    }

    /// Since the sample that was shown before; None at the first.
    pub(super) fn step(&self) -> Option<Step> {
        self.previous.as_ref().map(|previous| step(previous, &self.last))
    }

    /// Since the first.
    pub(super) fn whole(&self) -> Step {
        step(&self.first, &self.last)
    }

    pub(super) fn seconds(&self) -> f64 {
        (self.last.0 - self.first.0).as_secs_f64()
    }
}

fn step(from: &(Instant, Value), to: &(Instant, Value)) -> Step {
    let change = change(&from.1, &to.1);
    let seconds = (to.0 - from.0).as_secs_f64();
    let rate = change.as_ref().and_then(Value::as_f64).map(|change| change / seconds).filter(|rate| rate.is_finite());
    Step { change, rate, changed: from.1 != to.1 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rates_are_of_measured_time_and_may_be_negative() {
        let mut row = Row::new("x".to_owned());
        let start = Instant::now();
        for (at, value) in [(0, 100_u32), (500, 150), (1500, 50)] {
            row.update(value.into(), start + Duration::from_millis(at), true);
        }
        let samples = row.samples.unwrap();
        assert_eq!(samples.step(), Some(Step { change: Some(Value::Int(-100)), rate: Some(-100.0), changed: true }));
        assert_eq!(samples.whole().change, Some(Value::Int(-50)));
        assert_eq!(samples.seconds(), 1.5);
    }

    #[test]
    fn changes_count_from_what_was_shown() {
        let mut row = Row::new("x".to_owned());
        let start = Instant::now();
        for (at, value, last_was_shown) in [(0, 0_u32, true), (1, 10, true), (2, 20, false), (3, 30, false)] {
            row.update(value.into(), start + Duration::from_millis(at), last_was_shown);
        }
        let step = row.samples.and_then(|samples| samples.step()).unwrap();
        assert_eq!((step.change, step.rate), (Some(Value::Int(30)), Some(10_000.0)));
    }

    #[test]
    fn what_comes_after_it_was_gone_counts_anew() {
        let mut row = Row::new("x".to_owned());
        let start = Instant::now();
        row.update(100_u32.into(), start, true);
        row.lose();
        assert!(row.shown().is_none() && row.samples.is_some(), "the last is still known");
        row.update(1_u32.into(), start + Duration::from_secs(1), true);
        row.update(3_u32.into(), start + Duration::from_secs(2), true);
        let samples = row.samples.unwrap();
        assert_eq!((samples.first(), samples.whole().change), (&Value::from(1_u32), Some(Value::Int(2))));
    }

    #[test]
    fn what_is_half_written_for_a_moment_goes_on() {
        let mut row = Row::new("x".to_owned());
        assert_eq!(row.why_absent(), "(not there)");
        row.update(100_u32.into(), Instant::now(), true);
        row.interrupt("(half written)");
        assert!(row.is_known() && row.shown().is_none());
        assert_eq!(row.why_absent(), "(half written)");
        row.update(103_u32.into(), Instant::now(), true);
        assert_eq!(row.shown().and_then(Samples::step).unwrap().change, Some(Value::Int(3)));
    }

    #[test]
    fn a_first_sample_has_no_change_and_what_is_no_number_no_rate() {
        let mut row = Row::new("x".to_owned());
        row.update(Value::Bool(false), Instant::now(), true);
        assert_eq!(row.samples.as_ref().and_then(Samples::step), None);
        row.update(Value::Bool(true), Instant::now(), true);
        let step = row.samples.and_then(|samples| samples.step()).unwrap();
        assert_eq!(step, Step { change: None, rate: None, changed: true });
    }
}
