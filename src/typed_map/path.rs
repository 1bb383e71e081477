//! Paths into a value: `.limits[2].burst`.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Object, ObjectKind, Result};
use crate::types::{Btf, Kind, Part, TypeId};

/// A path into a variable, parsed: `.limits[2].burst`, `[3]`, or nothing. [`Var::at`](crate::Var::at) takes its text.
///
/// ```
/// use bpfvar::{Step, VarPath};
///
/// let path: VarPath = ".limits[2].burst".parse()?;
/// assert_eq!(path.steps()[1], Step::Index(2));
/// assert_eq!(path.to_string(), ".limits[2].burst");
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VarPath(Vec<Step>);

/// One step of a [`VarPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// `.name`: a member of a struct or union.
    Member(String),
    /// `[3]`: an entry of a map, or an element of an array.
    Index(u64),
}

impl VarPath {
    /// Returns the steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

/// Parses what follows a variable's name. An index is decimal, or hexadecimal with `0x`.
impl FromStr for VarPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<VarPath> {
        parse_steps(text).map(VarPath).map_err(|rule| Error::Argument {
            object: Box::new(Object::System),
            argument: "path",
            found: format!("{text:?}"),
            rule,
            advice: None,
        })
    }
}

impl fmt::Display for VarPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| step.fmt(f))
    }
}

/// Prints it as it stands in a path.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Member(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Parses what follows a variable's name: `.limits[2].burst`, or nothing.
///
/// # Errors
///
/// What is wrong, to stand behind "but".
fn parse_steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('.') {
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            if end == 0 {
                return Err("the name of a member is missing after a dot".to_owned());
            }
            if behind[..end].contains(']') {
                return Err("a [ is missing before ]".to_owned());
            }
            steps.push(Step::Member(behind[..end].to_owned()));
            rest = &behind[end..];
        } else if let Some(behind) = rest.strip_prefix('[') {
            let end = behind.find(']').ok_or("a ] is missing")?;
            steps.push(Step::Index(parse_index(&behind[..end])?));
            rest = &behind[end + 1..];
        } else {
            return Err(format!("a path continues with .member or [index], not with {rest:?}"));
        }
    }
    Ok(steps)
}

fn parse_index(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    // `parse` would take a sign.
    let number = number.ok().filter(|_| !text.contains('+'));
    number.ok_or_else(|| format!("[{text}] is not an index; an index is a number from 0 on"))
}

/// Why a step leads nowhere.
pub(super) enum Astray {
    /// There is no such member or element; there are others.
    Missing { kind: ObjectKind, name: String, known: Vec<String> },
    /// The type has none at all: what is wrong, to stand behind "but".
    Rule(String),
}

/// A step into a part.
pub(super) fn step(btf: &Btf, part: Part, step: &Step) -> Result<Part, Astray> {
    let name = || btf.type_name(part.of);
    let rule = |rule: String| Err(Astray::Rule(rule));
    match (step, btf.kind(part.of)) {
        _ if part.bits.is_some() => rule("a bitfield has no parts".to_owned()),
        (Step::Member(member), Kind::Struct { members, .. }) => {
            let parts = btf.named_parts(members);
            let found = parts.iter().find(|(name, _)| name == member);
            let (_, inner) = found.ok_or_else(|| Astray::Missing {
                kind: ObjectKind::Member,
                name: member.clone(),
                known: parts.iter().map(|(name, _)| (*name).to_owned()).collect(),
            })?;
            Ok(Part { offset: part.offset + inner.offset, ..*inner })
        }
        (Step::Index(index), Kind::Array { element, len }) => {
            if *index >= u64::from(*len) {
                let known = len.checked_sub(1).map_or("it has none".to_owned(), |last| format!("they are 0 to {last}"));
                return rule(format!("{} has no element {index}; {known}", name()));
            }
            let size = btf.size(*element).unwrap_or(0);
            Ok(Part { of: *element, offset: part.offset + index * size, bits: None })
        }
        (Step::Member(member), Kind::Array { .. }) => {
            rule(format!("{} is an array; choose an element, [0].{member}", name()))
        }
        (Step::Member(_), _) => rule(format!("{} has no members", name())),
        (Step::Index(_), _) => rule(format!("{} is not an array", name())),
    }
}

/// A variable as a part of its section or of nothing but itself.
pub(super) fn whole(btf: &Btf, of: TypeId, offset: u64) -> Part {
    let of = match btf.kind(of) {
        Kind::Variable { of, .. } => *of,
        _ => of,
    };
    Part { of, offset, bits: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    #[test]
    fn paths_parse() {
        assert_eq!(parse_steps(""), Ok(vec![]));
        assert_eq!(parse_steps(".limits[2].burst"), Ok(vec![member("limits"), Step::Index(2), member("burst")]));
        assert_eq!(parse_steps("[0x10][3]"), Ok(vec![Step::Index(16), Step::Index(3)]));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [".", "..a", ".a.", "[", "[]", "[-1]", "[1", "a", "]", "[1]b", "[18446744073709551616]", "[+1]x"] {
            assert!(parse_steps(text).is_err(), "{text:?}");
        }
    }
}
