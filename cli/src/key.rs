//! Keys in brackets: `hits[5]`, `names["http"]`, `flows[{"port": 80}].packets`.

use bpfvar::Value;

/// A text around its first bracket: `count.flows`, `{"port": 80}`, `.packets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split<'t> {
    pub(crate) before: &'t str,
    pub(crate) key: &'t str,
    pub(crate) behind: &'t str,
}

impl<'t> Split<'t> {
    /// None without a bracket, or with one that is not closed.
    pub(crate) fn of(text: &'t str) -> Option<Split<'t>> {
        let (before, rest) = text.split_once('[')?;
        let end = if rest.starts_with(['{', '[', '"']) { end_of_json(rest)? } else { rest.find(']')? };
        let behind = rest[end..].strip_prefix(']')?;
        Some(Split { before, key: &rest[..end], behind })
    }

    /// Whether the key can be nothing else: no index, and no pattern of indices.
    pub(crate) fn is_no_index(&self) -> bool {
        self.key.starts_with(|first: char| matches!(first, '{' | '[' | '"' | '-' | '_') || first.is_alphabetic())
    }
}

/// Where a JSON value ends, if its quotes and brackets are closed. Whether it is valid is for those who know its type.
fn end_of_json(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.checked_sub(1)?,
            _ => continue,
        }
        if depth == 0 && !quoted && !escaped {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// A key as it is typed in brackets: numbers and names as they are, everything else as JSON.
pub(crate) fn text(key: &Value) -> String {
    match key {
        // Every value has a form in JSON.
        Value::Array(_) | Value::Struct(_) | Value::Text(_) => serde_json::to_string(key).unwrap_or_default(),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_where_their_brackets_and_quotes_do() {
        let split = |text| Split::of(text).map(|Split { before, key, behind }| (before, key, behind));
        assert_eq!(split("hits[5]"), Some(("hits", "5", "")));
        assert_eq!(split("map[-1].x[3]"), Some(("map", "-1", ".x[3]")));
        assert_eq!(split(r#"a.names["x]\"[y"].z"#), Some(("a.names", r#""x]\"[y""#, ".z")));
        assert_eq!(split(r#"f[{"a": [1, {"b": "}"}]}][0]"#), Some(("f", r#"{"a": [1, {"b": "}"}]}"#, "[0]")));
        assert_eq!(split("[[1, 2]]"), Some(("", "[1, 2]", "")));
        for text in ["hits", "hits[", "hits[5", r#"n["a]"#, r#"n[{"a": 1]"#, r#"n[{]}]"#, r#"n["a" ]"#] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn an_index_may_be_a_key_but_is_none_for_sure() {
        let is_no_index = |text: &str| Split::of(text).is_some_and(|split| split.is_no_index());
        assert!([r#"a[{"x": 1}]"#, r#"a["x"]"#, "a[-1]", "a[TCP]", "a[[1]]"].into_iter().all(is_no_index));
        assert!(!["a[1]", "a[0x1]", "a[*]", "a[0..4]", "a[..4]", "a[]", "a[+1]", "a"].into_iter().any(is_no_index));
    }

    #[test]
    fn keys_are_printed_as_they_are_typed() {
        let flow = Value::Struct(vec![("port".to_owned(), 80_u16.into())]);
        assert_eq!(text(&flow), r#"{"port":80}"#);
        assert_eq!(text(&Value::Text("a\"b".to_owned())), r#""a\"b""#);
        assert_eq!(text(&Value::Array(vec![1_u8.into(), 2_u8.into()])), "[1,2]");
        assert_eq!(text(&u64::MAX.into()), u64::MAX.to_string());
        assert_eq!(text(&Value::Enum { value: 6, name: Some("TCP".to_owned()) }), "TCP");
    }
}
