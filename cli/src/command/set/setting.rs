//! What `set` takes: `TARGET=VALUE`, or an operator that starts from what is there, `TARGET+=AMOUNT`.

use std::fmt;
use std::str::FromStr;

use crate::target::{Assignment, Target};

/// One of the things to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Assignment(Assignment),
    Operation(Operation),
}

/// `TARGET+=5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) target: Target,
    pub(crate) operator: Operator,
    pub(crate) operand: String,
}

/// What is done with what is there and the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Or,
    And,
    AndNot,
    Xor,
}

impl Setting {
    pub(crate) fn target(&self) -> &Target {
        match self {
            Setting::Assignment(assignment) => &assignment.target,
            Setting::Operation(operation) => &operation.target,
        }
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Setting, String> {
        if let Some(operator) = unknown_operator(text) {
            return Err(format!(
                "there is no operator {operator}; there are +=, -=, |=, &=, &=~ and ^=. A pattern that ends with * takes one * more: \
                 'samp**=5'"
            ));
        }
        // Neither names nor numbers in brackets end with an operator.
        let operation = text.split_once('=').and_then(|(left, operand)| {
            let (target, operator) = left.split_at_checked(left.len().checked_sub(1)?)?;
            let (operator, operand) = match (operator, operand.strip_prefix('~')) {
                ("+", _) => (Operator::Add, operand),
                ("-", _) => (Operator::Subtract, operand),
                ("|", _) => (Operator::Or, operand),
                ("^", _) => (Operator::Xor, operand),
                ("&", Some(operand)) => (Operator::AndNot, operand),
                ("&", None) => (Operator::And, operand),
                _ => return None,
            };
            Some((target, operator, operand.to_owned()))
        });
        match operation {
            Some((target, operator, operand)) => {
                Ok(Setting::Operation(Operation { target: target.parse()?, operator, operand }))
            }
            None => text.parse().map(Setting::Assignment),
        }
    }
}

/// What looks like an operator of C that is none here. `*.x=5`, `count.*=0` and `hist[*]=0` are patterns.
fn unknown_operator(text: &str) -> Option<&'static str> {
    let (left, _) = text.split_once('=')?;
    let known = ["<<", ">>", "*", "/", "%"].into_iter().zip(["<<=", ">>=", "*=", "/=", "%="]);
    known.into_iter().find_map(|(sign, operator)| {
        let name = left.strip_suffix(sign)?;
        name.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ']')).then_some(operator)
    })
}

/// As it is written.
impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Add => "+=",
            Operator::Subtract => "-=",
            Operator::Or => "|=",
            Operator::And => "&=",
            Operator::AndNot => "&=~",
            Operator::Xor => "^=",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_stands_before_the_equals_sign() {
        let parsed = |text: &str| match text.parse::<Setting>().unwrap() {
            Setting::Assignment(assignment) => (assignment.target.text, "=".to_owned(), assignment.value),
            Setting::Operation(Operation { target, operator, operand }) => (target.text, operator.to_string(), operand),
        };
        for (text, target, operator, operand) in [
            ("a.b=5", "a.b", "=", "5"),
            ("a.b=-5", "a.b", "=", "-5"),
            ("a.b+=5", "a.b", "+=", "5"),
            ("a.b+=-5", "a.b", "+=", "-5"),
            ("a[3]-=0x5", "a[3]", "-=", "0x5"),
            ("a|=A|B", "a", "|=", "A|B"),
            ("a&=3", "a", "&=", "3"),
            ("a&=~3", "a", "&=~", "3"),
            ("a^=1", "a", "^=", "1"),
            ("a==5", "a", "=", "=5"),
            ("a=~5", "a", "=", "~5"),
            ("a=b+=5", "a", "=", "b+=5"),
        ] {
            assert_eq!(parsed(text), (target.to_owned(), operator.to_owned(), operand.to_owned()), "{text}");
        }
        for text in ["+=5", "a", "a+", "a b+=5", "a++=5"] {
            assert!(text.parse::<Setting>().is_err() || text == "a++=5", "{text}");
        }
        for operator in ["*=", "/=", "%=", "<<=", ">>="] {
            let error = format!("a.b{operator}2").parse::<Setting>().unwrap_err();
            assert!(error.starts_with(&format!("there is no operator {operator}; ")), "{error}");
        }
        for pattern in ["*.b=2", "a.*=2", "a.b[*]=2", "a.b**=2", "a.b*.c=2"] {
            assert!(pattern.parse::<Setting>().is_ok(), "{pattern}");
        }
    }
}
