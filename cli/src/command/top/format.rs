//! Numbers and values as short as there is room for.

use std::fmt::{self, Write};

use bpfvar::Value;
use unicode_width::UnicodeWidthStr;

use crate::histogram::Histogram;
use crate::output::clean;

/// As many percentiles as there is room for.
pub(super) fn percentiles(histogram: &Histogram, room: usize) -> String {
    let mut line = String::new();
    for percent in [50.0, 90.0, 99.0] {
        let Some(value) = histogram.percentile(percent) else { return "empty".to_owned() };
        // More digits than a percentile has would be false.
        let part = format!("p{percent} {}", short(value, 2));
        if !line.is_empty() && line.width() + 2 + part.width() > room {
            break;
        }
        line += if line.is_empty() { "" } else { "  " };
        line += &part;
    }
    line
}

/// A number as it is, or, where it is too long, cut to its first digits: no digit is left out without a sign of it.
pub(super) fn number_in(text: &str, room: usize) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.width() > room && number.is_finite() => {
            let sign = if text.starts_with('+') { "+" } else { "" };
            format!("{sign}{}", short(number, 3))
        }
        _ => text.to_owned(),
    }
}

pub(super) fn rate_in(rate: f64, room: usize) -> String {
    let whole = match rate.abs() {
        0.0 => "0/s".to_owned(),
        small if small < 1000.0 => format!("{rate:.1}/s"),
        _ => format!("{rate:.0}/s"),
    };
    if whole.width() <= room { whole } else { format!("{}/s", short(rate, 3)) }
}

/// So many digits, two or three, and a power of a thousand: `1.23M`.
fn short(number: f64, digits: usize) -> String {
    const SIGNS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut scaled = number;
    let mut signs = SIGNS.iter().peekable();
    while scaled.abs() >= 999.5 && signs.len() > 1 {
        scaled /= 1000.0;
        signs.next();
    }
    let sign = signs.next().unwrap_or(&"");
    match scaled.abs() {
        small if small >= 1e6 => format!("{number:.1e}"),
        small if small >= 100.0 || scaled.fract() == 0.0 => format!("{scaled:.0}{sign}"),
        small if small >= 10.0 => format!("{scaled:.0$}{sign}", digits - 2),
        _ => format!("{scaled:.0$}{sign}", digits - 1),
    }
}

/// A value in one line, not much longer than the room: of a big array, no more is made than is seen.
pub(super) fn brief(value: &Value, room: usize) -> String {
    struct Room {
        text: String,
        left: usize,
    }
    impl Write for Room {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.text += part;
            self.left = self.left.saturating_sub(part.len());
            if self.left == 0 { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut out = Room { text: String::new(), left: room.saturating_mul(4).max(64) };
    // It fails where the room ends, and is cut to fit in any case.
    let _ = write!(out, "{value}");
    clean(&out.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Scale;

    #[test]
    fn numbers_are_short_where_there_is_no_room() {
        let three = |number| short(number, 3);
        assert_eq!([9.75, 13.9, 155.0, 19_000_000.0].map(|number| short(number, 2)), ["9.8", "14", "155", "19M"]);
        assert_eq!([0.0, 7.0, 7.5, 999.0, 1234.0, -20_500.0].map(three), ["0", "7", "7.50", "999", "1.23k", "-20.5k"]);
        assert_eq!([999_999.0, 1.8446744073709552e19, 1e300].map(three), ["1.00M", "18.4E", "1.0e300"]);
        assert_eq!(number_in("18446744073709551615", 9), "18.4E");
        assert_eq!(number_in("+123456789012", 9), "+123G");
        assert_eq!(number_in("\"12345678901\"", 9), "\"12345678901\"");
        assert_eq!((rate_in(12.34, 8), rate_in(123_456_789.0, 8)), ("12.3/s".into(), "123M/s".into()));
    }

    #[test]
    fn percentiles_fit_the_room() {
        let histogram = Histogram { scale: Scale::Log2, counts: vec![0, 0, 50, 50, 0] };
        assert_eq!(percentiles(&histogram, 40), "p50 7  p90 14  p99 15");
        assert_eq!(percentiles(&histogram, 9), "p50 7");
        let empty = Histogram { scale: Scale::Log2, counts: vec![0; 4] };
        assert_eq!(percentiles(&empty, 40), "empty");
    }

    #[test]
    fn a_brief_text_is_not_made_whole() {
        let large = Value::Array((0..100_000_u32).map(Value::from).collect());
        let text = brief(&large, 20);
        assert!(text.starts_with("[0, 1, 2, 3, ") && text.len() < 100, "{text}");
        assert_eq!(brief(&Value::Text("\u{202e}\u{1b}".into()), 9), "\"\\u{202e}\\u{1b}\"");
        assert_eq!(brief(&Value::Bool(true), 0), "true");
    }
}
