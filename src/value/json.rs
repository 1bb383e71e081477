//! Trees as JSON.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Value, hex};

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
            Value::F32(value) if value.is_finite() => serializer.serialize_f32(*value),
            Value::F32(value) => serializer.serialize_str(not_finite((*value).into())),
            Value::F64(value) if value.is_finite() => serializer.serialize_f64(*value),
            Value::F64(value) => serializer.serialize_str(not_finite(*value)),
            Value::Enum { name: Some(name), .. } => serializer.serialize_str(name),
            Value::Pointer(address) => serializer.collect_str(&format_args!("{address:#x}")),
            Value::Text(text) | Value::Unparsed(text) => serializer.serialize_str(text),
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

impl Value {
    /// Reads JSON. Strings become [`Value::Text`], numbers and enumerators in them included.
    pub(super) fn from_json(text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str::<serde_json::Value>(text).map(Value::from)
    }
}

/// A number that is no integer becomes a double; `null` becomes no elements, which fits no type but an array of none.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Bytes(Vec::new()),
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Value::Uint(value.into()),
                (None, Some(value)) => Value::Int(value.into()),
                (None, None) => Value::F64(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Array(elements) => Value::Array(elements.into_iter().map(Value::from).collect()),
            serde_json::Value::Object(members) => {
                Value::Struct(members.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
            }
        }
    }
}
