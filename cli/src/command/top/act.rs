//! What the user does, and what it makes of the state of the screen.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::app::{App, Flow, Mode, interval};
use super::edit::Edited;
use super::keys::{Action, HELP};
use super::layout::Columns;
use super::rows::Sort;
use super::tree::Path;

/// Two clicks on one row are a double click if there is no more time between them.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

impl App {
    /// Takes what the user did.
    pub(super) fn take(&mut self, event: &Event) -> Flow {
        let is_control = |key: &KeyEvent, code| key.code == code && key.modifiers == KeyModifiers::CONTROL;
        match event {
            Event::Resize(..) | Event::FocusGained => return Flow::Draw,
            Event::Key(key) if key.kind == KeyEventKind::Release => return Flow::Same,
            Event::Key(key) if is_control(key, KeyCode::Char('z')) => return Flow::Suspend,
            Event::Key(key) if is_control(key, KeyCode::Char('c')) && matches!(self.mode, Mode::Help(_)) => {
                return Flow::Quit;
            }
            // A terminal says the same of Alt and a key as of Esc and then the key.
            Event::Key(KeyEvent { code: code @ KeyCode::Char(_), modifiers: KeyModifiers::ALT, .. }) => {
                let first = self.take(&Event::Key(KeyCode::Esc.into()));
                let then = self.take(&Event::Key((*code).into()));
                return if then == Flow::Same { first } else { then };
            }
            _ => {}
        }
        match &mut self.mode {
            Mode::Rows => {
                let action = match event {
                    Event::Key(key) => Action::of_key(*key),
                    Event::Mouse(mouse) => Action::of_mouse(*mouse),
                    _ => None,
                };
                let Some(action) = action else { return Flow::Same };
                self.message = None;
                self.act(action)
            }
            Mode::Help(first) => match event {
                Event::Key(key) => {
                    match Action::of_key(*key) {
                        Some(Action::Move(by)) => {
                            *first = first.saturating_add_signed(by as i16).min(HELP.len() as u16 - 1);
                        }
                        Some(Action::Page(pages)) => {
                            *first = first.saturating_add_signed(4 * pages as i16).min(HELP.len() as u16 - 1);
                        }
                        _ => self.mode = Mode::Rows,
                    }
                    Flow::Draw
                }
                Event::Mouse(mouse) if Action::of_mouse(*mouse).is_some() => {
                    self.mode = Mode::Rows;
                    Flow::Draw
                }
                _ => Flow::Same,
            },
            Mode::Edit(edit) => {
                match edit.take(event) {
                    Edited::Goes => {}
                    Edited::Left => self.mode = Mode::Rows,
                    Edited::Set => self.set(),
                }
                Flow::Draw
            }
            Mode::Filter(_) | Mode::Interval(_) => {
                self.type_in(event);
                Flow::Draw
            }
        }
    }

    /// A key for the line that is typed in.
    fn type_in(&mut self, event: &Event) {
        let code = match event {
            Event::Key(KeyEvent { code: KeyCode::Char('c' | 'g'), modifiers: KeyModifiers::CONTROL, .. }) => {
                KeyCode::Esc
            }
            Event::Key(key) => key.code,
            _ => KeyCode::Null,
        };
        let (Mode::Filter(input) | Mode::Interval(input)) = &mut self.mode else { return };
        match (event, code) {
            (_, KeyCode::Enter | KeyCode::Esc) => {}
            (Event::Paste(text), _) => *input = Input::new(format!("{}{}", input.value(), text.trim())),
            _ => drop(input.handle_event(event)),
        }
        let typed = input.value().to_owned();
        match (&self.mode, code) {
            (Mode::Filter(_), KeyCode::Esc) => self.no_filter(),
            (Mode::Filter(_), KeyCode::Enter) => self.mode = Mode::Rows,
            (Mode::Filter(_), KeyCode::Up) => self.leave_filter(-1),
            (Mode::Filter(_), KeyCode::Down) => self.leave_filter(1),
            (Mode::Filter(_), _) => self.filter(&typed),
            (_, KeyCode::Enter) => self.set_interval(&typed),
            (_, KeyCode::Esc) => {
                self.mode = Mode::Rows;
                self.message = None;
            }
            _ => self.message = None,
        }
    }

    fn set_interval(&mut self, typed: &str) {
        match interval(typed) {
            Ok(interval) => {
                self.settings.interval = interval;
                self.tick = self.start.elapsed().as_nanos() / interval.as_nanos();
                self.mode = Mode::Rows;
                self.message = None;
            }
            Err(why) => self.say(why, true),
        }
    }

    /// Shows what has this in its name, and selects the first of it.
    fn filter(&mut self, filter: &str) {
        self.view.filter = filter.to_lowercase();
        self.top = 0;
        self.make_rows();
        self.select(self.rows.first_that_fits());
        self.keep_in_view();
    }

    /// Shows all again; what is selected stays so.
    fn no_filter(&mut self) {
        self.view.filter.clear();
        self.mode = Mode::Rows;
        self.make_rows();
        self.keep_in_view();
    }

    fn leave_filter(&mut self, by: isize) {
        self.mode = Mode::Rows;
        self.go(by);
    }

    fn act(&mut self, action: Action) -> Flow {
        let page = isize::from(self.geometry.rows.height.max(2) as i16) - 1;
        match action {
            Action::Move(by) => self.go(by),
            Action::Page(pages) => self.go(pages * page),
            Action::First => self.go(isize::MIN / 2),
            Action::Last => self.go(isize::MAX / 2),
            Action::Scroll(by) => self.top = self.top.saturating_add_signed(by).min(self.rows.len()),
            Action::Fold => match self.node().map(|node| node.open && node.has_parts()) {
                Some(true) => self.open(|_| false),
                _ if self.selected.len() > 1 => {
                    let parent = &self.selected[..self.selected.len() - 1];
                    let row = self.rows.row(parent).unwrap_or(self.row);
                    self.select(row);
                    self.keep_in_view();
                }
                _ => {}
            },
            Action::Unfold => match self.node().map(|node| node.open || !node.has_parts()) {
                Some(false) => self.open(|_| true),
                _ => self.go(1),
            },
            Action::Toggle => self.open(|open| !open),
            Action::FoldAll | Action::UnfoldAll => self.open_all(action == Action::UnfoldAll),
            Action::Click { x, y } => self.click(x, y),
            Action::Edit => self.edit(),
            Action::Add(amount) => self.add(amount),
            Action::Undo => self.undo(),
            Action::Filter => self.mode = Mode::Filter(Input::new(self.view.filter.clone())),
            Action::NoFilter => self.no_filter(),
            Action::Sort => self.sort(self.view.sort.next(), false),
            Action::Reverse => self.sort(self.view.sort, !self.view.reverse),
            Action::Histogram => self.turn_histogram(),
            Action::Pause => self.paused = !self.paused,
            Action::Interval => {
                let now = humantime::format_duration(self.settings.interval).to_string();
                self.mode = Mode::Interval(Input::new(now));
            }
            Action::Help => self.mode = Mode::Help(0),
            Action::Quit => return Flow::Quit,
        }
        Flow::Draw
    }

    fn sort(&mut self, sort: Sort, reverse: bool) {
        self.view.sort = sort;
        self.view.reverse = reverse;
        self.top = 0;
        self.make_rows();
    }

    /// Groups and variables; not what is inside of these.
    fn open_all(&mut self, open: bool) {
        for root in self.tree.roots.values_mut() {
            let is_group = root.node.is_group();
            root.node.open = open;
            let variables = root.node.children.values_mut().filter(|child| is_group && child.has_parts());
            variables.for_each(|variable| variable.open = open);
        }
        self.make_rows();
        self.keep_in_view();
    }

    fn click(&mut self, x: u16, y: u16) {
        let heads = self.geometry.heads;
        if let Some(sort) = self.columns.sort_at(x).filter(|_| (heads.y..heads.bottom()).contains(&y)) {
            let reverse = self.view.sort == sort && !self.view.reverse;
            return self.sort(sort, reverse);
        }
        let rows = self.geometry.rows;
        if !(rows.y..rows.bottom()).contains(&y) {
            return;
        }
        let row = self.top + usize::from(y - rows.y);
        if row >= self.rows.len() {
            return;
        }
        self.select(row);
        let marker = Columns::marker(self.selected.len() - 1);
        if marker.contains(&x) {
            self.last_click = None;
            return self.open(|open| !open);
        }
        let now = Instant::now();
        let is_second = |(then, path): &(Instant, Path)| now - *then < DOUBLE_CLICK && *path == self.selected;
        if self.last_click.take().is_some_and(|last| is_second(&last)) {
            self.edit();
        } else {
            self.last_click = Some((now, self.selected.clone()));
        }
    }
}
