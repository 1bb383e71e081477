//! In which form samples are shown.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::bars::Bars;
use super::chart::Chart;
use super::csv::Csv;
use super::frame::Frame;
use super::row::Row;
use super::screen::Screen;
use super::source::{Kind, Source};
use crate::error::Result;
use crate::output::{Output, clean, obeys_escapes};

pub(super) enum View {
    Rows(Screen),
    Bars(Chart),
    CsvRows(Csv),
    CsvBars(Csv),
}

/// Something that was noticed, for those who read nothing but standard output.
#[derive(Serialize)]
struct Noticed<'a, T> {
    time: f64,
    #[serde(flatten)]
    what: &'a T,
}

impl View {
    pub(super) fn new(kind: Kind, csv: bool, out: &Output) -> View {
        let frame = (out.terminal && obeys_escapes() && !out.json && !out.quiet).then(Frame::default);
        match (kind, csv) {
            (Kind::Rows, false) => View::Rows(Screen::new(frame)),
            (Kind::Bars(_), false) => View::Bars(Chart::new(frame)),
            (Kind::Rows, true) => View::CsvRows(Csv::default()),
            (Kind::Bars(_), true) => View::CsvBars(Csv::default()),
        }
    }

    /// Whether the samples were shown; the last always are.
    pub(super) fn show<'s>(
        &mut self,
        sources: impl Iterator<Item = &'s Source>,
        at: (Duration, SystemTime),
        last: bool,
        out: &mut Output,
    ) -> Result<bool> {
        match self {
            View::Rows(screen) => screen.show(&rows(sources), at, last, out),
            View::Bars(chart) => chart.show(&bars(sources), at, last, out),
            View::CsvRows(csv) => csv.rows(&rows(sources), at.1, out).map(|()| true),
            View::CsvBars(csv) => csv.bars(&bars(sources), at.1, out).map(|()| true),
        }
    }

    pub(super) fn summary<'s>(
        &mut self,
        sources: impl Iterator<Item = &'s Source>,
        samples: u64,
        out: &mut Output,
    ) -> Result<()> {
        match self {
            View::Rows(screen) => screen.summary(&rows(sources), samples, out),
            // The last histogram says all; and records are followed by nothing else.
            View::Bars(_) | View::CsvRows(_) | View::CsvBars(_) => Ok(()),
        }
    }

    /// Says what was noticed, on standard error, and as JSON also where the values are.
    pub(super) fn warn(&mut self, what: &impl Serialize, warning: &str, out: &mut Output) -> Result<()> {
        out.warn(warning)?;
        self.note(what, out)?;
        match self {
            View::Rows(screen) => screen.interrupted(),
            View::Bars(chart) => chart.interrupted(),
            View::CsvRows(_) | View::CsvBars(_) => {}
        }
        Ok(())
    }

    /// Says it as JSON only.
    pub(super) fn note(&mut self, what: &impl Serialize, out: &mut Output) -> Result<()> {
        if out.json {
            out.json_line(&Noticed { time: unix_time(SystemTime::now()), what })?;
            out.flush()?;
        }
        Ok(())
    }

    /// Says it as a line for people, if there are any that read.
    pub(super) fn line(&mut self, line: &str, out: &mut Output) -> Result<()> {
        match self {
            _ if out.json || out.quiet => Ok(()),
            View::CsvRows(_) | View::CsvBars(_) => Ok(()),
            View::Rows(_) | View::Bars(_) => out.line(format_args!("\n{}", clean(line))),
        }
    }
}

fn rows<'s>(sources: impl Iterator<Item = &'s Source>) -> Vec<&'s Row> {
    sources.flat_map(Source::rows).collect()
}

fn bars<'s>(sources: impl Iterator<Item = &'s Source>) -> Vec<&'s Bars> {
    sources.flat_map(Source::bars).collect()
}

/// Seconds since 1970, to the microsecond.
pub(super) fn unix_time(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1e6).round() / 1e6
}
