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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::Duration;

    use super::super::family::Head;
    use super::*;

    fn labels(labels: &[(&str, &str)]) -> Labels {
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn both_formats_say_what_they_can() {
        let (none, one) = (labels(&[]), labels(&[("variable", "a\"b\\c\nd")]));
        let counter = Head::fixed("x", Kind::Counter, "Says \"x\",\nor \\.");
        let unit = Head { kind: Kind::Histogram, ..Head::of_seconds("y_seconds", "Y.") };
        let (states, empty) = (Head::fixed("z", Kind::States, "Z."), Head::fixed("none", Kind::Gauge, "None."));
        let created = Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_007));
        let histogram = |sum| Point::Histogram { bounds: [1.0, 2.5].into(), counts: vec![1, 3, 6], sum };
        let states_of = |current| Point::States { names: ["A".to_owned(), "B".to_owned()].into(), current };
        fn metric(labels: &Labels, point: Point, created: Option<SystemTime>) -> Metric<'_> {
            Metric { labels, point: Cow::Owned(point), created }
        }
        let families = [
            Family { head: &counter, metrics: vec![metric(&one, Point::Number(u64::MAX.into()), created)] },
            Family {
                head: &unit,
                metrics: vec![
                    metric(&none, histogram(None), None),
                    metric(&one, histogram(Some(Number::Float(f64::INFINITY))), created),
                ],
            },
            Family { head: &states, metrics: vec![metric(&none, states_of(Some(1)), None)] },
            Family { head: &empty, metrics: Vec::new() },
        ];
        let open = r#"# HELP x Says \"x\",\nor \\.
# TYPE x counter
x_total{variable="a\"b\\c\nd"} 18446744073709551615
x_created{variable="a\"b\\c\nd"} 1700000000.007
# HELP y_seconds Y.
# TYPE y_seconds histogram
# UNIT y_seconds seconds
y_seconds_bucket{le="1.0"} 1
y_seconds_bucket{le="2.5"} 3
y_seconds_bucket{le="+Inf"} 6
y_seconds_bucket{variable="a\"b\\c\nd",le="1.0"} 1
y_seconds_bucket{variable="a\"b\\c\nd",le="2.5"} 3
y_seconds_bucket{variable="a\"b\\c\nd",le="+Inf"} 6
y_seconds_count{variable="a\"b\\c\nd"} 6
y_seconds_sum{variable="a\"b\\c\nd"} +Inf
y_seconds_created{variable="a\"b\\c\nd"} 1700000000.007
# HELP z Z.
# TYPE z stateset
z{z="A"} 0
z{z="B"} 1
# EOF
"#;
        assert_eq!(text(&families, Format::OpenMetrics), open);
        let older = r#"# HELP x_total Says "x",\nor \\.
# TYPE x_total counter
x_total{variable="a\"b\\c\nd"} 18446744073709551615
# HELP y_seconds Y.
# TYPE y_seconds histogram
y_seconds_bucket{le="1"} 1
y_seconds_bucket{le="2.5"} 3
y_seconds_bucket{le="+Inf"} 6
y_seconds_count 6
y_seconds_bucket{variable="a\"b\\c\nd",le="1"} 1
y_seconds_bucket{variable="a\"b\\c\nd",le="2.5"} 3
y_seconds_bucket{variable="a\"b\\c\nd",le="+Inf"} 6
y_seconds_count{variable="a\"b\\c\nd"} 6
y_seconds_sum{variable="a\"b\\c\nd"} +Inf
# HELP z Z.
# TYPE z gauge
z{z="A"} 0
z{z="B"} 1
"#;
        assert_eq!(text(&families, Format::Prometheus), older);
    }

    #[test]
    fn floats_are_what_parsers_read() {
        let shown = |number| Shown(Number::Float(number)).to_string();
        assert_eq!([0.1, 1e300, -0.0, 3.0].map(shown), ["0.1", "1e300", "-0.0", "3.0"]);
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(shown), ["NaN", "+Inf", "-Inf"]);
    }
}
