//! Writing variables by their BTF.

use std::ops::Range;
use std::sync::Arc;

use super::Var;
use super::together::{Guard, Stop};
use crate::error::{Advice, Error, Result};
use crate::mapped::Put;
use crate::together::Runs;
use crate::types::{Unit, pieces, put_masked};
use crate::value::{Image, Input, Value, decode, encode, parse_float, parse_number};

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
    fn prepare(&self) -> Result<Option<Arc<Runs>>> {
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

    /// Adds to a number in one step: nothing that a program adds atomically meanwhile is lost. Returns the value before and the
    /// value after. A sum that does not fit the type is refused, and nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the variable is not a number, or the sum does not fit; and as [`Var::change`].
    pub fn add(&self, amount: impl Into<Input>) -> Result<(Value, Value)> {
        let amount = amount.into();
        let replaced = self.replace(|old| {
            let new = self.sum(old, &amount)?;
            Ok(Some(self.writable()?.image(&new.into())?))
        })?;
        let refused = |_| self.argument("amount", amount.to_string(), "nothing was added".to_owned(), None);
        replaced.map(|Replaced { old, new }| (old, new)).map_err(refused)
    }

    /// Writes `new` if `old` is there, in one step. `Ok(Ok(_))` and `Ok(Err(_))` hold what was there; in the second case nothing
    /// was changed. For scalars. Floats are compared by their bits.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if either does not fit the type, or the variable is not a scalar; and as [`Var::change`].
    pub fn compare_exchange(
        &self,
        old: impl Into<Input>,
        new: impl Into<Input>,
    ) -> Result<std::result::Result<Value, Value>> {
        let var = self.writable()?;
        let (old, new) = (var.image(&old.into())?, var.image(&new.into())?);
        let wanted = decode(self.btf(), var.part(), &old.bytes);
        // Bits, which for a float are more than its value. Any byte but 0 is true.
        let is_wanted = |found: &Value| match (found, &wanted) {
            (Value::F32(found), Value::F32(wanted)) => found.to_bits() == wanted.to_bits(),
            (Value::F64(found), Value::F64(wanted)) => found.to_bits() == wanted.to_bits(),
            _ => *found == wanted,
        };
        let replaced = self.replace(|found| Ok(is_wanted(found).then(|| new.clone())))?;
        Ok(replaced.map(|replaced| replaced.old))
    }

    /// Replaces a scalar by what `change` makes of it, in one step. `change` may be called again if somebody was faster; `Err` holds
    /// the value for which it gave None.
    fn replace(
        &self,
        mut change: impl FnMut(&Value) -> Result<Option<Image>>,
    ) -> Result<std::result::Result<Replaced, Value>> {
        let var = self.writable()?;
        let (entry, unit, span) = var.one_unit()?;
        let runs = var.prepare().map_err(|error| error.about(self.object()))?;
        // What `change` said last.
        let mut said = Ok(Err(Value::Bool(false)));
        let mut ask = |old: Value| {
            said = change(&old).map(|image| match image {
                Some(image) => Ok((image, old)),
                None => Err(old),
            });
            said.as_ref().ok()?.as_ref().ok().map(|(image, _)| image.clone())
        };
        match (var.guard(), runs) {
            (Some(guard), Some(runs)) => {
                let start = var.guarded().bytes().start;
                let range = var.bytes();
                let range = (range.start - start) as usize..(range.end - start) as usize;
                let result = var.change_as_one(entry, guard, &runs, false, |bytes| {
                    let image = ask(var.decoded(&bytes[range])).ok_or(Stop::Unchanged)?;
                    let mut puts = Vec::new();
                    var.add_puts(entry, &image, &mut puts);
                    Ok(puts)
                });
                if let Err(Stop::Error(error)) = result {
                    return Err(error.about(self.object()));
                }
            }
            _ => {
                let typed = var.map().mapped_for_writing().map_err(|error| error.about(self.object()))?;
                // What was there is in `said`, too.
                let _ = typed.update(entry, unit, |word| {
                    let image = ask(var.decoded(&word[span.clone()]))?;
                    Some(overlay(word, &image, &span))
                });
            }
        }
        Ok(said?.map(|(image, old)| Replaced { old, new: var.decoded(&image.bytes) }))
    }

    fn sum(&self, old: &Value, amount: &Input) -> Result<Value> {
        let fault = |rule: String| self.argument("amount", amount.to_string(), rule, None);
        let overflow = || fault(format!("the sum with {old} does not fit {}", self.type_name()));
        match *old {
            Value::F32(old) => {
                let wide = f64::from(old);
                let sum = (wide + float_of(amount).map_err(fault)?) as f32;
                if sum.is_infinite() && old.is_finite() { Err(overflow()) } else { Ok(Value::F64(sum.into())) }
            }
            Value::F64(old) => {
                let sum = old + float_of(amount).map_err(fault)?;
                if sum.is_infinite() && old.is_finite() { Err(overflow()) } else { Ok(Value::F64(sum)) }
            }
            Value::Uint(old) => {
                let amount = whole_of(amount).map_err(fault)?.ok_or_else(overflow)?;
                old.checked_add_signed(amount).map(Value::Uint).ok_or_else(overflow)
            }
            Value::Int(old) => {
                let amount = whole_of(amount).map_err(fault)?.ok_or_else(overflow)?;
                old.checked_add(amount).map(Value::Int).ok_or_else(overflow)
            }
            _ => Err(fault(format!("only a number can be added to, and the variable is {}", self.type_name()))),
        }
    }

    /// The entry and the unit that the variable lies in, and which bytes of that it is.
    fn one_unit(&self) -> Result<(u32, Unit, Range<usize>)> {
        let entry = self.one_entry()?;
        let bytes = self.bytes();
        match self.map().units().at(bytes.start) {
            Some(unit) if unit.at <= bytes.start && bytes.end <= unit.end() && bytes.start < bytes.end => {
                Ok((entry, unit, (bytes.start - unit.at) as usize..(bytes.end - unit.at) as usize))
            }
            _ => {
                let rule = format!(
                    "only an aligned scalar of up to 8 bytes can be changed in one step; this is {} at byte {}",
                    self.type_name(),
                    bytes.start
                );
                Err(self.argument("path", format!("{:?}", self.path()), rule, None))
            }
        }
    }

    fn image(&self, value: &Input) -> Result<Image> {
        encode(self.btf(), self.part(), value).map_err(|fault| {
            let inside = self.at(&fault.path).map_or_else(|_| self.object(), |var| var.object());
            self.argument("value", fault.found, fault.rule, fault.advice).about(inside)
        })
    }

    /// All that has to be put where, checked.
    fn puts(&self, value: &Input) -> Result<Vec<Put>> {
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

    fn add_puts(&self, entry: u32, image: &Image, puts: &mut Vec<Put>) {
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
    fn decoded(&self, bytes: &[u8]) -> Value {
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

    /// Writes the value. What is declared by `BPFVAR_SWITCH`, or is in such a variable, is switched, and this returns when no program can
    /// still see the old value; what is declared by `BPFVAR_SEQ` is written so that readers see the old value or the new one.
    ///
    /// # Errors
    ///
    /// None where the map is mapped and the value does not change as one. [`Error::Busy`], [`Error::Torn`], and what
    /// [`SwitchWriter::update`](crate::SwitchWriter::update) gives, where it does: then nothing was written. A change by
    /// [`Var::change_by_rewrite`] makes its system calls here, and fails as [`Map::update`](crate::Map::update).
    pub fn apply(self) -> Result<Applied> {
        let mut applied = Change::apply_as_one(vec![self])?;
        Ok(applied.remove(0))
    }

    /// Applies several changes, all or none: if one fails, those before it are undone. Changes inside of one variable that changes as
    /// one are one switch, or one write.
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
            let (indexes, changes): (Vec<_>, Vec<_>) = group.into_iter().unzip();
            match Change::apply_as_one(changes) {
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

    /// Applies one change, or several that go together.
    fn apply_as_one(changes: Vec<Change>) -> Result<Vec<Applied>> {
        let mut undo: Vec<Vec<Put>> = vec![Vec::new(); changes.len()];
        let first = &changes[0];
        let pairs = first.each_entry(|entry| match first.var.guard() {
            Some(guard) => Change::apply_guarded(&changes, entry, guard, &mut undo),
            None => first.apply_to(entry, &mut undo[0]).map(|pair| vec![pair]),
        })?;
        let several = pairs.1;
        // A list of pairs for each entry becomes a list of entries for each change.
        let mut values: Vec<(Vec<Value>, Vec<Value>)> = vec![(Vec::new(), Vec::new()); changes.len()];
        for entry in pairs.0 {
            for ((olds, news), (old, new)) in values.iter_mut().zip(entry) {
                olds.push(old);
                news.push(new);
            }
        }
        let all = changes.into_iter().zip(values).zip(undo);
        Ok(all
            .map(|((change, (old, new)), undo)| Applied {
                old: value_of((old, several)),
                new: value_of((new, several)),
                undo: Change { puts: undo, ..change },
            })
            .collect())
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

    /// Writes one entry of values that change as one: of each change the value before and after. What puts the old bits back goes to
    /// `undo`.
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

/// What [`Var::replace`] did.
struct Replaced {
    old: Value,
    new: Value,
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

/// The unit with the image's bits in place of its own.
fn overlay(mut word: [u8; 8], image: &Image, span: &Range<usize>) -> [u8; 8] {
    for ((byte, new), mask) in word[span.clone()].iter_mut().zip(&image.bytes).zip(&image.mask) {
        *byte = put_masked(*byte, *new, *mask);
    }
    word
}

/// A whole number. `None` if it is beyond 127 bits.
fn whole_of(amount: &Input) -> Result<Option<i128>, String> {
    match amount {
        Input::Value(Value::Int(amount)) => Ok(Some(*amount)),
        Input::Value(Value::Uint(amount)) => Ok(i128::try_from(*amount).ok()),
        Input::Text(text) | Input::Value(Value::Text(text)) => Ok(parse_number(text)?.signed()),
        _ => Err("a whole number is needed".to_owned()),
    }
}

fn float_of(amount: &Input) -> Result<f64, String> {
    let amount = match amount {
        Input::Value(Value::F32(amount)) => Some((*amount).into()),
        Input::Value(Value::F64(amount)) => Some(*amount),
        Input::Value(Value::Int(amount)) => Some(*amount as f64),
        Input::Value(Value::Uint(amount)) => Some(*amount as f64),
        Input::Text(text) | Input::Value(Value::Text(text)) => parse_float(text),
        _ => None,
    };
    amount.ok_or_else(|| "a number is needed".to_owned())
}
