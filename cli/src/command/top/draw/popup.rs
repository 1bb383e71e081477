//! What lies over the rows: the help, and the enumerators of a value.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear};
use unicode_width::UnicodeWidthStr;

use super::super::edit::{Edit, How};
use super::super::keys::HELP;
use super::theme::{Ink, Theme};
use crate::output::clean;
use crate::value::fit;

/// All keys, from one of them on.
pub(super) fn help(frame: &mut Frame<'_>, first: u16, theme: &Theme) {
    let keys = HELP.iter().map(|(key, _)| key.width()).max().unwrap_or(0);
    let line = |(key, what): &(&str, &str)| {
        let key = format!(" {key}{}  ", " ".repeat(keys - key.width()));
        Line::from(vec![theme.text(Ink::Key, key), theme.text(Ink::Plain, format!("{what} "))])
    };
    let lines: Vec<Line<'_>> = HELP.iter().map(line).collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16 + 2;
    let area = frame.area();
    let height = (lines.len() as u16 + 2).min(area.height);
    let first = first.min((lines.len() as u16 + 2).saturating_sub(height));
    let more =
        if usize::from(height) < lines.len() + 2 { " Keys: ↑ ↓ show more " } else { " Keys: any ends the help " };
    let inner = boxed(frame, centered(area, width, height), more);
    for (y, line) in (inner.y..inner.bottom()).zip(lines.into_iter().skip(first.into())) {
        frame.render_widget(line, Rect { y, height: 1, ..inner });
    }
}

/// The enumerators, the one that is chosen among them: below the value at `x` and `y`, or above it.
pub(super) fn menu(frame: &mut Frame<'_>, rows: Rect, (x, y): (u16, u16), edit: &Edit, theme: &Theme) {
    let How::Menu { names, selected } = &edit.how else { return };
    let text = |(name, value): &(String, i128)| format!(" {} = {value} ", clean(name));
    let width = names.iter().map(|name| text(name).width()).max().unwrap_or(0).max(edit.label.width().min(30));
    let width = (width as u16).saturating_add(2).min(rows.width);
    let height = (names.len() as u16).saturating_add(2).min(rows.height);
    let y = match () {
        () if y + 1 + height <= rows.bottom() => y + 1,
        () if rows.y + height <= y => y - height,
        () => rows.bottom() - height,
    };
    let area = Rect { x: x.min(rows.right() - width), y, width, height };
    let inner = boxed(frame, area, &fit(&clean(&edit.label), usize::from(width.saturating_sub(2))));
    let room = usize::from(inner.height).max(1);
    let first = (selected + 1).saturating_sub(room);
    for (y, (index, name)) in (inner.y..inner.bottom()).zip(names.iter().enumerate().skip(first)) {
        let line = fit(&text(name), inner.width.into());
        let pad = usize::from(inner.width).saturating_sub(line.width());
        let chosen = if index == *selected { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        let line = Line::from(theme.text(Ink::Plain, line + &" ".repeat(pad))).patch_style(chosen);
        frame.render_widget(line, Rect { y, height: 1, ..inner });
    }
}

/// An empty box with a title: its inside.
fn boxed(frame: &mut Frame<'_>, area: Rect, title: &str) -> Rect {
    let block = Block::bordered().title(title.to_owned());
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    inner
}

fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
