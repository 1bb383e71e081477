//! Colours, or none.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

/// How things look. Without colours, bold, dim and reversed letters tell them apart.
#[derive(Clone, Copy, Debug)]
pub(in crate::command::top) struct Theme {
    colored: bool,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Heading,
    Group,
    Faint,
    Changed,
    Error,
    Graph,
    Bar,
    /// What is gone.
    Gone,
    /// The line about the selected row.
    Status,
    /// The row itself, whatever is in it.
    Selected,
    /// A key in the help, or what is chosen.
    Key,
}

impl Theme {
    pub(in crate::command::top) fn new(colored: bool) -> Theme {
        Theme { colored }
    }

    pub(super) fn style(self, ink: Ink) -> Style {
        let plain = Style::new();
        let color = |color: Color| if self.colored { plain.fg(color) } else { plain };
        match ink {
            Ink::Plain => plain,
            Ink::Heading | Ink::Group => color(Color::Cyan).add_modifier(Modifier::BOLD),
            Ink::Faint | Ink::Gone => plain.add_modifier(Modifier::DIM),
            Ink::Changed if self.colored => plain.fg(Color::Green),
            Ink::Changed => plain.add_modifier(Modifier::BOLD),
            Ink::Error => color(Color::Red).add_modifier(Modifier::BOLD),
            Ink::Graph => color(Color::Cyan),
            Ink::Bar => color(Color::Blue),
            Ink::Selected => plain.fg(Color::Reset).add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM),
            Ink::Status => plain.add_modifier(Modifier::REVERSED),
            Ink::Key => color(Color::Yellow).add_modifier(Modifier::BOLD),
        }
    }

    pub(super) fn text<'a>(self, ink: Ink, text: impl Into<String>) -> Span<'a> {
        Span::styled(text.into(), self.style(ink))
    }
}
