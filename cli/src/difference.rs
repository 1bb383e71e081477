//! Where two values differ.

use bpfvar::Value;
use serde::Serialize;

/// A scalar, or a part that is on one side only.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    #[serde(skip)]
    pub(crate) name: String,
    /// None if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<Value>,
    /// The types, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) types: Option<(String, String)>,
}

/// Adds each part in which two values differ.
pub(crate) fn add(name: &str, old: Option<&Value>, new: Option<&Value>, out: &mut Vec<Difference>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Struct(old)), Some(Value::Struct(new))) => {
            let of = |members: &'_ [(String, Value)], wanted: &str| members.iter().position(|(name, _)| name == wanted);
            for (member, value) in old {
                add(&format!("{name}.{member}"), Some(value), of(new, member).map(|at| &new[at].1), out);
            }
            for (member, value) in new.iter().filter(|(member, _)| of(old, member).is_none()) {
                add(&format!("{name}.{member}"), None, Some(value), out);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                add(&format!("{name}[{index}]"), old.get(index), new.get(index), out);
            }
        }
        (old, new) => {
            out.push(Difference { name: name.to_owned(), old: old.cloned(), new: new.cloned(), types: None });
        }
    }
}

/// A value for people, as `get` prints it, as far as a file tells: what may be an enumerator stands without quotes.
pub(crate) fn text(value: Option<&Value>) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    match value {
        None => "(not there)".to_owned(),
        Some(Value::Array(elements)) => {
            format!("[{}]", join(elements.iter().map(|element| text(Some(element))).collect()))
        }
        Some(Value::Struct(members)) => {
            let member = |(name, value): &(String, Value)| format!("{name}: {}", text(Some(value)));
            format!("{{{}}}", join(members.iter().map(member).collect()))
        }
        Some(Value::Text(word)) if is_word(word) => word.clone(),
        Some(other) => other.to_string(),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(old: &Value, new: &Value) -> Vec<String> {
        let mut out = Vec::new();
        add("x", Some(old), Some(new), &mut out);
        out.iter()
            .map(|one| format!("{}: {} -> {}", one.name, text(one.old.as_ref()), text(one.new.as_ref())))
            .collect()
    }

    fn word(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn members(members: &[(&str, Value)]) -> Value {
        Value::Struct(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn only_what_differs_is_told() {
        let bursts =
            |bursts: &[u32]| Value::Array(bursts.iter().map(|burst| members(&[("burst", (*burst).into())])).collect());
        let rate = || ("rate", Value::from(5_u32));
        let old = members(&[rate(), ("mode", word("FAST")), ("limits", bursts(&[1, 2])), ("gone", word("a b"))]);
        let came = members(&[("a", Value::Array(vec![1_u32.into()]))]);
        let new = members(&[rate(), ("mode", word("OFF")), ("limits", bursts(&[1, 3, 4])), ("came", came)]);
        assert_eq!(
            differences(&old, &new),
            [
                "x.mode: FAST -> OFF",
                "x.limits[1].burst: 2 -> 3",
                "x.limits[2]: (not there) -> {burst: 4}",
                "x.gone: \"a b\" -> (not there)",
                "x.came: (not there) -> {a: [1]}",
            ]
        );
        assert_eq!(differences(&old, &old), [""; 0]);
        assert_eq!(differences(&word("text"), &Value::Array(vec![1_u32.into(), 2_u32.into()])), ["x: text -> [1, 2]"]);
    }
}
