//! Operators: one atomic step each, from what is there.

use bpfvar::{Input, Value, Var};

use super::setting::{Operation, Operator};
use crate::error::{Failure, Result};

/// A step that was checked against what is there now.
pub(super) struct Step {
    var: Var,
    what: What,
}

enum What {
    Add(String),
    Bits { operator: Operator, operand: Value },
}

impl Step {
    pub(super) fn var(&self) -> &Var {
        &self.var
    }

    /// Checks what can be checked before: the operand, and whether the result would fit now.
    pub(super) fn new(var: Var, label: &str, operation: &Operation) -> Result<Step> {
        let Operation { operator, operand, .. } = operation;
        let add = |amount: String| var.preview_add(amount.as_str()).map(|_| What::Add(amount));
        let what = match operator {
            Operator::Add => add(operand.clone())?,
            Operator::Subtract => add(negated(operand))?,
            operator => {
                let now = var.read()?;
                if combined(*operator, &now, &now).is_none() {
                    let ty = var.type_name();
                    return Err(Failure::new(format!(
                        "{label}: {operator} is for whole numbers, enumerators and bools, and it is of type {ty}"
                    )));
                }
                let mut operands = operand.split('|');
                let mut all = of_type(&var, operands.next().unwrap_or_default())?;
                for more in operands {
                    all = combined(Operator::Or, &all, &of_type(&var, more)?).unwrap_or(all);
                }
                What::Bits { operator: *operator, operand: all }
            }
        };
        Ok(Step { var, what })
    }

    /// Makes the step: the value before, and the value after.
    pub(super) fn make(&self) -> bpfvar::Result<(Value, Value)> {
        match &self.what {
            What::Add(amount) => self.var.add(amount.as_str()),
            What::Bits { operator, operand } => {
                let stepped = self.var.update(|old| combined(*operator, old, operand).map(Input::from))?;
                // A variable keeps its type, so there is always a result.
                Ok(stepped.unwrap_or_else(|old| (old.clone(), old)))
            }
        }
    }
}

/// An operand as a value of the variable's type: by number, by an enumerator's name.
fn of_type(var: &Var, operand: &str) -> Result<Value> {
    Ok(var.change(operand)?.new()?)
}

/// `5` as `-5`, and the other way round.
fn negated(amount: &str) -> String {
    match amount.strip_prefix('-') {
        Some(positive) => positive.to_owned(),
        None => format!("-{}", amount.strip_prefix('+').unwrap_or(amount)),
    }
}

/// The bits of two values of one type. None for types without bits to speak of.
fn combined(operator: Operator, old: &Value, operand: &Value) -> Option<Value> {
    if let Value::F32(_) | Value::F64(_) | Value::Pointer(_) = old {
        return None;
    }
    let (number, bits) = (old.as_i128()?, operand.as_i128()?);
    let new = match operator {
        Operator::Or => number | bits,
        Operator::And => number & bits,
        Operator::AndNot => number & !bits,
        Operator::Xor => number ^ bits,
        Operator::Add | Operator::Subtract => return None,
    };
    // A number of the other sign does not come out: both have the type's own, and so have its bits.
    Some(if let Value::Bool(_) = old { Value::Bool(new != 0) } else { Value::Int(new) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_type() {
        let uint = |number: u64| Value::from(number);
        let of = |operator, old: Value, operand: Value| combined(operator, &old, &operand).unwrap().as_i128();
        assert_eq!(of(Operator::Or, uint(5), uint(2)), Some(7));
        assert_eq!(of(Operator::And, uint(6), uint(3)), Some(2));
        assert_eq!(of(Operator::AndNot, uint(u64::MAX), uint(1)), Some(i128::from(u64::MAX - 1)));
        assert_eq!(of(Operator::Xor, uint(5), uint(1)), Some(4));
        assert_eq!(of(Operator::Or, Value::Int(1), Value::Int(-128)), Some(-127));
        assert_eq!(of(Operator::AndNot, Value::Int(-1), Value::Int(1)), Some(-2));
        assert_eq!(combined(Operator::Xor, &Value::Bool(true), &Value::Bool(true)), Some(Value::Bool(false)));
        assert_eq!(combined(Operator::AndNot, &Value::Bool(true), &Value::Bool(false)), Some(Value::Bool(true)));
        assert_eq!(combined(Operator::Or, &Value::F64(1.0), &Value::F64(1.0)), None);
        assert_eq!(combined(Operator::Or, &Value::Text("a".to_owned()), &Value::Text("a".to_owned())), None);
    }

    #[test]
    fn amounts_change_their_sign() {
        assert_eq!(["5", "-5", "+0x5", "1.5", "x"].map(negated), ["-5", "5", "-0x5", "-1.5", "-x"]);
    }
}
