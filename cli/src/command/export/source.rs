//! A variable that is read again and again for its metrics.

use std::ops::Range;
use std::rc::Rc;
use std::time::SystemTime;

use bpfvar::{Value, Var};

use super::family::{Labels, Number, Point};
use crate::value::Shape;

/// A variable that is read for its metrics.
pub(super) struct Source {
    /// Its place among the variables of its target.
    pub(super) index: usize,
    pub(super) shape: Shape,
    /// The paths of its scalars in its map.
    pub(super) paths: Vec<String>,
    pub(super) items: Vec<Item>,
}

/// A metric, and how it is read.
pub(super) struct Item {
    /// Its place in the catalog.
    pub(super) family: usize,
    pub(super) labels: Labels,
    /// Those scalars of the variable that it is made of.
    pub(super) scalars: Range<usize>,
    pub(super) reading: Reading,
    pub(super) scale: Option<f64>,
    /// What was seen, if anything could be.
    pub(super) point: Option<Point>,
    pub(super) created: Option<SystemTime>,
    /// What it had counted.
    pub(super) last: Option<Number>,
}

/// What is made of the scalars.
pub(super) enum Reading {
    Counter,
    Gauge,
    Histogram { bounds: Rc<[f64]>, sum: Option<Sum> },
    States { names: Rc<[String]>, numbers: Vec<i128> },
}

/// Where the sum of a histogram is.
pub(super) enum Sum {
    Scalar(usize),
    /// The path of another variable in the same map. No handle: that would keep the map of an unloaded program.
    Variable(String),
}

impl Source {
    /// Takes the value that the variable has now. Returns how many counters went back, as they do where somebody sets them.
    pub(super) fn observe(&mut self, value: Value, var: &Var, now: SystemTime) -> u64 {
        let mut scalars = Vec::with_capacity(self.paths.len());
        self.shape.leaves(value, &mut scalars);
        self.items.iter_mut().map(|item| u64::from(item.observe(&scalars, var, now))).sum()
    }

    /// There is no value now.
    pub(super) fn forget(&mut self) {
        self.items.iter_mut().for_each(|item| item.point = None);
    }
}

impl Item {
    fn observe(&mut self, scalars: &[Value], var: &Var, now: SystemTime) -> bool {
        let slots = &scalars[self.scalars.clone()];
        let number = slots.first().and_then(Number::of);
        let (point, counted) = match &self.reading {
            Reading::Gauge => (number.map(|number| Point::Number(number.scaled(self.scale))), None),
            Reading::Counter => {
                let number = number.filter(|number| number.can_be_counted());
                (number.map(|number| Point::Number(number.scaled(self.scale))), number)
            }
            Reading::States { names, numbers } => {
                let number = slots.first().and_then(Value::as_i128);
                let current = numbers.iter().position(|known| Some(*known) == number);
                (Some(Point::States { names: names.clone(), current }), None)
            }
            Reading::Histogram { bounds, sum } => {
                let counts: Vec<u64> = (slots.iter())
                    .scan(0_u64, |before, slot| {
                        let count = slot.as_i128().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
                        *before = before.saturating_add(count);
                        Some(*before)
                    })
                    .collect();
                let sum = sum.as_ref().and_then(|sum| sum.read(scalars, var)).filter(|sum| sum.can_be_counted());
                let sum = sum.map(|sum| sum.scaled(self.scale));
                let all = counts.last().map(|all| Number::from(*all));
                (Some(Point::Histogram { bounds: bounds.clone(), counts, sum }), all)
            }
        };
        self.point = point;
        let went_back = counted.zip(self.last).is_some_and(|(now, last)| now.is_less_than(last));
        if went_back {
            self.created = Some(now);
        }
        self.last = counted.or(self.last);
        went_back
    }
}

impl Sum {
    fn read(&self, scalars: &[Value], var: &Var) -> Option<Number> {
        match self {
            Sum::Scalar(at) => Number::of(scalars.get(*at)?),
            Sum::Variable(path) => Number::of(&var.map().var(path).and_then(|sum| sum.read()).ok()?),
        }
    }
}
