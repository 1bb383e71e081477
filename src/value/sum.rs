//! What several values are together.

use super::Value;

pub(super) fn sum(values: Vec<Value>) -> Value {
    match values.first() {
        Some(Value::Struct(members)) => {
            let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
            let rows = values.into_iter().filter_map(|value| match value {
                Value::Struct(members) => Some(members.into_iter().map(|(_, value)| value).collect()),
                _ => None,
            });
            Value::Struct(names.into_iter().zip(columns(rows)).map(|(name, column)| (name, sum(column))).collect())
        }
        Some(Value::Array(_)) => {
            let rows = values.into_iter().filter_map(|value| match value {
                Value::Array(elements) => Some(elements),
                _ => None,
            });
            Value::Array(columns(rows).into_iter().map(sum).collect())
        }
        _ => sum_of_scalars(values),
    }
}

/// The first of each, the second of each, and so on.
fn columns(rows: impl Iterator<Item = Vec<Value>>) -> Vec<Vec<Value>> {
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for row in rows {
        columns.resize_with(columns.len().max(row.len()), Vec::new);
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns
}

fn sum_of_scalars(values: Vec<Value>) -> Value {
    let mut rest = values.iter();
    let Some(first) = rest.next() else { return Value::Array(values) };
    let added = rest.try_fold(first.clone(), |sum, value| match (sum, value) {
        (Value::Uint(sum), Value::Uint(value)) => sum.checked_add(*value).map(Value::Uint),
        (Value::Int(sum), Value::Int(value)) => sum.checked_add(*value).map(Value::Int),
        (Value::F32(sum), Value::F32(value)) => Some(Value::F32(sum + value)),
        (Value::F64(sum), Value::F64(value)) => Some(Value::F64(sum + value)),
        (sum, value) => (sum == *value).then_some(sum),
    });
    added.unwrap_or(Value::Array(values))
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
        assert_eq!(sum(vec![counters(2, "a"), counters(3, "b")]).to_string(), r#"{packets: 5, name: ["a", "b"]}"#);
        assert_eq!(sum(vec![Value::Int(-2), Value::Int(1)]), Value::Int(-1));
        assert_eq!(sum(vec![Value::F64(0.5), Value::F64(1.0)]), Value::F64(1.5));
        let max = u128::from(u64::MAX);
        assert_eq!(sum(vec![Value::Uint(max), Value::Uint(max)]), Value::Uint(2 * max), "64 bits would be too few");
        let too_great = vec![Value::Uint(u128::MAX), Value::Uint(1)];
        assert_eq!(sum(too_great.clone()), Value::Array(too_great), "no sum rather than a wrong one");
        let arrays = |first: u64| Value::Array(vec![first.into(), 1_u64.into()]);
        assert_eq!(sum(vec![arrays(1), arrays(2)]), Value::Array(vec![3_u64.into(), 2_u64.into()]));
    }
}
