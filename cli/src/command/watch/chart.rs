//! Histograms: bars, percentiles, how they change.

use std::time::{Duration, SystemTime};

use bpfvar::Value;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::bars::Bars;
use super::frame::Frame;
use super::view::unix_time;
use crate::error::Result;
use crate::histogram::{Histogram, Scale};
use crate::output::{Ink, Output, clean};
use crate::value::fit;

/// How wide a bar is at most.
const BAR: usize = 40;
/// Where lines are not cut for a terminal.
const WIDTH: usize = 100;

pub(super) struct Chart {
    /// Where it is drawn in place.
    frame: Option<Frame>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    time: f64,
    name: &'a str,
    /// `log2`, or `linear` with the step.
    scale: &'static str,
    step: Option<Value>,
    /// The least value that each slot counts.
    lower: Vec<Value>,
    counts: Vec<Value>,
    #[serde(flatten)]
    all: Quantiles,
    /// What was counted since the last line.
    interval: Option<Interval>,
}

#[derive(Debug, Serialize)]
struct Interval {
    seconds: f64,
    counts: Vec<Value>,
    #[serde(flatten)]
    all: Quantiles,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    total: Value,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
}

impl From<&Histogram> for Quantiles {
    fn from(histogram: &Histogram) -> Quantiles {
        let percentile = |percent| histogram.percentile(percent);
        Quantiles {
            total: histogram.total().into(),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p99: percentile(99.0),
        }
    }
}

impl Chart {
    pub(super) fn new(frame: Option<Frame>) -> Chart {
        Chart { frame }
    }

    /// Something else was printed: start anew below.
    pub(super) fn interrupted(&mut self) {
        if let Some(frame) = &mut self.frame {
            frame.interrupted();
        }
    }

    /// Whether the histograms were shown.
    pub(super) fn show(
        &mut self,
        bars: &[&Bars],
        (elapsed, time): (Duration, SystemTime),
        last: bool,
        out: &mut Output,
    ) -> Result<bool> {
        if out.json {
            bars.iter().filter_map(|bars| json(bars, unix_time(time))).try_for_each(|line| out.json_line(&line))?;
        } else if let Some(frame) = &mut self.frame {
            if !last && !frame.is_due() {
                return Ok(false);
            }
            let width = out.size().0;
            let mut lines: Vec<String> = bars.iter().flat_map(|bars| block(bars, None, width, out)).collect();
            // One more than below a header.
            let more = lines.len().saturating_sub(Frame::room(out) + 1);
            lines.truncate(lines.len() - more);
            frame.draw(&lines, (more, "line"), out)?;
        } else {
            for bars in bars {
                for line in block(bars, Some(elapsed), WIDTH, out) {
                    out.line(line)?;
                }
            }
        }
        out.flush()?;
        Ok(true)
    }
}

fn json<'b>(bars: &'b Bars, time: f64) -> Option<Line<'b>> {
    let histogram = bars.last()?;
    let (scale, step) = match histogram.scale {
        Scale::Log2 => ("log2", None),
        Scale::Linear { step } => ("linear", Some(step.into())),
    };
    let interval = bars.interval().map(|interval| Interval {
        seconds: interval.seconds,
        all: (&interval.histogram).into(),
        counts: numbers(&interval.histogram.counts),
    });
    let lower = (0..histogram.counts.len()).map(|slot| histogram.scale.lower(slot).into()).collect();
    let (name, counts) = (bars.name.as_str(), numbers(&histogram.counts));
    Some(Line { time, name, scale, step, lower, counts, all: histogram.into(), interval })
}

/// As all of the tool writes numbers.
fn numbers(counts: &[u64]) -> Vec<Value> {
    counts.iter().copied().map(Value::from).collect()
}

/// A histogram in lines of at most `width`.
fn block(bars: &Bars, elapsed: Option<Duration>, width: usize, out: &Output) -> Vec<String> {
    let seconds = elapsed.map_or_else(String::new, |elapsed| format!("  at {:.3} s", elapsed.as_secs_f64()));
    let name = format!("{}{seconds}", clean(&bars.name));
    let Some(histogram) = bars.last() else {
        return vec![out.ink(Ink::Faint, &fit(&format!("{name}  (gone)"), width))];
    };
    let interval = bars.interval();
    let mut lines = vec![out.ink(Ink::Heading, &fit(&name, width))];
    lines.push(fit(&quantiles("all", histogram), width));
    if let Some(interval) = &interval {
        let title = format!("last {:.3} s", interval.seconds);
        lines.push(fit(&quantiles(&title, &interval.histogram), width));
    }
    let slots: Vec<[String; 3]> = histogram
        .span()
        .map(|slot| {
            let change = interval.as_ref().map_or(0, |interval| interval.histogram.counts[slot]);
            let change = if change > 0 { format!("+{change}") } else { String::new() };
            [histogram.label(slot), histogram.counts[slot].to_string(), change]
        })
        .collect();
    let [label, count, change] = crate::columns::widths(slots.iter());
    let room = width.saturating_sub(label + count + change + 8).clamp(1, BAR);
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1);
    for (slot, [name, number, changed]) in histogram.span().zip(&slots) {
        let len = (histogram.counts[slot] as f64 / most as f64 * room as f64).ceil() as usize;
        let bar = "@".repeat(len.min(room));
        let line = fit(&format!("  {name:>label$} |{bar:<room$}| {number:>count$}  {changed:>change$}"), width);
        let line = line.trim_end();
        lines.push(if changed.is_empty() { line.to_owned() } else { out.ink(Ink::Changed, line) });
    }
    lines
}

/// `  all          62508   p50 7   p90 14   p99 15`.
fn quantiles(title: &str, histogram: &Histogram) -> String {
    let (total, Quantiles { p50, p90, p99, .. }) = (histogram.total(), histogram.into());
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let pad = " ".repeat(14_usize.saturating_sub(title.width()));
    format!("  {title}{pad} {total:>10}   p50 {}   p90 {}   p99 {}", number(p50), number(p90), number(p99))
}
