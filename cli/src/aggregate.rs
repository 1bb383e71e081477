//! Several values in one: their sum, the greatest, the least.

use std::cmp::Ordering;

use bpfvar::Value;

/// The sum of all: of numbers, and of structs and arrays of them member by member. None where there is none: values that are no
/// numbers, of different types, or a sum of more than 128 bits.
pub(crate) fn sum(values: Vec<Value>) -> Option<Value> {
    let first = values.first()?.clone();
    let sum = match values.iter().all(is_whole) {
        // Signed and unsigned ones may stand side by side.
        true => match values.iter().map(Value::as_i128).collect::<Option<Vec<_>>>() {
            Some(numbers) => numbers.into_iter().try_fold(0_i128, i128::checked_add).map(Value::Int)?,
            None => Value::sum(values),
        },
        false if values.iter().all(|value| is_like(&first, value)) => Value::sum(values),
        false => return None,
    };
    is_like(&first, &sum).then_some(sum)
}

/// Whether two values have the same shape: numbers, structs of the same members, arrays of one length.
fn is_like(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Struct(one), Value::Struct(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|((one, _), (other, _))| one == other)
        }
        (Value::Array(one), Value::Array(other)) => one.len() == other.len(),
        (Value::F32(_) | Value::F64(_), Value::F32(_) | Value::F64(_)) => true,
        _ => is_whole(one) && is_whole(other),
    }
}

/// Whether it is a whole number. Enumerators, flags and addresses do not count as numbers.
fn is_whole(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Uint(_))
}

/// Numbers by size, exactly. None for what is no number.
pub(crate) fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Uint(one), Value::Uint(other)) => Some(one.cmp(other)),
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        // What is beyond i128 is greater than all that is in it.
        (Value::Int(one), Value::Uint(other)) => {
            Some(i128::try_from(*other).map_or(Ordering::Less, |other| one.cmp(&other)))
        }
        (Value::Uint(_), Value::Int(_)) => compare(other, one).map(Ordering::reverse),
        _ => {
            let number = |value: &Value| match value {
                Value::Bool(_) | Value::Enum { .. } | Value::Pointer(_) => None,
                value => value.as_f64(),
            };
            Some(number(one)?.total_cmp(&number(other)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(packets: u64, mode: &str) -> Value {
        let mode = Value::Enum { value: 1, name: Some(mode.to_owned()) };
        Value::Struct(vec![("packets".to_owned(), packets.into()), ("mode".to_owned(), mode)])
    }

    #[test]
    fn sums_are_exact_or_none() {
        let max = Value::from(u64::MAX);
        assert_eq!(sum(vec![max.clone(), max]), Some(Value::Int(2 * i128::from(u64::MAX))));
        assert_eq!(sum(vec![Value::Int(-3), Value::Uint(1)]), Some(Value::Int(-2)));
        assert_eq!(sum(vec![Value::Uint(u128::MAX)]), Some(Value::Uint(u128::MAX)));
        assert_eq!(sum(vec![Value::Uint(u128::MAX), Value::Uint(1)]), None);
        assert_eq!(sum(vec![Value::F64(0.5), Value::F64(1.0)]), Some(Value::F64(1.5)));
        assert_eq!(sum(vec![row(2, "FAST"), row(3, "FAST")]), Some(row(5, "FAST")));
        let differing = sum(vec![row(2, "FAST"), row(3, "OFF")]).unwrap();
        assert_eq!(differing.to_string(), "{packets: 5, mode: [FAST, OFF]}");
        for values in
            [vec![Value::Bool(true)], vec![row(1, "OFF"), Value::Int(1)], vec![], vec![Value::Text("a".into())]]
        {
            assert_eq!(sum(values.clone()), None, "{values:?}");
        }
    }

    #[test]
    fn numbers_compare_exactly() {
        let greatest = u64::MAX;
        assert_eq!(compare(&greatest.into(), &(greatest - 1).into()), Some(Ordering::Greater));
        assert_eq!(compare(&Value::Int(-1), &Value::Uint(0)), Some(Ordering::Less));
        assert_eq!(compare(&Value::Uint(u128::MAX), &Value::Int(i128::MAX)), Some(Ordering::Greater));
        assert_eq!(compare(&Value::F64(0.5), &Value::Int(0)), Some(Ordering::Greater));
        assert_eq!(compare(&Value::Bool(true), &Value::Int(0)), None);
        assert_eq!(compare(&row(1, "OFF"), &row(1, "OFF")), None);
    }
}
