//! What a machine's output says: which tests passed, were skipped or failed.

use std::fmt;

use super::machine::Output;

/// The first process begins its lines so.
const MARK: &str = "bpfvar-vm: ";

/// How the tests went that all passed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Passed {
    kernel: String,
    /// Each test program, and how many of its tests passed.
    programs: Vec<(String, u32)>,
    /// Of these, how many ran nothing, and why.
    skipped: Vec<String>,
    seconds: u64,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u32 = self.programs.iter().map(|(_, count)| count).sum();
        let each: Vec<String> = self.programs.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, "Linux {}: {all} passed ({}), {} s", self.kernel, each.join(", "), self.seconds)?;
        self.skipped.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// Reads what a machine printed. The error says what failed, and shows the output that tells why.
pub(crate) fn of(output: &Output, tests: &[&str]) -> Result<Passed, String> {
    let mut passed = Passed { seconds: output.duration.as_secs(), ..Passed::default() };
    let mut failures = Vec::new();
    // Since the last program ended.
    let mut section = String::new();
    let mut ended = false;
    for line in output.text.lines() {
        let Some(mark) = line.strip_prefix(MARK) else {
            section += line;
            section += "\n";
            continue;
        };
        match mark.split(' ').collect::<Vec<_>>()[..] {
            ["kernel", release] => passed.kernel = release.to_owned(),
            ["end"] => ended = true,
            [test, status, "after", ..] => {
                match count(&section) {
                    Some(count) if status == "0" => passed.programs.push((test.to_owned(), count)),
                    _ => failures.push(format!("{test} ended with status {status}:\n{}", reasons(&section))),
                }
                let skipped = section.lines().filter(|line| line.starts_with("*** ") && line.contains(" SKIPPED: "));
                passed.skipped.extend(skipped.map(|line| format!("{test}: {}", line.trim_matches(['*', ' ']))));
                section.clear();
            }
            _ => failures.push(format!("a line that nobody expects: {line}")),
        }
    }
    if output.too_long {
        failures.push(format!("it was not off after {} s; the last lines:\n{}", passed.seconds, last(&section)));
    } else if !ended {
        let console = last(&output.console);
        failures.push(format!(
            "it did not come to the end; the last lines:\n{}\nand the kernel's:\n{console}",
            last(&section)
        ));
    } else if failures.is_empty() && passed.programs.len() != tests.len() {
        failures.push(format!("{} programs ran, not {}", passed.programs.len(), tests.len()));
    }
    if failures.is_empty() { Ok(passed) } else { Err(failures.join("\n")) }
}

/// How many tests passed, by libtest's last line.
fn count(section: &str) -> Option<u32> {
    let line = section.lines().find_map(|line| line.strip_prefix("test result: ok. "))?;
    line.split(' ').next()?.parse().ok()
}

/// What libtest says of the tests that failed; the last lines if it did not come to that.
fn reasons(section: &str) -> String {
    match section.split_once("\nfailures:\n") {
        Some((_, reasons)) => reasons.to_owned(),
        None => last(section),
    }
}

fn last(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Output, of};

    fn output(text: &str) -> Output {
        let (console, duration) = ("panic".to_owned(), Duration::from_secs(7));
        Output { text: text.to_owned(), console, duration, too_long: false }
    }

    #[test]
    fn passed_tests_are_counted_and_skipped_ones_named() {
        let text = "bpfvar-vm: kernel 6.1.0\ntest a ... ok\n\ntest result: ok. 3 passed; 0 failed\n\n\
                    *** 1 test was SKIPPED: needs Linux 6.9, this is 6.1 ***\nbpfvar-vm: kernel 0 after 5 s\nbpfvar-vm: end\n";
        let passed = of(&output(text), &["kernel"]).unwrap().to_string();
        let skipped = "kernel: 1 test was SKIPPED: needs Linux 6.9, this is 6.1";
        assert_eq!(passed, format!("Linux 6.1.0: 3 passed (kernel 3), 7 s\n    {skipped}"));
    }

    #[test]
    fn what_is_missing_is_a_failure() {
        let end = "bpfvar-vm: kernel 6.1.0\ntest result: ok. 3 passed; 0 failed\nbpfvar-vm: kernel 0 after 5 s\n";
        assert!(of(&output(end), &["kernel"]).unwrap_err().contains("the kernel's:\npanic"));
        let one = format!("{end}bpfvar-vm: end\n");
        assert_eq!(of(&output(&one), &["kernel", "value"]).unwrap_err(), "1 programs ran, not 2");
        let failed = "running\n\nfailures:\nit broke\nbpfvar-vm: value 101 after 1 s\nbpfvar-vm: end\n";
        assert_eq!(of(&output(failed), &["value"]).unwrap_err(), "value ended with status 101:\nit broke\n");
        // It ended well, and yet no test says so.
        let silent = "bpfvar-vm: value 0 after 1 s\nbpfvar-vm: end\n";
        assert!(of(&output(silent), &["value"]).unwrap_err().starts_with("value ended with status 0"));
    }
}
