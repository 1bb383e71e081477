//! One histogram over time.

use std::time::Instant;

use bpfvar::{Step, Value};

use crate::error::{Failure, Result};
use crate::histogram::{Histogram, Scale};

/// How the slots of histograms follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// As names and lengths of arrays tell.
    Guess,
    Scale(Scale),
}

/// `log2`, `linear:10`.
impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Choice, String> {
        let step = |step: &str| step.parse().ok().filter(|step| *step > 0);
        match (text, text.strip_prefix("linear:").map(step)) {
            ("guess", _) => Ok(Choice::Guess),
            ("log2", _) => Ok(Choice::Scale(Scale::Log2)),
            ("linear", _) => Ok(Choice::Scale(Scale::Linear { step: 1 })),
            (_, Some(Some(step))) => Ok(Choice::Scale(Scale::Linear { step })),
            _ => Err("it is log2, or linear:STEP with the number of values that each slot counts, as in linear:10"
                .to_owned()),
        }
    }
}

/// An array of counters: what it was, what it is.
#[derive(Debug)]
pub(super) struct Bars {
    pub(super) name: String,
    /// The way to it, from the value that is read.
    path: Vec<Step>,
    scale: Scale,
    counts: Option<Counts>,
    pub(super) is_gone: bool,
}

#[derive(Debug)]
struct Counts {
    last: (Instant, Histogram),
    previous: Option<(Instant, Histogram)>,
}

/// What was counted between two samples.
pub(super) struct Interval {
    /// How often each slot; one that went back has none.
    pub(super) histogram: Histogram,
    pub(super) seconds: f64,
}

/// The histograms in a value. `path` is what it is called, without what a user calls the program.
pub(super) fn find(label: &str, path: &str, value: &Value, choice: Choice) -> Result<Vec<Bars>> {
    let mut found = Found { choice, bars: Vec::new(), unknown: None };
    found.walk(label.to_owned(), path.to_owned(), Vec::new(), value);
    match (found.bars.is_empty(), found.unknown) {
        (false, _) => Ok(found.bars),
        (true, Some(Unknown::Scale(name))) => Err(Failure::new(format!(
            "{name}: neither its name nor its length tells how its slots follow each other; say --histogram=log2 or --histogram=linear:STEP"
        ))),
        (true, Some(Unknown::TooLong(name, slots))) => Err(Failure::new(format!(
            "{name} has {slots} slots, and there are only 64 powers of two; say --histogram=linear:STEP"
        ))),
        (true, None) => Err(Failure::new(format!("{label} is no array of counters, and has none"))),
    }
}

struct Found {
    choice: Choice,
    bars: Vec<Bars>,
    /// The first array that could be one.
    unknown: Option<Unknown>,
}

enum Unknown {
    Scale(String),
    TooLong(String, usize),
}

impl Found {
    fn walk(&mut self, label: String, path: String, steps: Vec<Step>, value: &Value) {
        let further = |step: Step| steps.iter().cloned().chain([step]).collect::<Vec<_>>();
        match value {
            Value::Array(elements) if is_counters(elements) => {
                let scale = match self.choice {
                    Choice::Guess => Scale::of(&path, elements.len()),
                    Choice::Scale(scale) => Some(scale),
                };
                match scale {
                    Some(Scale::Log2) if elements.len() > 64 => {
                        self.unknown.get_or_insert(Unknown::TooLong(label, elements.len()));
                    }
                    Some(scale) => {
                        self.bars.push(Bars { name: label, path: steps, scale, counts: None, is_gone: false })
                    }
                    None => {
                        self.unknown.get_or_insert(Unknown::Scale(label));
                    }
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    let part = format!("[{index}]");
                    self.walk(
                        format!("{label}{part}"),
                        format!("{path}{part}"),
                        further(Step::Index(index as u64)),
                        element,
                    );
                }
            }
            Value::Struct(members) => {
                for (name, member) in members {
                    let step = further(Step::Member(name.clone()));
                    self.walk(format!("{label}.{name}"), format!("{path}.{name}"), step, member);
                }
            }
            _ => {}
        }
    }
}

/// Numbers that do not go below 0, and more than one.
fn is_counters(elements: &[Value]) -> bool {
    let is_count =
        |element: &Value| matches!(element, Value::Uint(_)) || matches!(element, Value::Int(number) if *number >= 0);
    elements.len() > 1 && elements.iter().all(is_count)
}

impl Bars {
    /// Takes a sample of the value that it is in. Changes count from the last one that was shown.
    pub(super) fn update(&mut self, value: &Value, now: Instant, last_was_shown: bool) {
        let part = self.path.iter().try_fold(value, |value, step| match (step, value) {
            (Step::Member(name), Value::Struct(members)) => {
                members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            (Step::Index(index), Value::Array(elements)) => elements.get(*index as usize),
            _ => None,
        });
        let Some(histogram) = part.and_then(|part| Histogram::new(self.scale, part)) else { return };
        if self.is_gone {
            // Another one, though it has the same name.
            (self.counts, self.is_gone) = (None, false);
        }
        match &mut self.counts {
            Some(counts) => {
                let last = std::mem::replace(&mut counts.last, (now, histogram));
                if last_was_shown {
                    counts.previous = Some(last);
                }
            }
            None => self.counts = Some(Counts { last: (now, histogram), previous: None }),
        }
    }

    pub(super) fn lose(&mut self) {
        self.is_gone = true;
    }

    pub(super) fn last(&self) -> Option<&Histogram> {
        self.counts.as_ref().filter(|_| !self.is_gone).map(|counts| &counts.last.1)
    }

    /// Since the sample that was shown before; None at the first.
    pub(super) fn interval(&self) -> Option<Interval> {
        let counts = self.counts.as_ref().filter(|_| !self.is_gone)?;
        let (before, old) = counts.previous.as_ref()?;
        let (now, new) = &counts.last;
        let changes = new.counts.iter().zip(&old.counts).map(|(new, old)| new.saturating_sub(*old)).collect();
        let histogram = Histogram { scale: self.scale, counts: changes };
        Some(Interval { histogram, seconds: (*now - *before).as_secs_f64() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn counters(numbers: &[u64]) -> Value {
        Value::Array(numbers.iter().map(|number| (*number).into()).collect())
    }

    #[test]
    fn scales_are_chosen_by_name() {
        assert_eq!("log2".parse(), Ok(Choice::Scale(Scale::Log2)));
        assert_eq!("linear:10".parse(), Ok(Choice::Scale(Scale::Linear { step: 10 })));
        for text in ["", "log", "linear:", "linear:0", "linear:-1", "linear:x", "log2:2"] {
            assert!(text.parse::<Choice>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn histograms_are_found_inside_of_values() {
        let hist = |numbers: &[u64]| {
            Value::Struct(vec![("slots".to_owned(), counters(numbers)), ("n".to_owned(), 1_u8.into())])
        };
        let names = |value: &Value, choice| {
            let found = find("prog:7.x", "x", value, choice);
            found.map(|bars| bars.into_iter().map(|bars| bars.name).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(&hist(&[1, 2]), Choice::Guess).unwrap(), "prog:7.x.slots");
        let two = Value::Array(vec![hist(&[1, 2]), hist(&[3, 4])]);
        assert_eq!(names(&two, Choice::Guess).unwrap(), "prog:7.x[0].slots prog:7.x[1].slots");
        let line = |value: &Value, choice| names(value, choice).unwrap_err().line(false);
        assert!(line(&counters(&[1, 2]), Choice::Guess).contains("--histogram=log2"));
        assert!(line(&counters(&[0; 65]), Choice::Scale(Scale::Log2)).contains("only 64 powers of two"));
        assert!(line(&1_u8.into(), Choice::Guess).contains("no array of counters"));
        let negative = Value::Array(vec![Value::Int(-1), Value::Int(1)]);
        assert!(line(&negative, Choice::Scale(Scale::Log2)).contains("no array of counters"));
    }

    #[test]
    fn intervals_count_from_what_was_shown() {
        let start = Instant::now();
        let mut bars = find("hist", "hist", &counters(&[0, 0]), Choice::Guess).unwrap().remove(0);
        let mut update = |at: u64, numbers: &[u64], shown| {
            bars.update(&counters(numbers), start + Duration::from_secs(at), shown);
            bars.interval().map(|interval| (interval.histogram.counts, interval.seconds))
        };
        assert_eq!(update(0, &[1, 1], true), None);
        assert_eq!(update(1, &[2, 4], true), Some((vec![1, 3], 1.0)));
        assert_eq!(update(2, &[3, 4], false), Some((vec![2, 3], 2.0)), "the last was not shown");
        assert_eq!(update(3, &[0, 5], true), Some((vec![0, 1], 1.0)), "what goes back was set");
        bars.lose();
        assert!(bars.last().is_none() && bars.interval().is_none());
        bars.update(&counters(&[7, 7]), start, true);
        assert!(bars.last().is_some() && bars.interval().is_none(), "it is another one");
    }
}
