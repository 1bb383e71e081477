//! Families as text: OpenMetrics 1.0.0, and the older text format of Prometheus, which other tools still read.

use std::fmt::{Display, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;

use super::family::{Family, Kind, Labels, Metric, Number, Point};

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// OpenMetrics 1.0.0: with the times at which counters started
    #[value(name = "openmetrics")]
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus: for promtool, node_exporter and a Pushgateway
    Prometheus,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    fn is_open(self) -> bool {
        self == Format::OpenMetrics
    }
}

/// All families that have metrics.
pub(super) fn text(families: &[Family<'_>], format: Format) -> String {
    let mut text = Text { out: String::new(), format };
    families.iter().filter(|family| !family.metrics.is_empty()).for_each(|family| text.family(family));
    if format.is_open() {
        text.out += "# EOF\n";
    }
    text.out
}

struct Text {
    out: String,
    format: Format,
}

impl Text {
    fn family(&mut self, Family { head, metrics }: &Family<'_>) {
        let is_open = self.format.is_open();
        let kind = match head.kind {
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
            Kind::States if is_open => "stateset",
            Kind::Info if is_open => "info",
            Kind::Gauge | Kind::States | Kind::Info => "gauge",
        };
        // OpenMetrics names the family, the older format the lines.
        let name = match head.kind {
            Kind::Counter if !is_open => format!("{}_total", head.name),
            Kind::Info if !is_open => format!("{}_info", head.name),
            _ => head.name.to_string(),
        };
        let help = escaped(&head.help, is_open);
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        if let (Some(unit), true) = (&head.unit, is_open) {
            self.put(format_args!("# UNIT {name} {unit}\n"));
        }
        metrics.iter().for_each(|metric| self.metric(&head.name, head.kind, metric));
    }

    fn metric(&mut self, name: &str, kind: Kind, Metric { labels, point, created }: &Metric<'_>) {
        match point.as_ref() {
            Point::Number(number) => {
                let suffix = match kind {
                    Kind::Counter => "_total",
                    Kind::Info => "_info",
                    _ => "",
                };
                self.line(name, suffix, labels, None, Shown(*number));
            }
            Point::Histogram { bounds, counts, sum } => self.histogram(name, labels, bounds, counts, *sum),
            Point::States { names, current } => {
                for (index, state) in names.iter().enumerate() {
                    self.line(name, "", labels, Some((name, state)), u8::from(*current == Some(index)));
                }
            }
        }
        if let (Some(created), true) = (created, self.format.is_open()) {
            self.line(name, "_created", labels, None, unix_time(*created));
        }
    }

    fn histogram(&mut self, name: &str, labels: &Labels, bounds: &[f64], counts: &[u64], sum: Option<Number>) {
        for (index, count) in counts.iter().enumerate() {
            let bound = match bounds.get(index) {
                // As each format's own libraries write them: to Prometheus before 3.0 they are texts.
                Some(bound) if bound.fract() == 0.0 && self.format.is_open() => format!("{bound:.1}"),
                Some(bound) => bound.to_string(),
                None => "+Inf".to_owned(),
            };
            self.line(name, "_bucket", labels, Some(("le", &bound)), count);
        }
        // OpenMetrics has neither of both or both.
        if let (Some(all), true) = (counts.last(), sum.is_some() || !self.format.is_open()) {
            self.line(name, "_count", labels, None, all);
        }
        if let Some(sum) = sum {
            self.line(name, "_sum", labels, None, Shown(sum));
        }
    }

    fn line(&mut self, name: &str, suffix: &str, labels: &Labels, last: Option<(&str, &str)>, value: impl Display) {
        self.put(format_args!("{name}{suffix}"));
        let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(last);
        let mut opened = false;
        for (name, value) in labels {
            let before = if opened { ',' } else { '{' };
            self.put(format_args!("{before}{name}=\"{}\"", escaped(value, true)));
            opened = true;
        }
        self.put(format_args!("{} {value}\n", if opened { "}" } else { "" }));
    }

    fn put(&mut self, text: impl Display) {
        // A string takes everything.
        let _ = write!(self.out, "{text}");
    }
}

/// A number as both formats write it.
struct Shown(Number);

impl Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Number::Whole(number) => number.fmt(f),
            Number::Float(number) if number.is_infinite() => f.write_str(if number > 0.0 { "+Inf" } else { "-Inf" }),
            Number::Float(number) => write!(f, "{number:?}"),
        }
    }
}

/// Seconds since 1970, to the millisecond.
fn unix_time(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}

/// What would end the line or the quotes is escaped. The older format has no quotes around a help.
fn escaped(text: &str, quotes: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped += "\\\\",
            '\n' => escaped += "\\n",
            '"' if quotes => escaped += "\\\"",
            _ => escaped.push(c),
        }
    }
    escaped
}
