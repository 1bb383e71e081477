//! Which CPUs there can be.

use std::fs;
use std::io;
use std::sync::OnceLock;

/// The numbers of the CPUs that can ever be online, in rising order. They need not be consecutive.
pub(crate) fn possible_cpus() -> io::Result<&'static [u32]> {
    // The kernel fixes them when it boots.
    static KNOWN: OnceLock<Vec<u32>> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    let text = fs::read_to_string("/sys/devices/system/cpu/possible")?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} is no list of CPUs"));
    let cpus = parse(text.trim()).ok_or_else(wrong)?;
    Ok(KNOWN.get_or_init(|| cpus))
}

/// `0-3`, `0,2-5,7`.
fn parse(text: &str) -> Option<Vec<u32>> {
    // No kernel can have more.
    const MOST: u32 = 1 << 16;
    let mut cpus = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        let in_order = cpus.last().is_none_or(|before| *before < first) && first <= last && last < MOST;
        cpus.extend(in_order.then_some(first..=last)?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus() {
        assert_eq!(parse("0"), Some(vec![0]));
        assert_eq!(parse("0-3"), Some(vec![0, 1, 2, 3]));
        assert_eq!(parse("0,2-3,7"), Some(vec![0, 2, 3, 7]));
        for wrong in ["", "-", "3-1", "1,1", "a", "0-", "0-4294967295"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn this_machine_has_one() {
        assert_eq!(possible_cpus().unwrap().first(), Some(&0));
    }
}
