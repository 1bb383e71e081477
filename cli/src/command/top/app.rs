//! The state of the screen: what is selected, what the user is doing, what is due.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tui_input::Input;

use super::edit::{Done, Edit, failure_line};
use super::layout::{Columns, Geometry};
use super::node::Node;
use super::rows::{Rows, Sort, View};
use super::scan::Scanner;
use super::status::{self, Shown, with_notes};
use super::tree::{Path, Tree};
use crate::cli::Switching;
use crate::error::Result;

/// Nobody sees more.
const LEAST_INTERVAL: Duration = Duration::from_millis(50);
/// It is looked so often whether programs came or went.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The state of the screen.
pub(super) struct App {
    pub(super) start: Instant,
    scanner: Scanner,
    pub(super) tree: Tree,
    pub(super) view: View,
    pub(super) rows: Rows,
    pub(super) selected: Path,
    /// The row that it was when the rows were made.
    pub(super) row: usize,
    /// The first row on the screen, and all rows there.
    pub(super) top: usize,
    pub(super) on_screen: Vec<Shown>,
    pub(super) mode: Mode,
    pub(super) message: Option<Message>,
    /// What is said of the node that is selected, and of which that is.
    status: (Path, String),
    pub(super) settings: Settings,
    /// How many samples were due.
    pub(super) tick: u128,
    pub(super) paused: bool,
    pub(super) done: Vec<Done>,
    pub(super) geometry: Geometry,
    pub(super) columns: Columns,
    last_look: Duration,
    /// Whether something came or went that has not been looked at.
    is_behind: bool,
    pub(super) last_click: Option<(Instant, Path)>,
    /// The time of the last sample.
    pub(super) now: Duration,
}

/// What the user has said when the tool was started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Between samples.
    pub(super) interval: Duration,
    pub(super) read_only: bool,
    pub(super) switching: Switching,
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
    pub(super) fn new(mut scanner: Scanner, settings: Settings, filter: &str) -> Result<App> {
        let mut tree = Tree::default();
        scanner.changed()?;
        tree.merge(scanner.look(None)?, &HashSet::new(), Duration::ZERO);
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
            settings,
            tick: 0,
            paused: false,
            done: Vec::new(),
            geometry: Geometry::default(),
            columns: Columns::default(),
            last_look: Duration::ZERO,
            is_behind: false,
            last_click: None,
            now: Duration::ZERO,
        };
        app.tree.sample(Duration::ZERO, false);
        app.make_rows();
        Ok(app)
    }

    /// How long nothing is due.
    pub(super) fn idle(&self) -> Duration {
        let next = self.settings.interval.as_nanos() * (self.tick + 1);
        Duration::from_nanos(next as u64).saturating_sub(self.start.elapsed()).min(BETWEEN_LOOKS)
    }

    /// Does what is due. Returns whether anything may look different.
    pub(super) fn tick(&mut self) -> bool {
        let at = self.start.elapsed();
        let mut is_new = false;
        if at.saturating_sub(self.last_look) >= BETWEEN_LOOKS {
            self.last_look = at;
            is_new = self.look(at).unwrap_or_else(|failure| {
                self.say(failure_line(&failure), true);
                true
            });
        }
        // Deadlines are multiples of the interval since the start; those that have passed are left out.
        let tick = at.as_nanos() / self.settings.interval.as_nanos();
        if tick > self.tick {
            self.tick = tick;
            if !self.paused {
                self.now = at;
                let by_number = self.view.sort != Sort::Name;
                // Rows that changed places with every sample could not be read.
                if self.tree.sample(at, by_number) && by_number {
                    self.make_rows();
                }
                is_new = true;
            }
        }
        is_new
    }

    /// Looks whether programs came or went.
    fn look(&mut self, at: Duration) -> Result<bool> {
        let mut is_new = self.tree.forget(at);
        // A map may have been frozen.
        self.status.0.clear();
        self.is_behind |= self.scanner.changed()?;
        if self.is_behind {
            let used = self.scanner.used()?;
            let unused = self.tree.unused();
            self.done.retain(|done| done.is_in(&used) || done.is_in(&unused));
            let settled = self.tree.settled(&used);
            self.tree.release(&used);
            self.tree.merge(self.scanner.look(Some(&settled))?, &settled, at);
            self.is_behind = false;
            is_new = true;
        }
        if is_new {
            self.make_rows();
            self.leave_what_is_gone();
        }
        Ok(is_new)
    }

    pub(super) fn make_rows(&mut self) {
        self.rows = Rows::of(&mut self.tree, &self.view);
        // What is not there any more is stood for by what it was in, or by what is in its place.
        let known = (1..=self.selected.len()).rev().find_map(|end| self.rows.row(&self.selected[..end]));
        self.select(known.unwrap_or(self.row));
    }

    pub(super) fn select(&mut self, row: usize) {
        self.row = row.min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.path(self.row).unwrap_or_default();
    }

    /// Folds or unfolds what is selected.
    pub(super) fn open(&mut self, open: impl Fn(bool) -> bool) {
        if let Some(node) = self.tree.node_mut(&self.selected).filter(|node| node.has_parts()) {
            node.open = open(node.open);
            self.make_rows();
            self.keep_in_view();
        }
    }

    /// Says what is on a screen of this geometry, and reads what is new there.
    pub(super) fn show(&mut self, geometry: Geometry) {
        // What is typed below the rows must not cover what it is about.
        let before = usize::from(self.geometry.rows.height);
        self.geometry = geometry;
        let height = usize::from(geometry.rows.height);
        if height < before && (self.top..self.top + before).contains(&self.row) {
            self.keep_in_view();
        }
        self.top = self.top.min(self.rows.len().saturating_sub(height));
        let paths: Vec<Path> = (self.top..self.top + height).map_while(|row| self.rows.path(row)).collect();
        self.tree.show(&paths, self.start.elapsed());
        self.on_screen = with_notes(&self.tree, paths);
        let nodes = self.on_screen.iter().filter_map(|row| Some((row, self.tree.node(&row.path)?)));
        self.columns = self.columns.fit(geometry.rows.width, nodes);
        if self.status.0 != self.selected {
            self.status = (self.selected.clone(), status::of(&self.tree, &self.selected, self.settings.read_only));
        }
    }

    pub(super) fn node(&self) -> Option<&Node> {
        self.tree.node(&self.selected)
    }

    pub(super) fn status(&self) -> &str {
        &self.status.1
    }

    pub(super) fn say(&mut self, text: String, is_error: bool) {
        self.message = Some(Message { text, is_error });
    }

    /// Goes so many rows down.
    pub(super) fn go(&mut self, by: isize) {
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

    pub(super) fn keep_in_view(&mut self) {
        let height = usize::from(self.geometry.rows.height).max(1);
        self.top = self.top.clamp((self.row + 1).saturating_sub(height), self.row);
    }
}

/// A time between samples that can be seen.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = crate::command::watch::interval(text)?;
    if interval < LEAST_INTERVAL {
        Err("nobody sees more: it must be from 50ms to 1day".to_owned())
    } else {
        Ok(interval)
    }
}
