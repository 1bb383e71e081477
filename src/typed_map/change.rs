//! Writing variables by their BTF.

use std::sync::Arc;

use super::Var;
use super::together::{Guard, Stop};
use crate::error::{Advice, Error, Result};
use crate::mapped::Put;
use crate::together::Runs;
use crate::types::{Unit, pieces, put_masked};
use crate::value::{Image, Input, Value, decode, encode};

/// A new value for a variable, checked and ready to apply. Dropping it changes nothing.
///
/// Where the map is mapped, [`Change::apply`] cannot fail any more. So a program can prepare several changes, look at what they
/// would do, and apply all or none.
///
/// ```no_run
/// use bpfvar::{Applied, Change};
///
/// let globals = bpfvar::Globals::by_name("count")?;
/// let (rate, mode) = (globals.var("config.rate")?, globals.var("config.mode")?);
/// let changes = vec![rate.change(100)?, mode.change("FAST")?]; // if one does not fit, nothing is written
/// for change in &changes {
///     println!("{}: {} -> {}", change.var().path(), change.old()?, change.new()?);
/// }
/// let applied = Change::apply_all(changes)?;
/// # let all_is_well = true;
/// if !all_is_well {
///     applied.into_iter().rev().try_for_each(Applied::undo)?;
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is written before `apply`"]
pub struct Change {
    /// What is written: the value in a wrapper.
    var: Var,
    puts: Vec<Put>,
    by_rewrite: bool,
    /// Who must be waited for, if it changes as one.
    runs: Option<Arc<Runs>>,
}

/// What [`Change::apply`] did. It can be undone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Applied {
    /// The value before: each scalar that was replaced as it was at that moment.
    pub old: Value,
    /// The value after.
    pub new: Value,
    /// What puts the old value back.
    undo: Change,
}

/// # Writing
impl Var {
    /// Writes it, and returns the value that was there before.
    ///
    /// The whole input is checked against the variable's type before the first byte is written; [`Input`] says what fits what.
    /// Then a scalar is written by one atomic store, a bitfield or a narrow member of a union by a compare-and-swap of its unit.
    /// Neighbours keep what programs store meanwhile. A struct or an array is written scalar by scalar, in rising order: **a
    /// running program may see some of the new scalars beside some of the old**. What must change together should be one scalar,
    /// or be published by a flag that is written last.
    ///
    /// # Errors
    ///
    /// As [`Var::change`].
    pub fn set(&self, value: impl Into<Input>) -> Result<Value> {
        self.change(value)?.apply().map(|applied| applied.old)
    }

    /// Checks a new value and maps the variable's map for writing. Writes nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the value does not fit the type. If the map cannot be mapped for writing:
    /// [`Cause::Frozen`](crate::Cause::Frozen), [`Cause::ReadOnlyForPrograms`](crate::Cause::ReadOnlyForPrograms),
    /// [`Error::Mismatch`]; see [`AccessMode`](crate::AccessMode).
    pub fn change(&self, value: impl Into<Input>) -> Result<Change> {
        let var = self.writable()?;
        let puts = var.puts(&value.into())?;
        let runs = var.prepare().map_err(|error| error.about(self.object()))?;
        Ok(Change { var, puts, by_rewrite: false, runs })
    }

    /// Checks a new value, to be applied by a lookup and an update of the **whole** section, for maps that cannot be mapped.
    /// Whatever a program stores to any variable of the section between those two calls **is lost**. If the variable is all
    /// entries of a map, each is looked up and updated; if one of those calls fails, the entries before it stay written.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the value does not fit the type.
    pub fn change_by_rewrite(&self, value: impl Into<Input>) -> Result<Change> {
        let var = self.writable()?;
        if var.guard().is_some() {
            let rule = "a value that changes as one is written through a mapping only".to_owned();
            return Err(self.argument("path", format!("{:?}", self.path()), rule, None));
        }
        let puts = var.puts(&value.into())?;
        Ok(Change { var, puts, by_rewrite: true, runs: None })
    }

    /// All that writing it can fail of beforehand. Gives whom a change as one waits for.
    pub(super) fn prepare(&self) -> Result<Option<Arc<Runs>>> {
        let Some(guard) = self.guard() else {
            self.map().mapped_for_writing()?;
            return Ok(None);
        };
        let runs = match guard {
            Guard::Switch { .. } => Runs::of(Some(self.map().as_map()))?,
            _ => Runs::InProcess,
        };
        runs.check(self.sleepable)?;
        self.map().mapped_for_writing()?;
        Ok(Some(Arc::new(runs)))
    }

    pub(super) fn image(&self, value: &Input) -> Result<Image> {
        encode(self.btf(), self.part(), value).map_err(|fault| {
            let inside = self.at(&fault.path).map_or_else(|_| self.object(), |var| var.object());
            self.argument("value", fault.found, fault.rule, fault.advice).about(inside)
        })
    }

    /// All that has to be put where, checked.
    fn puts(&self, value: &Input) -> Result<Vec<Put>> {
        self.check_content()?;
        let mut puts = Vec::new();
        match (self.single(), value) {
            (Some(entry), value) => self.add_puts(entry, &self.image(value)?, &mut puts),
            (None, Input::Array(values)) if values.len() == self.map().info().max_entries as usize => {
                for (entry, value) in (0..).zip(values) {
                    self.add_puts(entry, &self.image(value)?, &mut puts);
                }
            }
            (None, _) => {
                let rule = format!("the map takes a value for each of its {} entries", self.map().info().max_entries);
                return Err(self.argument("value", value.to_string(), rule, Some(Advice::ChooseEntry)));
            }
        }
        Ok(puts)
    }

    pub(super) fn add_puts(&self, entry: u32, image: &Image, puts: &mut Vec<Put>) {
        let start = self.bytes().start;
        for (unit, piece) in pieces(self.map().units(), start, image.bytes.len() as u64) {
            let mut put = Put { entry, unit, mask: [0; 8], bits: [0; 8] };
            for byte in piece {
                let (to, from) = ((byte - unit.at) as usize, (byte - start) as usize);
                put.mask[to] = image.mask[from];
                put.bits[to] = image.bytes[from];
            }
            if put.mask != [0; 8] {
                puts.push(put);
            }
        }
    }

    /// The value of an entry made of these bytes.
    pub(super) fn decoded(&self, bytes: &[u8]) -> Value {
        decode(self.btf(), self.part(), bytes)
    }
}

impl Change {
    /// Returns the variable.
    pub fn var(&self) -> &Var {
        &self.var
    }

    /// Returns the value that is there now.
    ///
    /// # Errors
    ///
    /// As [`Var::read`].
    pub fn old(&self) -> Result<Value> {
        self.var.read()
    }

    /// Returns the value that the variable would have if the change were applied now.
    ///
    /// # Errors
    ///
    /// As [`Var::read`].
    #[expect(clippy::new_ret_no_self, reason = "the counterpart of `old`")]
    pub fn new(&self) -> Result<Value> {
        self.each_entry(|entry| {
            let old = self.var.read_as_one(entry)?;
            Ok(self.var.decoded(&self.over(entry, old)))
        })
        .map(value_of)
    }

    /// Returns whether the variable has the new value already.
    ///
    /// # Errors
    ///
    /// As [`Var::read`].
    pub fn changes_nothing(&self) -> Result<bool> {
        let same = self.each_entry(|entry| {
            let old = self.var.read_as_one(entry)?;
            Ok(self.over(entry, old.clone()) == old)
        })?;
        Ok(same.0.into_iter().all(|same| same))
    }

    /// Writes the value. What is declared by `BPFVAR_SWITCH`, or is in such a variable, is switched, and this returns when no
    /// program can still see the old value; what is declared by `BPFVAR_SEQ` is written so that readers see the old value or
    /// the new one.
    ///
    /// # Errors
    ///
    /// None where the map is mapped and the value does not change as one. [`Error::Busy`], [`Error::Torn`], and what
    /// [`SwitchWriter::update`](crate::SwitchWriter::update) gives, where it does: then nothing was written, unless it is the wait
    /// behind a switch that failed. A change by
    /// [`Var::change_by_rewrite`] makes its system calls here, and fails as [`Map::update`](crate::Map::update).
    pub fn apply(self) -> Result<Applied> {
        if let Some(guard) = self.var.guard() {
            let mut applied = Change::apply_as_one(vec![self], guard)?;
            return Ok(applied.remove(0));
        }
        let mut undo = Vec::with_capacity(self.puts.len());
        let (pairs, several) = self.each_entry(|entry| self.apply_to(entry, &mut undo))?;
        let (old, new) = pairs.into_iter().unzip();
        let (old, new) = (value_of((old, several)), value_of((new, several)));
        Ok(Applied { old, new, undo: Change { puts: undo, ..self } })
    }

    /// Applies several changes, all or none: if one fails, those before it are undone. Changes inside of one variable that
    /// changes as one are one switch, or one write.
    ///
    /// # Errors
    ///
    /// As [`Change::apply`]. If undoing fails too, the error is that of the change that failed first.
    pub fn apply_all(changes: impl IntoIterator<Item = Change>) -> Result<Vec<Applied>> {
        let mut groups: Vec<Vec<(usize, Change)>> = Vec::new();
        for (index, change) in changes.into_iter().enumerate() {
            let same = change.var.guard().and_then(|_| groups.iter_mut().find(|group| group[0].1.goes_with(&change)));
            match same {
                Some(group) => group.push((index, change)),
                None => groups.push(vec![(index, change)]),
            }
        }
        let mut done: Vec<(usize, Applied)> = Vec::new();
        for group in groups {
            let (indexes, mut changes): (Vec<_>, Vec<_>) = group.into_iter().unzip();
            let applied = match changes[0].var.guard() {
                Some(guard) => Change::apply_as_one(changes, guard),
                None => changes.remove(0).apply().map(|applied| vec![applied]),
            };
            match applied {
                Ok(applied) => done.extend(indexes.into_iter().zip(applied)),
                Err(error) => {
                    let undo: Vec<Change> = done.into_iter().rev().map(|(_, applied)| applied.undo).collect();
                    if !undo.is_empty() {
                        // The first error says more than one that follows from it.
                        let _ = Change::apply_all(undo);
                    }
                    return Err(error);
                }
            }
        }
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, applied)| applied).collect())
    }

    /// Whether both are inside of the same value that changes as one.
    fn goes_with(&self, other: &Change) -> bool {
        let place = |change: &Change| (change.var.map().info().id, change.var.single(), change.var.guard());
        self.var.single().is_some() && place(self) == place(other)
    }

    /// Applies one change of a value that changes as one, or several that go together.
    fn apply_as_one(changes: Vec<Change>, guard: Guard) -> Result<Vec<Applied>> {
        let mut undo: Vec<Vec<Put>> = vec![Vec::new(); changes.len()];
        let applied = changes[0].each_entry(|entry| Change::apply_guarded(&changes, entry, guard, &mut undo));
        let (entries, several) = match applied {
            Ok(applied) => applied,
            Err(error) => {
                Change::take_back(changes, guard, undo);
                return Err(error);
            }
        };
        // A list of pairs for each entry becomes a list of entries for each change.
        let mut values: Vec<(Vec<Value>, Vec<Value>)> = vec![(Vec::new(), Vec::new()); changes.len()];
        for entry in entries {
            for ((olds, news), (old, new)) in values.iter_mut().zip(entry) {
                olds.push(old);
                news.push(new);
            }
        }
        let each = changes.into_iter().zip(values).zip(undo);
        let applied = each.map(|((change, (old, new)), undo)| Applied {
            old: value_of((old, several)),
            new: value_of((new, several)),
            undo: Change { puts: undo, ..change },
        });
        Ok(applied.collect())
    }

    /// Puts back what was written to the first entries before one failed. The first error says more than one that follows from
    /// it.
    fn take_back(changes: Vec<Change>, guard: Guard, undo: Vec<Vec<Put>>) {
        let mut entries: Vec<u32> = undo.iter().flatten().map(|put| put.entry).collect();
        entries.dedup();
        let changes: Vec<Change> =
            changes.into_iter().zip(undo).map(|(change, puts)| Change { puts, ..change }).collect();
        for entry in entries {
            let _ = Change::apply_guarded(&changes, entry, guard, &mut vec![Vec::new(); changes.len()]);
        }
    }

    /// Calls `each` for each entry that the variable lies in. The flag says whether it lies in several.
    fn each_entry<T>(&self, each: impl FnMut(u32) -> Result<T>) -> Result<(Vec<T>, bool)> {
        let entries = match self.var.single() {
            Some(entry) => entry..entry + 1,
            None => 0..self.var.map().info().max_entries,
        };
        let all: Result<Vec<T>> = entries.map(each).collect();
        let all = all.map_err(|error: Error| error.about(self.var.object()))?;
        Ok((all, self.var.single().is_none()))
    }

    /// The puts of one entry. They were made in the order of the entries.
    fn puts_of(&self, entry: u32) -> &[Put] {
        let first = self.puts.partition_point(|put| put.entry < entry);
        &self.puts[first..self.puts.partition_point(|put| put.entry <= entry)]
    }

    /// The variable's bytes with the new ones put over them.
    fn over(&self, entry: u32, mut bytes: Vec<u8>) -> Vec<u8> {
        put_over(&mut bytes, self.var.bytes().start, self.puts_of(entry));
        bytes
    }

    /// Writes one entry of values that change as one: of each change the value before and after. What puts the old bits back
    /// goes to `undo`.
    fn apply_guarded(
        changes: &[Change],
        entry: u32,
        guard: Guard,
        undo: &mut [Vec<Put>],
    ) -> Result<Vec<(Value, Value)>> {
        let Change { var, runs, .. } = &changes[0];
        let runs = runs.as_deref().unwrap_or(&Runs::InProcess);
        let puts: Vec<Put> = changes.iter().flat_map(|change| change.puts_of(entry)).copied().collect();
        let whole = var.guarded();
        let start = whole.bytes().start;
        let make = |whole_is_new| var.change_as_one(entry, guard, runs, whole_is_new, |_| Ok(puts.clone()));
        let old = make(covers(&whole, &puts)).map_err(|stop| match stop {
            Stop::Error(error) => error,
            Stop::Unchanged => var.not_one(),
        })?;
        Ok(changes
            .iter()
            .zip(undo)
            .map(|(change, undo)| {
                for put in change.puts_of(entry) {
                    let byte = |at: u64| old.get(usize::try_from(at.checked_sub(start)?).ok()?).copied();
                    let bits = std::array::from_fn(|index| byte(put.unit.at + index as u64).unwrap_or(0));
                    undo.push(Put { bits, ..*put });
                }
                let range = change.var.bytes();
                let mine = old[(range.start - start) as usize..(range.end - start) as usize].to_vec();
                (change.var.decoded(&mine), change.var.decoded(&change.over(entry, mine.clone())))
            })
            .collect())
    }

    /// Writes one entry: its value before and after. What puts the old bits back goes to `undo`.
    fn apply_to(&self, entry: u32, undo: &mut Vec<Put>) -> Result<(Value, Value)> {
        let map = self.var.map();
        let bytes = self.var.bytes();
        let puts = self.puts_of(entry);
        let mut old = map.read(entry, bytes.clone())?;
        if self.by_rewrite {
            let mut whole = map.look_up(entry)?;
            for put in puts {
                undo.push(Put { bits: word_at(&whole, put.unit), ..*put });
            }
            put_over(&mut whole, 0, puts);
            map.as_map().update(entry, &whole)?;
        } else {
            let typed = map.mapped_for_writing()?;
            for put in puts {
                let word = typed.put(put);
                undo.push(Put { bits: word, ..*put });
                put_over(&mut old, bytes.start, &[Put { bits: word, mask: [0xff; 8], ..*put }]);
            }
        }
        let new = self.over(entry, old.clone());
        Ok((self.var.decoded(&old), self.var.decoded(&new)))
    }
}

/// Whether the puts leave nothing of a variable as it is.
fn covers(var: &Var, puts: &[Put]) -> bool {
    let bytes = var.bytes();
    pieces(var.map().units(), bytes.start, bytes.end - bytes.start).all(|(unit, piece)| {
        piece.into_iter().all(|byte| {
            let at = (byte - unit.at) as usize;
            puts.iter().any(|put| put.unit == unit && put.mask[at] == 0xff)
        })
    })
}

impl Applied {
    /// Returns the variable.
    pub fn var(&self) -> &Var {
        &self.undo.var
    }

    /// Puts back what the change replaced, and nothing else: the bits that it wrote get the values that they had. What a program
    /// stored to those bits meanwhile is replaced.
    ///
    /// # Errors
    ///
    /// As [`Change::apply`].
    pub fn undo(self) -> Result<()> {
        self.undo.apply().map(drop)
    }
}

/// One value for a variable, or one for each entry of its map.
fn value_of((mut values, several): (Vec<Value>, bool)) -> Value {
    match values.pop() {
        Some(value) if !several => value,
        last => {
            values.extend(last);
            Value::Array(values)
        }
    }
}

/// Puts bits into bytes that start at `start` of the entry, as far as they reach.
pub(super) fn put_over(bytes: &mut [u8], start: u64, puts: &[Put]) {
    for put in puts {
        for (at, (bits, mask)) in (put.unit.at..put.unit.end()).zip(put.bits.iter().zip(&put.mask)) {
            let index = at.checked_sub(start).and_then(|index| usize::try_from(index).ok());
            if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
                *byte = put_masked(*byte, *bits, *mask);
            }
        }
    }
}

/// The bytes of a unit of an entry.
fn word_at(entry: &[u8], unit: Unit) -> [u8; 8] {
    let bytes = entry.get(unit.at as usize..).unwrap_or_default();
    std::array::from_fn(|index| bytes.get(index).copied().unwrap_or(0))
}
