//! Keys and the mouse, while no value is edited: what they do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Rows to go, downwards.
    Move(isize),
    /// Pages to go.
    Page(isize),
    First,
    Last,
    Fold,
    Unfold,
    Toggle,
    FoldAll,
    UnfoldAll,
    /// Rows to scroll.
    Scroll(isize),
    /// A click on a place of the screen.
    Click {
        x: u16,
        y: u16,
    },
    /// Edits what is selected, or unfolds it if that is no single value.
    Edit,
    Add(i8),
    Undo,
    Filter,
    /// Shows all again.
    NoFilter,
    Sort,
    Reverse,
    Histogram,
    Pause,
    Interval,
    Help,
    Quit,
}

/// All keys, for the help.
pub(super) const HELP: [(&str, &str); 19] = [
    ("↑ ↓ k j", "select a row"),
    ("PgUp PgDn", "a page up, down"),
    ("Home End g G", "the first row, the last"),
    ("← → h l", "fold, unfold; then the row above"),
    ("Space", "fold or unfold"),
    ("[ ]", "fold, unfold everything"),
    ("/", "filter by name; Esc shows all"),
    ("s", "sort by name, change or rate"),
    ("r", "the other way round"),
    ("Enter", "edit the value; unfold if it has parts"),
    ("+ -", "add 1, subtract 1, in one atomic step"),
    ("u", "undo the last change, then the one before"),
    ("b", "an array as histogram: log2, linear, none"),
    ("p", "pause, go on"),
    ("i", "time between samples"),
    ("Ctrl-L", "draw all anew"),
    ("Ctrl-Z", "stop; `fg` goes on"),
    ("q Ctrl-C", "quit"),
    ("mouse", "click, wheel, double click to edit"),
];

impl Action {
    pub(super) fn of_key(key: KeyEvent) -> Option<Action> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(match key.code {
                KeyCode::Char('c') => Action::Quit,
                KeyCode::Char('f') => Action::Page(1),
                KeyCode::Char('b') => Action::Page(-1),
                KeyCode::Char('n') => Action::Move(1),
                KeyCode::Char('p') => Action::Move(-1),
                _ => return None,
            });
        }
        Some(match key.code {
            KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
            KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
            KeyCode::PageUp => Action::Page(-1),
            KeyCode::PageDown => Action::Page(1),
            KeyCode::Home | KeyCode::Char('g') => Action::First,
            KeyCode::End | KeyCode::Char('G') => Action::Last,
            KeyCode::Left | KeyCode::Char('h') => Action::Fold,
            KeyCode::Right | KeyCode::Char('l') => Action::Unfold,
            KeyCode::Char(' ') => Action::Toggle,
            KeyCode::Char('[') => Action::FoldAll,
            KeyCode::Char(']') => Action::UnfoldAll,
            KeyCode::Enter | KeyCode::Char('e') => Action::Edit,
            KeyCode::Char('+' | '=') => Action::Add(1),
            KeyCode::Char('-' | '_') => Action::Add(-1),
            KeyCode::Char('u') => Action::Undo,
            KeyCode::Char('/') => Action::Filter,
            KeyCode::Esc => Action::NoFilter,
            KeyCode::Char('s') => Action::Sort,
            KeyCode::Char('r') => Action::Reverse,
            KeyCode::Char('b') => Action::Histogram,
            KeyCode::Char('p') => Action::Pause,
            KeyCode::Char('i') => Action::Interval,
            KeyCode::Char('?') | KeyCode::F(1) => Action::Help,
            KeyCode::Char('q') => Action::Quit,
            _ => return None,
        })
    }

    pub(super) fn of_mouse(mouse: MouseEvent) -> Option<Action> {
        match mouse.kind {
            MouseEventKind::ScrollUp => Some(Action::Scroll(-WHEEL)),
            MouseEventKind::ScrollDown => Some(Action::Scroll(WHEEL)),
            MouseEventKind::Down(MouseButton::Left) => Some(Action::Click { x: mouse.column, y: mouse.row }),
            _ => None,
        }
    }
}
