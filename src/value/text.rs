//! Numbers as people write them.

/// A number as text has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Positive(u128),
    /// Its amount.
    Negative(u128),
}

impl Number {
    /// None beyond 127 bits.
    pub(crate) fn signed(self) -> Option<i128> {
        match self {
            Number::Positive(amount) => i128::try_from(amount).ok(),
            Number::Negative(amount) => 0_i128.checked_sub_unsigned(amount),
        }
    }
}

/// `100`, `-5`, `0x1f`, `0o17`, `0b101`.
///
/// # Errors
///
/// What is wrong with it, to stand behind "but".
pub(crate) fn parse_number(text: &str) -> Result<Number, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        // What has other characters is no number in any base.
        [b'0', more @ ..] if !more.is_empty() && more.iter().all(u8::is_ascii_digit) => {
            let rest = digits.trim_start_matches('0');
            return Err(format!(
                "a leading zero may mean octal or nothing; say 0o{rest} or {}",
                if rest.is_empty() { "0" } else { rest }
            ));
        }
        _ => (10, digits),
    };
    // from_str_radix would take another sign.
    if !digits.chars().next().is_some_and(|digit| digit.is_digit(radix)) {
        return Err("a number is needed: decimal, 0x hexadecimal, 0o octal or 0b binary".to_owned());
    }
    match u128::from_str_radix(digits, radix) {
        Ok(amount) if negative && amount != 0 => Ok(Number::Negative(amount)),
        Ok(amount) => Ok(Number::Positive(amount)),
        Err(error) if *error.kind() == std::num::IntErrorKind::PosOverflow => {
            Err("it is more than 128 bits can hold".to_owned())
        }
        Err(_) => Err("a number is needed: decimal, 0x hexadecimal, 0o octal or 0b binary".to_owned()),
    }
}

/// A float; infinite only if the text says so.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let says_so = text.trim_start_matches(['+', '-']).to_ascii_lowercase().starts_with("inf");
    (!value.is_infinite() || says_so).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_four_bases() {
        assert_eq!(parse_number("100"), Ok(Number::Positive(100)));
        assert_eq!(parse_number("+0"), Ok(Number::Positive(0)));
        assert_eq!(parse_number("-0"), Ok(Number::Positive(0)));
        assert_eq!(parse_number("-0x1F"), Ok(Number::Negative(31)));
        assert_eq!(parse_number("0o17"), Ok(Number::Positive(15)));
        assert_eq!(parse_number("0b101"), Ok(Number::Positive(5)));
        assert_eq!(parse_number(&u128::MAX.to_string()), Ok(Number::Positive(u128::MAX)));
    }

    #[test]
    fn what_is_no_number_or_may_be_two_is_refused() {
        for text in ["", "-", "0x", "--1", "0x-1", "1_000", "ten", "1.5", "1e3", " 1", "0b2", "०", "01.5", "00\n"] {
            assert!(parse_number(text).is_err(), "{text:?}");
        }
        assert!(parse_number("017").unwrap_err().contains("0o17 or 17"));
        assert!(parse_number("01\n").unwrap_err().starts_with("a number is needed"));
        assert!(parse_number("340282366920938463463374607431768211456").unwrap_err().contains("128 bits"));
    }

    #[test]
    fn a_float_is_infinite_only_if_it_says_so() {
        assert_eq!(parse_float("-1.5e3"), Some(-1500.0));
        assert_eq!(parse_float("inf"), Some(f64::INFINITY));
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_float("NaN").is_some_and(f64::is_nan));
        assert_eq!(parse_float("1e400"), None);
        assert_eq!(parse_float("abc"), None);
    }
}
