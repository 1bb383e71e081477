//! Numbers that an enum has no name for. They can be stored, and often are a slip.

use bpfvar::{Value, Var};

use crate::difference;

/// So many enumerators are named.
const NAMED: usize = 8;

/// What to say of each part of a variable that got such a number, and had another value before.
pub(crate) fn unnamed(label: &str, var: &Var, old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut parts = Vec::new();
    difference::add("", old, Some(new), &mut parts);
    let said = parts.iter().filter_map(|part| {
        let Some(Value::Enum { value: number, name: None }) = part.new else { return None };
        let var = var.at(&part.name).ok()?;
        let known = var.enumerators();
        if is_made_of_flags(number, &known) {
            return None;
        }
        let mut names: Vec<_> = known.iter().take(NAMED).map(|(name, number)| format!("{name} = {number}")).collect();
        if known.len() > NAMED {
            names.push("…".to_owned());
        }
        let (ty, names) = (var.type_name(), names.join(", "));
        Some(format!("{label}{}: {ty} has no enumerator for {number}; it has {names}", part.name))
    });
    said.collect()
}

/// Whether it is what enumerators that are bits give together. It takes three bits to tell flags from 0, 1, 2.
fn is_made_of_flags(number: i128, known: &[(&str, i128)]) -> bool {
    let bits = known.iter().map(|(_, bit)| *bit).filter(|bit| *bit > 0 && bit.count_ones() == 1);
    let all = bits.fold(0, |all, bit| all | bit);
    all.count_ones() > 2 && number & !all == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_together() {
        let flags = [("NONE", 0), ("A", 1), ("B", 2), ("C", 8), ("ALL", 11)];
        for (number, is_made) in [(3, true), (9, true), (0, true), (4, false), (16, false), (-1, false)] {
            assert_eq!(is_made_of_flags(number, &flags), is_made, "{number}");
        }
        let choices = [("SLOW", 0), ("FAST", 1), ("OFF", 2)];
        assert!(!is_made_of_flags(3, &choices) && !is_made_of_flags(5, &choices));
    }
}
