//! Arrays of counters that are histograms: which are, the bounds of their slots, percentiles.

use bpfvar::Value;

/// How the slots of a histogram follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Slot N counts the values from 2^N to 2^(N+1) - 1, and slot 0 also the value 0: what `log2` of libbpf's tools gives.
    Log2,
    /// Slot N counts the values from N times the step.
    Linear { step: u64 },
}

/// Counters, a slot each. The last slot counts all that is greater, too, as programs do where the slots end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Histogram {
    pub(crate) scale: Scale,
    pub(crate) counts: Vec<u64>,
}

/// A value of 64 bits has no more powers of two.
const MOST_LOG2: usize = 64;

impl Scale {
    /// What the name and the number of slots tell. None for what is an array of numbers and no more.
    pub(crate) fn of(path: &str, slots: usize) -> Option<Scale> {
        let name = path.to_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        match slots {
            0 | 1 => None,
            _ if has(&["linear", "lhist"]) => Some(Scale::Linear { step: 1 }),
            ..=MOST_LOG2 if has(&["hist", "slots", "log2", "buckets"]) => Some(Scale::Log2),
            _ if has(&["hist", "slots", "buckets"]) => Some(Scale::Linear { step: 1 }),
            _ => None,
        }
    }

    /// The least value that a slot counts.
    pub(crate) fn lower(self, slot: usize) -> u64 {
        match (self, slot) {
            (_, 0) => 0,
            (Scale::Log2, slot) => 1_u64.checked_shl(slot as u32).unwrap_or(u64::MAX),
            (Scale::Linear { step }, slot) => step.saturating_mul(slot as u64),
        }
    }

    /// The greatest value that a slot counts, if it is not the last.
    pub(crate) fn upper(self, slot: usize) -> u64 {
        match self {
            Scale::Log2 if slot + 1 >= MOST_LOG2 => u64::MAX,
            _ => self.lower(slot + 1) - 1,
        }
    }
}

impl Histogram {
    /// Takes an array of numbers that do not go below 0.
    pub(crate) fn new(scale: Scale, value: &Value) -> Option<Histogram> {
        let Value::Array(elements) = value else { return None };
        let count = |element: &Value| element.as_i128().and_then(|count| u64::try_from(count).ok());
        Some(Histogram { scale, counts: elements.iter().map(count).collect::<Option<_>>()? })
    }

    /// If the name and the number of slots say that it is one.
    pub(crate) fn guess(path: &str, value: &Value) -> Option<Histogram> {
        let Value::Array(elements) = value else { return None };
        Histogram::new(Scale::of(path, elements.len())?, value)
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The slots from the first to the last that counted anything.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        let first = self.counts.iter().position(|count| *count != 0);
        let last = self.counts.iter().rposition(|count| *count != 0);
        first.zip(last).map_or(0..0, |(first, last)| first..last + 1)
    }

    /// The bounds of a slot for people: `4..7`, `1..1`; the last slot has no end.
    pub(crate) fn label(&self, slot: usize) -> String {
        let (lower, upper) = (self.scale.lower(slot), self.scale.upper(slot));
        match slot + 1 == self.counts.len() {
            true => format!("{lower}.."),
            false if lower == upper => lower.to_string(),
            false => format!("{lower}..{upper}"),
        }
    }

    /// A value that `percent` of all values are not greater than, as near as the slots tell: inside of a slot they count as
    /// spread evenly, and a slot of log2 tells no more than two digits. None while nothing was counted.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let total = self.total();
        let wanted = total as f64 * percent / 100.0;
        let mut before = 0.0;
        for (slot, count) in self.counts.iter().map(|count| *count as f64).enumerate() {
            if count > 0.0 && before + count >= wanted {
                let (lower, upper) = (self.scale.lower(slot) as f64, self.scale.upper(slot) as f64);
                let part = ((wanted - before) / count).clamp(0.0, 1.0);
                let value = lower + (upper - lower) * part;
                return Some(match self.scale {
                    Scale::Log2 => two_digits(value).clamp(lower, upper),
                    Scale::Linear { .. } => value.round(),
                });
            }
            before += count;
        }
        None
    }
}

/// The number with its first two digits only.
fn two_digits(value: f64) -> f64 {
    // As text, so that no power of ten adds digits of its own.
    format!("{value:.1e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log2(counts: &[u64]) -> Histogram {
        Histogram { scale: Scale::Log2, counts: counts.to_vec() }
    }

    #[test]
    fn names_and_lengths_tell_which_arrays_are_histograms() {
        assert_eq!(Scale::of("count.hist", 16), Some(Scale::Log2));
        assert_eq!(Scale::of("hists[3].slots", 27), Some(Scale::Log2));
        assert_eq!(Scale::of("lhist", 16), Some(Scale::Linear { step: 1 }));
        assert_eq!(Scale::of("hist", 1000), Some(Scale::Linear { step: 1 }));
        assert_eq!(Scale::of("limits", 16), None);
        assert_eq!(Scale::of("hist", 1), None);
    }

    #[test]
    fn slots_have_bounds_without_gaps() {
        for scale in [Scale::Log2, Scale::Linear { step: 10 }] {
            assert_eq!(scale.lower(0), 0);
            for slot in 0..62 {
                assert_eq!(scale.upper(slot) + 1, scale.lower(slot + 1), "{scale:?} {slot}");
            }
        }
        assert_eq!((Scale::Log2.lower(63), Scale::Log2.upper(63)), (1 << 63, u64::MAX));
        let labels: Vec<String> = (0..4).map(|slot| log2(&[1; 4]).label(slot)).collect();
        assert_eq!(labels, ["0..1", "2..3", "4..7", "8.."]);
    }

    #[test]
    fn percentiles_lie_in_the_slot_that_they_belong_to() {
        let histogram = log2(&[0, 0, 50, 50, 0]);
        assert_eq!(histogram.total(), 100);
        assert_eq!(histogram.span(), 2..4);
        assert_eq!(histogram.percentile(50.0), Some(7.0));
        assert_eq!(histogram.percentile(75.0), Some(12.0));
        assert_eq!(histogram.percentile(100.0), Some(15.0));
        assert_eq!(log2(&[0, 0]).percentile(50.0), None);
    }

    #[test]
    fn percentiles_have_the_digits_that_slots_tell() {
        let mut counts = [0; 32];
        counts[24] = 1000;
        assert_eq!(log2(&counts).percentile(15.5), Some(19_000_000.0));
        assert_eq!(log2(&counts).percentile(100.0), Some(33_554_431.0), "not beyond the slot");
        assert_eq!(log2(&[0, 2]).percentile(50.0), Some(2.5));
        let linear = Histogram { scale: Scale::Linear { step: 1 }, counts: [vec![0; 155], vec![3]].concat() };
        assert_eq!(linear.percentile(50.0), Some(155.0));
    }

    #[test]
    fn only_counters_are_taken() {
        let array = |numbers: &[i128]| Value::Array(numbers.iter().map(|number| Value::Int(*number)).collect());
        assert_eq!(Histogram::guess("hist", &array(&[1, 2])), Some(log2(&[1, 2])));
        assert_eq!(Histogram::guess("hist", &array(&[1, -2])), None);
        assert_eq!(Histogram::guess("hist", &Value::Bool(true)), None);
    }
}
