//! Text that steers no terminal.

use std::fmt::{self, Write};

/// Passes on what is written to it, with escapes in place of control characters: names come from users and from BTF, and what is
/// said of them stays one line.
pub(crate) struct Plain<'a, W>(pub(crate) &'a mut W);

impl<W: Write> Write for Plain<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, control)) = rest.char_indices().find(|(_, c)| c.is_control()) {
            write!(self.0, "{}{}", &rest[..at], control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_escapes() {
        let mut text = String::new();
        let (middle, end) = ("b\u{7f}", "ü\u{9b}");
        write!(Plain(&mut text), "a\n{middle}\x1b[31m{end}").unwrap();
        assert_eq!(text, "a\\nb\\u{7f}\\u{1b}[31mü\\u{9b}");
    }
}
