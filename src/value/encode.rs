//! From a tree to bytes. All of it is checked before anything is written anywhere.

#[cfg(feature = "json")]
use serde_json::error::Category;

use super::decode::bit_bytes;
use super::text::{Number, parse_float, parse_number};
use super::{Input, Value};
use crate::error::Advice;
use crate::types::{Bits, Btf, Int, Kind, Part, TypeId, put_masked};

/// The new bytes of a part, and a mask of the bits to write.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mask: Vec<u8>,
}

/// Why a value does not fit a type.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where, as a path from the part: `.limits[2].burst`.
    pub(crate) path: String,
    /// What was given.
    pub(crate) found: String,
    /// What is needed, to stand behind "but".
    pub(crate) rule: String,
    pub(crate) advice: Option<Advice>,
}

type Encoded<T = ()> = Result<T, Fault>;

/// What the bytes of a part become by `value`.
pub(crate) fn encode(btf: &Btf, part: Part, value: &Input) -> Encoded<Image> {
    let len = match part.bits {
        Some(bits) => bit_bytes(bits),
        None => btf.size(part.of).unwrap_or(0) as usize,
    };
    let mut encoder = Encoder { btf, image: Image { bytes: vec![0; len], mask: vec![0; len] }, path: String::new() };
    encoder.part(Part { offset: 0, ..part }, 0, value)?;
    Ok(encoder.image)
}

struct Encoder<'a> {
    btf: &'a Btf,
    image: Image,
    path: String,
}

impl Encoder<'_> {
    fn part(&mut self, part: Part, base: u64, value: &Input) -> Encoded {
        if let Input::Text(text) = value {
            let parsed = self.parse(part, text, value)?;
            return self.part(part, base, &parsed);
        }
        let at = (base + part.offset) as usize;
        match (part.bits, self.btf.kind(part.of)) {
            (Some(bits), _) if bits.len > 64 => {
                Err(self.fault(value, "a bitfield of more than 64 bits cannot be written"))
            }
            (Some(bits), _) => {
                let word = self.scalar(part.of, bits.len, value)?;
                self.put_bits(at, bits, word, value)
            }
            (None, Kind::Array { element, len }) => self.array(*element, *len, at, value),
            (None, Kind::Struct { .. }) => self.structure(part.of, at, value),
            (None, Kind::Variable { of, .. }) => self.part(Part { of: *of, offset: at as u64, bits: None }, 0, value),
            (None, Kind::Int(Int { bits, size, .. })) if bits.len != size * 8 => {
                let word = self.scalar(part.of, bits.len, value)?;
                self.put_bits(at, *bits, word, value)
            }
            (None, _) => {
                let size = self.btf.size(part.of).unwrap_or(0) as usize;
                let word = self.scalar(part.of, size as u32 * 8, value)?;
                self.put(at, &self.btf.order().bytes(word, size), value)
            }
        }
    }

    /// Text as a user gives it, by the type that it is for. As JSON prints a value, so it can be given: in quotes, and a char array
    /// also in brackets.
    fn parse(&self, part: Part, text: &str, value: &Input) -> Encoded<Input> {
        let quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
        let listed = text.starts_with('[') && text.ends_with(']');
        let literal = || Input::Value(Value::Text(text.to_owned()));
        Ok(match self.btf.kind(part.of) {
            Kind::Array { element, .. } if self.btf.is_char(*element) => {
                if quoted || listed {
                    self.json(text, value).unwrap_or_else(|_| literal())
                } else {
                    literal()
                }
            }
            Kind::Array { .. } | Kind::Struct { .. } if part.bits.is_none() => self.json(text, value)?,
            _ if quoted => self.json(text, value).unwrap_or_else(|_| literal()),
            _ => literal(),
        })
    }

    /// The bits of a scalar of so many bits.
    fn scalar(&self, of: TypeId, bits: u32, value: &Input) -> Encoded<u128> {
        match self.btf.kind(of) {
            Kind::Int(Int { bool: true, .. }) => self.boolean(value),
            Kind::Int(Int { signed, .. }) => {
                let char_of = |text: &str| match text.as_bytes() {
                    [b'\'', byte, b'\''] if bits == 8 => Some(Number::Positive((*byte).into())),
                    _ => None,
                };
                let number = match value {
                    Input::Value(Value::Text(text)) => char_of(text).map_or_else(|| self.number(value), Ok)?,
                    _ => self.number(value)?,
                };
                self.ranged(number, bits, *signed, value)
            }
            Kind::Enum { signed, values, .. } => {
                if let Input::Value(Value::Text(names) | Value::Enum { name: Some(names), .. }) = value {
                    let number = |name: &str| values.iter().find(|known| *known.name == *name).map(|known| known.value);
                    // Flags that are set together.
                    let numbers: Option<Vec<i128>> = names.split('|').map(|name| number(name.trim())).collect();
                    if let Some(all) = numbers.and_then(|all| all.into_iter().reduce(|all, flag| all | flag)) {
                        return self.enumerator(all, bits, *signed, value);
                    }
                }
                let names = || {
                    let shown: Vec<&str> = values.iter().take(12).map(|known| &*known.name).collect();
                    let more = if values.len() > shown.len() { ", ..." } else { "" };
                    format!("{}{more}", shown.join(", "))
                };
                let number = self.number(value).map_err(|fault| Fault {
                    rule: format!("an enumerator or a number is needed: {}", names()),
                    ..fault
                })?;
                match number.signed() {
                    Some(number) if number < 0 => self.enumerator(number, bits, *signed, value),
                    _ => self.ranged(number, bits, *signed, value),
                }
            }
            Kind::Pointer { .. } => self.ranged(self.number(value)?, bits, false, value),
            Kind::Float { size: 4 } => Ok(self.narrow(value)?.to_bits().into()),
            Kind::Float { size: 8 } => Ok(self.float(value)?.to_bits().into()),
            _ => {
                let name = self.btf.type_name(of);
                Err(self.fault(value, format!("a value of type {name} cannot be written")))
            }
        }
    }

    /// An enum that is not said to be signed may be, as compilers before 2022 did not say: -1 is then 0xffffffff.
    fn enumerator(&self, number: i128, bits: u32, signed: bool, value: &Input) -> Encoded<u128> {
        let old_negative = !signed && bits <= 32 && number >> 31 == 1;
        let number = if old_negative { i128::from(number as u32 as i32) } else { number };
        self.ranged(number_of(number), bits, signed || number < 0, value)
    }

    fn boolean(&self, value: &Input) -> Encoded<u128> {
        let known = match value {
            Input::Value(Value::Bool(value)) => Some(*value),
            Input::Value(Value::Uint(0) | Value::Int(0)) => Some(false),
            Input::Value(Value::Uint(1) | Value::Int(1)) => Some(true),
            Input::Value(Value::Text(text)) => match text.as_str() {
                "true" | "on" | "1" => Some(true),
                "false" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        known.map(u128::from).ok_or_else(|| self.fault(value, "a bool is true or false (or on, off, 1, 0)"))
    }

    fn number(&self, value: &Input) -> Encoded<Number> {
        match value {
            Input::Value(Value::Uint(value)) => Ok(Number::Positive(*value)),
            Input::Value(Value::Int(value) | Value::Enum { value, .. }) => Ok(number_of(*value)),
            Input::Value(Value::Pointer(address)) => Ok(Number::Positive((*address).into())),
            Input::Value(Value::Text(text)) => parse_number(text).map_err(|rule| self.fault(value, rule)),
            _ => Err(self.fault(value, "a whole number is needed")),
        }
    }

    fn float(&self, value: &Input) -> Encoded<f64> {
        match value {
            Input::Value(Value::F32(value)) => Ok((*value).into()),
            Input::Value(Value::F64(value)) => Ok(*value),
            Input::Value(Value::Uint(value)) => Ok(*value as f64),
            Input::Value(Value::Int(value)) => Ok(*value as f64),
            Input::Value(Value::Text(text)) => parse_float(text).ok_or_else(|| {
                self.fault(value, "a number is needed, such as 1.5, 1e9, inf or nan, within the range of a double")
            }),
            _ => Err(self.fault(value, "a number is needed")),
        }
    }

    /// What is given as a float stays as it is, and text is rounded once: by way of a double it would be twice.
    fn narrow(&self, value: &Input) -> Encoded<f32> {
        let given = match value {
            Input::Value(Value::F32(narrow)) => Some(*narrow),
            Input::Value(Value::Text(text)) => text.parse().ok().filter(|narrow: &f32| narrow.is_finite()),
            _ => None,
        };
        if let Some(narrow) = given {
            return Ok(narrow);
        }
        let wide = self.float(value)?;
        let narrow = wide as f32;
        if wide.is_finite() && narrow.is_infinite() {
            return Err(self.fault(value, format!("a float reaches from -{0:e} to {0:e}", f32::MAX)));
        }
        Ok(narrow)
    }

    /// The two's complement of a number that fits.
    fn ranged(&self, number: Number, bits: u32, signed: bool, value: &Input) -> Encoded<u128> {
        let unsigned_max = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
        let max = if signed { unsigned_max >> 1 } else { unsigned_max };
        let lowest = if signed { max + 1 } else { 0 };
        match number {
            Number::Positive(amount) if amount <= max => Ok(amount),
            Number::Negative(amount) if amount <= lowest => Ok(amount.wrapping_neg() & unsigned_max),
            _ => {
                let sign = if lowest == 0 { "" } else { "-" };
                Err(self.fault(value, format!("it must be from {sign}{lowest} to {max}")))
            }
        }
    }

    fn array(&mut self, element: TypeId, len: u32, at: usize, value: &Input) -> Encoded {
        let size = self.btf.size(element).unwrap_or(0) as usize;
        let elements = match value {
            Input::Value(Value::Text(text)) if self.btf.is_char(element) => {
                let room = len as usize;
                if text.len() >= room.max(1) {
                    let rule = format!("there is room for {} bytes and a NUL", room.saturating_sub(1));
                    return Err(self.fault_found(format!("{value}, {} bytes long", text.len()), rule));
                }
                if text.contains('\0') {
                    return Err(self.fault(value, "a NUL ends the text; give the numbers as an array instead"));
                }
                let mut bytes = text.as_bytes().to_vec();
                bytes.resize(room, 0);
                return self.put(at, &bytes, value);
            }
            Input::Array(elements) => elements,
            _ if self.btf.is_char(element) => {
                return Err(self.fault(value, format!("text is needed, or an array of {len} numbers")));
            }
            _ => return Err(self.fault(value, format!("an array of {len} elements is needed"))),
        };
        // As it is read: elements without bytes, of which there may be any number, are none.
        if size == 0 && elements.is_empty() {
            return Ok(());
        }
        if elements.len() != len as usize {
            let rule = format!("the array has {len}: give all of them, or write one by its index");
            return Err(self.fault_found(format!("{} elements", elements.len()), rule));
        }
        for (index, value) in elements.iter().enumerate() {
            let before = self.path.len();
            self.path.push_str(&format!("[{index}]"));
            self.part(Part { of: element, offset: (at + index * size) as u64, bits: None }, 0, value)?;
            self.path.truncate(before);
        }
        Ok(())
    }

    fn structure(&mut self, of: TypeId, at: usize, value: &Input) -> Encoded {
        let Kind::Struct { members, .. } = self.btf.kind(of) else { return Ok(()) };
        let parts = self.btf.named_parts(members);
        let Input::Struct(given) = value else {
            if parts.is_empty() {
                let rule = "no members: on Linux before 5.13 loaders put such a struct in place of a float";
                return Err(self.fault(value, format!("{} has {rule}", self.btf.type_name(of))));
            }
            let rule = format!("{} takes members by name", self.btf.type_name(of));
            return Err(Fault { advice: Some(Advice::WriteJson), ..self.fault(value, rule) });
        };
        for (index, (name, value)) in given.iter().enumerate() {
            if given[..index].iter().any(|(before, _)| before == name) {
                let rule = format!("the member {name:?} is given twice; give it once");
                return Err(self.fault_found(format!("{{{name}: {value}}}"), rule));
            }
            let before = self.path.len();
            self.path.push('.');
            self.path.push_str(name);
            let Some((_, part)) = parts.iter().find(|(known, _)| known == name) else {
                let known: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
                let rule = format!("{} has no member {name:?}; it has {}", self.btf.type_name(of), known.join(", "));
                self.path.truncate(before);
                return Err(self.fault_found(format!("{{{name}: {value}}}"), rule));
            };
            self.part(*part, at as u64, value)?;
            self.path.truncate(before);
        }
        Ok(())
    }

    #[cfg(feature = "json")]
    fn json(&self, text: &str, value: &Input) -> Encoded<Input> {
        serde_json::from_str(text).map_err(|error| {
            // Where JSON is wrong helps only somebody who meant to write it.
            let is_meant = text.trim_start_matches('"').trim_start().starts_with(['[', '{']);
            let rule = match error.classify() {
                // JSON has more than a variable can hold: null.
                Category::Data => format!("it cannot be stored: {error}"),
                _ if is_meant => format!("it is not valid JSON: {error}"),
                _ => "it is not JSON".to_owned(),
            };
            Fault { advice: Some(Advice::WriteJson), ..self.fault(value, rule) }
        })
    }

    #[cfg(not(feature = "json"))]
    fn json(&self, _text: &str, value: &Input) -> Encoded<Input> {
        let rule = "text for a struct or an array is JSON, which is not enabled";
        Err(Fault { advice: Some(Advice::EnableJson), ..self.fault(value, rule) })
    }

    fn put(&mut self, at: usize, bytes: &[u8], value: &Input) -> Encoded {
        self.put_checked(at, bytes.iter().map(|byte| (*byte, 0xff)), value)
    }

    /// Bits of at most 64, so over at most 9 bytes.
    fn put_bits(&mut self, at: usize, bits: Bits, word: u128, value: &Input) -> Encoded {
        let len = bit_bytes(bits);
        let order = self.btf.order();
        let shift = order.shift(len, bits);
        let mask = ((1_u128 << bits.len) - 1) << shift;
        let (new, mask) = (order.bytes(word << shift & mask, len), order.bytes(mask, len));
        self.put_checked(at, new.into_iter().zip(mask), value)
    }

    /// Members of a union share their bytes: they may all be given if they agree.
    fn put_checked(&mut self, at: usize, bytes: impl Iterator<Item = (u8, u8)>, value: &Input) -> Encoded {
        for (at, (new, mask)) in (at..).zip(bytes) {
            let (byte, known) = (&mut self.image.bytes[at], &mut self.image.mask[at]);
            if (*byte ^ new) & *known & mask != 0 {
                let rule = "it conflicts with another member of the same union; set only one";
                return Err(self.fault(value, rule));
            }
            *byte = put_masked(*byte, new, mask);
            *known |= mask;
        }
        Ok(())
    }

    fn fault(&self, value: &Input, rule: impl Into<String>) -> Fault {
        self.fault_found(value.to_string(), rule)
    }

    fn fault_found(&self, found: String, rule: impl Into<String>) -> Fault {
        Fault { path: self.path.clone(), found, rule: rule.into(), advice: None }
    }
}

fn number_of(value: i128) -> Number {
    if value < 0 { Number::Negative(value.unsigned_abs()) } else { Number::Positive(value as u128) }
}
