//! What the screen looks like.

mod bottom;
mod graph;
mod popup;
mod rows;
mod theme;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use theme::Ink;
pub(super) use theme::Theme;

use super::app::{App, Mode};
use super::layout::Geometry;
use super::rows::Sort;
use crate::value::fit;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, theme: &Theme) {
    let area = frame.area();
    let at_bottom = bottom::lines(app, area.width, theme);
    app.show(Geometry::of(area, at_bottom.len() as u16));
    let app = &*app;
    let Geometry { title, heads: heads_line, rows, status, bottom } = app.geometry;
    frame.render_widget(title_line(app, title.width, theme), title);
    frame.render_widget(heads(app, theme), heads_line);
    rows::draw(frame, rows, app, theme);
    let width = usize::from(status.width);
    let about = theme.text(Ink::Status, format!("{:width$}", fit(app.status(), width)));
    frame.render_widget(Line::from(about), status);
    for (y, line) in (bottom.y..bottom.bottom()).zip(at_bottom) {
        frame.render_widget(line, Rect { y, height: 1, ..bottom });
    }
    if let Some(x) = bottom::cursor(app).filter(|_| bottom.height > 0) {
        frame.set_cursor_position((x.min(bottom.right().saturating_sub(1)), bottom.y));
    }
    match &app.mode {
        Mode::Help(first) => popup::help(frame, *first, theme),
        Mode::Edit(edit) => {
            let row = app.on_screen.iter().zip(rows.y..).find(|(row, _)| row.path == edit.path);
            let y = row.map_or(rows.y, |(_, y)| y);
            popup::menu(frame, rows, (rows.x + app.columns.value.x, y), edit, theme);
        }
        _ => {}
    }
}

/// The heads of the columns, with a sign at what the rows are sorted by.
fn heads<'a>(app: &App, theme: &Theme) -> Line<'a> {
    let (columns, sort, reverse) = (&app.columns, app.view.sort, app.view.reverse);
    let head = |name: &str, of: Option<Sort>| match of {
        // Names rise, numbers fall, unless it is the other way round.
        Some(own) if own == sort => format!("{name} {}", if reverse == (sort == Sort::Name) { '↓' } else { '↑' }),
        _ => name.to_owned(),
    };
    let arrow = |name: &str, of: Sort| head(name, Some(of));
    let cells = [
        (columns.name, arrow("NAME", Sort::Name), false),
        (columns.kind, head("TYPE", None), false),
        (columns.value, head("VALUE", None), true),
        (columns.change, arrow("CHANGE", Sort::Change), true),
        (columns.rate, arrow("RATE", Sort::Rate), true),
        (columns.graph, head("LAST MINUTE", None), false),
    ];
    let mut line = String::new();
    for (column, text, right) in cells.into_iter().filter(|(column, ..)| column.width > 0) {
        let text = fit(&text, column.room());
        let pad = column.room().saturating_sub(text.width());
        let (before, behind) = if right { (pad, 0) } else { (0, pad) };
        line += &" ".repeat(usize::from(column.x).saturating_sub(line.width()) + before);
        line += &text;
        line += &" ".repeat(behind);
    }
    Line::from(theme.text(Ink::Heading, line))
}

/// What is there on the left, how it is shown on the right, as far as there is room.
fn title_line<'a>(app: &App, width: u16, theme: &Theme) -> Line<'a> {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let roots = app.tree.roots.values();
    let groups = roots.filter(|root| root.node.is_group() && root.gone.is_none()).count();
    let variables = count(app.tree.count(), "variable");
    let left = if groups == 0 { variables } else { format!("{}, {variables}", count(groups, "group")) };
    let order = match (app.view.sort, app.view.reverse) {
        (Sort::Name, false) => "by name".to_owned(),
        (sort, false) => format!("by {}", sort.text()),
        (sort, true) => format!("by {}, reversed", sort.text()),
    };
    let mut parts = vec![format!("every {}", humantime::format_duration(app.settings.interval)), order];
    if !app.view.filter.is_empty() && !matches!(app.mode, Mode::Filter(_)) {
        parts.push(format!("/{}", crate::output::clean(&app.view.filter)));
    }
    if app.settings.read_only {
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

    use bpfvar::Globals;
    use bpfvar_objects::{Loaded, Source, load_named};
    use bpfvar_testkit::host;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{Event, KeyCode};

    use super::super::app::Settings;
    use super::super::scan::Scanner;
    use super::*;
    use crate::cli::Switching;

    /// The screen of one program.
    struct Screen {
        loaded: Loaded,
        app: App,
        terminal: Terminal<TestBackend>,
    }

    impl Screen {
        /// The program has a name that no other test has, and its variables these values.
        fn of(source: Source, name: &str, values: &[(&str, u64)], size: (u16, u16)) -> Option<Screen> {
            if !host::ready(source.needs()) {
                return None;
            }
            let loaded = load_named(source, name);
            for (path, value) in values {
                Globals::by_name(name).unwrap().var(path).unwrap().set(*value).unwrap();
            }
            let scanner = Scanner::new(vec![name.parse().unwrap()]).unwrap();
            let switching = Switching { allow_sleepable: false };
            let settings = Settings { interval: Duration::from_secs(1), read_only: false, switching };
            let app = App::new(scanner, settings, "").unwrap();
            let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
            Some(Screen { loaded, app, terminal })
        }

        /// Presses keys; characters are keys.
        fn press(&mut self, keys: &[KeyCode], characters: &str) {
            for key in keys.iter().copied().chain(characters.chars().map(KeyCode::Char)) {
                self.app.take(&Event::Key(key.into()));
                self.draw();
            }
        }

        /// What is on the screen, without the numbers of the kernel.
        fn draw(&mut self) -> String {
            let Screen { app, terminal, loaded } = self;
            let drawn = terminal.draw(|frame| draw(frame, app, &Theme::new(true))).unwrap();
            let width = usize::from(drawn.buffer.area.width).max(1);
            let lines = drawn.buffer.content.chunks(width);
            let text = |line: &[ratatui::buffer::Cell]| line.iter().map(|cell| cell.symbol()).collect::<String>();
            let mut screen: String = lines.map(|line| text(line).trim_end().to_owned() + "\n").collect();
            for map in &loaded.maps {
                screen = screen.replace(&format!("map:{}", map.map.info().id), "map:N");
            }
            screen.replace(&format!("prog:{}", loaded.programs[0].id()), "prog:N")
        }
    }

    #[test]
    fn a_narrow_screen_has_the_rows_that_fit() {
        let Some(mut screen) = Screen::of(Source::Count, "topnarrow", &[], (40, 10)) else { return };
        assert_eq!(
            screen.draw(),
            "\
bpfvar top             every 1s  by name
NAME ↑             VALUE     RATE LAST …
▾ topnarrow  prog:N
  ▸ config     {rate: 1000, mode…
  ▸ hist[16]   empty              ▁▁▁▁▁▁
    knob               0
    label         \"eth0\"
    neighbour          0
topnarrow  prog:N  9 variables
q quit  ? help  / filter  s sort  ↵ edit
"
        );
        screen.press(&[KeyCode::Char('/')], "samp");
        screen.press(&[KeyCode::Enter, KeyCode::Enter, KeyCode::Char('7')], "");
        assert_eq!(
            screen.draw(),
            "\
bpfvar top      every 1s  by name  /samp
NAME ↑             VALUE     RATE LAST …
▾ topnarrow  prog:N
    sampling           1





topnarrow.sampling  __u32  read-write  …
topnarrow.sampling: 1 -> 7
Enter sets, Esc leaves, ↑ ↓ step a numbe
"
            .replacen("\n\n\n\n\n\n", "\n\n\n\n", 1)
        );
    }

    #[test]
    fn structs_stand_in_columns_and_histograms_in_bars() {
        let Some(mut screen) = Screen::of(Source::Count, "topt", &[("hist[2]", 30), ("hist[3]", 60)], (72, 16)) else {
            return;
        };
        screen.press(&[KeyCode::Char('/')], "limits");
        screen.press(&[KeyCode::Enter, KeyCode::Right], "");
        assert_eq!(
            screen.draw(),
            "\
bpfvar top  1 group, 9 variables              every 1s  by name  /limits
NAME ↑               VALUE     CHANGE       RATE LAST MINUTE
▾ topt  prog:N
  ▾ config       {rate: 1000, mode: FAST, limit…
    ▾ limits[4]  burst  delta
      ▸ [0]         10     -1
      ▸ [1]         20     -2
      ▸ [2]         30     -3
      ▸ [3]         40     -4





topt.config.limits  struct limit [4]  read-write  .data of map:N
q quit  ? help  / filter  s sort  ↵ edit  +- step  u undo  p pause
"
        );
        screen.press(&[KeyCode::Esc, KeyCode::Char('/')], "hist");
        screen.press(&[KeyCode::Enter, KeyCode::Right], "");
        let drawn = screen.draw();
        for line in
            ["  ▾ hist[16]         p50 9.8  p90 14                 ▁▁▅█▁▁▁▁▁▁▁▁▁▁▁▁", "      [3] 8..15             60"]
        {
            assert!(drawn.contains(line), "{line:?} in {drawn}");
        }
    }

    #[test]
    fn enumerators_are_a_menu_over_the_rows() {
        let Some(mut screen) = Screen::of(Source::Count, "topmenu", &[], (60, 12)) else { return };
        screen.press(&[KeyCode::Char('/')], "config.mode");
        screen.press(&[KeyCode::Enter, KeyCode::Enter, KeyCode::Down], "");
        let drawn = screen.draw();
        for line in [
            "┌topmenu.config.mode┐",
            "│ SLOW = 0          │",
            "│ OFF = 2           │",
            "topmenu.config.mode: FAST -> OFF",
        ] {
            assert!(drawn.contains(line), "{line:?} in {drawn}");
        }
    }

    #[test]
    fn every_size_and_every_mode_can_be_drawn() {
        let Some(mut screen) = Screen::of(Source::Kinds, "topsizes", &[], (80, 24)) else { return };
        let modes: [(&[KeyCode], &str); 6] = [
            (&[], "]ss"),
            (&[KeyCode::End], "+"),
            (&[], "?"),
            (&[KeyCode::Esc], "/e"),
            (&[KeyCode::Enter], "ix"),
            (&[KeyCode::Esc, KeyCode::Esc], "/color_v"),
        ];
        for (keys, characters) in modes {
            screen.press(keys, characters);
            if characters == "/color_v" {
                screen.press(&[KeyCode::Enter, KeyCode::Enter], "");
                assert!(screen.draw().contains("BLUE"));
            }
            let small = (0..=60).step_by(3).flat_map(|width| (0..=14).map(move |height| (width, height)));
            for (width, height) in small.chain([(1, 1), (2, 200), (300, 1), (300, 100)]) {
                screen.terminal.backend_mut().resize(width, height);
                screen.draw();
            }
            screen.terminal.backend_mut().resize(80, 24);
        }
    }
}
