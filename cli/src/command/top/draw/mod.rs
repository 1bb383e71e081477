//! What the screen looks like. It only draws: what is drawn is laid out by [`App::lay_out`].

mod bottom;
mod columns;
mod graph;
mod popup;
mod rows;
mod theme;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

pub(super) use columns::Columns;
use theme::Ink;
pub(super) use theme::Theme;

use super::app::{App, Mode};
use super::rows::Sort;

/// Where what is on the screen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Geometry {
    title: Rect,
    /// The heads of the columns.
    pub(super) heads: Rect,
    pub(super) rows: Rect,
    /// What is said of the selected row.
    status: Rect,
    /// Keys, messages, what is typed.
    bottom: Rect,
}

impl Geometry {
    /// Rows go before all else: on a low screen the rest is left out.
    pub(super) fn of(area: Rect, app: &App) -> Geometry {
        let bottom = bottom::lines(app, area.width, &Theme::plain()).len() as u16;
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
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme) {
    let Geometry { title, heads, rows, status, bottom } = app.geometry;
    frame.render_widget(title_line(app, title.width, theme), title);
    frame.render_widget(app.columns.heads(app.view.sort, app.view.reverse, theme), heads);
    rows::draw(frame, rows, app, theme);
    let about = theme.text(Ink::Status, format!("{:width$}", app.status(), width = usize::from(status.width)));
    frame.render_widget(Line::from(about), status);
    for (y, line) in (bottom.y..bottom.bottom()).zip(bottom::lines(app, bottom.width, theme)) {
        frame.render_widget(line, Rect { y, height: 1, ..bottom });
    }
    if let Some(x) = bottom::cursor(app).filter(|_| bottom.height > 0) {
        frame.set_cursor_position((x.min(bottom.right().saturating_sub(1)), bottom.y));
    }
    match &app.mode {
        Mode::Help(first) => popup::help(frame, *first, theme),
        Mode::Edit(edit) => popup::menu(frame, rows, edit, theme),
        _ => {}
    }
}

/// What is there on the left, how it is shown on the right, as far as there is room.
fn title_line<'a>(app: &App, width: u16, theme: &Theme) -> Line<'a> {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let roots = app.tree.roots.values();
    let groups = roots.filter(|root| root.node.is_group() && root.gone.is_none()).count();
    let left = format!("{}, {}", count(groups, "group"), count(app.tree.count(), "variable"));
    let order = match (app.view.sort, app.view.reverse) {
        (Sort::Name, false) => "by name".to_owned(),
        (sort, false) => format!("by {}", sort.text()),
        (sort, true) => format!("by {}, reversed", sort.text()),
    };
    let mut parts = vec![format!("every {}", humantime::format_duration(app.interval)), order];
    if !app.view.filter.is_empty() && !matches!(app.mode, Mode::Filter(_)) {
        parts.push(format!("/{}", crate::output::clean(&app.view.filter)));
    }
    if app.read_only {
        parts.push("read-only".to_owned());
    }
    let right = parts.join("  ");
    let mut line = vec![theme.text(Ink::Heading, "bpfvar top"), Span::raw("  ")];
    let paused = if app.paused { "PAUSED  " } else { "" };
    let used = 12 + paused.len();
    let room = usize::from(width).saturating_sub(used);
    let left = if left.width() + 2 + right.width() <= room { left } else { String::new() };
    let gap = room.saturating_sub(left.width() + right.width());
    line.push(Span::raw(left));
    line.push(Span::raw(" ".repeat(gap)));
    line.push(theme.text(Ink::Error, paused));
    line.push(theme.text(Ink::Faint, right));
    Line::from(line)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bpfvar_objects::{Loaded, Source, load};
    use bpfvar_testkit::host;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

    use super::super::scan::Scanner;
    use super::*;

    /// The screen of one program.
    struct Screen {
        _loaded: Loaded,
        app: App,
        terminal: Terminal<TestBackend>,
    }

    impl Screen {
        fn of(source: Source, width: u16, height: u16) -> Option<Screen> {
            if !host::ready(source.needs()) {
                return None;
            }
            let loaded = load(source);
            let target = format!("prog:{}", loaded.programs[0].id()).parse().unwrap();
            let scanner = Scanner::new(vec![target]).unwrap();
            let app = App::new(scanner, Duration::from_secs(1), false, "").unwrap();
            let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            Some(Screen { _loaded: loaded, app, terminal })
        }

        fn press(&mut self, keys: &[KeyCode]) {
            for key in keys {
                self.app.take(&Event::Key(KeyEvent::new(*key, KeyModifiers::NONE)));
                self.draw();
            }
        }

        fn draw(&mut self) -> String {
            let Screen { app, terminal, .. } = self;
            let drawn = terminal.draw(|frame| {
                app.lay_out(frame.area());
                draw(frame, app, &Theme::new(true));
            });
            let buffer = drawn.unwrap().buffer.clone();
            let lines = buffer.content.chunks(usize::from(buffer.area.width).max(1));
            lines
                .map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n")
                .collect()
        }
    }

    #[test]
    fn every_size_and_every_mode_can_be_drawn() {
        let Some(mut screen) = Screen::of(Source::Kinds, 80, 24) else { return };
        let modes: [&[KeyCode]; 6] = [
            &[KeyCode::Char(']'), KeyCode::Char('s'), KeyCode::Char('s')],
            &[KeyCode::End, KeyCode::Char('+')],
            &[KeyCode::Char('?')],
            &[KeyCode::Esc, KeyCode::Char('/'), KeyCode::Char('e')],
            &[KeyCode::Enter, KeyCode::Char('i'), KeyCode::Char('x'), KeyCode::Enter],
            &[
                KeyCode::Esc,
                KeyCode::Esc,
                KeyCode::Char('/'),
                KeyCode::Char('C'),
                KeyCode::Char('_'),
                KeyCode::Enter,
                KeyCode::Home,
                KeyCode::Down,
                KeyCode::Enter,
            ],
        ];
        for keys in modes {
            screen.press(keys);
            for (width, height) in
                (0..=60).flat_map(|width| (0..=14).map(move |height| (width, height))).chain([(300, 100)])
            {
                screen.terminal.backend_mut().resize(width, height);
                screen.draw();
            }
            screen.terminal.backend_mut().resize(80, 24);
        }
    }
}
