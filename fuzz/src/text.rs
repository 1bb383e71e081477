//! Values as text, for a variable of any type.

use bpfvar::Input;

use crate::check;
use crate::corpus::Corpus;

/// Takes any bytes. The first three choose the variable and what was in it.
pub fn run(bytes: &[u8]) {
    Corpus::with(|corpus| {
        let Some((var, text)) = corpus.choose(bytes) else { return };
        let text = String::from_utf8_lossy(text).into_owned();
        check::write(var, Input::Text(text.clone()));
        let before = check::memory(var);
        if let Err(error) = var.add(Input::Text(text)) {
            check::line(&error);
            assert!(check::memory(var) == before, "refused, and yet changed: {error}");
        }
        check::read_back(var);
    });
}
