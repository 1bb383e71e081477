//! Changing a scalar in one step that depends on what it is.

use std::ops::Range;

use super::Var;
use super::together::Stop;
use crate::error::Result;
use crate::types::{Unit, put_masked};
use crate::value::{Image, Input, Value, decode, parse_float, parse_number};

/// # Changing in one step
impl Var {
    /// Adds to a number in one step: nothing that a program adds atomically meanwhile is lost. Returns the value before and the
    /// value after. A sum that does not fit the type is refused, and nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`](crate::Error::Argument) if the variable is not a number, or the sum does not fit; and as [`Var::change`].
    pub fn add(&self, amount: impl Into<Input>) -> Result<(Value, Value)> {
        let amount = amount.into();
        let replaced = self.replace(|old| {
            let new = self.sum(old, &amount)?;
            Ok(Some(self.writable()?.image(&new.into())?))
        })?;
        let refused = |_| self.argument("amount", amount.to_string(), "nothing was added".to_owned(), None);
        replaced.map(|Replaced { old, new }| (old, new)).map_err(refused)
    }

    /// Returns what [`Var::add`] would return if it were called now. Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Var::add`].
    pub fn preview_add(&self, amount: impl Into<Input>) -> Result<(Value, Value)> {
        let old = self.read()?;
        let new = self.sum(&old, &amount.into())?;
        let var = self.writable()?;
        let image = var.image(&new.into())?;
        Ok((old, var.decoded(&image.bytes)))
    }

    /// Writes `new` if `old` is there, in one step. `Ok(Ok(_))` and `Ok(Err(_))` hold what was there; in the second case nothing
    /// was changed. For scalars. Floats are compared by their bits.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`](crate::Error::Argument) if either does not fit the type, or the variable is not a scalar; and as [`Var::change`].
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

    /// Replaces a scalar by what `change` makes of it, in one step, and returns the value before and the value after. `change` may
    /// be called again if somebody else was faster: nothing that was stored meanwhile is lost. Where it returns `None`, nothing
    /// is changed, and `Ok(Err(_))` holds the value that it refused. What is inside of a value that changes as one (`BPFVAR_SEQ`,
    /// `BPFVAR_SWITCH`) is changed with it, as one.
    ///
    /// ```no_run
    /// # let globals = bpfvar::Globals::by_name("count")?;
    /// // Doubles the limit, but not beyond 1000.
    /// let doubled = globals.var("limit")?.update(|old| {
    ///     old.as_i128().map(|limit| limit * 2).filter(|limit| *limit <= 1000)
    /// })?;
    /// match doubled {
    ///     Ok((old, new)) => println!("{old} -> {new}"),
    ///     Err(limit) => println!("it stays at {limit}"),
    /// }
    /// # Ok::<(), bpfvar::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Argument`](crate::Error::Argument) if the variable is not a scalar, or what `change` returned does not fit its
    /// type: then nothing was changed. And as [`Var::change`].
    pub fn update<I: Into<Input>>(
        &self,
        mut change: impl FnMut(&Value) -> Option<I>,
    ) -> Result<std::result::Result<(Value, Value), Value>> {
        let var = self.writable()?;
        let replaced = self.replace(|old| change(old).map(|new| var.image(&new.into())).transpose())?;
        Ok(replaced.map(|Replaced { old, new }| (old, new)))
    }

    /// As [`Var::update`], by bytes.
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
}

/// What [`Var::replace`] did.
struct Replaced {
    old: Value,
    new: Value,
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
