//! Patterns in targets: `*` and `?` in names, `[*]` and `[0..4]` in place of an index.

use std::ops::Range;

use wildmatch::WildMatch;

use crate::target::splits;

/// A path into a variable, each step of which may be a pattern: `.limits[*].b*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathPattern(Vec<StepPattern>);

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepPattern {
    /// `.rate`, `.ra*`: members by their names.
    Members(String),
    /// `[3]`, `[*]`, `[0..4]`: entries or elements by their numbers.
    Indices(Indices),
}

/// Numbers in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indices {
    All,
    /// From the first to before the second; where one is left out, to the end of what is there.
    Range {
        start: u64,
        end: Option<u64>,
    },
}

/// Whether a text has a pattern anywhere.
pub(crate) fn is_pattern(text: &str) -> bool {
    // Names have no brackets; a range is in some.
    has_wildcard(text) || text.split_once('[').is_some_and(|(_, path)| path.contains(".."))
}

/// Whether a name is a pattern. No name of the kernel or of C has one of these.
pub(crate) fn has_wildcard(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Whether a name is one of those that a pattern means. A pattern without wildcards means itself.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    if has_wildcard(pattern) { WildMatch::new(pattern).matches(name) } else { pattern == name }
}

impl PathPattern {
    /// Parses what follows a variable's name.
    ///
    /// # Errors
    ///
    /// What is wrong, as a sentence.
    pub(crate) fn parse(text: &str) -> Result<PathPattern, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix('.') {
                let end = behind.find(['.', '[']).unwrap_or(behind.len());
                let name = &behind[..end];
                if name.is_empty() {
                    return Err("the name of a member is missing after a dot".to_owned());
                }
                if name.contains(']') {
                    return Err("a [ is missing before ]".to_owned());
                }
                steps.push(StepPattern::Members(name.to_owned()));
                rest = &behind[end..];
            } else if let Some(behind) = rest.strip_prefix('[') {
                let (index, behind) = behind.split_once(']').ok_or("a ] is missing")?;
                steps.push(StepPattern::Indices(Indices::parse(index)?));
                rest = behind;
            } else {
                return Err(format!("a path continues with .member or [index], not with {rest:?}"));
            }
        }
        Ok(PathPattern(steps))
    }

    pub(crate) fn steps(&self) -> &[StepPattern] {
        &self.0
    }
}

impl Indices {
    fn parse(text: &str) -> Result<Indices, String> {
        let refuse = || {
            format!(
                "[{text}] is not an index; an index is a number from 0 on, * for all, or a range such as 0..4, whose end is left out"
            )
        };
        if text == "*" {
            return Ok(Indices::All);
        }
        let Some((start, end)) = text.split_once("..") else {
            let index = number(text).ok_or_else(refuse)?;
            return Ok(Indices::Range { start: index, end: Some(index.checked_add(1).ok_or_else(refuse)?) });
        };
        let start = if start.is_empty() { 0 } else { number(start).ok_or_else(refuse)? };
        let end = match end {
            "" => None,
            end => Some(number(end).ok_or_else(refuse)?),
        };
        if end.is_some_and(|end| end <= start) {
            return Err(format!(
                "[{text}] is empty: the end of a range is not part of it, as in 0..4, and lies behind its start"
            ));
        }
        Ok(Indices::Range { start, end })
    }

    /// Those of what is there.
    ///
    /// # Errors
    ///
    /// An index that is not there.
    pub(crate) fn of(self, there: &Range<u64>) -> Result<Range<u64>, u64> {
        match self {
            Indices::All => Ok(there.clone()),
            Indices::Range { start, .. } if start >= there.end => Err(start),
            Indices::Range { end: Some(end), .. } if end > there.end => Err(end - 1),
            Indices::Range { start, end } => Ok(start..end.unwrap_or(there.end)),
        }
    }
}

/// Decimal, or hexadecimal with `0x`.
fn number(text: &str) -> Option<u64> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    // `parse` would take a sign.
    number.ok().filter(|_| !text.contains('+'))
}

/// Where a path may end the name of a variable that the pattern means and go on inside of it: what goes on, for each border.
/// Variables may have dots in their names (`func.calls`), and an offset behind them that tells them from others (`calls@16`).
pub(crate) fn behind_name<'p>(pattern: &'p str, name: &str) -> impl Iterator<Item = &'p str> {
    let plain = name.split('@').next().unwrap_or(name).to_owned();
    let short = plain.rsplit('.').next().unwrap_or(&plain).to_owned();
    let name = name.to_owned();
    splits(pattern)
        .filter(move |(start, _)| [&name, &plain, &short].iter().any(|name| fits(start, name)))
        .map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> StepPattern {
        StepPattern::Indices(Indices::Range { start, end: Some(end) })
    }

    #[test]
    fn paths_of_patterns_parse() {
        let steps = |text: &str| PathPattern::parse(text).unwrap().0;
        let members = |name: &str| StepPattern::Members(name.to_owned());
        assert_eq!(steps(""), []);
        assert_eq!(steps(".li*[*].?urst"), [members("li*"), StepPattern::Indices(Indices::All), members("?urst")]);
        assert_eq!(steps("[3][0x10]"), [range(3, 4), range(16, 17)]);
        assert_eq!(steps("[0..4][..2]"), [range(0, 4), range(0, 2)]);
        assert_eq!(steps("[5..]"), [StepPattern::Indices(Indices::Range { start: 5, end: None })]);
        assert_eq!(steps("[..]"), [StepPattern::Indices(Indices::Range { start: 0, end: None })]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let bad =
            ["[4..4]", "[4..2]", "[a..b]", "[1..=]", "[..=]", "[-1..2]", "[+1..2]", "[**]", "[]", "[1", "[1...3]"];
        for text in
            bad.into_iter().chain(["[18446744073709551615]", ".", "x", ".a]", "[0..18446744073709551616]", "[0..=4]"])
        {
            assert!(PathPattern::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ranges_lie_in_what_is_there() {
        let of = |text: &str| match PathPattern::parse(text).unwrap().0[0] {
            StepPattern::Indices(indices) => indices.of(&(0..16)),
            StepPattern::Members(_) => unreachable!("brackets"),
        };
        assert_eq!((of("[*]"), of("[..]"), of("[14..]")), (Ok(0..16), Ok(0..16), Ok(14..16)));
        assert_eq!((of("[0..16]"), of("[7]")), (Ok(0..16), Ok(7..8)));
        assert_eq!((of("[0..17]"), of("[16]"), of("[20..30]"), of("[16..]")), (Err(16), Err(16), Err(20), Err(16)));
    }

    #[test]
    fn names_of_variables_end_at_every_border() {
        let behind = |pattern, name| behind_name(pattern, name).collect::<Vec<_>>();
        assert_eq!(behind("hist[0..4]", "hist"), ["[0..4]"]);
        assert_eq!(behind("*.rate", "config"), [".rate"]);
        assert_eq!(behind("*", "first.calls"), [""]);
        assert_eq!(behind("calls", "first.calls"), [""]);
        assert_eq!(behind("c*@8", "calls@8"), [""]);
        assert_eq!(behind("calls", "calls@8"), [""]);
        assert_eq!(behind("c*", "sampling"), [""; 0]);
        assert!(is_pattern("a.b*") && is_pattern("a[0..4]") && is_pattern("a[*]") && is_pattern("?"));
        assert!(!is_pattern("prog:12..bss") && !is_pattern("a[3].b"));
    }
}
