//! Values as JSON, for a variable of any type.

use bpfvar::{Input, Value};

use crate::check;
use crate::corpus::Corpus;

/// Takes any bytes. The first three choose the variable and what was in it.
pub fn run(bytes: &[u8]) {
    Corpus::with(|corpus| {
        let Some((var, json)) = corpus.choose(bytes) else { return };
        let Ok(input) = serde_json::from_slice::<Input>(json) else { return };
        check::line(&input);
        check::write(var, input.clone());
        let before = check::memory(var);
        match var.compare_exchange(input.clone(), input.clone()) {
            // Any byte but 0 is true: what was there may have been another.
            Ok(Ok(_)) => check::read_back(var),
            Ok(Err(found)) => drop(check::line(&found)),
            Err(error) => {
                check::line(&error);
                assert!(check::memory(var) == before, "refused, and yet changed: {error}");
            }
        }
        if let Ok(value) = var.read() {
            check::line(Value::sum(vec![value.clone(), value]));
        }
    });
}
