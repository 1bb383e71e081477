//! Values and inputs in the data model of serde.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Input, Value, hex};

/// Beyond this, readers that hold numbers as doubles (JavaScript, jq) round.
const EXACT: u128 = 1 << 53;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Int(value) | Value::Enum { value, name: None } => match i64::try_from(*value) {
                Ok(exact) if value.unsigned_abs() <= EXACT => serializer.serialize_i64(exact),
                _ => serializer.collect_str(value),
            },
            Value::Uint(value) => match u64::try_from(*value) {
                Ok(exact) if *value <= EXACT => serializer.serialize_u64(exact),
                _ => serializer.collect_str(value),
            },
            Value::Bool(value) => serializer.serialize_bool(*value),
            // Readers make a double of it first. Where rounding twice is not rounding once, that double is written.
            Value::F32(value) if value.is_finite() => match format!("{value:?}").parse::<f64>() {
                Ok(wide) if wide as f32 == *value => serializer.serialize_f32(*value),
                _ => serializer.serialize_f64((*value).into()),
            },
            Value::F32(value) => serializer.serialize_str(not_finite((*value).into())),
            Value::F64(value) if value.is_finite() => serializer.serialize_f64(*value),
            Value::F64(value) => serializer.serialize_str(not_finite(*value)),
            Value::Enum { name: Some(name), .. } => serializer.serialize_str(name),
            Value::Pointer(address) => serializer.collect_str(&format_args!("{address:#x}")),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_str(&hex(bytes)),
            Value::Array(elements) => {
                let mut sequence = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    sequence.serialize_element(element)?;
                }
                sequence.end()
            }
            Value::Struct(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Reads a value of any format that describes itself. Strings are literal: for a `char` array they are its text, for a number or
/// an enumerator they are read by the type. There is no input for `null`.
impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Input, D::Error> {
        deserializer.deserialize_any(InputVisitor)
    }
}

struct InputVisitor;

impl<'de> Visitor<'de> for InputVisitor {
    type Value = Input;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a bool, a string, an array or a map")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Input, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Input, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Input, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Input, E> {
        Ok(value.into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Input, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Input, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Input, E> {
        Ok(Input::Value(Value::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Input, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Input::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Input, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Input::Struct(members))
    }
}
