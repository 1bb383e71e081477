//! Which metrics a variable has: worked out when it is found.

use std::ops::Range;
use std::time::SystemTime;

use bpfvar::{Step, TypedMap, Value, Var, VarPath};

use super::catalog::Catalog;
use super::config::{Names, Wish, WishedKind};
use super::family::{Kind, Labels, Number};
use super::rule;
use super::source::{Item, Reading, Source, Sum};
use crate::error::{Failure, Result};
use crate::histogram::Scale;
use crate::output::clean;
use crate::value::Shape;

/// An enum with more names is exported as a number.
const MOST_STATES: usize = 32;

/// What a variable is exported as, beside itself.
pub(super) struct Plan<'a> {
    pub(super) catalog: &'a mut Catalog,
    pub(super) program: Option<&'a str>,
    /// The process that the target names by its number.
    pub(super) process: Option<u32>,
    /// How the variable is called in labels.
    pub(super) variable: &'a str,
    /// The path of the whole variable, and what leads on from there.
    pub(super) whole: &'a str,
    pub(super) rest: &'a str,
    pub(super) wish: Option<&'a Wish>,
    pub(super) created: Option<SystemTime>,
    /// Whether something else exports this scalar.
    pub(super) is_taken: &'a dyn Fn(&str) -> bool,
}

/// A scalar of a variable while it is looked at.
struct Scalar {
    /// Behind the variable.
    path: String,
    value: Value,
}

impl Scalar {
    /// The array whose element it is, and which.
    fn element(&self) -> Option<(&str, usize)> {
        let (array, index) = self.path.strip_suffix(']')?.rsplit_once('[')?;
        Some((array, index.parse().ok()?))
    }
}

impl Plan<'_> {
    /// What is read of the variable `var`, whose value is `value` now.
    pub(super) fn source(&mut self, index: usize, var: &Var, value: Value) -> Result<Source> {
        let shape = Shape::of(var, &value);
        let (mut paths, mut values) = (Vec::new(), Vec::new());
        shape.paths(self.rest, &mut paths);
        shape.leaves(value, &mut values);
        let full = paths.iter().map(|path| format!("{}{path}", self.whole)).collect();
        let scalars: Vec<Scalar> = paths.into_iter().zip(values).map(|(path, value)| Scalar { path, value }).collect();
        let mut source = Source { index, shape, paths: full, items: Vec::new() };
        let typed = of_one(var)?;
        if let Some(Names::Enum(name)) = self.wish.map(|wish| &wish.names) {
            if var.map().enumerators(name).is_none() {
                let rule = format!("has no enum {name} in its BTF, where enums are that a variable has; write `names`");
                return Err(self.refused(&rule));
            }
        }
        let mut at = 0;
        while at < scalars.len() {
            let slots = at..at + elements_from(&scalars[at..]);
            let (item, range) = match self.histogram(&typed, &scalars, slots.clone(), &source.paths)? {
                Some(item) => (Some(item), slots),
                None => (self.scalar(&typed, &scalars[at], at)?, at..at + 1),
            };
            at = range.end;
            // A histogram is one thing, though a part of it may be exported by itself, too.
            let is_taken = source.paths[range].iter().all(|path| (self.is_taken)(path));
            source.items.extend(item.filter(|_| !is_taken));
        }
        Ok(source)
    }

    /// Some scalars that are the elements of one array, as a histogram, if they are one.
    fn histogram(
        &mut self,
        var: &Var,
        scalars: &[Scalar],
        range: Range<usize>,
        paths: &[String],
    ) -> Result<Option<Item>> {
        let slots = &scalars[range.clone()];
        let values: Vec<Value> = slots.iter().map(|slot| slot.value.clone()).collect();
        let wished = self.wish.filter(|wish| wish.kind == Some(WishedKind::Histogram));
        let array = slots.first().and_then(Scalar::element).map(|(array, _)| array);
        let can_be_one = slots.len() > 1 && values.iter().all(|value| matches!(value, Value::Uint(_)));
        let scale = match (array, wished) {
            (Some(_), Some(wish)) if can_be_one => Some(wish.step.map_or(Scale::Log2, |step| Scale::Linear { step })),
            (_, Some(_)) => {
                let rule = "is no histogram, which is an array of at least two unsigned numbers; name the array, or \
                            another type";
                return Err(self.refused(rule));
            }
            (Some(array), None) if self.wish.is_none_or(|wish| wish.kind.is_none()) => {
                rule::of_array(var, &values, self.size(var, &slots[0].path), own_name(array, self.whole))
            }
            _ => None,
        };
        let (Some(array), Some(scale)) = (array, scale) else { return Ok(None) };
        let factor = self.wish.and_then(|wish| wish.scale);
        let bounds = (0..slots.len() - 1).map(|slot| Number::from(scale.upper(slot)).scaled(factor).as_f64()).collect();
        let reading = Reading::Histogram { bounds, sum: self.sum(var, array, paths)? };
        self.item(Kind::Histogram, reading, var, array, range).map(Some)
    }

    /// The scalar beside a histogram that sums up what it counts: as it is wished, or `hist_sum` for `hist`.
    fn sum(&self, var: &Var, array: &str, paths: &[String]) -> Result<Option<Sum>> {
        let wished = self.wish.and_then(|wish| wish.sum.as_deref());
        let path = wished.map_or_else(|| format!("{}{array}_sum", self.whole), str::to_owned);
        if let Some(found) = paths.iter().position(|known| *known == path) {
            return Ok(Some(Sum::Scalar(found)));
        }
        let found = var.map().var(&path);
        let is_number = |var: &Var| var.read().is_ok_and(|value| Number::of(&value).is_some());
        match (found, wished) {
            (Ok(sum), _) if is_number(&sum) => Ok(Some(Sum::Variable(path))),
            (_, None) => Ok(None),
            (Ok(_), Some(_)) => Err(self.refused(&format!("cannot have the sum {path}, which is no number"))),
            (Err(error), Some(_)) => {
                Err(self.refused(&format!("cannot have the sum {path}: {}", Failure::from(error).line(false))))
            }
        }
    }

    fn scalar(&mut self, var: &Var, scalar: &Scalar, at: usize) -> Result<Option<Item>> {
        let Scalar { path, value } = scalar;
        let wished = self.wish.and_then(|wish| wish.kind);
        let (size, name) = (self.size(var, path), own_name(path, self.whole));
        let Some(ruled) = rule::of_scalar(var, value, size, name) else { return Ok(None) };
        let (kind, reading) = match wished.unwrap_or(ruled) {
            WishedKind::None => return Ok(None),
            WishedKind::Counter => (Kind::Counter, Reading::Counter),
            WishedKind::State if matches!(value, Value::Enum { .. }) => {
                let (names, numbers) = self.states(var, path);
                if names.len() > MOST_STATES && wished.is_none() {
                    (Kind::Gauge, Reading::Gauge)
                } else {
                    (Kind::States, Reading::States { names: names.into(), numbers })
                }
            }
            WishedKind::State => return Err(self.refused("is no enum, and so has no states; name another type")),
            WishedKind::Gauge | WishedKind::Histogram => (Kind::Gauge, Reading::Gauge),
        };
        self.item(kind, reading, var, path, at..at + 1).map(Some)
    }

    /// The names of an enum with their numbers; of several names for one number the first.
    fn states(&self, var: &Var, path: &str) -> (Vec<String>, Vec<i128>) {
        let Ok(var) = self.part(var, path) else { return Default::default() };
        let mut states: Vec<(String, i128)> = Vec::new();
        for (name, number) in var.enumerators() {
            if !states.iter().any(|(_, known)| *known == number) {
                states.push((name.to_owned(), number));
            }
        }
        states.into_iter().unzip()
    }

    fn item(&mut self, kind: Kind, reading: Reading, var: &Var, path: &str, scalars: Range<usize>) -> Result<Item> {
        let about = format!("{}{path}", self.variable);
        let family = self.catalog.family(kind, self.wish, &about);
        let family = family.map_err(|conflict| self.refused(&format!("cannot be exported so: {conflict}")))?;
        let labels = self.labels(var.map(), path)?;
        let name = &self.catalog.heads()[family].name;
        if let (Kind::States, Some(_)) = (kind, labels.iter().find(|(label, _)| label == name)) {
            return Err(self.refused(&format!("cannot have the label {name}, which is that of its state")));
        }
        Ok(Item {
            family,
            labels,
            scalars,
            scale: self.wish.and_then(|wish| wish.scale),
            point: None,
            created: self.created.filter(|_| matches!(kind, Kind::Counter | Kind::Histogram)),
            last: None,
            reading,
        })
    }

    /// Its names and values: where it comes from, then what the user said.
    fn labels(&self, map: &TypedMap, path: &str) -> Result<Labels> {
        let path: VarPath = path.parse()?;
        let (mut members, mut indices) = (Vec::new(), Vec::new());
        for step in path.steps() {
            match step {
                Step::Member(name) => members.push(name.clone()),
                Step::Index(index) => indices.push(*index),
            }
        }
        let mut labels: Labels = Vec::new();
        let mut put = |name: &str, value: String| match labels.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => labels.push((name.to_owned(), value)),
        };
        put("program", self.program.unwrap_or_default().to_owned());
        put("pid", self.process.map_or_else(String::new, |pid| pid.to_string()));
        put("variable", self.variable.to_owned());
        put("member", members.join("."));
        let label = self.wish.and_then(|wish| wish.index.as_deref()).unwrap_or("index");
        for (depth, index) in (1..).zip(indices) {
            let name = self.wish.filter(|_| depth == 1).and_then(|wish| name_of(&wish.names, map, index));
            let label = if depth == 1 { label.to_owned() } else { format!("{label}_{depth}") };
            put(&label, name.unwrap_or_else(|| index.to_string()));
        }
        for (name, value) in self.wish.iter().flat_map(|wish| &wish.labels) {
            put(name, value.clone());
        }
        // To Prometheus a label that is empty is none.
        labels.retain(|(_, value)| !value.is_empty());
        labels.iter_mut().for_each(|(_, value)| *value = clean(value));
        Ok(labels)
    }

    /// A part of the variable, which `var` is for one CPU.
    fn part(&self, var: &Var, path: &str) -> bpfvar::Result<Var> {
        var.at(&path[self.rest.len()..])
    }

    /// The size of a scalar.
    fn size(&self, var: &Var, path: &str) -> u64 {
        self.part(var, path).map_or(0, |part| part.size())
    }

    fn refused(&self, why: &str) -> Failure {
        let place = self.wish.map_or_else(String::new, |wish| format!("{}: ", wish.place));
        Failure::new(format!("{place}{}{} {why}", self.variable, self.rest))
    }
}

/// The variable as one CPU has it, if each has one: paths lead on from there.
fn of_one(var: &Var) -> Result<Var> {
    Ok(var.each_cpu()?.into_iter().next().unwrap_or_else(|| var.clone()))
}

/// What the element of an array is called.
fn name_of(names: &Names, map: &TypedMap, index: u64) -> Option<String> {
    match names {
        Names::Numbers => None,
        Names::List(names) => usize::try_from(index).ok().and_then(|index| names.get(index).cloned()),
        Names::Enum(name) => {
            let known = map.enumerators(name)?;
            known.iter().find(|(_, number)| *number == index.into()).map(|(name, _)| (*name).to_owned())
        }
    }
}

/// How many of the first scalars are all elements of one array; 1 for what is no array's first element.
fn elements_from(scalars: &[Scalar]) -> usize {
    let Some((array, 0)) = scalars.first().and_then(Scalar::element) else { return 1 };
    (0..).zip(scalars).take_while(|(index, scalar)| scalar.element() == Some((array, *index))).count()
}

/// The name of the last member on a path, or of the variable.
fn own_name<'a>(path: &'a str, variable: &'a str) -> &'a str {
    let last = |path: &'a str| {
        let member = path.rsplit('.').next().unwrap_or(path);
        member.split(['[', '@']).next().unwrap_or(member)
    };
    let own = last(path);
    if own.is_empty() { last(variable) } else { own }
}
