//! The TOML that says which variables are exported under which names. What is wrong in it is said with its line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::family::Labels;
use super::name;
use crate::error::{Failure, Result};
use crate::target::Target;

/// A target, and how what it names is to be exported.
pub(crate) struct Selection {
    pub(super) target: Target,
    /// None where the rules decide.
    pub(super) wish: Option<Wish>,
}

/// How variables are to be exported: what is not said, the rules decide.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// Where it is said, for errors: `FILE:LINE`.
    pub(super) place: String,
    pub(super) name: Option<String>,
    pub(super) help: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) scale: Option<f64>,
    pub(super) kind: Option<WishedKind>,
    pub(super) labels: Labels,
    /// The label of the first index.
    pub(super) index: Option<String>,
    pub(super) names: Names,
    /// The width of the buckets of a linear histogram.
    pub(super) step: Option<u64>,
    /// The variable with the sum of what a histogram counts, in the same section.
    pub(super) sum: Option<String>,
}

/// The types that a user may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WishedKind {
    Counter,
    Gauge,
    Histogram,
    State,
    /// Not to be exported.
    None,
}

/// What the elements of an array are called.
#[derive(Debug, Default)]
pub(super) enum Names {
    #[default]
    Numbers,
    List(Vec<String>),
    /// By the enum of this name.
    Enum(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    targets: Vec<Spanned<String>>,
    #[serde(default)]
    metric: Vec<Spanned<Metric>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    target: Spanned<String>,
    name: Option<Spanned<String>>,
    help: Option<Spanned<String>>,
    #[serde(rename = "type")]
    kind: Option<WishedKind>,
    unit: Option<Spanned<String>>,
    scale: Option<Spanned<f64>>,
    #[serde(default)]
    labels: BTreeMap<Spanned<String>, String>,
    index: Option<Spanned<String>>,
    #[serde(rename = "enum")]
    of_enum: Option<Spanned<String>>,
    names: Option<Vec<String>>,
    step: Option<Spanned<u64>>,
    sum: Option<Spanned<String>>,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vec<Selection>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| Failure::new(format!("{shown}: cannot be read: {error}")))?;
    parse(&text, shown.to_string())
}

/// What a file says: the metrics first, as what they name is not exported a second time by a target.
pub(crate) fn parse(text: &str, name: String) -> Result<Vec<Selection>> {
    let source = Source { name, text };
    let file: File = toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', "; ");
        source.failure(error.span().map_or(0, |span| span.start), message)
    })?;
    if file.targets.is_empty() && file.metric.is_empty() {
        return Err(Failure::new(format!(
            "{}: names no variables; it needs `targets = [...]` or [[metric]]",
            source.name
        )));
    }
    let metrics = file.metric.into_iter().map(|metric| source.selection(metric));
    let metrics = metrics.collect::<Result<Vec<_>>>()?;
    let targets = file.targets.iter().map(|target| Ok(Selection { target: source.target(target)?, wish: None }));
    let targets = targets.collect::<Result<Vec<_>>>()?;
    Ok(metrics.into_iter().chain(targets).collect())
}

/// A file, to say where something stands in it.
struct Source<'a> {
    name: String,
    text: &'a str,
}

impl Source<'_> {
    fn place(&self, at: usize) -> String {
        let before = self.text.as_bytes().iter().take(at);
        format!("{}:{}", self.name, before.filter(|byte| **byte == b'\n').count() + 1)
    }

    fn failure(&self, at: usize, message: impl std::fmt::Display) -> Failure {
        Failure::new(format!("{}: {message}", self.place(at)))
    }

    fn target(&self, text: &Spanned<String>) -> Result<Target> {
        let refused =
            |message| self.failure(text.span().start, format!("{:?} names nothing: {message}", text.get_ref()));
        text.get_ref().parse().map_err(refused)
    }

    fn selection(&self, metric: Spanned<Metric>) -> Result<Selection> {
        let place = self.place(metric.span().start);
        let metric = metric.into_inner();
        let target = self.target(&metric.target)?;
        self.check(&metric)?;
        let (name, kind) = self.name(&metric)?;
        let names = match (metric.of_enum, metric.names) {
            (Some(name), _) => Names::Enum(name.get_ref().trim_start_matches("enum ").to_owned()),
            (None, Some(names)) => Names::List(names),
            (None, None) => Names::Numbers,
        };
        let wish = Wish {
            place,
            name,
            help: metric.help.map(Spanned::into_inner),
            unit: metric.unit.map(Spanned::into_inner),
            scale: metric.scale.map(Spanned::into_inner),
            kind,
            labels: metric.labels.into_iter().map(|(name, value)| (name.into_inner(), value)).collect(),
            index: metric.index.map(Spanned::into_inner),
            names,
            step: metric.step.map(Spanned::into_inner),
            sum: metric.sum.map(Spanned::into_inner),
        };
        Ok(Selection { target, wish: Some(wish) })
    }

    /// That what is said fits together.
    fn check(&self, metric: &Metric) -> Result<()> {
        fn at<T>(value: &Option<Spanned<T>>) -> Option<usize> {
            value.as_ref().map(|value| value.span().start)
        }
        let need_name = [("help", at(&metric.help)), ("unit", at(&metric.unit)), ("scale", at(&metric.scale))];
        let first = need_name.into_iter().find_map(|(key, at)| Some((key, at?)));
        if let (Some((key, at)), None) = (first, &metric.name) {
            return Err(self.failure(at, format!("{key} needs a `name`: all variables without one share theirs")));
        }
        let is_histogram = metric.kind == Some(WishedKind::Histogram);
        for (key, at) in [("step", at(&metric.step)), ("sum", at(&metric.sum))] {
            if let (Some(at), false) = (at, is_histogram) {
                return Err(self.failure(at, format!("{key} is for histograms; add `type = \"histogram\"`")));
            }
        }
        if let (Some(of_enum), Some(_)) = (&metric.of_enum, &metric.names) {
            return Err(
                self.failure(of_enum.span().start, "`enum` and `names` both name the elements; keep one of them")
            );
        }
        if let Some(scale) =
            metric.scale.as_ref().filter(|scale| !(scale.get_ref().is_finite() && *scale.get_ref() > 0.0))
        {
            return Err(self.failure(scale.span().start, format!("scale is {}, expected more than 0", scale.get_ref())));
        }
        if let (Some(scale), Some(WishedKind::State)) = (&metric.scale, metric.kind) {
            return Err(self.failure(scale.span().start, "a state is no number, and has no scale"));
        }
        if let Some(step) = metric.step.as_ref().filter(|step| *step.get_ref() == 0) {
            return Err(self.failure(step.span().start, "step is 0, expected the width of a bucket"));
        }
        for label in metric.labels.keys() {
            name::check_label(label.get_ref()).map_err(|rule| self.failure(label.span().start, rule))?;
        }
        if let Some(index) = &metric.index {
            name::check_index(index.get_ref()).map_err(|rule| self.failure(index.span().start, rule))?;
        }
        if let Some(unit) = &metric.unit {
            name::check_unit(unit.get_ref()).map_err(|rule| self.failure(unit.span().start, rule))?;
        }
        Ok(())
    }

    /// The family's name, and the type that it says.
    fn name(&self, metric: &Metric) -> Result<(Option<String>, Option<WishedKind>)> {
        let Some(name) = &metric.name else { return Ok((None, metric.kind)) };
        let refused = |rule| self.failure(name.span().start, rule);
        let (base, kind) = match (name.get_ref().strip_suffix("_total"), metric.kind) {
            (Some(base), None | Some(WishedKind::Counter)) => (base, Some(WishedKind::Counter)),
            (_, kind) => (name.get_ref().as_str(), kind),
        };
        name::check_family(base).map_err(refused)?;
        let unit = metric.unit.as_ref().map(|unit| format!("_{}", unit.get_ref()));
        let unit = unit.filter(|unit| !base.ends_with(unit.as_str())).unwrap_or_default();
        Ok((Some(format!("{base}{unit}")), kind))
    }
}
