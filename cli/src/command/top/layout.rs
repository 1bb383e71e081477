//! Where what is on the screen: lines, and columns with their widths.

use std::ops::Range;

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::node::Node;
use super::rows::Sort;
use super::series::SECONDS;
use super::status::Shown;

/// Blanks between two columns.
const BETWEEN: u16 = 1;
/// Columns that each level of the tree takes.
const INDENT: u16 = 2;
/// Bars are no wider.
const WIDEST_BAR: u16 = 60;

/// Where what is on the screen, a line each but for the rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Geometry {
    pub(super) title: Rect,
    /// The heads of the columns.
    pub(super) heads: Rect,
    pub(super) rows: Rect,
    /// What is said of the selected row.
    pub(super) status: Rect,
    /// Keys, messages, what is typed.
    pub(super) bottom: Rect,
}

impl Geometry {
    /// With so many lines at the bottom. Rows go before all else: on a low screen the rest is left out.
    pub(super) fn of(area: Rect, bottom: u16) -> Geometry {
        let has = |height: u16| area.height > height;
        let (title, heads, status) = (u16::from(has(7)), u16::from(has(4)), u16::from(has(2)));
        let bottom = bottom.min(area.height.saturating_sub(1 + title + heads + status));
        let line = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
        let rows = area.height - (title + heads + status + bottom).min(area.height);
        Geometry {
            title: line(0, title),
            heads: line(title, heads),
            rows: line(title + heads, rows),
            status: line(title + heads + rows, status),
            bottom: line(title + heads + rows + status, bottom),
        }
    }

    /// How many cells all of it has.
    pub(super) fn cells(&self) -> u32 {
        let all = [self.title, self.heads, self.rows, self.status, self.bottom];
        all.iter().map(|area| area.area()).sum()
    }
}

/// A column: where it starts, and its width. One without a width is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) x: u16,
    pub(super) width: u16,
}

impl Column {
    pub(super) fn end(self) -> u16 {
        self.x + self.width
    }

    pub(super) fn room(self) -> usize {
        self.width.into()
    }
}

/// The columns of the screen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns {
    width: u16,
    /// The widest name and value so far, so that columns do not jump.
    widest: (u16, u16),
    pub(super) name: Column,
    pub(super) kind: Column,
    pub(super) value: Column,
    pub(super) change: Column,
    pub(super) rate: Column,
    pub(super) graph: Column,
}

impl Columns {
    /// Fits them to the width of the screen and to what is on it.
    pub(super) fn fit<'n>(self, width: u16, rows: impl Iterator<Item = (&'n Shown, &'n Node)>) -> Columns {
        let mut widest = if width == self.width { self.widest } else { (0, 0) };
        for (row, node) in rows.filter(|(_, node)| !node.is_group()) {
            let name = usize::from(indent(row.path.len() - 1)) + node.name.width() + row.note.width();
            widest.0 = widest.0.max(name.min(usize::from(u16::MAX)) as u16);
            if !node.has_parts() {
                let value = node.text(usize::from(width)).width();
                widest.1 = widest.1.max(value.min(usize::from(u16::MAX)) as u16);
            }
        }
        Columns::of(width, widest)
    }

    fn of(width: u16, widest: (u16, u16)) -> Columns {
        let (change, rate, kind) = match width {
            ..34 => (0, 0, 0),
            34..60 => (0, 8, 0),
            60..140 => (10, 10, 0),
            140..180 => (12, 12, 18),
            _ => (16, 16, 30),
        };
        let share = |numerator: u16, denominator: u16| {
            (u32::from(width) * u32::from(numerator) / u32::from(denominator)) as u16
        };
        let name = (widest.0 + 1).clamp(10, share(7, 20).max(10)).min(width);
        let value = widest.1.clamp(9, share(1, 4).max(9)).min(width.saturating_sub(name + BETWEEN));
        let mut x = 0;
        let mut place = |wanted: u16| {
            let column = Column { x: x.min(width), width: wanted.min(width.saturating_sub(x)) };
            if wanted > 0 {
                x = column.end().saturating_add(BETWEEN);
            }
            column
        };
        let (name, kind, value, change, rate) = (place(name), place(kind), place(value), place(change), place(rate));
        let graph = if width < 34 { place(0) } else { place(SECONDS as u16 + BETWEEN + WIDEST_BAR) };
        Columns { width, widest, name, kind, value, change, rate, graph }
    }

    /// From the value to the end of the rates: where what has parts is shown.
    pub(super) fn wide(&self) -> Column {
        Column { x: self.value.x, width: self.rate.end().max(self.value.end()) - self.value.x }
    }

    /// From the value to the end of the screen.
    pub(super) fn all(&self) -> Column {
        Column { x: self.value.x, width: self.width.saturating_sub(self.value.x) }
    }

    /// Where a graph of the last minute is.
    pub(super) fn minute(&self) -> Column {
        minute(self.graph)
    }

    /// Where the graph of an element is, and where its bar: both, if there is room for both.
    pub(super) fn minute_and_bar(&self) -> (Column, Column) {
        if self.graph.width < 24 {
            return (Column::default(), self.graph);
        }
        let graph = minute(Column { width: self.graph.width / 2, ..self.graph });
        let start = graph.end() + BETWEEN;
        (graph, Column { x: start, width: (self.graph.end() - start).min(WIDEST_BAR) })
    }

    /// Where the sign is that folds and unfolds a row.
    pub(super) fn marker(depth: usize) -> Range<u16> {
        let end = indent(depth);
        end.saturating_sub(INDENT)..end
    }

    /// What a click on the heads sorts by.
    pub(super) fn sort_at(&self, x: u16) -> Option<Sort> {
        let in_it = |column: Column| (column.x..column.end()).contains(&x);
        match () {
            () if in_it(self.name) => Some(Sort::Name),
            () if in_it(self.change) => Some(Sort::Change),
            () if in_it(self.rate) => Some(Sort::Rate),
            () => None,
        }
    }
}

/// As much of a column as a minute takes, each cell being the same number of seconds.
fn minute(column: Column) -> Column {
    let each = SECONDS.div_ceil(column.room().max(1));
    Column { width: column.width.min(SECONDS.div_ceil(each) as u16), ..column }
}

/// Where the name of a row starts.
pub(super) fn indent(depth: usize) -> u16 {
    u16::try_from(depth).unwrap_or(u16::MAX).saturating_add(1).saturating_mul(INDENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_leave_the_screen_and_never_overlap() {
        for width in 0..400 {
            for widest in [(0, 0), (5, 3), (30, 12), (500, 500), (u16::MAX - 1, u16::MAX)] {
                let all = Columns::of(width, widest);
                let columns = [all.name, all.kind, all.value, all.change, all.rate, all.graph];
                let there: Vec<Column> = columns.into_iter().filter(|column| column.width > 0).collect();
                assert!(there.iter().all(|column| column.end() <= width), "{width} {widest:?}: {there:?}");
                assert!(there.windows(2).all(|pair| pair[0].end() < pair[1].x), "{width} {widest:?}: {there:?}");
                assert!(all.wide().end() <= width && all.all().end() <= width, "{width} {widest:?}");
                let (graph, bar) = all.minute_and_bar();
                assert!(
                    all.minute().end() <= width && graph.end() <= width && bar.end() <= width,
                    "{width} {widest:?}"
                );
            }
        }
    }

    #[test]
    fn narrow_screens_have_the_columns_that_matter() {
        let at = |width| Columns::of(width, (20, 12));
        assert!(at(40).rate.width > 0 && at(40).graph.width >= 5 && at(40).change.width == 0);
        assert!(at(80).change.width > 0 && at(80).graph.width >= 14);
        assert!(at(300).kind.width > 0 && at(300).graph.width == 121);
    }
}
