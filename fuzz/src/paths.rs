//! Paths to variables and into them.

use bpfvar::VarPath;

use crate::check;
use crate::corpus::Corpus;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<VarPath>() {
        Ok(path) => {
            let printed = path.to_string();
            assert_eq!(printed.parse::<VarPath>().ok(), Some(path), "{printed:?} was printed");
        }
        Err(error) => drop(check::line(error)),
    }
    Corpus::with(|corpus| {
        for section in &corpus.sections {
            match section.var(&text) {
                Ok(var) => {
                    let again = section.var(var.path()).expect("a variable's path finds it");
                    assert_eq!((again.to_string(), again.bits()), (var.to_string(), var.bits()));
                    check::line(&var);
                    assert!(var.bits().end <= u64::from(section.info().value_size) * 8, "{var} lies inside");
                }
                Err(error) => drop(check::line(error)),
            }
        }
    });
}
