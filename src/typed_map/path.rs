//! Paths into a value: `config.limits[2].burst`.

use crate::types::{Btf, Kind, Part, TypeId};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Index(u64),
}

/// Parses what follows a variable's name: `.limits[2].burst`, or nothing.
///
/// # Errors
///
/// What is wrong, to stand behind "but".
pub(super) fn parse_steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('.') {
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            if end == 0 {
                return Err("a member's name is missing behind a dot".to_owned());
            }
            steps.push(Step::Member(behind[..end].to_owned()));
            rest = &behind[end..];
        } else if let Some(behind) = rest.strip_prefix('[') {
            let end = behind.find(']').ok_or("a ] is missing")?;
            steps.push(Step::Index(parse_index(&behind[..end])?));
            rest = &behind[end + 1..];
        } else {
            return Err(format!("a path goes on with .member or [index], not with {rest:?}"));
        }
    }
    Ok(steps)
}

fn parse_index(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| format!("[{text}] is no index: a number from 0 on is needed"))
}

/// A step into a part.
///
/// # Errors
///
/// Why there is no such part, with what there is.
pub(super) fn step(btf: &Btf, part: Part, step: &Step) -> Result<Part, String> {
    let name = || btf.type_name(part.of);
    match (step, btf.kind(part.of)) {
        _ if part.bits.is_some() => Err("a bitfield has no parts".to_owned()),
        (Step::Member(member), Kind::Struct { members, .. }) => {
            let parts = btf.named_parts(members);
            let found = parts.iter().find(|(name, _)| name == member);
            let (_, inner) = found.ok_or_else(|| {
                let known: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
                format!("{} has no member {member:?}; it has {}", name(), known.join(", "))
            })?;
            Ok(Part { offset: part.offset + inner.offset, ..*inner })
        }
        (Step::Index(index), Kind::Array { element, len }) => {
            if *index >= u64::from(*len) {
                let known = len.checked_sub(1).map_or("it has none".to_owned(), |last| format!("they are 0 to {last}"));
                return Err(format!("{} has no element {index}; {known}", name()));
            }
            let size = btf.size(*element).unwrap_or(0);
            Ok(Part { of: *element, offset: part.offset + index * size, bits: None })
        }
        (Step::Member(member), Kind::Array { .. }) => {
            Err(format!("{} is an array: choose an element, [0].{member}", name()))
        }
        (Step::Member(_), _) => Err(format!("{} has no members", name())),
        (Step::Index(_), _) => Err(format!("{} is no array", name())),
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
