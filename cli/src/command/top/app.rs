//! The state of the screen: what is selected, what the user is doing, and what each action makes of it.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::draw::{Columns, Geometry};
use super::edit::{Done, Edit, Edited, failure_line, refusal};
use super::interval;
use super::keys::{Action, HELP};
use super::node::Node;
use super::rows::{Rows, View};
use super::scan::Scanner;
use super::tree::{Path, Tree};
use crate::access::Access;
use crate::error::Result;
use crate::histogram::{Histogram, Scale};
use crate::output::clean;
use crate::value::text;

/// Two clicks on one row are a double click if there is no more time between them.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// It is looked so often whether programs came or went.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The state of the screen.
pub(super) struct App {
    start: Instant,
    scanner: Scanner,
    pub(super) tree: Tree,
    pub(super) view: View,
    pub(super) rows: Rows,
    pub(super) selected: Path,
    /// The row that it was when the rows were made.
    row: usize,
    /// The first row on the screen, and all rows there.
    pub(super) top: usize,
    pub(super) on_screen: Vec<Shown>,
    pub(super) mode: Mode,
    pub(super) message: Option<Message>,
    /// What is said of the node that is selected, and of which that is.
    status: (Path, String),
    pub(super) interval: Duration,
    /// How many samples were due.
    tick: u128,
    pub(super) paused: bool,
    pub(super) read_only: bool,
    done: Vec<Done>,
    pub(super) geometry: Geometry,
    pub(super) columns: Columns,
    last_look: Duration,
    last_click: Option<(Instant, Path)>,
    /// The time of the last sample.
    pub(super) now: Duration,
}

/// A row on the screen.
pub(super) struct Shown {
    pub(super) path: Path,
    /// What stands behind its name: how many elements it has, or what it counts in a histogram.
    pub(super) note: String,
}

/// What keys are for.
pub(super) enum Mode {
    Rows,
    /// The filter as it is typed.
    Filter(Input),
    Interval(Input),
    Edit(Edit),
    /// The first line of the help that is to be seen.
    Help(u16),
}

/// Something that the user is told.
pub(super) struct Message {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// What is to be done by whoever holds the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Nothing has changed on the screen.
    Same,
    Draw,
    Suspend,
    Quit,
}

impl App {
    /// # Errors
    ///
    /// What the kernel refuses; a target that names nothing.
    pub(super) fn new(mut scanner: Scanner, interval: Duration, read_only: bool, filter: &str) -> Result<App> {
        let mut tree = Tree::default();
        scanner.changed()?;
        tree.merge(scanner.look(true)?, Duration::ZERO);
        let mut app = App {
            start: Instant::now(),
            scanner,
            tree,
            view: View { filter: filter.to_lowercase(), ..View::default() },
            rows: Rows::default(),
            selected: Path::new(),
            row: 0,
            top: 0,
            on_screen: Vec::new(),
            mode: Mode::Rows,
            message: None,
            status: (Path::new(), String::new()),
            interval,
            tick: 0,
            paused: false,
            read_only,
            done: Vec::new(),
            geometry: Geometry::default(),
            columns: Columns::default(),
            last_look: Duration::ZERO,
            last_click: None,
            now: Duration::ZERO,
        };
        app.tree.sample(Duration::ZERO, false);
        app.make_rows();
        Ok(app)
    }

    /// How long nothing is due.
    pub(super) fn idle(&self) -> Duration {
        let next = self.interval.as_nanos() * (self.tick + 1);
        Duration::from_nanos(next as u64).saturating_sub(self.start.elapsed()).min(BETWEEN_LOOKS)
    }

    /// Does what is due. Returns whether anything may look different.
    pub(super) fn tick(&mut self) -> Result<bool> {
        let at = self.start.elapsed();
        let mut is_new = false;
        if at.saturating_sub(self.last_look) >= BETWEEN_LOOKS {
            self.last_look = at;
            is_new = self.look(at)?;
        }
        // Deadlines are multiples of the interval since the start; those that have passed are left out.
        let tick = at.as_nanos() / self.interval.as_nanos();
        if tick > self.tick {
            self.tick = tick;
            if !self.paused {
                self.now = at;
                let in_order = self.view.sort != super::rows::Sort::Name;
                let sweep = self.tree.sample(at, in_order);
                if in_order && sweep {
                    self.make_rows();
                }
                is_new = true;
            }
        }
        Ok(is_new)
    }

    /// Looks whether programs came or went.
    fn look(&mut self, at: Duration) -> Result<bool> {
        let mut is_new = self.tree.forget(at);
        if self.scanner.changed()? {
            let used = self.scanner.used()?;
            self.done.retain(|done| done.is_in(&used));
            self.tree.release(&used);
            self.tree.merge(self.scanner.look(false)?, at);
            is_new = true;
        }
        if is_new {
            self.make_rows();
            self.status.0.clear();
            let is_gone = |edit: &Edit| self.tree.node(&edit.path).is_none_or(|node| node.var().is_none());
            if let Mode::Edit(edit) = &self.mode {
                if is_gone(edit) {
                    self.say(format!("{}: it is gone; nothing was changed", clean(&edit.label)), true);
                    self.mode = Mode::Rows;
                }
            }
        }
        Ok(is_new)
    }

    fn make_rows(&mut self) {
        self.rows = Rows::of(&mut self.tree, &self.view);
        // What is not there any more is stood for by what it was in, or by what is in its place.
        let known = (1..=self.selected.len()).rev().find_map(|end| self.rows.row(&self.selected[..end]));
        self.select(known.unwrap_or(self.row));
    }

    fn select(&mut self, row: usize) {
        self.row = row.min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.path(self.row).unwrap_or_default();
    }

    /// Makes everything fit the screen, and reads what is new on it.
    pub(super) fn lay_out(&mut self, area: Rect) {
        self.geometry = Geometry::of(area, self);
        let height = usize::from(self.geometry.rows.height);
        self.top = self.top.min(self.rows.len().saturating_sub(height));
        let paths: Vec<Path> = (self.top..self.top + height).map_while(|row| self.rows.path(row)).collect();
        self.tree.show(&paths, self.start.elapsed());
        self.on_screen = notes(&self.tree, paths);
        let nodes = self.on_screen.iter().filter_map(|row| Some((row, self.tree.node(&row.path)?)));
        self.columns = self.columns.fit(self.geometry.rows.width, nodes);
        if self.status.0 != self.selected {
            self.status = (self.selected.clone(), self.status_of(&self.selected));
        }
    }

    pub(super) fn node(&self) -> Option<&Node> {
        self.tree.node(&self.selected)
    }

    pub(super) fn status(&self) -> &str {
        &self.status.1
    }

    /// Name, type, access, place; and why it cannot be changed.
    fn status_of(&self, path: &[u32]) -> String {
        let (Some(node), Some(root)) = (self.tree.node(path), self.tree.root(path)) else {
            return String::new();
        };
        let label = clean(&node.label);
        let Some(var) = node.var() else {
            return match root.gone {
                Some(_) => format!("{label}  gone: no program uses it any more"),
                None => format!("{label}  {}  {} variables", root.note, node.children.len()),
            };
        };
        let map = var.map();
        let place = match map.section() {
            Some(section) => format!("{} of map:{}", clean(section), map.info().id),
            None => format!("map:{}", map.info().id),
        };
        let together = var.together().iter().map(|word| format!("  {word}")).collect::<String>();
        let access = Access::of(map).map_or("unknown", Access::mode);
        let why = match access {
            "read-write" if !self.read_only => String::new(),
            _ => refusal(var, &node.label, self.read_only).map_or_else(String::new, |why| {
                format!("  ({})", clean(why.strip_prefix(&format!("{}: ", node.label)).unwrap_or(&why)))
            }),
        };
        format!("{label}  {}  {}  {place}{together}{why}", clean(&var.type_name()), access)
    }

    fn say(&mut self, text: String, is_error: bool) {
        self.message = Some(Message { text, is_error });
    }

    /// Takes what the user did.
    pub(super) fn take(&mut self, event: &Event) -> Flow {
        match event {
            Event::Resize(..) | Event::FocusGained => return Flow::Draw,
            Event::Key(key) if key.kind == KeyEventKind::Release => return Flow::Same,
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
                        Some(Action::Suspend) => return Flow::Suspend,
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
            (Mode::Filter(_), KeyCode::Esc) => self.filter(""),
            (Mode::Filter(_), KeyCode::Enter) => self.mode = Mode::Rows,
            (Mode::Filter(_), KeyCode::Up) => self.leave_filter(-1),
            (Mode::Filter(_), KeyCode::Down) => self.leave_filter(1),
            (Mode::Filter(_), _) => {
                self.view.filter = typed.to_lowercase();
                self.top = 0;
                self.make_rows();
                self.keep_in_view();
            }
            (_, KeyCode::Esc) => self.mode = Mode::Rows,
            (_, KeyCode::Enter) => match interval(&typed) {
                Ok(interval) => {
                    self.interval = interval;
                    self.tick = self.start.elapsed().as_nanos() / interval.as_nanos();
                    self.mode = Mode::Rows;
                }
                Err(why) => self.say(why, true),
            },
            _ => self.message = None,
        }
    }

    fn filter(&mut self, filter: &str) {
        self.view.filter = filter.to_owned();
        self.mode = Mode::Rows;
        self.make_rows();
        self.keep_in_view();
    }

    fn leave_filter(&mut self, by: isize) {
        self.mode = Mode::Rows;
        self.go(by);
    }

    /// Goes so many rows down.
    fn go(&mut self, by: isize) {
        self.row = self.rows.row(&self.selected).unwrap_or(self.row);
        let last = (self.top + usize::from(self.geometry.rows.height)).saturating_sub(1);
        // What was scrolled or sorted out of sight is not where the user looks.
        let row = match (self.top..=last).contains(&self.row) {
            true => self.row.saturating_add_signed(by),
            false if by > 0 => self.top.saturating_add_signed(by - 1),
            false => last.saturating_add_signed(by + 1),
        };
        self.select(row);
        self.keep_in_view();
    }

    fn keep_in_view(&mut self) {
        let height = usize::from(self.geometry.rows.height).max(1);
        self.top = self.top.clamp((self.row + 1).saturating_sub(height), self.row);
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
            Action::FoldAll | Action::UnfoldAll => {
                self.open_all(action == Action::UnfoldAll);
            }
            Action::Click { x, y } => self.click(x, y),
            Action::Edit => self.edit(),
            Action::Add(amount) => self.add(amount),
            Action::Undo => self.undo(),
            Action::Filter => self.mode = Mode::Filter(Input::new(self.view.filter.clone())),
            Action::NoFilter => self.filter(""),
            Action::Sort => self.sort(self.view.sort.next(), false),
            Action::Reverse => self.sort(self.view.sort, !self.view.reverse),
            Action::Histogram => self.turn_histogram(),
            Action::Pause => self.paused = !self.paused,
            Action::Interval => {
                let now = humantime::format_duration(self.interval).to_string();
                self.mode = Mode::Interval(Input::new(now));
            }
            Action::Help => self.mode = Mode::Help(0),
            Action::Suspend => return Flow::Suspend,
            Action::Quit => return Flow::Quit,
        }
        Flow::Draw
    }

    fn sort(&mut self, sort: super::rows::Sort, reverse: bool) {
        self.view.sort = sort;
        self.view.reverse = reverse;
        self.top = 0;
        self.make_rows();
    }

    fn open(&mut self, open: impl Fn(bool) -> bool) {
        if let Some(node) = self.tree.node_mut(&self.selected).filter(|node| node.has_parts()) {
            node.open = open(node.open);
            self.make_rows();
            self.keep_in_view();
        }
    }

    /// Groups and variables; not what is inside of these.
    fn open_all(&mut self, open: bool) {
        for root in self.tree.roots.values_mut() {
            let is_group = root.node.is_group();
            root.node.open = open;
            root.node
                .children
                .values_mut()
                .filter(|_| is_group)
                .for_each(|child| child.open = open && child.has_parts());
        }
        self.make_rows();
        self.keep_in_view();
    }

    fn click(&mut self, x: u16, y: u16) {
        if let Some(sort) =
            self.columns.sort_at(x).filter(|_| y == self.geometry.heads.y && self.geometry.heads.height > 0)
        {
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

    /// The selected variable, if it can be changed; else the user is told why not.
    fn changeable(&mut self) -> Option<(String, bpfvar::Var)> {
        let node = self.node()?;
        let label = node.label.clone();
        let refused = match node.var() {
            _ if node.has_parts() && !node.is_group() => {
                Some(format!("{label}: only a single value is changed here; unfold it"))
            }
            None if node.is_group() => Some(format!("{label}: choose a variable of it")),
            None => Some(format!("{label}: it is gone, and has no value that could be changed")),
            Some(var) => refusal(var, &label, self.read_only),
        };
        match (refused, node.var().cloned()) {
            (None, Some(var)) => Some((label, var)),
            (refused, _) => {
                self.say(clean(&refused.unwrap_or_default()), true);
                None
            }
        }
    }

    fn edit(&mut self) {
        if self.node().is_some_and(Node::has_parts) {
            return self.open(|open| !open);
        }
        let Some((label, var)) = self.changeable() else { return };
        match var.read() {
            Ok(value) => self.mode = Mode::Edit(Edit::new(self.selected.clone(), &label, &var, &value)),
            Err(error) => self.say(failure_line(&error.into()), true),
        }
    }

    /// Sets what was edited.
    fn set(&mut self) {
        let Mode::Edit(edit) = &mut self.mode else { return };
        let Some(var) = self.tree.node(&edit.path).and_then(Node::var) else { return };
        match edit.apply(var) {
            Ok(done) => {
                self.mode = Mode::Rows;
                self.keep(done);
            }
            Err(failure) => edit.refused = Some(failure_line(&failure)),
        }
    }

    fn add(&mut self, amount: i8) {
        let Some((label, var)) = self.changeable() else { return };
        match Done::add(&label, &var, amount) {
            Ok(done) => self.keep(done),
            Err(failure) => self.say(failure_line(&failure), true),
        }
    }

    fn keep(&mut self, done: Done) {
        let (old, new) = done.values();
        self.say(format!("{}: {} -> {}; u undoes it", clean(&done.label), text(old), text(new)), false);
        self.done.push(done);
        self.read_selected();
    }

    fn undo(&mut self) {
        let Some(done) = self.done.pop() else { return self.say("there is nothing to undo".to_owned(), false) };
        let label = clean(&done.label);
        match done.undo() {
            Ok(now) => self.say(format!("{label}: undone, it is {now} again"), false),
            Err(failure) => self.say(failure_line(&failure), true),
        }
        self.read_selected();
    }

    /// Shows a change at once.
    fn read_selected(&mut self) {
        let at = self.start.elapsed();
        if let Some(node) = self.tree.node_mut(&self.selected) {
            node.catch_up(at);
        }
    }

    fn turn_histogram(&mut self) {
        let said = self.tree.node_mut(&self.selected).and_then(Node::turn_histogram);
        let text = match said {
            Some(Some(Scale::Log2)) => "a histogram: element N counts the values from 2^N",
            Some(Some(Scale::Linear { .. })) => "a histogram: element N counts the value N",
            Some(None) => "no histogram",
            None => "a histogram is an array of counters: select one",
        };
        self.say(text.to_owned(), said.is_none());
        self.make_rows();
    }
}

/// The rows with their notes.
fn notes(tree: &Tree, paths: Vec<Path>) -> Vec<Shown> {
    // Elements of one histogram follow each other.
    let mut known: Option<(Path, Option<Histogram>)> = None;
    let mut note = |path: &Path| {
        let (key, parent) = path.split_last()?;
        let node = tree.node(path)?;
        if node.elements() > 0 {
            return Some(format!("[{}]", node.elements()));
        }
        if known.as_ref().is_none_or(|(known, _)| known != parent) {
            known = Some((parent.to_vec(), tree.node(parent).and_then(Node::histogram)));
        }
        let (_, histogram) = known.as_ref()?;
        Some(format!(" {}", histogram.as_ref()?.label(*key as usize)))
    };
    paths.into_iter().map(|path| Shown { note: note(&path).unwrap_or_default(), path }).collect()
}
