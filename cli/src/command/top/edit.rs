//! Changing a value: what the user edits, by the kind of value, and what can be undone.

use std::collections::HashSet;

use bpfvar::{Applied, Value, Var};
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::tree::Path;
use crate::access::unwritable;
use crate::error::{Failure, Result};
use crate::value::{bare, text};

/// A value that is being edited. It holds no variable: the program may go away meanwhile.
pub(super) struct Edit {
    pub(super) path: Path,
    pub(super) label: String,
    pub(super) how: How,
    /// Why the last attempt was refused.
    pub(super) refused: Option<String>,
}

/// How a value is edited.
pub(super) enum How {
    /// As text. What is typed first takes the place of what is there.
    Text { input: Input, is_fresh: bool },
    /// A bool.
    Switch { on: bool },
    /// An enum: its enumerators.
    Menu { names: Vec<(String, i128)>, selected: usize },
}

/// What a key did to an editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edited {
    /// Nothing yet, or something that is to be drawn.
    Goes,
    /// The value is to be set.
    Set,
    /// Nothing is to be set.
    Left,
}

impl Edit {
    /// Starts with the value that is there.
    pub(super) fn new(path: Path, label: &str, var: &Var, value: &Value) -> Edit {
        let how = match value {
            Value::Bool(on) => How::Switch { on: *on },
            Value::Enum { value, name } => {
                let known = var.enumerators();
                let names: Vec<(String, i128)> =
                    known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let is_it = |known: &(String, i128)| Some(&known.0) == name.as_ref() || known.1 == *value;
                let selected = names.iter().position(is_it).unwrap_or(0);
                if names.is_empty() { How::typed(bare_of(&Value::Int(*value))) } else { How::Menu { names, selected } }
            }
            other => How::typed(bare_of(other)),
        };
        Edit { path, label: label.to_owned(), how, refused: None }
    }

    /// Takes a key, or text that was pasted.
    pub(super) fn take(&mut self, event: &Event) -> Edited {
        self.refused = None;
        if let Event::Paste(pasted) = event {
            if let How::Text { input, is_fresh } = &mut self.how {
                let before = if *is_fresh { "" } else { input.value() };
                *input = Input::new(format!("{before}{}", pasted.trim_end_matches(['\r', '\n'])));
                *is_fresh = false;
            }
            return Edited::Goes;
        }
        let Event::Key(key) = event else { return Edited::Goes };
        match key.code {
            KeyCode::Enter => return Edited::Set,
            KeyCode::Esc => return Edited::Left,
            KeyCode::Char('c' | 'g') if key.modifiers == KeyModifiers::CONTROL => return Edited::Left,
            _ => {}
        }
        match &mut self.how {
            How::Text { input, is_fresh } => type_in(input, is_fresh, key),
            How::Switch { on } => match key.code {
                KeyCode::Left | KeyCode::Right | KeyCode::Up | KeyCode::Down | KeyCode::Tab | KeyCode::Char(' ') => {
                    *on = !*on
                }
                KeyCode::Char('t' | '1') => *on = true,
                KeyCode::Char('f' | '0') => *on = false,
                _ => {}
            },
            How::Menu { names, selected } => match key.code {
                // An enum may have values without a name.
                KeyCode::Tab => self.how = How::typed(names[*selected].1.to_string()),
                code => *selected = choose(names, *selected, code),
            },
        }
        Edited::Goes
    }

    /// What would be set.
    pub(super) fn new_text(&self) -> String {
        match &self.how {
            How::Text { input, .. } => input.value().to_owned(),
            How::Switch { on } => on.to_string(),
            How::Menu { names, selected } => names[*selected].0.clone(),
        }
    }

    /// Sets it, if it fits the type.
    pub(super) fn apply(&self, var: &Var) -> Result<Done> {
        let applied = var.change(self.new_text().as_str())?.apply()?;
        Ok(Done { label: self.label.clone(), map: var.map().info().id, how: Undo::Applied(applied) })
    }
}

impl How {
    fn typed(text: String) -> How {
        How::Text { input: Input::new(text), is_fresh: true }
    }
}

/// As it can be typed again: a text without its quotes and escapes.
fn bare_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => bare(other),
    }
}

fn type_in(input: &mut Input, is_fresh: &mut bool, key: &KeyEvent) {
    let by = match key.code {
        KeyCode::Up => 1,
        KeyCode::Down => -1,
        KeyCode::PageUp => 10,
        KeyCode::PageDown => -10,
        _ => 0,
    };
    if by != 0 {
        if let Some(number) = input.value().parse::<i128>().ok().and_then(|number| number.checked_add(by)) {
            *input = Input::new(number.to_string());
        }
        return;
    }
    let is_character = matches!(key.code, KeyCode::Char(_)) && !key.modifiers.contains(KeyModifiers::CONTROL);
    if *is_fresh && is_character {
        input.reset();
    }
    *is_fresh = false;
    input.handle_event(&Event::Key(*key));
}

/// Which enumerator is selected after a key.
fn choose(names: &[(String, i128)], selected: usize, code: KeyCode) -> usize {
    const PAGE: usize = 8;
    let last = names.len().saturating_sub(1);
    match code {
        KeyCode::Up => selected.saturating_sub(1),
        KeyCode::Down => (selected + 1).min(last),
        KeyCode::PageUp => selected.saturating_sub(PAGE),
        KeyCode::PageDown => (selected + PAGE).min(last),
        KeyCode::Home => 0,
        KeyCode::End => last,
        // The next that starts with the letter.
        KeyCode::Char(letter) => {
            let starts = |index: &usize| names[*index].0.to_lowercase().starts_with(letter.to_ascii_lowercase());
            (selected + 1..names.len()).chain(0..selected).find(starts).unwrap_or(selected)
        }
        _ => selected,
    }
}

/// A change that was made, and can be undone.
pub(super) struct Done {
    pub(super) label: String,
    map: u32,
    how: Undo,
}

enum Undo {
    Applied(Applied),
    /// What was added is taken away again: what programs added meanwhile stays.
    Added {
        var: Box<Var>,
        amount: i8,
        old: Value,
        new: Value,
    },
}

impl Done {
    /// Adds to a number in one step.
    pub(super) fn add(label: &str, var: &Var, amount: i8) -> Result<Done> {
        let (old, new) = var.add(Value::from(amount))?;
        let map = var.map().info().id;
        Ok(Done { label: label.to_owned(), map, how: Undo::Added { var: Box::new(var.clone()), amount, old, new } })
    }

    /// The values before and after.
    pub(super) fn values(&self) -> (&Value, &Value) {
        match &self.how {
            Undo::Applied(applied) => (&applied.old, &applied.new),
            Undo::Added { old, new, .. } => (old, new),
        }
    }

    /// Undoes it. Returns what is there now.
    pub(super) fn undo(self) -> Result<String> {
        let var = match self.how {
            Undo::Applied(applied) => {
                let var = applied.var().clone();
                let now = var.read()?;
                if now != applied.new {
                    return Err(Failure::new(format!(
                        "{}: it was set to {} by others since, and stays so",
                        self.label,
                        text(&now)
                    )));
                }
                applied.undo()?;
                var
            }
            Undo::Added { var, amount, old, .. } => {
                match old {
                    // A sum of floats is rounded.
                    Value::F32(_) | Value::F64(_) => drop(var.set(old)?),
                    _ => drop(var.add(Value::from(-amount))?),
                }
                *var
            }
        };
        Ok(text(&var.read()?))
    }

    /// Whether it was made in one of these maps.
    pub(super) fn is_in(&self, maps: &HashSet<u32>) -> bool {
        maps.contains(&self.map)
    }
}

/// Why a variable cannot be changed, or None.
pub(super) fn refusal(var: &Var, label: &str, read_only: bool) -> Option<String> {
    if read_only {
        return Some(format!("{label}: nothing is changed, as --read-only says"));
    }
    match unwritable(var.map()) {
        Ok(unwritable) => unwritable.map(|unwritable| format!("{label}: {} {}", var.map(), unwritable.why)),
        Err(failure) => Some(failure_line(&failure)),
    }
}

/// What failed, as one clean line.
pub(super) fn failure_line(failure: &Failure) -> String {
    crate::output::clean(&failure.line(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> Event {
        Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn edit(how: How) -> Edit {
        Edit { path: vec![0], label: "x".into(), how, refused: None }
    }

    fn typed(edit: &mut Edit, text: &str) {
        text.chars().for_each(|c| assert_eq!(edit.take(&key(KeyCode::Char(c))), Edited::Goes));
    }

    #[test]
    fn what_is_typed_first_takes_the_place_of_what_was_there() {
        let mut fresh = edit(How::typed("1000".into()));
        typed(&mut fresh, "25");
        assert_eq!(fresh.new_text(), "25");
        let mut kept = edit(How::typed("1000".into()));
        kept.take(&key(KeyCode::Backspace));
        typed(&mut kept, "7");
        assert_eq!(kept.new_text(), "1007");
        let mut pasted = edit(How::typed("1000".into()));
        pasted.take(&Event::Paste("42\n".into()));
        assert_eq!((pasted.new_text().as_str(), pasted.take(&key(KeyCode::Enter))), ("42", Edited::Set));
        assert_eq!(pasted.take(&key(KeyCode::Esc)), Edited::Left);
    }

    #[test]
    fn arrows_step_a_number() {
        let mut number = edit(How::typed("-9".into()));
        for code in [KeyCode::PageUp, KeyCode::Up, KeyCode::Down, KeyCode::Down] {
            number.take(&key(code));
        }
        assert_eq!(number.new_text(), "0");
        let mut text = edit(How::typed("eth0".into()));
        text.take(&key(KeyCode::Up));
        assert_eq!(text.new_text(), "eth0");
    }

    #[test]
    fn a_switch_and_a_menu_are_chosen_from() {
        let mut switch = edit(How::Switch { on: false });
        switch.take(&key(KeyCode::Char(' ')));
        assert_eq!(switch.new_text(), "true");
        typed(&mut switch, "nope");
        assert_eq!(switch.new_text(), "true");
        typed(&mut switch, "f");
        assert_eq!(switch.new_text(), "false");
        let names = ["SLOW", "FAST", "OFF"].iter().zip(0..).map(|(name, value)| ((*name).to_owned(), value));
        let mut menu = edit(How::Menu { names: names.collect(), selected: 1 });
        for (code, now) in [
            (KeyCode::Down, "OFF"),
            (KeyCode::Down, "OFF"),
            (KeyCode::Home, "SLOW"),
            (KeyCode::Char('f'), "FAST"),
            (KeyCode::Char('z'), "FAST"),
            (KeyCode::PageDown, "OFF"),
        ] {
            menu.take(&key(code));
            assert_eq!(menu.new_text(), now);
        }
        menu.take(&key(KeyCode::Tab));
        typed(&mut menu, "7");
        assert_eq!(menu.new_text(), "7");
    }
}
