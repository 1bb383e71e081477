//! Families as JSON, for `--json`.

use std::time::UNIX_EPOCH;

use bpfvar::Value;
use serde::{Serialize, Serializer};

use super::family::{Family, Kind, Metric, Number, Point};
use crate::command::Members;

/// What is printed.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    families: Vec<JsonFamily<'a>>,
}

#[derive(Serialize)]
struct JsonFamily<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    help: &'a str,
    unit: Option<&'a str>,
    metrics: Vec<JsonMetric<'a>>,
}

#[derive(Serialize)]
struct JsonMetric<'a> {
    labels: Members<'a, String>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<f64>,
    #[serde(flatten)]
    point: JsonPoint<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonPoint<'a> {
    Number { value: Number },
    Histogram { buckets: Vec<JsonBucket>, sum: Option<Number> },
    States { state: Option<&'a str>, states: &'a [String] },
}

#[derive(Serialize)]
struct JsonBucket {
    /// None for the last, which counts all.
    le: Option<f64>,
    count: Value,
}

/// As all of the tool writes numbers.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Number::Whole(number) => Value::Int(number).serialize(serializer),
            Number::Float(number) => Value::F64(number).serialize(serializer),
        }
    }
}

impl<'a> Json<'a> {
    pub(super) fn new(families: &'a [Family<'_>]) -> Json<'a> {
        let shown = families.iter().filter(|family| !family.metrics.is_empty());
        Json { families: shown.map(JsonFamily::new).collect() }
    }
}

impl<'a> JsonFamily<'a> {
    fn new(Family { head, metrics }: &'a Family<'_>) -> JsonFamily<'a> {
        let kind = match head.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::States => "stateset",
            Kind::Info => "info",
        };
        let metrics = metrics.iter().map(JsonMetric::new).collect();
        JsonFamily { name: &head.name, kind, help: &head.help, unit: head.unit.as_deref(), metrics }
    }
}

impl<'a> JsonMetric<'a> {
    fn new(Metric { labels, point, created }: &'a Metric<'_>) -> JsonMetric<'a> {
        let since = |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let point = match point.as_ref() {
            Point::Number(number) => JsonPoint::Number { value: *number },
            Point::Histogram { bounds, counts, sum } => {
                let bucket = |(index, count): (usize, &u64)| JsonBucket {
                    le: bounds.get(index).copied(),
                    count: (*count).into(),
                };
                JsonPoint::Histogram { buckets: counts.iter().enumerate().map(bucket).collect(), sum: *sum }
            }
            Point::States { names, current } => {
                let state = current.and_then(|current| names.get(current));
                JsonPoint::States { state: state.map(String::as_str), states: names }
            }
        };
        let created = created.map(|created| since(created).as_millis() as f64 / 1e3);
        JsonMetric { labels: Members(labels), created, point }
    }
}
