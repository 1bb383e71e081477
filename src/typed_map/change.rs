//! Writing variables by their BTF.

use std::ops::Range;

use super::Var;
use crate::error::{Error, Result};
use crate::mapped::Put;
use crate::memory::ReadWrite;
use crate::types::{Unit, pieces};
use crate::value::{Image, Value, decode, encode, parse_number};

/// A new value for a variable, checked and ready: [`Change::apply`] cannot fail any more where the section is mapped. So a
/// program may prepare several changes and apply all or none. Dropping it changes nothing.
///
/// ```no_run
/// let globals = bpfvar::Globals::of_program_named("count")?;
/// let (rate, mode) = (globals.var("config.rate")?, globals.var("config.mode")?);
/// let changes = [rate.change("100")?, mode.change("FAST")?]; // if one does not fit, nothing is written
/// for change in changes {
///     let (old, new) = change.apply()?;
///     println!("{old} -> {new}");
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `apply`"]
pub struct Change<'s> {
    var: Var<'s>,
    puts: Vec<Put>,
    by_rewrite: bool,
}

/// # Writing
impl<'s> Var<'s, ReadWrite> {
    /// Writes it, and gives the value that was there before.
    ///
    /// `value` is checked whole by the variable's type before the first byte is written; [`Value`] says what fits what. Then a
    /// scalar is written by one atomic store, a bitfield or a narrow member of a union by a compare-and-swap of its unit, so
    /// that neighbours keep what programs store meanwhile. A struct or an array is written scalar by scalar, in rising
    /// order: **a running program may see some of the new scalars beside some of the old**, and so what must change together
    /// should be one scalar, or be published by a flag that is written last.
    ///
    /// # Errors
    ///
    /// As [`Var::change`].
    pub fn set(&self, value: impl Into<Value>) -> Result<Value> {
        self.change(value)?.apply().map(|(old, _)| old)
    }

    /// Checks a new value and maps the section, and writes nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the value does not fit the type. If the section cannot be mapped writable:
    /// [`Cause::Frozen`](crate::Cause::Frozen), [`Cause::ReadOnlyForPrograms`](crate::Cause::ReadOnlyForPrograms),
    /// [`Error::Mismatch`]; see [`Reach`](crate::Reach).
    pub fn change(&self, value: impl Into<Value>) -> Result<Change<'s>> {
        let puts = self.puts(&value.into())?;
        self.section().mapped_for_writing()?;
        Ok(Change { var: self.clone(), puts, by_rewrite: false })
    }

    /// As [`Var::change`], but to be applied by a lookup and an update of the **whole** section, for sections that cannot be
    /// mapped. Whatever a program stores to any variable of the section between those two calls **is lost**. Of several
    /// entries of a map each is looked up and updated, and if one of those calls fails, those before it were made.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the value does not fit the type.
    pub fn change_by_rewrite(&self, value: impl Into<Value>) -> Result<Change<'s>> {
        let puts = self.puts(&value.into())?;
        Ok(Change { var: self.clone(), puts, by_rewrite: true })
    }

    /// Adds to a number in one step: nothing that a program adds atomically meanwhile is lost. Gives the value before and the
    /// value after. A sum that does not fit the type is refused, and nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if it is no number, or the sum does not fit; and as [`Var::change`].
    pub fn add(&self, amount: impl Into<Value>) -> Result<(Value, Value)> {
        let amount = amount.into();
        let (entry, unit, span) = self.one_unit("add")?;
        let typed = self.section().mapped_for_writing()?;
        let mut sum = Err(self.argument("amount", amount.to_string(), "nothing was added".to_owned()));
        // What was there is in `sum`, too.
        let _ = typed.update(entry, unit, |word| {
            let old = self.decode_word(&word, &span);
            sum = self.sum(&old, &amount).and_then(|new| {
                let image = self.image(&new)?;
                let new = decode(self.btf(), self.part(), &image.bytes);
                Ok((image, old, new))
            });
            let (image, _, _) = sum.as_ref().ok()?;
            Some(overlay(word, image, &span))
        });
        let (_, old, new) = sum?;
        Ok((old, new))
    }

    /// Writes `new` if `old` is there, in one step. `Ok(Ok(_))` and `Ok(Err(_))` hold what was there; in the second case nothing
    /// was changed. For scalars. Floats are compared by their bits.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if either does not fit the type, or the variable is no scalar; and as [`Var::change`].
    pub fn compare_exchange(
        &self,
        old: impl Into<Value>,
        new: impl Into<Value>,
    ) -> Result<std::result::Result<Value, Value>> {
        let (old, new) = (self.image(&old.into())?, self.image(&new.into())?);
        let (entry, unit, span) = self.one_unit("compare_exchange")?;
        let typed = self.section().mapped_for_writing()?;
        let wanted = decode(self.btf(), self.part(), &old.bytes);
        let seen = typed.update(entry, unit, |word| {
            let same = match &wanted {
                // Any byte but 0 is true.
                Value::Bool(_) => self.decode_word(&word, &span) == wanted,
                _ => {
                    let bytes = word[span.clone()].iter().zip(&old.bytes).zip(&old.mask);
                    bytes.into_iter().all(|((seen, old), mask)| seen & mask == old & mask)
                }
            };
            same.then(|| overlay(word, &new, &span))
        });
        Ok(seen.map(|word| self.decode_word(&word, &span)).map_err(|word| self.decode_word(&word, &span)))
    }

    fn sum(&self, old: &Value, amount: &Value) -> Result<Value> {
        let amount_text = amount.to_string();
        let text = match amount {
            Value::Text(text) | Value::Unparsed(text) => text,
            _ => &amount_text,
        };
        let fault = |rule: String| self.argument("amount", amount.to_string(), rule);
        if let Value::F32(_) | Value::F64(_) = old {
            let amount: f64 = text.parse().map_err(|_| fault("a number is needed".to_owned()))?;
            let (old, sum) = match *old {
                Value::F32(old) => (f64::from(old), f64::from((f64::from(old) + amount) as f32)),
                _ => (old.as_f64().unwrap_or(f64::NAN), old.as_f64().unwrap_or(f64::NAN) + amount),
            };
            if sum.is_infinite() && old.is_finite() && amount.is_finite() {
                return Err(fault(format!("the sum with {old} is outside of what the type holds")));
            }
            return Ok(Value::F64(sum));
        }
        let amount = parse_number(text).map_err(fault)?.signed();
        let overflow = || fault(format!("the sum with {old} is outside of what the type holds"));
        match (old, amount) {
            (Value::Uint(old), Some(amount)) => old.checked_add_signed(amount).map(Value::Uint).ok_or_else(overflow),
            (Value::Int(old), Some(amount)) => old.checked_add(amount).map(Value::Int).ok_or_else(overflow),
            (_, None) => Err(overflow()),
            _ => Err(fault(format!("only numbers can be added to, and this is {}", self.type_name()))),
        }
    }

    /// The entry and the unit that the variable lies in, and which bytes of that it is.
    fn one_unit(&self, what: &str) -> Result<(u32, Unit, Range<usize>)> {
        let entry = self.one_entry()?;
        let bytes = self.bytes();
        match self.section().units.at(bytes.start) {
            Some(unit) if unit.at <= bytes.start && bytes.end <= unit.end() && bytes.start < bytes.end => {
                Ok((entry, unit, (bytes.start - unit.at) as usize..(bytes.end - unit.at) as usize))
            }
            _ => {
                let rule = format!(
                    "only a scalar of up to 8 bytes that is aligned to its size can be changed in one step ({what}); this is {} at byte {}",
                    self.type_name(),
                    bytes.start
                );
                Err(self.argument("path", format!("{:?}", self.path()), rule))
            }
        }
    }

    fn decode_word(&self, word: &[u8; 8], span: &Range<usize>) -> Value {
        decode(self.btf(), self.part(), &word[span.clone()])
    }

    fn image(&self, value: &Value) -> Result<Image> {
        encode(self.btf(), self.part(), value).map_err(|fault| Error::Argument {
            object: format!("{}{}", self, fault.path),
            argument: "value",
            found: fault.found,
            rule: fault.rule,
        })
    }

    /// All that has to be put where, checked.
    fn puts(&self, value: &Value) -> Result<Vec<Put>> {
        let mut puts = Vec::new();
        match (self.single(), value) {
            (Some(entry), value) => self.add_puts(entry, &self.image(value)?, &mut puts),
            (None, Value::Array(values)) if values.len() == self.section().map().info().max_entries as usize => {
                for (entry, value) in (0..).zip(values) {
                    self.add_puts(entry, &self.image(value)?, &mut puts);
                }
            }
            (None, _) => return Err(self.one_entry().err().unwrap_or_else(|| unreachable!("it has several entries"))),
        }
        Ok(puts)
    }

    fn add_puts(&self, entry: u32, image: &Image, puts: &mut Vec<Put>) {
        let start = self.bytes().start;
        for (unit, piece) in pieces(&self.section().units, start, image.bytes.len() as u64) {
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
}

impl<'s> Change<'s> {
    /// The variable.
    pub fn var(&self) -> &Var<'s> {
        &self.var
    }

    /// Writes the value. Gives the one that was there before, each scalar that was replaced as it was at that moment, and the one
    /// that was written.
    ///
    /// # Errors
    ///
    /// None where the section is mapped. [`Var::change_by_rewrite`] makes system calls here: as
    /// [`Map::update`](crate::Map::update).
    pub fn apply(self) -> Result<(Value, Value)> {
        match self.var.single() {
            Some(entry) => self.apply_to(entry),
            None => {
                let entries = 0..self.var.section().map().info().max_entries;
                let pairs: Vec<_> = entries.map(|entry| self.apply_to(entry)).collect::<Result<_>>()?;
                let (old, new) = pairs.into_iter().unzip();
                Ok((Value::Array(old), Value::Array(new)))
            }
        }
    }

    fn apply_to(&self, entry: u32) -> Result<(Value, Value)> {
        let section = self.var.section();
        let bytes = self.var.bytes();
        let mut old = section.read(entry, bytes.clone())?;
        // They were made in the order of the entries.
        let first = self.puts.partition_point(|put| put.entry < entry);
        let puts = &self.puts[first..self.puts.partition_point(|put| put.entry <= entry)];
        if self.by_rewrite {
            let mut whole = section.look_up(entry)?;
            for put in puts {
                put_over(&mut whole, 0, put);
            }
            section.map().update(entry, &whole)?;
        } else {
            let typed = section.mapped_for_writing()?;
            for put in puts {
                let word = typed.put(put);
                for (at, seen) in (put.unit.at..).zip(&word[..put.unit.width as usize]) {
                    if bytes.contains(&at) {
                        old[(at - bytes.start) as usize] = *seen;
                    }
                }
            }
        }
        let mut new = old.clone();
        for put in puts {
            put_over(&mut new, bytes.start, put);
        }
        let decoded = |bytes: &[u8]| decode(self.var.btf(), self.var.part(), bytes);
        Ok((decoded(&old), decoded(&new)))
    }
}

/// Puts bits into bytes that start at `start` of the entry, as far as they reach.
fn put_over(bytes: &mut [u8], start: u64, put: &Put) {
    let unit = put.unit.at..put.unit.end();
    for (at, (bits, mask)) in unit.zip(put.bits.iter().zip(&put.mask)) {
        let index = at.checked_sub(start).and_then(|index| usize::try_from(index).ok());
        if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
            *byte = *byte & !mask | bits & mask;
        }
    }
}

/// The unit with the image's bits in place of its own.
fn overlay(mut word: [u8; 8], image: &Image, span: &Range<usize>) -> [u8; 8] {
    for ((byte, new), mask) in word[span.clone()].iter_mut().zip(&image.bytes).zip(&image.mask) {
        *byte = *byte & !mask | new & mask;
    }
    word
}
