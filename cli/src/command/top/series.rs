//! One value over the last minute: what it is, how it changed, how fast.

use std::collections::VecDeque;
use std::time::Duration;

use bpfvar::Value;

use crate::value::change;

/// So many seconds are kept.
pub(super) const SECONDS: usize = 60;
/// The steps in which a cell of a graph can be filled.
pub(super) const LEVELS: u64 = 8;

/// A value, and when it was there. All times count from the start of the tool.
type Point = (Duration, Value);

/// A value over the last minute. Most samples only take the place of the last one: the rest is done once a second.
#[derive(Debug, Default)]
pub(super) struct Series {
    last: Option<Point>,
    /// The value before that.
    before: Option<Value>,
    /// The first sample of this second, and that of the second of the sample before.
    marks: (Option<Point>, Option<Point>),
    seconds: VecDeque<Second>,
    /// Which second since the start the last of `seconds` is.
    newest: u64,
}

/// What happened in a second.
#[derive(Clone, Copy, Debug)]
struct Second {
    /// The last value; not a number where none is known.
    value: f64,
    change: f64,
    fell: bool,
}

const UNKNOWN: Second = Second { value: f64::NAN, change: f64::NAN, fell: false };

impl Series {
    /// Takes a sample.
    pub(super) fn update(&mut self, at: Duration, value: Value) {
        let is_new = |(then, _): &Point| then.as_secs() < at.as_secs();
        if self.marks.0.as_ref().is_none_or(is_new) {
            self.mark(at, &value);
        }
        self.before = self.last.replace((at, value)).map(|(_, value)| value);
    }

    /// Once a second: what happened since the last mark.
    fn mark(&mut self, at: Duration, value: &Value) {
        let number = value.as_f64().unwrap_or(f64::NAN);
        match &self.marks.0 {
            Some((then, old)) => {
                let by = change(old, value).as_ref().and_then(Value::as_f64).unwrap_or(0.0);
                self.spread(*then, at, by, number);
            }
            None => self.second(at.as_secs()).value = number,
        }
        self.marks.1 = self.marks.0.replace((at, value.clone()));
    }

    /// What comes next is no continuation: it gives no change. The last minute stays.
    pub(super) fn restart(&mut self) {
        self.last = None;
        self.before = None;
        self.marks = (None, None);
    }

    pub(super) fn value(&self) -> Option<&Value> {
        self.last.as_ref().map(|(_, value)| value)
    }

    /// Since the sample before. None for what is no number.
    pub(super) fn change(&self) -> Option<Value> {
        change(self.before.as_ref()?, self.value()?)
    }

    pub(super) fn changed(&self) -> bool {
        self.before.is_some() && self.before.as_ref() != self.value()
    }

    /// A second, over the last second or two: of a tenth of a second it would jump.
    pub(super) fn rate(&self) -> Option<f64> {
        let (now, last) = self.last.as_ref()?;
        let (then, mark) = self.marks.1.as_ref().or(self.marks.0.as_ref()).filter(|(then, _)| then < now)?;
        let rate = change(mark, last)?.as_f64()? / (*now - *then).as_secs_f64();
        rate.is_finite().then_some(rate)
    }

    /// Levels of a graph of the last minute, not more than `width`, the newest last; None where nothing is known. What only
    /// rises is a counter, and shown as its rate; anything else as its value.
    pub(super) fn graph(&self, at: Duration, width: usize) -> Vec<Option<u64>> {
        if width == 0 {
            return Vec::new();
        }
        // Each cell is of as many seconds, and always of the same ones: else the graph would flicker as it moves.
        let each = SECONDS.div_ceil(width) as u64;
        let end = at.as_secs();
        let cells = (end.saturating_sub(SECONDS as u64) / each)..end.div_ceil(each);
        let is_number = matches!(self.value(), Some(Value::Int(_) | Value::Uint(_) | Value::F32(_) | Value::F64(_)));
        let counts = is_number && !self.seconds.iter().any(|second| second.fell);
        let mean = |cell: u64| {
            let seconds = (cell * each..(cell + 1) * each).filter(|second| *second < end);
            let known = seconds.filter_map(|second| self.known(second));
            let numbers = known.map(|second| if counts { second.change } else { second.value });
            let (sum, count) = numbers.filter(|number| number.is_finite()).fold((0.0, 0), |(s, n), x| (s + x, n + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let means: Vec<Option<f64>> = cells.map(mean).collect();
        let of_all = |pick: fn(f64, f64) -> f64| means.iter().flatten().copied().reduce(pick).unwrap_or(0.0);
        let (low, high) = if counts { (0.0, of_all(f64::max)) } else { (of_all(f64::min), of_all(f64::max)) };
        let skip = means.len().saturating_sub(width);
        means.into_iter().skip(skip).map(|mean| mean.map(|mean| level(mean, low, high))).collect()
    }

    /// A change from one time to another, a part of it for each second between them.
    fn spread(&mut self, from: Duration, to: Duration, change: f64, value: f64) {
        let whole = (to - from).as_secs_f64();
        let last = to.as_secs();
        for number in from.as_secs().max(last.saturating_sub(SECONDS as u64))..=last {
            let start = from.max(Duration::from_secs(number));
            let end = to.min(Duration::from_secs(number + 1));
            let second = self.second(number);
            if second.change.is_nan() {
                second.change = 0.0;
            }
            // A second keeps what it ended with.
            if number == last || second.value.is_nan() {
                second.value = value;
            }
            second.change += change * end.saturating_sub(start).as_secs_f64() / whole;
            second.fell |= change < 0.0;
        }
    }

    /// The second of this number, which is not before the newest but by less than a minute.
    fn second(&mut self, number: u64) -> &mut Second {
        if self.seconds.is_empty() || number > self.newest + SECONDS as u64 {
            self.seconds.clear();
            self.seconds.push_back(UNKNOWN);
            self.newest = number;
        }
        while self.newest < number {
            self.seconds.push_back(UNKNOWN);
            self.newest += 1;
        }
        while self.seconds.len() > SECONDS + 1 {
            self.seconds.pop_front();
        }
        let last = self.seconds.len() - 1;
        &mut self.seconds[last.saturating_sub((self.newest - number) as usize)]
    }

    fn known(&self, number: u64) -> Option<&Second> {
        let back = usize::try_from(self.newest.checked_sub(number)?).ok()?;
        self.seconds.get(self.seconds.len().checked_sub(back + 1)?)
    }
}

/// The lowest level is for the lowest number; whatever is above it is seen to be.
pub(super) fn level(number: f64, low: f64, high: f64) -> u64 {
    if number <= low || high <= low {
        return 1;
    }
    let share = (number - low) / (high - low);
    2 + (share * (LEVELS - 2) as f64).round().clamp(0.0, (LEVELS - 2) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(samples: &[(u64, Value)]) -> Series {
        let mut series = Series::default();
        samples.iter().for_each(|(at, value)| series.update(Duration::from_millis(*at), value.clone()));
        series
    }

    fn uint(value: u64) -> Value {
        value.into()
    }

    #[test]
    fn changes_are_since_the_last_sample_and_rates_of_a_second() {
        let every_100_ms: Vec<_> = (0..=35).map(|n| (n * 100, uint(n * 7))).collect();
        let known = series(&every_100_ms);
        assert_eq!((known.value(), known.change(), known.changed()), (Some(&uint(245)), Some(Value::Int(7)), true));
        assert!((known.rate().unwrap() - 70.0).abs() < 1e-6, "{known:?}");
        let every_second = series(&[(0, uint(5)), (1001, uint(5)), (2003, uint(15))]);
        assert!((every_second.rate().unwrap() - 10.0).abs() < 0.1, "{every_second:?}");
        assert_eq!(series(&[(0, uint(5))]).rate(), None);
    }

    #[test]
    fn a_graph_of_a_counter_is_its_rate() {
        let at = |millis| Duration::from_millis(millis);
        let steady = series(&[(0, uint(0)), (10_000, uint(100))]);
        assert_eq!(steady.graph(at(10_000), 60), [Some(8); 10]);
        let burst = series(&[(0, uint(0)), (1000, uint(0)), (2000, uint(4)), (3000, uint(12)), (4000, uint(12))]);
        assert_eq!(burst.graph(at(4000), 60), [Some(1), Some(5), Some(8), Some(1)]);
        // What happens now is shown when its second is over.
        assert_eq!(burst.graph(at(3999), 60).len(), 3);
        assert_eq!(burst.graph(at(4000), 0), []);
    }

    #[test]
    fn a_graph_of_what_also_falls_is_its_value() {
        let known = series(&[(0, uint(10)), (1000, uint(20)), (2000, uint(0)), (3000, uint(10)), (4000, uint(10))]);
        assert_eq!(known.graph(Duration::from_millis(4000), 60), [Some(5), Some(8), Some(1), Some(5)]);
        let switch = series(&[(0, Value::Bool(true)), (1000, Value::Bool(false)), (2000, Value::Bool(false))]);
        assert_eq!(switch.graph(Duration::from_secs(2), 60), [Some(8), Some(1)]);
        let text = series(&[(0, Value::Text("a".into())), (1000, Value::Text("b".into()))]);
        assert_eq!((text.graph(Duration::from_secs(1), 60), text.changed(), text.change()), (vec![None], true, None));
    }

    #[test]
    fn a_minute_is_kept_in_any_width() {
        let mut known = Series::default();
        for second in 0..1000 {
            known.update(Duration::from_secs(second), uint(second * second));
        }
        assert!(known.seconds.len() <= SECONDS + 1);
        for width in 1..100 {
            let graph = known.graph(Duration::from_secs(999), width);
            assert!(graph.len() <= width && graph.iter().all(Option::is_some), "{width}: {graph:?}");
        }
        assert_eq!(known.graph(Duration::from_secs(999), 60).len(), 60);
        // Long after the last sample nothing is known.
        assert!(known.graph(Duration::from_secs(2000), 10).iter().all(Option::is_none));
        known.update(Duration::from_secs(5000), uint(0));
        assert!(known.seconds.len() <= SECONDS + 1);
    }

    #[test]
    fn a_restart_gives_no_change() {
        let mut known = series(&[(0, uint(100)), (1000, uint(200))]);
        known.restart();
        known.update(Duration::from_millis(5000), uint(3));
        assert_eq!((known.change(), known.rate(), known.changed()), (None, None, false));
        known.update(Duration::from_millis(6000), uint(4));
        assert_eq!(known.rate(), Some(1.0));
        let graph = known.graph(Duration::from_secs(6), 60);
        assert_eq!(graph, [Some(8), Some(1), None, None, None, Some(2)]);
    }
}
