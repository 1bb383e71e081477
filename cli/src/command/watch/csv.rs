//! Samples as CSV: a header, then a record a row and sample, whatever rows come and go.

use std::io;
use std::time::SystemTime;

use super::bars::Bars;
use super::row::{Row, Samples};
use super::view::unix_time;
use crate::error::Result;
use crate::output::{Output, clean};
use crate::value::bare;

const ROWS: [&str; 5] = ["time", "name", "value", "change", "rate"];
const BARS: [&str; 5] = ["time", "name", "lower", "count", "change"];

#[derive(Default)]
pub(super) struct Csv {
    headed: bool,
}

impl Csv {
    pub(super) fn rows(&mut self, rows: &[&Row], time: SystemTime, out: &mut Output) -> Result<()> {
        self.head(&ROWS, out)?;
        for row in rows.iter().filter(|row| row.is_known()) {
            let samples = row.shown();
            let step = samples.and_then(Samples::step);
            let change = step.as_ref().and_then(|step| step.change.as_ref());
            let rate = step.as_ref().and_then(|step| step.rate);
            record(
                &[
                    unix_time(time).to_string(),
                    clean(&row.name),
                    samples.map_or_else(String::new, |samples| bare(samples.last())),
                    change.map_or_else(String::new, ToString::to_string),
                    rate.map_or_else(String::new, |rate| rate.to_string()),
                ],
                out,
            )?;
        }
        out.flush()
    }

    pub(super) fn bars(&mut self, bars: &[&Bars], time: SystemTime, out: &mut Output) -> Result<()> {
        self.head(&BARS, out)?;
        for bars in bars {
            let Some(histogram) = bars.last() else { continue };
            let interval = bars.interval();
            for (slot, count) in histogram.counts.iter().enumerate() {
                let change = interval.as_ref().map(|interval| interval.histogram.counts[slot]);
                record(
                    &[
                        unix_time(time).to_string(),
                        clean(&bars.name),
                        histogram.scale.lower(slot).to_string(),
                        count.to_string(),
                        change.map_or_else(String::new, |change| change.to_string()),
                    ],
                    out,
                )?;
            }
        }
        out.flush()
    }

    fn head(&mut self, columns: &[&str], out: &mut Output) -> Result<()> {
        if std::mem::replace(&mut self.headed, true) { Ok(()) } else { record(columns, out) }
    }
}

fn record(cells: &[impl AsRef<[u8]>], out: &mut Output) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(io::Error::from)?;
    let line = writer.into_inner().map_err(|error| error.into_error())?;
    out.raw(&line)
}
