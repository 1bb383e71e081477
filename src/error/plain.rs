//! Text that steers no terminal, and fits on one.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Passes on what is written to it, with escapes in place of control characters and of those that turn the direction of writing: names
/// come from users and from BTF, and what is said of them stays one line.
pub(crate) struct Plain<'a, W>(pub(crate) &'a mut W);

impl<W: Write> Write for Plain<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, control)) = rest.char_indices().find(|(_, c)| is_obeyed(*c)) {
            write!(self.0, "{}{}", &rest[..at], control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What was given may be a megabyte long; who reads what is wrong with it needs its start and its end.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    const START: usize = 600;
    const END: usize = 200;
    if text.len() <= 2 * (START + END) {
        return text.into();
    }
    let boundary = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (start, end) = (boundary(START), boundary(text.len() - END));
    format!("{} ... ({} bytes more) ... {}", &text[..start], end - start, &text[end..]).into()
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
        let mut text = String::new();
        write!(Plain(&mut text), "\u{202e}\u{2066}").unwrap();
        assert_eq!(text, "\\u{202e}\\u{2066}");
    }

    #[test]
    fn of_long_texts_start_and_end_are_left() {
        assert_eq!(short(&"a".repeat(1600)).len(), 1600);
        let text = format!("b{}c", "ä".repeat(500_000));
        let short = short(&text);
        assert!(short.len() < 900 && short.starts_with("bä") && short.ends_with("äc"), "{short}");
    }
}
