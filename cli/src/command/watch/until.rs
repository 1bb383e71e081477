//! Conditions to wait for: `count.packets > 1000000`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use bpfvar::Value;
use serde::Serialize;

use super::places::Places;
use crate::entries;
use crate::error::{Failure, Result};
use crate::key::Split;
use crate::resolve::Keyed;
use crate::target::Target;
use crate::value::read;

/// A comparison of a scalar with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(super) target: Target,
    operator: Operator,
    operand: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// As it is written, the longest first.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Condition, String> {
        // A key may have anything in it.
        let is_operator = |text: &str| text.contains(['<', '>', '=', '!']);
        let key = Split::of(text).filter(|split| !is_operator(split.before));
        let from = key.map_or(0, |split| split.before.len() + split.key.len() + 2);
        let at = text[from..].find(['<', '>', '=', '!']).map(|at| from + at);
        let found = at.and_then(|at| {
            let operator = OPERATORS.iter().find(|(written, _)| text[at..].starts_with(written));
            operator.map(|(written, operator)| (&text[..at], *operator, &text[at + written.len()..]))
        });
        let (target, operator, operand) = found
            .ok_or("TARGET OPERATOR VALUE is needed, with one of > >= < <= == !=, as in 'count.packets > 1000000'")?;
        let operand = operand.trim();
        if operand.is_empty() {
            return Err("a value is missing behind the operator".to_owned());
        }
        Ok(Condition { target: target.trim().parse()?, operator, operand: operand.to_owned() })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator =
            OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(written, _)| written);
        write!(f, "{} {operator} {}", self.target.text, self.operand)
    }
}

/// What a condition is about, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) value: Value,
}

/// How the waiting ended, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Ended<'a> {
    until: String,
    met: bool,
    name: Option<&'a str>,
    value: Option<&'a Value>,
}

impl<'a> Ended<'a> {
    pub(super) fn new(condition: &Condition, met: bool, seen: Option<&'a Seen>) -> Ended<'a> {
        Ended {
            until: condition.to_string(),
            met,
            name: seen.map(|seen| seen.name.as_str()),
            value: seen.map(|seen| &seen.value),
        }
    }
}

impl Condition {
    /// Reads what it is about; what is just being written is left out, and what is not there.
    pub(super) fn look(&self, places: &Places, index: usize) -> Result<Vec<(Seen, bool)>> {
        let mut all = Vec::new();
        for (label, var) in places.vars(index) {
            let Ok(value) = read(var)? else { continue };
            let holds = self.holds(&value, &var.enumerators())?;
            all.push((Seen { name: label.clone(), value }, holds));
        }
        match places.keyed(index) {
            Some(Keyed { text, entry: Some(entry), .. }) => {
                if let Some(value) = entry.read()? {
                    let holds = self.holds(&value, &entry.enumerators())?;
                    all.push((Seen { name: text.clone(), value }, holds));
                }
            }
            Some(keyed) if self.target.is_pattern() => {
                for (key, value) in entries::all(keyed.entries()?)? {
                    let holds = self.holds(&value, &keyed.entry_of(&key)?.enumerators())?;
                    all.push((Seen { name: keyed.label(&key), value }, holds));
                }
            }
            Some(keyed) => {
                let (text, one) = (&self.target.text, keyed.example());
                return Err(Failure::new(format!(
                    "--until '{self}': {text} is a map; only scalars are compared: name an entry, {one}"
                )));
            }
            None => {}
        }
        Ok(all)
    }

    fn holds(&self, value: &Value, enumerators: &[(&str, i128)]) -> Result<bool> {
        let fault = |rule: String| Failure::new(format!("--until '{self}': {rule}"));
        let order = compare(value, &self.operand, enumerators).map_err(fault)?;
        let only_equal =
            matches!(value, Value::Text(_)) && !matches!(self.operator, Operator::Equal | Operator::NotEqual);
        if only_equal {
            return Err(fault("text is compared by == and != only".to_owned()));
        }
        Ok(match self.operator {
            Operator::Greater => order == Some(Ordering::Greater),
            Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Operator::Less => order == Some(Ordering::Less),
            Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
            Operator::Equal => order == Some(Ordering::Equal),
            Operator::NotEqual => order != Some(Ordering::Equal),
        })
    }
}

/// Compares a value with what was typed, by the value's type; None where there is no order, as of a NaN.
///
/// # Errors
///
/// What is wrong.
fn compare(value: &Value, operand: &str, enumerators: &[(&str, i128)]) -> Result<Option<Ordering>, String> {
    let needs = |what: &str| format!("{operand:?} is not {what}");
    let float = || operand.parse::<f64>().ok().filter(|number| !number.is_nan());
    match value {
        Value::F32(value) => Ok(f64::from(*value).partial_cmp(&float().ok_or_else(|| needs("a number"))?)),
        Value::F64(value) => Ok(value.partial_cmp(&float().ok_or_else(|| needs("a number"))?)),
        Value::Text(value) => {
            let quoted = operand.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            Ok(Some(value.as_str().cmp(quoted.unwrap_or(operand))))
        }
        Value::Bool(value) => {
            let operand = match operand {
                "true" | "on" | "1" => true,
                "false" | "off" | "0" => false,
                _ => return Err(needs("true or false")),
            };
            Ok(Some(value.cmp(&operand)))
        }
        Value::Enum { value, .. } => {
            let known = enumerators.iter().find(|(name, _)| *name == operand).map(|(_, number)| Number::of(*number));
            let names = || enumerators.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            let wanted = known.or_else(|| Number::parse(operand));
            Ok(Some(Number::of(*value).cmp(&wanted.ok_or_else(|| needs(&format!("one of {}", names())))?)))
        }
        Value::Int(_) | Value::Uint(_) | Value::Pointer(_) => {
            let number = match *value {
                Value::Int(value) => Number::of(value),
                Value::Uint(value) => Number::Positive(value),
                Value::Pointer(address) => Number::Positive(address.into()),
                _ => return Err(needs("a number")),
            };
            match Number::parse(operand) {
                Some(wanted) => Ok(Some(number.cmp(&wanted))),
                // 1.5 and 1e6 have a place among the whole numbers, too.
                None => Ok(number.float().partial_cmp(&float().ok_or_else(|| needs("a number"))?)),
            }
        }
        _ => Err("only scalars are compared: name a member or an element".to_owned()),
    }
}

/// A whole number of up to 128 bits and a sign. Their order is that of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    /// What it is more than the least.
    Negative(u128),
    Positive(u128),
}

impl Number {
    fn of(number: i128) -> Number {
        match u128::try_from(number) {
            Ok(number) => Number::Positive(number),
            Err(_) => Number::Negative(u128::MAX - number.unsigned_abs()),
        }
    }

    /// Decimal, or `0x1f`, `0o17`, `0b101`, with a sign.
    fn parse(text: &str) -> Option<Number> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
        let based = bases.iter().find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, *radix)));
        let (digits, radix) = based.unwrap_or((digits, 10));
        // from_str_radix would take another sign.
        let digits = Some(digits).filter(|digits| digits.starts_with(|first: char| first.is_ascii_hexdigit()))?;
        let amount = u128::from_str_radix(digits, radix).ok()?;
        Some(if negative && amount > 0 { Number::Negative(u128::MAX - amount) } else { Number::Positive(amount) })
    }

    fn float(self) -> f64 {
        match self {
            Number::Positive(amount) => amount as f64,
            Number::Negative(rest) => -((u128::MAX - rest) as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_parse() {
        for (text, target, operator, operand) in [
            ("count.packets > 1000000", "count.packets", Operator::Greater, "1000000"),
            ("count.packets>=1e6", "count.packets", Operator::GreaterOrEqual, "1e6"),
            ("a.b[3]<=-1", "a.b[3]", Operator::LessOrEqual, "-1"),
            ("a != b c", "a", Operator::NotEqual, "b c"),
            ("a==\"x\"", "a", Operator::Equal, "\"x\""),
            (r#"flows[{"a": "=<>"}].x < 5"#, r#"flows[{"a": "=<>"}].x"#, Operator::Less, "5"),
            ("a == x[1]", "a", Operator::Equal, "x[1]"),
        ] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!((condition.target.text.as_str(), condition.operator), (target, operator), "{text}");
            assert_eq!(condition.operand, operand, "{text}");
        }
        assert_eq!("a>5".parse::<Condition>().unwrap().to_string(), "a > 5");
        for text in ["", "a", "a = 5", "a >", "> 5", "a ! 5", "a b > 5"] {
            assert!(text.parse::<Condition>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn values_are_compared_by_their_types() {
        let order =
            |value: &Value, operand: &str| compare(value, operand, &[("SLOW", 0), ("FAST", 1)]).unwrap().unwrap();
        let uint = |number: u64| Value::from(number);
        assert_eq!(order(&uint(5), "0x5"), Ordering::Equal);
        assert_eq!(order(&uint(u64::MAX), "18446744073709551614"), Ordering::Greater);
        assert_eq!(order(&uint(5), "-1"), Ordering::Greater);
        assert_eq!(order(&uint(5), "5.5"), Ordering::Less);
        assert_eq!(order(&uint(1_000_000), "1e6"), Ordering::Equal);
        assert_eq!(order(&Value::Int(-7), "-0x7"), Ordering::Equal);
        assert_eq!(order(&Value::Int(-7), "-8"), Ordering::Greater);
        assert_eq!(order(&Value::Uint(u128::MAX), "1"), Ordering::Greater);
        assert_eq!(order(&Value::F32(0.5), "0.25"), Ordering::Greater);
        assert_eq!(order(&Value::Bool(true), "on"), Ordering::Equal);
        assert_eq!(order(&Value::Text("eth0".to_owned()), "\"eth0\""), Ordering::Equal);
        let fast = Value::Enum { value: 1, name: Some("FAST".to_owned()) };
        assert_eq!(
            (order(&fast, "FAST"), order(&fast, "SLOW"), order(&fast, "2")),
            (Ordering::Equal, Ordering::Greater, Ordering::Less)
        );
        assert_eq!(compare(&Value::F64(f64::NAN), "1", &[]), Ok(None));
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        let rule = |value: &Value, operand: &str| compare(value, operand, &[("SLOW", 0)]).unwrap_err();
        assert!(rule(&5_u8.into(), "five").contains("a number"));
        assert!(rule(&5_u8.into(), "--5").contains("a number"));
        assert!(rule(&Value::Bool(true), "yes").contains("true or false"));
        assert!(rule(&Value::Enum { value: 0, name: None }, "QUICK").contains("one of SLOW"));
        assert!(rule(&Value::F64(0.5), "nan").contains("a number"));
        assert!(rule(&Value::Array(Vec::new()), "1").contains("only scalars"));
    }
}
