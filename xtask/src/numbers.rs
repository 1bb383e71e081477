//! Numbers as text.

/// Three digits or so, in groups of three.
pub(crate) fn digits(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        ..0.1 => format!("{number:.3}"),
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => grouped(number.round() as u64),
    }
}

pub(crate) fn grouped(number: u64) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

/// Nanoseconds in the unit that suits them.
pub(crate) fn time(ns: f64) -> String {
    let (number, unit) = match ns {
        ..999.5 => (ns, "ns"),
        ..999.5e3 => (ns / 1e3, "µs"),
        ..999.5e6 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    format!("{} {unit}", short(number))
}

/// A count in thousands, millions or billions.
pub(crate) fn count(number: f64) -> String {
    match number {
        ..1e4 => short(number),
        ..999.5e3 => format!("{} thousand", short(number / 1e3)),
        ..999.5e6 => format!("{} million", short(number / 1e6)),
        _ => format!("{} billion", short(number / 1e9)),
    }
}

pub(crate) fn bytes(number: f64) -> String {
    match number {
        ..1024.0 => format!("{} B", short(number)),
        ..1_048_576.0 => format!("{} KiB", short(number / 1024.0)),
        ..1_073_741_824.0 => format!("{} MiB", short(number / 1_048_576.0)),
        _ => format!("{} GiB", short(number / 1_073_741_824.0)),
    }
}

/// As [`digits`], without zeros behind the point.
fn short(number: f64) -> String {
    let text = digits(number);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, digits, time};

    #[test]
    fn digits_are_three_or_so() {
        let texts = [0.0, 0.0123, 0.345, 5.0, 64.31, 999.6, 1234.6, 1e7].map(digits);
        assert_eq!(texts, ["0", "0.012", "0.34", "5.00", "64.3", "1,000", "1,235", "10,000,000"]);
    }

    #[test]
    fn units_suit_the_number() {
        assert_eq!(
            [0.34, 590.0, 999.9, 1466.0, 2e6, 1.5e9].map(time),
            ["0.34 ns", "590 ns", "1 µs", "1.47 µs", "2 ms", "1.5 s"]
        );
        assert_eq!(
            [12.0, 20_000.0, 999_900.0, 3.25e8, 2e9].map(count),
            ["12", "20 thousand", "1 million", "325 million", "2 billion"]
        );
        assert_eq!([4096.0, 1_048_576.0, 1_073_741_824.0].map(bytes), ["4 KiB", "1 MiB", "1 GiB"]);
    }
}
