//! The rows of the tree.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use bpfvar::Value;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use super::super::app::App;
use super::super::format::{number_in, percentiles, rate_in};
use super::super::layout::{Column, Columns, indent};
use super::super::node::Node;
use super::super::status::Shown;
use super::super::tree::{Path, Root};
use super::graph;
use super::theme::{Ink, Theme};
use crate::output::clean;
use crate::value::{fit, fit_name, signed};

/// A column of a table of structs is no wider.
const WIDEST_MEMBER: usize = 20;
/// Blanks between two of them.
const BETWEEN: usize = 2;

/// A row that is being drawn.
struct Row<'f, 'a, 'b> {
    frame: &'f mut Frame<'b>,
    area: Rect,
    columns: &'a Columns,
    theme: &'a Theme,
    /// For all of the row: what is gone is dim.
    base: Style,
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let tables = tables(app);
    let next = |row: usize| app.rows.path(app.top + row + 1);
    for ((y, row), Shown { path, note }) in (area.y..area.bottom()).zip(0..).zip(&app.on_screen) {
        let (Some(node), Some(root)) = (app.tree.node(path), app.tree.root(path)) else { continue };
        let parent = path.split_last().and_then(|(_, parent)| app.tree.node(parent));
        let base = if root.gone.is_some() { theme.style(Ink::Gone) } else { Style::new() };
        let area = Rect { y, height: 1, ..area };
        // A filter opens what holds something that fits.
        let is_open = node.open || next(row).is_some_and(|next| next.starts_with(path));
        let mut row = Row { frame, area, columns: &app.columns, theme, base };
        row.marker(node, is_open, path.len() - 1);
        if !node.is_group() {
            row.name(node, path, note);
        }
        match parent.filter(|parent| is_table(parent)).and_then(|_| tables.get(&path[..path.len() - 1])) {
            Some(widths) => row.members(node, widths),
            None if node.is_group() => row.group(node, root, app),
            None if is_table(node) && node.open && tables.contains_key(path) => {
                row.member_names(node, app, path, &tables[path])
            }
            None if node.has_parts() => row.parts(node, app),
            None => row.scalar(node, parent, app),
        }
        if let Some(gone) = root.gone.filter(|_| path.len() == 1 && !node.is_group()) {
            row.gone(gone, app);
        }
        if *path == app.selected {
            let text = Rect { width: app.columns.graph.x.min(area.width), ..area };
            let text = if app.columns.graph.width == 0 { area } else { text };
            frame.buffer_mut().set_style(text, theme.style(Ink::Selected));
        }
    }
    if app.on_screen.is_empty() && area.height > 0 {
        let text = match app.view.filter.is_empty() {
            true => "there are no programs or array maps with variables".to_owned(),
            false => format!("nothing has {:?} in its name; Esc shows all", app.view.filter),
        };
        frame.render_widget(theme.text(Ink::Faint, clean(&text)), Rect { height: 1, ..area });
    }
}

/// Whether its elements are shown as a table: structs in columns.
fn is_table(node: &Node) -> bool {
    node.elements() > 0 && node.children.values().next().is_some_and(|child| !child.members().is_empty())
}

/// The widths of the columns of each table on the screen.
fn tables(app: &App) -> HashMap<Path, Vec<usize>> {
    let mut tables: HashMap<Path, Vec<usize>> = HashMap::new();
    for Shown { path, .. } in &app.on_screen {
        let Some((_, parent)) = path.split_last() else { continue };
        let Some(node) = app.tree.node(path).filter(|node| !node.members().is_empty()) else { continue };
        if !app.tree.node(parent).is_some_and(is_table) {
            continue;
        }
        let names = || node.members().iter().map(|name| clean(name).width().min(WIDEST_MEMBER)).collect();
        let widths = tables.entry(parent.to_vec()).or_insert_with(names);
        for (width, text) in widths.iter_mut().zip(node.member_texts(WIDEST_MEMBER)) {
            *width = (*width).max(text.width().min(WIDEST_MEMBER));
        }
    }
    tables
}

impl Row<'_, '_, '_> {
    /// Puts text into a column, cut where that ends.
    fn put(&mut self, column: Column, text: &str, ink: Ink, right: bool) {
        if column.width == 0 {
            return;
        }
        let text = fit(text, column.room());
        let pad = if right { column.width.saturating_sub(text.width() as u16) } else { 0 };
        let span = Span::styled(text, self.base.patch(self.theme.style(ink)));
        self.frame.render_widget(span, self.place(Column { x: column.x + pad, width: column.width - pad }));
    }

    fn place(&self, column: Column) -> Rect {
        let x = self.area.x + column.x.min(self.area.width);
        Rect { x, width: column.width.min(self.area.right() - x), ..self.area }
    }

    fn marker(&mut self, node: &Node, is_open: bool, depth: usize) {
        let Range { start, end } = Columns::marker(depth);
        let room = Column { x: start.min(self.columns.name.width), width: end.min(self.columns.name.width) };
        let marker = match (node.has_parts(), is_open) {
            (true, true) => "▾",
            (true, false) => "▸",
            (false, _) => "",
        };
        self.put(Column { width: room.width - room.x, ..room }, marker, Ink::Faint, false);
    }

    fn name(&mut self, node: &Node, path: &Path, note: &str) {
        let name = self.columns.name;
        let start = indent(path.len() - 1).min(name.width);
        let ink = if path.len() == 1 { Ink::Group } else { Ink::Plain };
        let mut room = Column { x: start, width: name.width - start };
        let text = fit_name(&node.name, room.room());
        self.put(room, &text, ink, false);
        let used = (text.width() as u16).min(room.width);
        room = Column { x: room.x + used, width: room.width - used };
        if note.width() <= room.room() {
            self.put(room, note, Ink::Faint, false);
        }
    }

    fn kind(&mut self, node: &Node) {
        if let Some(var) = node.var() {
            let text = clean(&var.type_name());
            self.put(self.columns.kind, &text, Ink::Faint, false);
        }
    }

    /// Name and note of a group, up to the graph.
    fn group(&mut self, node: &Node, root: &Root, app: &App) {
        let start = indent(0).min(self.columns.name.end());
        let room = Column { x: start, width: self.columns.wide().end() - start };
        let name = fit(&node.name, (room.room() * 3 / 5).max(8));
        self.put(room, &name, Ink::Group, false);
        let used = (name.width() as u16 + BETWEEN as u16).min(room.width);
        let rest = Column { x: room.x + used, width: room.width - used };
        match root.gone {
            Some(gone) => self.put(rest, &ago(gone, app), Ink::Error, false),
            None => self.put(rest, &clean(&root.note), Ink::Faint, false),
        }
        self.graph(node, app, self.columns.minute());
    }

    /// What is gone and no group says so in place of its graph.
    fn gone(&mut self, gone: Duration, app: &App) {
        let graph = self.columns.graph;
        let place = if graph.width > 0 { graph } else { self.columns.wide() };
        self.put(place, &" ".repeat(place.room()), Ink::Plain, false);
        self.put(place, &ago(gone, app), Ink::Error, false);
    }

    fn scalar(&mut self, node: &Node, parent: Option<&Node>, app: &App) {
        self.kind(node);
        let ink = if node.series.changed() { Ink::Changed } else { Ink::Plain };
        if let Some(instead) = &node.instead {
            return self.put(self.columns.wide(), instead, Ink::Error, false);
        }
        let value = number_in(&node.text(self.columns.value.room()), self.columns.value.room());
        self.put(self.columns.value, &value, ink, true);
        let change = match node.series.change() {
            Some(change) => number_in(&signed(&change), self.columns.change.room()),
            None if node.series.changed() => "changed".to_owned(),
            None => String::new(),
        };
        // What does not move is not to draw the eye.
        let is_still = node.series.change().is_some() && !node.series.changed();
        self.put(self.columns.change, &change, if is_still { Ink::Faint } else { ink }, true);
        self.rate(node, ink);
        let element = parent.filter(|parent| parent.is_list());
        let number = node.value().and_then(Value::as_f64);
        let (graph, bar) = match (element, number) {
            (Some(_), Some(_)) => self.columns.minute_and_bar(),
            _ => (self.columns.minute(), Column::default()),
        };
        self.graph(node, app, graph);
        if let (Some(parent), Some(number)) = (element, number) {
            // Of what is too large to be read whole, those beside it.
            let beside = || parent.children.values().filter_map(|child| child.value()?.as_f64()).collect();
            let all = parent.numbers().unwrap_or_else(beside);
            let high = all.into_iter().map(f64::abs).fold(0.0, f64::max);
            let share = if high > 0.0 { number.abs() / high } else { 0.0 };
            self.put(bar, &graph::bar(share, bar.room()), Ink::Bar, false);
        }
    }

    fn rate(&mut self, node: &Node, ink: Ink) {
        if let Some(rate) = node.series.rate() {
            let text = rate_in(rate, self.columns.rate.room());
            self.put(self.columns.rate, &text, if rate == 0.0 { Ink::Faint } else { ink }, true);
        }
    }

    /// Something with parts that is no element of a table: a histogram by its percentiles, an array of numbers by bars, others by
    /// what they hold.
    fn parts(&mut self, node: &Node, app: &App) {
        self.kind(node);
        let Columns { value, change, .. } = *self.columns;
        let narrow = Column { x: value.x, width: change.end().max(value.end()) - value.x };
        if let Some(instead) = &node.instead {
            return self.put(self.columns.wide(), instead, Ink::Error, false);
        }
        let ink = if node.series.changed() { Ink::Changed } else { Ink::Plain };
        let Some(numbers) = node.numbers() else {
            let text = match node.value() {
                Some(_) => node.text(self.columns.wide().room()),
                None if node.elements() > 0 => format!("{} elements", node.elements()),
                None => String::new(),
            };
            self.put(self.columns.wide(), &text, ink, false);
            return self.graph(node, app, self.columns.minute());
        };
        let text = match node.histogram() {
            Some(histogram) => percentiles(&histogram, narrow.room()),
            None => node.text(narrow.room()),
        };
        self.put(narrow, &text, ink, false);
        self.rate(node, ink);
        let bars = graph::bars(&numbers, self.columns.graph.room());
        let area = Column { width: bars.len() as u16, ..self.columns.graph };
        graph::line(self.frame, self.place(area), &bars, self.base.patch(self.theme.style(Ink::Bar)));
    }

    fn graph(&mut self, node: &Node, app: &App, column: Column) {
        let levels = node.series.graph(app.now, column.room());
        graph::line(self.frame, self.place(column), &levels, self.base.patch(self.theme.style(Ink::Graph)));
    }

    /// An entry of a table.
    fn members(&mut self, node: &Node, widths: &[usize]) {
        if let Some(instead) = &node.instead {
            return self.put(self.columns.wide(), instead, Ink::Error, false);
        }
        let ink = if node.series.changed() { Ink::Changed } else { Ink::Plain };
        self.cells(node.member_texts(WIDEST_MEMBER), widths, ink);
    }

    /// The head of a table, in the row of what it is of.
    fn member_names(&mut self, node: &Node, app: &App, path: &Path, widths: &[usize]) {
        let child = app.on_screen.iter().find(|row| row.path.split_last().is_some_and(|(_, parent)| parent == path));
        let names = child.and_then(|child| app.tree.node(&child.path)).map(Node::members).unwrap_or_default();
        self.kind(node);
        self.cells(names.iter().map(|name| clean(name)), widths, Ink::Faint);
    }

    /// Texts in the columns of a table, as many as there is room for.
    fn cells(&mut self, texts: impl IntoIterator<Item = String>, widths: &[usize], ink: Ink) {
        let all = self.columns.all();
        let mut x = all.x;
        for (text, width) in texts.into_iter().zip(widths) {
            if x >= all.end() {
                break;
            }
            let wanted = (*width).min(usize::from(all.end() - x)) as u16;
            let text = if wanted < *width as u16 { "…".to_owned() } else { fit(&text, *width) };
            self.put(Column { x, width: wanted }, &text, ink, true);
            x = x.saturating_add(*width as u16 + BETWEEN as u16);
        }
    }
}

fn ago(gone: Duration, app: &App) -> String {
    format!("gone {} s ago", app.now.saturating_sub(gone).as_secs())
}
