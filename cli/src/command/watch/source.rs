//! What is read at each sample, and what is kept of it.

use std::cmp::Ordering;
use std::rc::Rc;
use std::time::Instant;

use bpfvar::{KeyedEntry, Value, Var};

use super::bars::{self, Bars, Choice};
use super::row::Row;
use crate::entries::{self, Entry};
use crate::error::{Failure, Result};
use crate::resolve::Keyed;
use crate::value::{Shape, only_entry, whole};

/// So many rows are of use to nobody, and each costs memory and time.
pub(super) const MOST_ROWS: usize = 10_000;

/// What is made of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A row a scalar.
    Rows,
    /// Each array of counters as a histogram.
    Bars(Choice),
}

/// A variable, an entry or a map that is reached by keys.
pub(super) struct Source {
    /// What was found under this label.
    found: String,
    label: String,
    kind: Kind,
    /// None while it is gone, or let go of.
    reader: Option<Reader>,
    groups: Vec<Group>,
    /// That of all values, taken once.
    shape: Option<Rc<Shape>>,
    /// Whether no program uses its map any more.
    is_unused: bool,
    /// Whether a map has more entries than are shown.
    pub(super) is_cut: bool,
}

#[derive(Clone)]
enum Reader {
    Var(Var),
    Keyed(Keyed),
}

/// One value over time.
struct Group {
    /// Where there are several: which of them.
    key: Option<Value>,
    track: Track,
    is_gone: bool,
}

enum Track {
    Rows {
        shape: Rc<Shape>,
        rows: Vec<Row>,
    },
    Bars(Vec<Bars>),
    /// An entry that was not there yet.
    Nothing(Box<Row>),
}

impl Source {
    /// A variable. It is read, to know what it is.
    pub(super) fn of_var(label: &str, var: &Var, kind: Kind) -> Result<Source> {
        let found = label.to_owned();
        let (label, var) = only_entry(found.clone(), var.clone())?;
        // Each entry is a row at least: no need to read them.
        if var.entry().is_none() && var.map().info().max_entries as usize > MOST_ROWS {
            return Err(too_many(&format!("{label}[0]")));
        }
        let mut source = Source { found, ..Source::new(label.clone(), kind, Reader::Var(var.clone())) };
        source.groups.push(Group { key: None, track: Track::Nothing(Box::new(Row::new(label))), is_gone: false });
        if let Ok(value) = whole(var.read())? {
            source.know(&var, &value)?;
        }
        Ok(source)
    }

    /// What is reached by keys.
    pub(super) fn of_keyed(keyed: &Keyed, kind: Kind) -> Result<Source> {
        let mut source = Source::new(keyed.text.clone(), kind, Reader::Keyed(keyed.clone()));
        if keyed.entry.is_some() {
            let nothing = Track::Nothing(Box::new(Row::new(keyed.text.clone())));
            source.groups.push(Group { key: None, track: nothing, is_gone: true });
        }
        Ok(source)
    }

    fn new(label: String, kind: Kind, reader: Reader) -> Source {
        Source {
            found: label.clone(),
            label,
            kind,
            reader: Some(reader),
            groups: Vec::new(),
            shape: None,
            is_unused: false,
            is_cut: false,
        }
    }

    /// Takes the shape of a variable from the first value that is whole.
    fn know(&mut self, var: &Var, value: &Value) -> Result<()> {
        if let [Group { track: Track::Nothing(_), .. }] = self.groups.as_slice() {
            self.shape = Some(Rc::new(Shape::of(var, value)));
            self.groups[0].track = self.track(&self.label, var.path(), value)?;
        }
        Ok(())
    }

    /// No program uses its map any more.
    pub(super) fn outlive(&mut self) {
        self.is_unused = true;
    }

    /// The map that it is in, unless it was let go of.
    pub(super) fn map_id(&self) -> Option<u32> {
        self.reader.as_ref().map(|reader| match reader {
            Reader::Var(var) => var.map().info().id,
            Reader::Keyed(keyed) => keyed.map.info().id,
        })
    }

    /// Lets go of what is read, so that its map can go away.
    pub(super) fn let_go(&mut self) {
        self.reader = None;
    }

    /// Whether it is of what was found under this label.
    pub(super) fn is_of(&self, label: &str) -> bool {
        self.found == label
    }

    /// Goes on with the same variable.
    pub(super) fn take_var(&mut self, var: &Var) -> Result<()> {
        self.reader = Some(Reader::Var(only_entry(String::new(), var.clone())?.1));
        Ok(())
    }

    /// Goes on with the same map or entry.
    pub(super) fn take_keyed(&mut self, keyed: &Keyed) {
        self.reader = Some(Reader::Keyed(keyed.clone()));
    }

    /// It is gone.
    pub(super) fn lose(&mut self) {
        self.groups.iter_mut().for_each(Group::lose);
    }

    /// How much is shown of it.
    pub(super) fn len(&self) -> usize {
        self.groups.iter().map(Group::len).sum()
    }

    /// How to name a part of it.
    pub(super) fn example(&self) -> String {
        match (&self.reader, self.rows().next()) {
            (Some(Reader::Keyed(keyed @ Keyed { entry: None, .. })), _) => keyed.example(),
            (_, Some(row)) => row.name.clone(),
            (_, None) => self.label.clone(),
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|group| match &group.track {
            Track::Rows { rows, .. } => rows.as_slice(),
            Track::Nothing(row) => std::slice::from_ref(row.as_ref()),
            Track::Bars(_) => &[],
        })
    }

    pub(super) fn bars(&self) -> impl Iterator<Item = &Bars> {
        self.groups.iter().flat_map(|group| match &group.track {
            Track::Bars(bars) => bars.as_slice(),
            Track::Rows { .. } | Track::Nothing(_) => &[],
        })
    }

    /// Reads it.
    pub(super) fn sample(&mut self, now: Instant, last_was_shown: bool) -> Result<()> {
        let Some(reader) = self.reader.take() else { return Ok(()) };
        let sampled = self.sample_from(&reader, now, last_was_shown);
        self.reader = Some(reader);
        if self.is_unused {
            self.groups.iter_mut().for_each(Group::outlive);
        }
        sampled
    }

    fn sample_from(&mut self, reader: &Reader, now: Instant, last_was_shown: bool) -> Result<()> {
        match reader {
            Reader::Var(var) => {
                match whole(var.read())? {
                    Ok(value) => {
                        self.know(var, &value)?;
                        if let [group] = self.groups.as_mut_slice() {
                            group.update(value, now, last_was_shown);
                        }
                    }
                    Err(why) => self.groups.iter_mut().for_each(|group| group.interrupt(why)),
                }
                Ok(())
            }
            Reader::Keyed(keyed) => {
                let Some(entry) = &keyed.entry else { return self.sample_map(keyed, now, last_was_shown) };
                let Some(value) = entry.read()? else {
                    self.lose();
                    return Ok(());
                };
                if self.shape.is_none() {
                    self.shape = Some(shape_of(entry, &value)?);
                }
                if let [Group { track: Track::Nothing(_), .. }] = self.groups.as_slice() {
                    self.groups[0].track = self.track(&self.label, entry.path(), &value)?;
                }
                if let [group] = self.groups.as_mut_slice() {
                    group.update(value, now, last_was_shown);
                }
                Ok(())
            }
        }
    }

    /// Entries come and go. One that went is shown so once.
    fn sample_map(&mut self, map: &Keyed, now: Instant, last_was_shown: bool) -> Result<()> {
        let most = MOST_ROWS / self.groups.first().map_or(1, Group::len).max(1);
        let mut entries = map.entries()?.take(most + 1).collect::<bpfvar::Result<Vec<Entry>>>()?;
        self.is_cut = entries.len() > most;
        entries.truncate(most);
        entries.sort_by(|(one, _), (other, _)| entries::order(one, other));
        let mut known = std::mem::take(&mut self.groups).into_iter().filter(|group| !group.is_gone).peekable();
        for (key, value) in entries {
            while let Some(mut group) = known.next_if(|group| group.order(&key) == Ordering::Less) {
                group.lose();
                self.groups.push(group);
            }
            let mut group = match known.next_if(|group| group.order(&key) == Ordering::Equal) {
                Some(group) => group,
                None => {
                    if self.shape.is_none() {
                        self.shape = Some(shape_of(&map.entry_of(&key)?, &value)?);
                    }
                    let track = self.track(&map.label(&key), &map.path(), &value)?;
                    Group { key: Some(key), track, is_gone: false }
                }
            };
            group.update(value, now, last_was_shown);
            self.groups.push(group);
        }
        for mut group in known {
            group.lose();
            self.groups.push(group);
        }
        Ok(())
    }

    /// What is kept of a value that is seen for the first time. The path tells what it is.
    fn track(&self, label: &str, path: &str, value: &Value) -> Result<Track> {
        match (self.kind, &self.shape) {
            (Kind::Bars(choice), _) => bars::find(label, path, value, choice).map(Track::Bars),
            (Kind::Rows, Some(shape)) => {
                let mut paths = Vec::new();
                shape.paths(label, &mut paths);
                Ok(Track::Rows { shape: shape.clone(), rows: paths.into_iter().map(Row::new).collect() })
            }
            (Kind::Rows, None) => Ok(Track::Nothing(Box::new(Row::new(label.to_owned())))),
        }
    }
}

impl Group {
    fn len(&self) -> usize {
        match &self.track {
            Track::Rows { rows, .. } => rows.len(),
            Track::Bars(bars) => bars.len(),
            Track::Nothing(_) => 1,
        }
    }

    fn order(&self, key: &Value) -> Ordering {
        self.key.as_ref().map_or(Ordering::Less, |own| entries::order(own, key))
    }

    fn update(&mut self, value: Value, now: Instant, last_was_shown: bool) {
        self.is_gone = false;
        match &mut self.track {
            Track::Rows { shape, rows } => {
                let mut leaves = Vec::with_capacity(rows.len());
                shape.leaves(value, &mut leaves);
                rows.iter_mut().zip(leaves).for_each(|(row, value)| row.update(value, now, last_was_shown));
            }
            Track::Bars(bars) => bars.iter_mut().for_each(|bars| bars.update(&value, now, last_was_shown)),
            Track::Nothing(_) => {}
        }
    }

    /// The rows of it.
    fn rows(&mut self) -> &mut [Row] {
        match &mut self.track {
            Track::Rows { rows, .. } => rows,
            Track::Nothing(row) => std::slice::from_mut(row.as_mut()),
            Track::Bars(_) => &mut [],
        }
    }

    /// It is not whole now. Histograms keep what they were.
    fn interrupt(&mut self, why: &'static str) {
        self.rows().iter_mut().for_each(|row| row.interrupt(why));
    }

    fn outlive(&mut self) {
        self.rows().iter_mut().for_each(|row| row.is_unused = true);
    }

    fn lose(&mut self) {
        self.is_gone = true;
        match &mut self.track {
            Track::Rows { rows, .. } => rows.iter_mut().for_each(Row::lose),
            Track::Bars(bars) => bars.iter_mut().for_each(Bars::lose),
            Track::Nothing(row) => row.lose(),
        }
    }
}

/// The shape of an entry's value. Where each CPU has one, the first index chooses one, and all are alike.
fn shape_of(entry: &KeyedEntry, value: &Value) -> Result<Rc<Shape>> {
    let of_cpu = entry.each_cpu()?.into_iter().next();
    Ok(Rc::new(Shape::of(of_cpu.as_ref().unwrap_or(entry), value)))
}

pub(super) fn too_many(example: &str) -> Failure {
    Failure::new(format!(
        "more than {MOST_ROWS} rows are too many to watch; name a part, such as {example}, or read all at once by `bpfvar dump`"
    ))
}
