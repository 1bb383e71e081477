//! Text in columns: how wide they are, and a line of cells.

use unicode_width::UnicodeWidthStr;

use crate::value::{fit, fit_name};

/// Blanks between two columns.
pub(crate) const BETWEEN: usize = 2;

/// The width of the widest cell of each column.
pub(crate) fn widths<'a, const N: usize>(rows: impl Iterator<Item = &'a [String; N]>) -> [usize; N] {
    rows.fold([0; N], |mut widths, row| {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.width()));
        widths
    })
}

/// A line of cells, each with the width of its column. The first is a name, on the left, and is cut at its front; the others are on
/// the right, and are cut at their ends.
pub(crate) fn line<'a>(cells: impl Iterator<Item = (&'a str, usize)>) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in cells.enumerate() {
        let cell = if index == 0 { fit_name(cell, width) } else { fit(cell, width) };
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        line += &if index == 0 { format!("{cell}{pad}") } else { format!("{:BETWEEN$}{pad}{cell}", "") };
    }
    line
}
