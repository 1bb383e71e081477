//! Values that each CPU has one of: one by one, or added up, which is said of the sum.

use bpfvar::{KeyedEntry, KeyedMap, Var};

use crate::error::{Failure, Result};

/// So many lines are of use to nobody.
const MOST_LINES: u64 = 10_000;

/// Whether it has a value for each CPU, or is that of one.
pub(crate) fn is_per_cpu(var: &Var) -> bool {
    var.together().contains(&"BPFVAR_PERCPU")
}

/// The variable as each CPU has it, each with its label; of a map of several entries, as each CPU has each entry. Empty for what
/// has no value for each CPU.
pub(crate) fn each(label: &str, var: &Var) -> Result<Vec<(String, Var)>> {
    if !is_per_cpu(var) {
        return Ok(Vec::new());
    }
    if var.entry().is_some() {
        let labelled = |of_one: Var| (labelled(label, var.path(), of_one.path()), of_one);
        return Ok(var.each_cpu()?.into_iter().map(labelled).collect());
    }
    check_lines(var.map().info().max_entries as usize * cpus_added(var), &format!("{label}[0]"))?;
    let mut all = Vec::new();
    for entry in 0..var.map().info().max_entries {
        let index = format!("[{entry}]");
        all.extend(each(&format!("{label}{index}"), &var.at(&index)?)?);
    }
    Ok(all)
}

/// An entry of a map that is reached by keys, or a part of one, as each CPU has it.
pub(crate) fn each_of_entry(label: &str, map: &KeyedMap, entry: &KeyedEntry) -> Result<Vec<(String, KeyedEntry)>> {
    if !map.is_per_cpu() {
        return Ok(Vec::new());
    }
    let whole = map.entry(entry.key())?;
    let rest = entry.path().strip_prefix(whole.path()).unwrap_or_default();
    // An index behind the key is that of one CPU.
    let cpus = if rest.starts_with('[') { Vec::new() } else { whole.each_cpu()? };
    let labelled = |of_one: KeyedEntry| {
        let of_one = of_one.at(rest)?;
        Ok((labelled(label, entry.path(), of_one.path()), of_one))
    };
    cpus.into_iter().map(labelled).collect()
}

/// Of how many CPUs its value is the sum; 0 if it is no sum.
pub(crate) fn cpus_added(var: &Var) -> usize {
    let of_entry = |var: &Var| var.each_cpu().map_or(0, |cpus| cpus.len());
    match var.entry() {
        _ if !is_per_cpu(var) => 0,
        Some(_) => of_entry(var),
        None => var.at("[0]").map_or(0, |entry| of_entry(&entry)),
    }
}

/// What is printed behind a value that is the sum of those of so many CPUs; nothing behind any other.
pub(crate) fn mark(cpus: usize) -> String {
    match cpus {
        0 => String::new(),
        1 => " (sum of 1 CPU)".to_owned(),
        _ => format!(" (sum of {cpus} CPUs)"),
    }
}

/// That no more is printed than is of use.
pub(crate) fn check_lines(lines: usize, example: &str) -> Result<()> {
    if lines as u64 <= MOST_LINES {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the values of all CPUs would take {lines} lines, and more than {MOST_LINES} lines are not printed; name an entry, {example}"
    )))
}

/// How to name what one CPU has: the label with the CPU's number where the path has it.
fn labelled(label: &str, path: &str, of_one: &str) -> String {
    let longer = of_one.len().saturating_sub(path.len());
    let is_place = |at: &usize| {
        path.is_char_boundary(*at)
            && of_one.starts_with(&path[..*at])
            && of_one.is_char_boundary(at + longer)
            && of_one[at + longer..] == path[*at..]
    };
    let labelled = (0..=path.len()).rev().find(is_place).and_then(|at| {
        let before = label.strip_suffix(&path[at..])?;
        Some(format!("{before}{}", &of_one[at..]))
    });
    // The label has the same path in other words, such as another radix.
    labelled.unwrap_or_else(|| of_one.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_named_where_the_path_has_it() {
        for (label, path, of_one, expected) in [
            ("prog:7.counters", "counters", "counters[1]", "prog:7.counters[1]"),
            ("prog:7.counters.enter", "counters.enter", "counters[1].enter", "prog:7.counters[1].enter"),
            ("map:9.hits", "parr.hits", "parr[0][1].hits", "map:9[0][1].hits"),
            ("map:9[1]", "parr[1]", "parr[1][1]", "map:9[1][1]"),
            ("map:9[0x1].hits", "parr[1].hits", "parr[1][0].hits", "map:9[0x1][0].hits"),
            ("x.c.values[0x3]", "c.values[3]", "c[0].values[3]", "c[0].values[3]"),
        ] {
            assert_eq!(labelled(label, path, of_one), expected);
        }
    }

    #[test]
    fn sums_are_marked() {
        assert_eq!(
            (mark(0), mark(1), mark(2)),
            (String::new(), " (sum of 1 CPU)".to_owned(), " (sum of 2 CPUs)".to_owned())
        );
        assert!(check_lines(10_000, "x[0]").is_ok() && check_lines(10_001, "x[0]").is_err());
    }
}
