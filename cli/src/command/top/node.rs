//! A row of the tree and what is below it: a group of programs, a map, a variable, or a part of one. It reads itself.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bpfvar::{Value, Var};

use super::format::brief;
use super::handle::Handle;
use super::parts::{Parts, cost};
use super::series::Series;
use crate::error::Failure;
use crate::histogram::{Histogram, Scale};
use crate::output::clean;
use crate::value::{self, change};

/// So many bytes are read whole at each sample; of more, what is on the screen.
const EACH_SAMPLE: u64 = 8 << 10;
/// So many are read whole once a second.
const EACH_SECOND: u64 = 64 << 10;
/// Elements are put in order of their rates if there are no more.
const MOST_SORTED: u32 = 4096;
/// No number moves further in a sample, so that their sum is one, and the others are still to be seen beside it.
const MOST_MOVED: f64 = u64::MAX as f64;
/// Elements that nobody has looked at for so long are forgotten, where they are not read with the whole.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// A row of the tree and what is below it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// As it is shown below its parent.
    pub(super) name: String,
    /// As commands name it.
    pub(super) label: String,
    pub(super) open: bool,
    /// None for a group of programs, and for what is gone.
    var: Option<Var>,
    /// How it is read after the first time, if that is faster. None before.
    handle: Option<Option<Handle>>,
    /// The id of the map that it lies in, or lay in.
    map: u32,
    parts: Parts,
    /// What it costs to read all of it, in bytes.
    cost: u64,
    /// What is below it, as far as anybody has looked: members, then elements, then CPUs, by their numbers.
    pub(super) children: BTreeMap<u32, Node>,
    /// Its value; for what has parts, and for groups, how much all numbers in it have moved.
    pub(super) series: Series,
    /// How much that is.
    moved: f64,
    /// The value of what has parts.
    whole: Option<Value>,
    /// What is shown in place of a value that cannot be read.
    pub(super) instead: Option<String>,
    read_at: Option<Duration>,
    /// The last drawing that it was a part of.
    shown: u64,
    shown_at: Duration,
    /// What the user says of an array: which kind of histogram it is, or none.
    kind: Option<Option<Scale>>,
}

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub(super) at: Duration,
    /// The last drawing: of what is not read whole, the rows in it are read.
    pub(super) shown: u64,
    /// Whether it is the first of this second: then more is read whole.
    pub(super) sweep: bool,
}

impl Node {
    /// A group, whose children are put into it.
    pub(super) fn group(name: &str) -> Node {
        Node { name: clean(name), label: name.to_owned(), open: true, ..Node::default() }
    }

    /// A variable or map, or a part of one.
    pub(super) fn new(name: &str, label: String, var: Var) -> Node {
        let mut node = Node { name: clean(name), label, ..Node::default() };
        node.attach(var);
        node
    }

    /// Gives another name to it, and to what is below it.
    pub(super) fn rename(&mut self, name: &str, label: String) {
        self.name = clean(name);
        if self.label != label {
            for (key, child) in &mut self.children {
                // The variables of a group have labels of their own.
                if let Some(step) = self.parts.step(*key) {
                    child.rename(step.trim_start_matches('.'), format!("{label}{step}"));
                }
            }
            self.label = label;
        }
    }

    /// Takes a variable in place of the one that was there, which may have been loaded anew. What is below stays, as far as it is
    /// still there.
    pub(super) fn attach(&mut self, var: Var) {
        let map = var.map().info().id;
        if self.map == map && self.var.is_some() {
            return;
        }
        // The elements of the only value of a map come behind the index of that.
        let is_map = var.linkage().is_none() && var.path() == var.map().info().name;
        let var = if is_map && var.entry().is_some() { var.at("[0]").unwrap_or(var) } else { var };
        if self.map != map {
            self.series.restart();
            self.whole = None;
        }
        let parts = Parts::of(&var);
        if parts != self.parts {
            self.children.clear();
            self.parts = parts;
        }
        self.map = map;
        let step = |key| self.parts.step(key);
        self.children.retain(|&key, child| match step(key).map(|step| var.at(&step)) {
            Some(Ok(part)) => {
                child.attach(part);
                true
            }
            _ => false,
        });
        self.cost = cost(&var);
        self.handle = None;
        self.var = Some(var);
    }

    /// Lets go of all maps but these.
    pub(super) fn release(&mut self, all_but: &HashSet<u32>) {
        if self.var.is_some() && !all_but.contains(&self.map) {
            self.var = None;
            self.handle = None;
        }
        self.children.values_mut().for_each(|child| child.release(all_but));
    }

    pub(super) fn var(&self) -> Option<&Var> {
        self.var.as_ref()
    }

    /// The maps that it is in, or was in.
    pub(super) fn maps(&self) -> HashSet<u32> {
        match self.map {
            0 => self.children.values().map(|child| child.map).collect(),
            id => HashSet::from([id]),
        }
    }

    pub(super) fn is_group(&self) -> bool {
        self.map == 0
    }

    /// Whether rows can be below it.
    pub(super) fn has_parts(&self) -> bool {
        self.is_group() || self.parts.count() > 0
    }

    pub(super) fn members(&self) -> &[String] {
        &self.parts.members
    }

    pub(super) fn elements(&self) -> u32 {
        self.parts.elements
    }

    /// Whether what is below it are values of one kind: elements, or what each CPU has.
    pub(super) fn is_list(&self) -> bool {
        self.parts.members.is_empty() && self.parts.count() > 0
    }

    /// The numbers of what is below it, if it is no group.
    pub(super) fn part_count(&self) -> u32 {
        self.parts.count()
    }

    /// What is below it, made when somebody looks.
    pub(super) fn child(&mut self, key: u32) -> Option<&mut Node> {
        if !self.is_group() && !self.children.contains_key(&key) {
            let step = self.parts.step(key)?;
            let part = self.var.as_ref()?.at(&step).ok()?;
            let child = Node::new(step.trim_start_matches('.'), format!("{}{step}", self.label), part);
            self.children.insert(key, child);
        }
        self.children.get_mut(&key)
    }

    /// Makes all that a filter can look for: members, not elements.
    pub(super) fn look_at_members(&mut self) {
        self.look_at(self.parts.members.len() as u32);
    }

    /// Makes all that is below it.
    pub(super) fn look_at_all(&mut self) {
        if !self.is_group() {
            self.look_at(self.part_count());
        }
    }

    fn look_at(&mut self, count: u32) {
        for key in 0..count {
            self.child(key);
        }
    }

    /// Whether its elements have an order other than that of their indexes; then all are made.
    pub(super) fn look_at_elements(&mut self) -> bool {
        let few = self.parts.elements <= MOST_SORTED && self.cost <= EACH_SECOND;
        if few {
            self.look_at_all();
        }
        few
    }

    /// Says that it is on the screen, or something below it.
    pub(super) fn show(&mut self, shown: u64, at: Duration) {
        self.shown = shown;
        self.shown_at = at;
    }

    /// Whether what is known of it is older than what else is on the screen, which is from `newest`.
    pub(super) fn is_behind(&self, newest: Duration) -> bool {
        !self.is_group() && self.read_at.is_none_or(|at| at + Duration::from_secs(1) < newest)
    }

    /// Reads it: whole, if that is not too much; else what of it is on the screen.
    pub(super) fn sample(&mut self, pass: Pass) {
        if self.is_group() {
            self.children.values_mut().for_each(|child| child.sample(pass));
            if pass.sweep {
                self.add_up(pass.at);
            }
            return;
        }
        let most = if pass.sweep { EACH_SECOND } else { EACH_SAMPLE };
        let is_whole = self.cost <= most;
        if is_whole {
            self.read(pass.at);
        }
        // Read whole, only CPUs are not read with it.
        let with_it = if is_whole { self.parts.members.len() as u32 + self.parts.elements } else { 0 };
        let below = Pass { sweep: false, ..pass };
        let rest = self.children.range_mut(with_it..);
        rest.filter(|(_, child)| child.shown == pass.shown).for_each(|(_, child)| child.sample(below));
        if pass.sweep && !is_whole {
            let is_wanted = |child: &Node| child.open || pass.at.saturating_sub(child.shown_at) < FORGOTTEN;
            self.children.retain(|_, child| is_wanted(child));
        }
    }

    /// Reads all of it, if it is not too much to read while somebody waits.
    pub(super) fn catch_up(&mut self, at: Duration) {
        if self.cost <= EACH_SECOND {
            self.read(at);
        }
    }

    fn read(&mut self, at: Duration) {
        if let Some(Some(handle)) = &self.handle {
            return self.take(handle.read(), at);
        }
        let Some(var) = &self.var else { return };
        match value::read(var) {
            Ok(Ok(value)) => {
                self.handle.get_or_insert_with(|| Handle::of(var, &value));
                self.take(value, at);
            }
            Ok(Err(torn)) => self.stay(torn, at),
            Err(error) => self.stay(&clean(&Failure::from(error).line(false)), at),
        }
    }

    /// There is no value this time, neither of it nor of its parts.
    fn stay(&mut self, instead: &str, at: Duration) {
        self.instead = Some(instead.to_owned());
        self.read_at = Some(at);
        let with_it = self.parts.members.len() as u32 + self.parts.elements;
        self.children.range_mut(..with_it).for_each(|(_, child)| child.stay(instead, at));
    }

    fn take(&mut self, value: Value, at: Duration) {
        self.read_at = Some(at);
        self.instead = None;
        if !self.has_parts() {
            return self.series.update(at, value);
        }
        for (&key, child) in &mut self.children {
            if let Some(part) = self.parts.of_value(&value, key) {
                child.take(part.clone(), at);
            }
        }
        self.moved += self.whole.as_ref().map_or(0.0, |old| moved(old, &value));
        self.series.update(at, Value::F64(self.moved));
        self.whole = Some(value);
    }

    /// How much all in a group has moved since it was last added up.
    fn add_up(&mut self, at: Duration) {
        let seconds = at.saturating_sub(self.read_at.replace(at).unwrap_or(at)).as_secs_f64();
        let rates = self.children.values().filter_map(|child| child.series.rate());
        self.moved += rates.map(f64::abs).sum::<f64>() * seconds;
        self.series.update(at, Value::F64(self.moved));
    }

    /// The value: of a scalar, or of what has parts.
    pub(super) fn value(&self) -> Option<&Value> {
        if self.has_parts() { self.whole.as_ref() } else { self.series.value() }
    }

    /// As much of its value in one line as there is room for, or what is shown in place of it.
    pub(super) fn text(&self, room: usize) -> String {
        match (&self.instead, self.value()) {
            (Some(instead), _) => instead.clone(),
            (None, Some(value)) => brief(value, room),
            (None, None) => String::new(),
        }
    }

    /// The same of each of its members.
    pub(super) fn member_texts(&self, room: usize) -> Vec<String> {
        match &self.whole {
            Some(Value::Struct(members)) => members.iter().map(|(_, value)| brief(value, room)).collect(),
            _ => Vec::new(),
        }
    }

    /// The numbers of an array, for bars.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        match &self.whole {
            Some(Value::Array(elements)) => elements.iter().map(number).collect(),
            _ => None,
        }
    }

    /// The histogram that it is, by its name and length or because the user says so.
    pub(super) fn histogram(&self) -> Option<Histogram> {
        let value = self.whole.as_ref()?;
        match self.kind {
            None => Histogram::guess(&self.label, value),
            Some(scale) => Histogram::new(scale?, value),
        }
    }

    /// Goes from what the name tells to a histogram by powers of two, then to a linear one, then to none. Returns what it is now;
    /// None if it can be none.
    pub(super) fn turn_histogram(&mut self) -> Option<Option<Scale>> {
        let value = self.whole.as_ref()?;
        Histogram::new(Scale::Log2, value)?;
        let now = self.histogram().map(|histogram| histogram.scale);
        let next = match now {
            None => Some(Scale::Log2),
            Some(Scale::Log2) => Some(Scale::Linear { step: 1 }),
            Some(Scale::Linear { .. }) => None,
        };
        self.kind = Some(next);
        Some(next)
    }
}

/// Addresses and names of enumerators have no height.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::F32(_) | Value::F64(_) | Value::Bool(_) => value.as_f64(),
        _ => None,
    }
}

/// How much the numbers in a value have moved; what is no number moves by one.
fn moved(from: &Value, to: &Value) -> f64 {
    match (from, to) {
        (Value::Array(from), Value::Array(to)) => from.iter().zip(to).map(|(from, to)| moved(from, to)).sum(),
        (Value::Struct(from), Value::Struct(to)) => from.iter().zip(to).map(|(from, to)| moved(&from.1, &to.1)).sum(),
        (from, to) if from == to => 0.0,
        (from, to) => {
            let by = change(from, to).as_ref().and_then(Value::as_f64).map(f64::abs);
            by.filter(|by| by.is_finite()).map_or(1.0, |by| by.min(MOST_MOVED))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_in_a_value_count_as_moved() {
        let of = |a: u64, b: i64, c: bool| {
            let inner = Value::Array(vec![a.into(), b.into()]);
            Value::Struct(vec![("x".into(), inner), ("y".into(), c.into())])
        };
        assert_eq!(moved(&of(1, 1, true), &of(1, 1, true)), 0.0);
        assert_eq!(moved(&of(1, 5, true), &of(4, -5, false)), 14.0);
        assert_eq!(moved(&Value::F64(0.5), &Value::F64(1.0)), 0.5);
        assert_eq!(moved(&Value::F64(0.0), &Value::F64(f64::MAX)), MOST_MOVED);
    }
}
