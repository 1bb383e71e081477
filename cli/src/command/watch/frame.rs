//! Lines on a terminal that are drawn over those that were there before.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::output::{Ink, Output};
use crate::value::fit;

/// Nobody sees more.
const BETWEEN_DRAWS: Duration = Duration::from_millis(40);

#[derive(Default)]
pub(super) struct Frame {
    /// Lines to go up.
    drawn: usize,
    last: Option<Instant>,
}

impl Frame {
    /// Something else was printed: start anew below.
    pub(super) fn interrupted(&mut self) {
        self.drawn = 0;
    }

    /// Whether the last drawing was long enough ago.
    pub(super) fn is_due(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= BETWEEN_DRAWS)
    }

    /// So many lines fit below a header, above the note of what is left out and the cursor.
    pub(super) fn room(out: &Output) -> usize {
        out.size().1.saturating_sub(3).max(1)
    }

    /// Draws lines that are as wide as the terminal at most; `more` lines of `what` are left out.
    pub(super) fn draw(&mut self, lines: &[String], (more, what): (usize, &str), out: &mut Output) -> Result<()> {
        let mut screen = String::new();
        if self.drawn > 0 {
            screen += &format!("\x1b[{}A\r", self.drawn);
        }
        for line in lines {
            screen += &format!("{line}\x1b[K\n");
        }
        // Of what was longer before, nothing is left below.
        self.drawn = lines.len();
        if more > 0 {
            let what = if more == 1 {
                format!("{what}; a higher terminal shows it")
            } else {
                format!("{what}s; a higher terminal shows them")
            };
            let note = fit(&format!("and {more} more {what}"), out.size().0);
            screen += &format!("{}\x1b[K\n", out.ink(Ink::Faint, &note));
            self.drawn += 1;
        }
        screen += "\x1b[J";
        self.last = Some(Instant::now());
        out.raw(screen.as_bytes())
    }
}
