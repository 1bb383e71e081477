//! Rows on a terminal, drawn in place; elsewhere line by line, or as JSON.

use std::time::{Duration, SystemTime};

use bpfvar::Value;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::frame::Frame;
use super::row::{Row, Samples, Step};
use super::view::unix_time;
use crate::columns::{self, BETWEEN};
use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::value::{bare, fit, per_second, signed, text};

pub(super) struct Screen {
    /// Where rows are drawn in place.
    frame: Option<Frame>,
    headed: bool,
    /// The widest of each column so far, so that columns do not jump.
    widths: [usize; 4],
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    time: f64,
    name: &'a str,
    /// None while it is gone or half written.
    value: Option<&'a Value>,
    change: Option<Value>,
    rate: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    time: f64,
    name: &'a str,
    summary: Totals<'a>,
}

#[derive(Debug, Serialize)]
struct Totals<'a> {
    first: &'a Value,
    last: &'a Value,
    change: Option<Value>,
    rate: Option<f64>,
    samples: u64,
    seconds: f64,
}

impl Screen {
    pub(super) fn new(frame: Option<Frame>) -> Screen {
        Screen { frame, headed: false, widths: [4, 5, 6, 4] }
    }

    /// Something else was printed: start anew below.
    pub(super) fn interrupted(&mut self) {
        if let Some(frame) = &mut self.frame {
            frame.interrupted();
        }
    }

    /// Whether the rows were shown.
    pub(super) fn show(
        &mut self,
        rows: &[&Row],
        (elapsed, time): (Duration, SystemTime),
        last: bool,
        out: &mut Output,
    ) -> Result<bool> {
        let known: Vec<&Row> = rows.iter().copied().filter(|row| row.is_known()).collect();
        if out.json {
            let time = unix_time(time);
            for row in known {
                let samples = row.shown();
                let (change, rate) =
                    samples.and_then(Samples::step).map_or((None, None), |step| (step.change, step.rate));
                out.json_line(&Line { time, name: &row.name, value: samples.map(Samples::last), change, rate })?;
            }
        } else if out.quiet {
            for row in known {
                // A line each, so that lines can be told apart by counting.
                out.line(row.shown().map_or_else(String::new, |samples| bare(samples.last())))?;
            }
        } else if self.frame.is_some() {
            return self.draw(&known, last, out);
        } else {
            let names = rows.iter().map(|row| clean(&row.name).width()).max().unwrap_or(0);
            self.widths[0] = self.widths[0].max(names);
            if !self.headed {
                self.widths = [self.widths[0], 20, 12, 14];
                let header = self.line(["NAME", "VALUE", "CHANGE", "RATE"]);
                out.line(format_args!("{:>10}  {}", "SECONDS", out.ink(Ink::Heading, &header)))?;
                self.headed = true;
            }
            for row in known {
                let [name, value, change, rate] = cells(row);
                let line = self.line([&name, &value, &change, &rate]);
                out.line(format_args!("{:>10.3}  {}", elapsed.as_secs_f64(), line.trim_end()))?;
            }
        }
        out.flush()?;
        Ok(true)
    }

    /// Draws the rows in place, unless they were drawn a moment ago.
    fn draw(&mut self, known: &[&Row], last: bool, out: &mut Output) -> Result<bool> {
        if !last && self.frame.as_ref().is_some_and(|frame| !frame.is_due()) {
            return Ok(false);
        }
        let width = out.size().0;
        let shown = &known[..known.len().min(Frame::room(out))];
        let rows: Vec<[String; 4]> = shown.iter().map(|row| cells(row)).collect();
        for row in &rows {
            for (known, cell) in self.widths.iter_mut().zip(row) {
                *known = (*known).max(cell.width());
            }
        }
        self.widths[0] = self.widths[0].min(width / 2);
        // A long text must not push the numbers out of sight.
        self.widths[1] = self.widths[1].min((width * 2 / 3).saturating_sub(self.widths[0]).max(8));
        let header = fit(&self.line(["NAME", "VALUE", "CHANGE", "RATE"]), width);
        let mut lines = vec![out.ink(Ink::Heading, &header)];
        for (cells, row) in rows.iter().zip(shown) {
            let line = fit(&self.line(cells.each_ref().map(String::as_str)), width);
            let step = row.samples.as_ref().and_then(Samples::step);
            lines.push(match step {
                _ if row.shown().is_none() || row.is_unused => out.ink(Ink::Faint, &line),
                Some(step) if step.changed => out.ink(Ink::Changed, &line),
                _ => line,
            });
        }
        if let Some(frame) = &mut self.frame {
            frame.draw(&lines, (known.len() - shown.len(), "row"), out)?;
        }
        out.flush()?;
        Ok(true)
    }

    fn line(&self, cells: [&str; 4]) -> String {
        // Numbers are never cut.
        let [name, value, change, rate] = self.widths;
        let widths = [name, value, change.max(cells[2].width()), rate.max(cells[3].width())];
        columns::line(cells.into_iter().zip(widths))
    }

    pub(super) fn summary(&mut self, rows: &[&Row], samples: u64, out: &mut Output) -> Result<()> {
        if out.quiet {
            return Ok(());
        }
        let known = rows.iter().filter_map(|row| row.samples.as_ref().map(|samples| (row.name.as_str(), samples)));
        let seconds = rows.iter().find_map(|row| row.samples.as_ref()).map_or(0.0, Samples::seconds);
        if out.json {
            let time = unix_time(SystemTime::now());
            for (name, known) in known {
                let Step { change, rate, .. } = known.whole();
                let summary = Totals { first: known.first(), last: known.last(), change, rate, samples, seconds };
                out.json_line(&Summary { time, name, summary })?;
            }
            return Ok(());
        }
        let lasted = format!("{samples} sample{} in {seconds:.3} s", if samples == 1 { "" } else { "s" });
        out.line(format_args!("\n{}", out.ink(Ink::Heading, &lasted)))?;
        // Whoever reads a pipe has no width.
        let width = if out.terminal { out.width } else { None };
        let rate = if width.is_some_and(|width| width < 60) { "RATE" } else { "AVERAGE RATE" };
        let head = ["NAME", "FIRST", "LAST", "CHANGE", rate].map(str::to_owned);
        let rows = known.map(|(name, known)| {
            let whole = known.whole();
            let (first, last) = (cut(text(known.first())), cut(text(known.last())));
            [clean(name), first, last, change_text(&whole), rate_text(whole.rate)]
        });
        let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
        summary_lines(&rows, width).into_iter().try_for_each(|line| out.line(line))
    }
}

/// Rows in columns. Where they are too wide, names are cut, then values, and what CHANGE tells as well is left out; then the line
/// is cut.
fn summary_lines(rows: &[[String; 5]], width: Option<usize>) -> Vec<String> {
    const FIRST: usize = 1;
    let mut widths = columns::widths(rows.iter());
    let mut left_out = None;
    if let Some(width) = width {
        let used = |widths: &[usize; 5]| widths.iter().sum::<usize>() + BETWEEN * (widths.len() - 1);
        for (column, least) in [(0, 16), (1, 8), (2, 8)] {
            let too_much = used(&widths).saturating_sub(width);
            widths[column] = widths[column].saturating_sub(too_much).max(least.min(widths[column]));
        }
        if used(&widths) > width {
            let too_much = (used(&widths) - widths[FIRST] - BETWEEN).saturating_sub(width);
            widths[0] = widths[0].saturating_sub(too_much).max(widths[0].min(12));
            left_out = Some(FIRST);
        }
    }
    let line = |row: &[String; 5]| {
        let cells = row.iter().map(String::as_str).zip(widths).enumerate();
        let line = columns::line(cells.filter(|(index, _)| Some(*index) != left_out).map(|(_, cell)| cell));
        fit(line.trim_end(), width.unwrap_or(usize::MAX))
    };
    rows.iter().map(line).collect()
}

fn cut(text: String) -> String {
    fit(&text, 40)
}

/// Name, value, change, rate.
fn cells(row: &Row) -> [String; 4] {
    let name = clean(&row.name);
    let Some(samples) = row.shown() else {
        return [name, row.why_absent().to_owned(), String::new(), String::new()];
    };
    let value = format!("{}{}", text(samples.last()), if row.is_unused { " (program gone)" } else { "" });
    match samples.step() {
        Some(step) => [name, value, change_text(&step), rate_text(step.rate)],
        None => [name, value, String::new(), String::new()],
    }
}

fn change_text(step: &Step) -> String {
    match &step.change {
        Some(change) => signed(change),
        None if step.changed => "changed".to_owned(),
        None => String::new(),
    }
}

fn rate_text(rate: Option<f64>) -> String {
    rate.map_or_else(String::new, per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_a_line_a_row_however_narrow() {
        let row = |cells: [&str; 5]| cells.map(str::to_owned);
        let rows = [
            row(["NAME", "FIRST", "LAST", "CHANGE", "AVERAGE RATE"]),
            row(["prog:12.config.limits[2].burst", "1000", "100000", "+99000", "99000/s"]),
        ];
        let whole = summary_lines(&rows, None);
        assert_eq!(whole[1], "prog:12.config.limits[2].burst   1000  100000  +99000       99000/s");
        for width in [10, 20, 40, 60] {
            let lines = summary_lines(&rows, Some(width));
            assert!(lines.len() == 2 && lines.iter().all(|line| line.width() <= width), "{width}: {lines:?}");
        }
        assert_eq!(summary_lines(&rows, Some(60))[1], "…config.limits[2].burst   1000  100000  +99000       99000/s");
    }
}
