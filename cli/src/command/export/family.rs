//! Families of metrics as data: what is exported, whatever the format.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::SystemTime;

use bpfvar::Value;

/// Metrics of one name and type.
pub(super) struct Family<'a> {
    pub(super) head: &'a Head,
    pub(super) metrics: Vec<Metric<'a>>,
}

/// What a family is called and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Without what a type puts behind it, such as `_total`.
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) help: Cow<'static, str>,
    /// The name ends with it.
    pub(super) unit: Option<Cow<'static, str>>,
}

impl Head {
    /// One that is always there.
    pub(super) const fn fixed(name: &'static str, kind: Kind, help: &'static str) -> Head {
        Head { name: Cow::Borrowed(name), kind, help: Cow::Borrowed(help), unit: None }
    }

    /// The same in seconds, as its name says.
    pub(super) const fn of_seconds(name: &'static str, help: &'static str) -> Head {
        let unit = Some(Cow::Borrowed("seconds"));
        Head { name: Cow::Borrowed(name), kind: Kind::Gauge, help: Cow::Borrowed(help), unit }
    }
}

/// The types of OpenMetrics that variables and the exporter itself have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    States,
    Info,
}

/// Names and values.
pub(super) type Labels = Vec<(String, String)>;

/// One line, or those that belong together, such as the buckets of a histogram.
pub(super) struct Metric<'a> {
    pub(super) labels: &'a Labels,
    pub(super) point: Cow<'a, Point>,
    /// When a counter or a histogram started at 0.
    pub(super) created: Option<SystemTime>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Point {
    Number(Number),
    Histogram {
        /// The greatest value that each bucket counts; the last bucket, which has none, counts all.
        bounds: Rc<[f64]>,
        /// Each with those of the buckets before it.
        counts: Vec<u64>,
        sum: Option<Number>,
    },
    States {
        names: Rc<[String]>,
        /// None for a number without a name.
        current: Option<usize>,
    },
}

/// Integers are kept whole: a float has no room for those beyond 2^53.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// None for what is no number.
    pub(super) fn of(value: &Value) -> Option<Number> {
        match value {
            // Which is shorter than as a double.
            Value::F32(float) => float.to_string().parse().ok().map(Number::Float),
            Value::F64(float) => Some(Number::Float(*float)),
            Value::Pointer(_) => None,
            _ => value.as_i128().map(Number::Whole).or_else(|| value.as_f64().map(Number::Float)),
        }
    }

    pub(super) fn scaled(self, scale: Option<f64>) -> Number {
        let Some(scale) = scale else { return self };
        let exact = || {
            let ((number, power), (scale, of_scale)) = (self.decimal()?, Number::Float(scale).decimal()?);
            format!("{}e{}", number.checked_mul(scale)?, power + of_scale).parse().ok()
        };
        Number::Float(exact().unwrap_or_else(|| self.as_f64() * scale))
    }

    /// As people write it: digits, and the power of ten that they are times. By these 3 times 1e-9 is 3e-9, and no float beside it.
    fn decimal(self) -> Option<(i128, i32)> {
        let float = match self {
            Number::Whole(number) => return Some((number, 0)),
            Number::Float(float) => format!("{float:e}"),
        };
        let (digits, power) = float.split_once('e')?;
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let power: i32 = power.parse().ok()?;
        Some((format!("{whole}{part}").parse().ok()?, power - i32::try_from(part.len()).ok()?))
    }

    pub(super) fn is_less_than(self, other: Number) -> bool {
        match (self, other) {
            (Number::Whole(one), Number::Whole(other)) => one < other,
            _ => self.as_f64() < other.as_f64(),
        }
    }

    /// Whether it is a number of things or of parts of them.
    pub(super) fn can_be_counted(self) -> bool {
        match self {
            Number::Whole(number) => number >= 0,
            Number::Float(number) => number >= 0.0,
        }
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Number {
        Number::Whole(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_whole_and_what_is_no_number_is_none() {
        assert_eq!(Number::of(&Value::Uint(u64::MAX.into())), Some(Number::Whole(u64::MAX.into())));
        assert_eq!(Number::of(&Value::Bool(true)), Some(Number::Whole(1)));
        assert_eq!(Number::of(&Value::F32(0.1)), Some(Number::Float(0.1)));
        assert_eq!(Number::of(&Value::Uint(u128::MAX)), Some(Number::Float(u128::MAX as f64)));
        assert_eq!(Number::of(&Value::Text("eth0".to_owned())), None);
        assert_eq!(Number::of(&Value::Pointer(1)), None);
        assert_eq!(Number::Whole(1500).scaled(Some(1e-3)), Number::Float(1.5));
        assert!(Number::Whole(-1).is_less_than(Number::Whole(0)));
        assert!(!Number::Whole(-1).can_be_counted() && !Number::Float(f64::NAN).can_be_counted());
    }

    #[test]
    fn what_is_scaled_is_the_nearest_to_the_exact_product() {
        let scaled = |number: Number, scale| number.scaled(Some(scale)).as_f64().to_string();
        for (number, shown) in [(3, "0.000000003"), (7, "0.000000007"), (i128::from(u64::MAX), "18446744073.709553")] {
            assert_eq!(scaled(Number::Whole(number), 1e-9), shown);
        }
        // Nothing is lost that a float has room for.
        assert_eq!(scaled(Number::Whole(12_345_678_901_234_567), 1e-9), "12345678.901234567");
        assert_eq!(scaled(Number::Whole(-3), 0.1), "-0.3");
        assert_eq!(scaled(Number::Float(1.1), 1.1), "1.21");
        assert_eq!(scaled(Number::Whole(2), 1e300), (2e300).to_string());
        // What is too long for that, or no number, is as floats multiply.
        assert_eq!(scaled(Number::Whole(i128::MAX), 0.5), (i128::MAX as f64 * 0.5).to_string());
        assert_eq!(scaled(Number::Float(f64::INFINITY), 0.5), "inf");
        assert_eq!(scaled(Number::Float(f64::NAN), 0.5), "NaN");
    }
}
