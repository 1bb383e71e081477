//! The lines at the bottom: what keys do, what the user is told, what is typed.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::app::{App, Mode};
use super::super::edit::{Edit, How};
use super::super::node::Node;
use super::theme::{Ink, Theme};
use crate::output::clean;
use crate::value::{bare, fit_name};

/// A message takes no more lines.
const MOST_LINES: usize = 5;
const KEYS: [(&str, &str); 11] = [
    ("q", "quit"),
    ("?", "help"),
    ("/", "filter"),
    ("s", "sort"),
    ("↵", "edit"),
    ("+-", "step"),
    ("u", "undo"),
    ("p", "pause"),
    ("i", "interval"),
    ("r", "reverse"),
    ("b", "histogram"),
];
const FILTER: &str = "filter: ";
const INTERVAL: &str = "time between samples: ";

/// What is at the bottom.
pub(super) fn lines<'a>(app: &App, width: u16, theme: &Theme) -> Vec<Line<'a>> {
    let width = usize::from(width);
    let message = |lines: &mut Vec<Line<'a>>| {
        if let Some(message) = &app.message {
            let ink = if message.is_error { Ink::Error } else { Ink::Changed };
            lines.extend(wrapped(&message.text, width).into_iter().map(|line| Line::from(theme.text(ink, line))));
        }
    };
    let mut lines = Vec::new();
    match &app.mode {
        Mode::Rows | Mode::Help(_) => message(&mut lines),
        Mode::Filter(input) => lines.push(Line::from(format!("{FILTER}{}", clean(input.value())))),
        Mode::Interval(input) => {
            lines.push(Line::from(format!("{INTERVAL}{}", clean(input.value()))));
            message(&mut lines);
        }
        Mode::Edit(edit) => {
            lines.push(edited(app, edit, width, theme));
            match &edit.refused {
                Some(why) => {
                    lines.extend(wrapped(why, width).into_iter().map(|line| Line::from(theme.text(Ink::Error, line))))
                }
                None => lines.push(Line::from(theme.text(Ink::Faint, hint(edit)))),
            }
        }
    }
    if lines.is_empty() {
        lines.push(keys(width, theme));
    }
    lines
}

/// Where the cursor is while something is typed.
pub(super) fn cursor(app: &App) -> Option<u16> {
    let (before, input) = match &app.mode {
        Mode::Filter(input) => (FILTER.width(), input),
        Mode::Interval(input) => (INTERVAL.width(), input),
        Mode::Edit(edit) => match &edit.how {
            How::Text { input, .. } => (before(app, edit, usize::from(app.geometry.bottom.width)).width(), input),
            _ => return None,
        },
        _ => return None,
    };
    u16::try_from(before + input.visual_cursor()).ok()
}

/// `count.sampling: 1 -> `: what is there now. The name is cut where there is little room.
fn before(app: &App, edit: &Edit, width: usize) -> String {
    let now = app.tree.node(&edit.path).and_then(Node::value).map(bare).unwrap_or_default();
    let now = crate::value::fit(&now, width / 3);
    let room = (width / 2).saturating_sub(now.width()).max(8);
    format!("{}: {now} -> ", fit_name(&clean(&edit.label), room))
}

fn edited<'a>(app: &App, edit: &Edit, width: usize, theme: &Theme) -> Line<'a> {
    let mut line = vec![Span::raw(before(app, edit, width))];
    match &edit.how {
        How::Text { input, is_fresh } => {
            // What the first key replaces looks so.
            let style = if *is_fresh { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
            line.push(Span::styled(clean(input.value()), style));
        }
        How::Switch { on } => {
            for (text, is_chosen) in [("true", *on), ("false", !*on)] {
                let ink = if is_chosen { Ink::Key } else { Ink::Faint };
                line.push(theme.text(ink, format!("({}) {text}  ", if is_chosen { '•' } else { ' ' })));
            }
        }
        How::Menu { .. } => line.push(theme.text(Ink::Key, clean(&edit.new_text()))),
    }
    Line::from(line)
}

fn hint(edit: &Edit) -> &'static str {
    match edit.how {
        How::Text { .. } => "Enter sets, Esc leaves, ↑ ↓ step a number",
        How::Switch { .. } => "Enter sets, Esc leaves, Space switches",
        How::Menu { .. } => "Enter sets, Esc leaves, ↑ ↓ choose, Tab types",
    }
}

/// As many as there is room for.
fn keys<'a>(width: usize, theme: &Theme) -> Line<'a> {
    let mut line = Vec::new();
    let mut used = 0;
    for (key, what) in KEYS {
        let len = key.width() + 1 + what.width();
        if used + len > width {
            break;
        }
        line.push(theme.text(Ink::Key, key));
        line.push(theme.text(Ink::Faint, format!(" {what}  ")));
        used += len + 2;
    }
    Line::from(line)
}

/// A text in lines that are no wider, broken between words where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is one");
        if !last.is_empty() && last.width() + 1 + word.width() > width {
            lines.push(String::new());
        } else if !last.is_empty() {
            last.push(' ');
        }
        for c in word.chars() {
            let last = lines.last_mut().expect("there is one");
            if !last.is_empty() && last.width() + c.width().unwrap_or(0) > width {
                lines.push(c.to_string());
            } else {
                last.push(c);
            }
        }
    }
    lines.truncate(MOST_LINES);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_broken_between_words() {
        assert_eq!(wrapped("it must be from 0 to 255", 12), ["it must be", "from 0 to", "255"]);
        assert_eq!(wrapped("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped(&"x ".repeat(100), 1).len(), MOST_LINES);
        assert_eq!(wrapped("日本", 1), ["日", "本"]);
    }
}
