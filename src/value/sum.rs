//! What the values of all CPUs are together.

use super::Value;

/// Adds up the values that each CPU has of one thing: numbers as numbers, structs and arrays member by member. What is no number,
/// such as an enumerator, a flag or text, is what all of them have, or a list of what each has.
pub(crate) fn sum(values: Vec<Value>) -> Value {
    let mut rest = values.iter();
    let Some(first) = rest.next() else { return Value::Array(values) };
    let added = rest.try_fold(first.clone(), |sum, value| add(sum, value));
    added.unwrap_or(Value::Array(values))
}

fn add(sum: Value, value: &Value) -> Option<Value> {
    Some(match (sum, value) {
        (Value::Uint(sum), Value::Uint(value)) => Value::Uint(sum.wrapping_add(*value)),
        (Value::Int(sum), Value::Int(value)) => Value::Int(sum.wrapping_add(*value)),
        (Value::F32(sum), Value::F32(value)) => Value::F32(sum + value),
        (Value::F64(sum), Value::F64(value)) => Value::F64(sum + value),
        (Value::Array(sums), Value::Array(values)) if sums.len() == values.len() => {
            Value::Array(sums.into_iter().zip(values).map(|(sum, value)| add(sum, value)).collect::<Option<_>>()?)
        }
        (Value::Struct(sums), Value::Struct(values)) if sums.len() == values.len() => {
            let members = sums.into_iter().zip(values);
            let add = |((name, sum), (_, value)): ((String, Value), &(String, Value))| Some((name, add(sum, value)?));
            Value::Struct(members.map(add).collect::<Option<_>>()?)
        }
        (sum, value) if sum == *value => sum,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(packets: u64, name: &str) -> Value {
        Value::Struct(vec![("packets".to_owned(), packets.into()), ("name".to_owned(), Value::Text(name.to_owned()))])
    }

    #[test]
    fn numbers_are_added_and_the_rest_is_common_or_listed() {
        assert_eq!(sum(vec![counters(2, "a"), counters(3, "a")]), counters(5, "a"));
        let different = vec![counters(2, "a"), counters(3, "b")];
        assert_eq!(sum(different.clone()), Value::Array(different));
        assert_eq!(sum(vec![Value::Int(-2), Value::Int(1)]), Value::Int(-1));
        assert_eq!(sum(vec![Value::F64(0.5), Value::F64(1.0)]), Value::F64(1.5));
        let max = u128::from(u64::MAX);
        assert_eq!(sum(vec![Value::Uint(max), Value::Uint(max)]), Value::Uint(2 * max), "no 64 bits are too few");
        let arrays = |first: u64| Value::Array(vec![first.into(), 1_u64.into()]);
        assert_eq!(sum(vec![arrays(1), arrays(2)]), Value::Array(vec![3_u64.into(), 2_u64.into()]));
    }
}
