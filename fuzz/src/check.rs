//! What must hold of whatever is printed, and of a variable that is written.

use std::fmt::Display;

use bpfvar::{Input, Value, Var};

/// Text in one line that steers no terminal.
pub(crate) fn line(text: impl Display) -> String {
    let text = text.to_string();
    assert!(!text.is_empty() && !text.contains(char::is_control), "not one plain line: {text:?}");
    text
}

/// The same of several lines.
pub(crate) fn lines(text: impl Display) {
    let text = text.to_string();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "not plain lines: {text:?}");
}

/// The value as JSON prints it.
pub(crate) fn json(value: &Value) -> String {
    let json = serde_json::to_string(value).expect("every value has a form in JSON");
    // JSON itself may hold a DEL or a C1 control; the tool escapes them.
    assert!(!json.contains(|c: char| c.is_ascii_control() && c != '\x7f'), "not one line: {json:?}");
    json
}

/// The bytes that a write may change: all of the section that a variable lies in. Where writers count what they do beside the value
/// (`BPFVAR_SEQ`), those of the value.
pub(crate) fn memory(var: &Var) -> Vec<u8> {
    if !var.together().is_empty() {
        return var.read_bytes().unwrap_or_default();
    }
    let map = var.map().as_map();
    let mut bytes = vec![0; map.info().value_size as usize];
    map.lookup(0, &mut bytes).expect("an array has an entry 0");
    bytes
}

/// Writes `input` to a variable, if it fits: refused, it changes nothing; written, it changes no other byte, and what is read then can
/// be written in every form, and gives the same bytes.
pub(crate) fn write(var: &Var, input: Input) {
    let before = memory(var);
    let old = var.read().map(|value| json(&value));
    match var.set(input) {
        Err(error) => {
            line(&error);
            assert!(memory(var) == before, "refused, and yet changed: {error}");
        }
        Ok(replaced) => {
            assert_eq!(Some(json(&replaced)), old.ok(), "what was there");
            let after = memory(var);
            if var.together().is_empty() {
                let (start, end) = ((var.bits().start / 8) as usize, var.bits().end.div_ceil(8) as usize);
                assert!(before[..start] == after[..start] && before[end..] == after[end..], "neighbours are changed");
            }
            read_back(var);
        }
    }
}

/// What is read can be written in every form, unless its type cannot be written at all.
pub(crate) fn read_back(var: &Var) {
    let Ok(value) = var.read() else { return };
    line(&value);
    let text = json(&value);
    let before = memory(var);
    // NaN has one form only, any byte but 0 is true, and a text ends at its NUL: from here on there is one way to write it.
    if let Err(error) = var.set(Input::Text(text.clone())) {
        line(&error);
        assert!(memory(var) == before, "refused, and yet changed: {error}");
        return;
    }
    let written = memory(var);
    let value = var.read().expect("it was read before");
    assert_eq!(json(&value), text, "what was written is read, of {}", var.declaration());
    let parsed: Input = serde_json::from_str(&text).expect("what was printed is JSON");
    for form in [Input::from(&value), parsed, Input::Text(text)] {
        if let Err(error) = var.set(form.clone()) {
            panic!("{form:?} was read and cannot be written: {error}");
        }
        assert!(memory(var) == written, "{form:?} gives other bytes");
    }
}
