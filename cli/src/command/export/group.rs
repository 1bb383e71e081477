//! What the exporter says of itself, for each program or map that targets name.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::family::{Family, Head, Kind, Labels, Metric, Number, Point};
use crate::output::clean;
use crate::target::{Origin, Target};

static UP: Head = Head::fixed("bpfvar_up", Kind::Gauge, "Whether all that is exported of a program or map is there.");
static LOADED: Head =
    Head::of_seconds("bpfvar_load_time_seconds", "When the program was loaded, in seconds since 1970.");
static RELOADS: Head = Head::fixed("bpfvar_reloads", Kind::Counter, "How often a program was found loaded anew.");
static RESETS: Head =
    Head::fixed("bpfvar_resets", Kind::Counter, "Counters that went back while their program stayed loaded.");
static TORN: Head =
    Head::fixed("bpfvar_torn_reads", Kind::Counter, "Variables that were left out as somebody was writing them.");
static TOOK: Head = Head::of_seconds("bpfvar_read_duration_seconds", "How long reading all variables took this time.");
static BUILD: Head = Head::fixed("bpfvar_build", Kind::Info, "The version of the exporter.");

static NO_LABELS: Labels = Vec::new();
static VERSION: LazyLock<Labels> = LazyLock::new(|| vec![("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);

/// The targets in one program or map.
pub(super) struct Group {
    labels: Labels,
    /// Whether all targets are there.
    pub(super) is_up: bool,
    /// Whether any was ever there.
    pub(super) was_found: bool,
    pub(super) loaded: Option<SystemTime>,
    pub(super) reloads: u64,
    pub(super) resets: u64,
    pub(super) torn: u64,
}

impl Group {
    pub(super) fn new(name: &str) -> Group {
        let labels = vec![("target".to_owned(), clean(name))];
        Group { labels, is_up: false, was_found: false, loaded: None, reloads: 0, resets: 0, torn: 0 }
    }

    pub(super) fn name(&self) -> &str {
        self.labels.first().map_or("", |(_, name)| name)
    }
}

/// The part of a target that names its program or map, as it was typed.
pub(super) fn name_of(target: &Target) -> &str {
    let text = &target.text;
    if !matches!(target.origin, Origin::Name { .. }) {
        return text.strip_suffix(target.rest.as_str()).unwrap_or(text);
    }
    // A section's name starts with a dot.
    let start = text.len() - target.rest.trim_start_matches('.').len();
    let end = text[start..].find(['.', '[']).map_or(text.len(), |end| start + end);
    &text[..end]
}

/// The families of all groups, and those of the exporter, which runs since `since` and took so long to read.
pub(super) fn families(groups: &[Group], since: SystemTime, took: Duration) -> Vec<Family<'_>> {
    let gauge = |head: &'static Head, number: fn(&Group) -> Option<Number>| {
        let known = groups.iter().filter_map(|group| Some(metric(&group.labels, number(group)?, None)));
        Family { head, metrics: known.collect() }
    };
    let counter = |head: &'static Head, number: fn(&Group) -> u64| {
        let all = groups.iter().map(|group| metric(&group.labels, number(group).into(), Some(since)));
        Family { head, metrics: all.collect() }
    };
    vec![
        gauge(&UP, |group| Some(u64::from(group.is_up).into())),
        gauge(&LOADED, |group| Some(Number::Float(unix_seconds(group.loaded?)))),
        counter(&RELOADS, |group| group.reloads),
        counter(&RESETS, |group| group.resets),
        counter(&TORN, |group| group.torn),
        Family { head: &TOOK, metrics: vec![metric(&NO_LABELS, Number::Float(took.as_secs_f64()), None)] },
        Family { head: &BUILD, metrics: vec![metric(&VERSION, 1.into(), None)] },
    ]
}

fn metric(labels: &Labels, number: Number, created: Option<SystemTime>) -> Metric<'_> {
    Metric { labels, point: Cow::Owned(Point::Number(number)), created }
}

/// To the millisecond: when the machine was started is not known better.
fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_grouped_by_what_they_are_in() {
        for (target, name) in [
            ("count.config.rate", "count"),
            ("count", "count"),
            ("stats[3].packets", "stats"),
            ("prog:12.packets", "prog:12"),
            ("prog:count.packets", "prog:count"),
            ("map:7[3]", "map:7"),
            ("pin:/sys/fs/bpf/a.b/x[3]", "pin:/sys/fs/bpf/a.b/x"),
            (".data.custom.x", ".data"),
        ] {
            assert_eq!(name_of(&target.parse().unwrap()), name, "{target}");
        }
    }
}
