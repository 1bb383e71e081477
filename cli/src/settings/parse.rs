//! From the text of a file to settings. The keys on the way to a value, joined, are its target.

use std::num::IntErrorKind;
use std::rc::Rc;

use bpfvar::{Input, Value};
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Fault, Place, Setting};

/// All settings of a file, in the order in which they are written.
///
/// # Errors
///
/// All that is wrong with it; but where it is no TOML, only the first.
pub(crate) fn settings(text: &str, file: &Rc<str>) -> Result<Vec<Setting>, Vec<Fault>> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let line = lines.at(error.span().map_or(0, |span| span.start));
        // Some of its messages have several lines.
        let message = error.message().lines().map(str::trim).collect::<Vec<_>>().join("; ");
        vec![Fault::at(file, line, format!("this is not TOML: {message}"))]
    })?;
    let mut reader = Reader { file, lines, found: Vec::new(), faults: Vec::new() };
    reader.table(table.get_ref(), "");
    let Reader { mut found, mut faults, .. } = reader;
    // A table gives its keys in the order of their names.
    found.sort_by_key(|(start, _)| *start);
    faults.sort_by_key(|fault| fault.place.as_ref().map(|place| place.line));
    if faults.is_empty() { Ok(found.into_iter().map(|(_, setting)| setting).collect()) } else { Err(faults) }
}

struct Reader<'t> {
    file: &'t Rc<str>,
    lines: Lines,
    /// Each with the byte at which its key starts.
    found: Vec<(usize, Setting)>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, outer: &str) {
        for (key, value) in table.iter() {
            let name = key.get_ref();
            let border = if outer.is_empty() || name.starts_with('[') { "" } else { "." };
            let text = format!("{outer}{border}{name}");
            if let DeValue::Table(inner) = value.get_ref() {
                self.table(inner, &text);
                continue;
            }
            let start = key.span().start;
            let place = Place { file: self.file.clone(), line: self.lines.at(start) };
            let fault = |error| Fault { target: Some(text.clone()), place: Some(place.clone()), error };
            let target = text.parse().map_err(|rule| fault(format!("{text:?} names no variable: {rule}")));
            let input = input(value.get_ref()).map_err(|rule| fault(format!("{text}: {rule}")));
            match (target, input) {
                (Ok(target), Ok(input)) => self.found.push((start, Setting { target, input, place })),
                (Err(fault), _) | (_, Err(fault)) => self.faults.push(fault),
            }
        }
    }
}

/// What is to be written. Strings stand for what they say: for text, or for a number that TOML has no room for.
fn input(value: &DeValue<'_>) -> Result<Input, String> {
    Ok(match value {
        DeValue::String(text) => Input::Value(Value::Text(text.clone().into_owned())),
        DeValue::Integer(number) => Input::Value(integer(number)?),
        DeValue::Float(number) => {
            let float: f64 = number.as_str().parse().map_err(|_| format!("{number} is no number"))?;
            if float.is_infinite() && !number.as_str().ends_with("inf") {
                return Err(format!("{number} is out of the range of a double"));
            }
            float.into()
        }
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(time) => return Err(format!("no variable is a date or a time, such as {time}")),
        DeValue::Array(elements) => {
            Input::Array(elements.iter().map(|element| input(element.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(members) => {
            let member = |(name, value): (&toml::Spanned<_>, &toml::Spanned<_>)| {
                let (name, value): (&toml::de::DeString<'_>, &DeValue<'_>) = (name.get_ref(), value.get_ref());
                Ok((name.clone().into_owned(), input(value)?))
            };
            Input::Struct(members.iter().map(member).collect::<Result<_, String>>()?)
        }
    })
}

/// TOML asks for 64 bits at least; C has 128.
fn integer(number: &DeInteger<'_>) -> Result<Value, String> {
    let (digits, radix) = (number.as_str(), number.radix());
    match (u128::from_str_radix(digits, radix), i128::from_str_radix(digits, radix)) {
        (Ok(value), _) => Ok(Value::Uint(value)),
        (_, Ok(value)) => Ok(Value::Int(value)),
        (Err(error), _) if *error.kind() == IntErrorKind::PosOverflow => {
            Err(format!("{number} has more than 128 bits"))
        }
        (_, Err(_)) => Err(format!("{number} is no number of up to 128 bits")),
    }
}

/// Where lines start.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The number of the line that a byte is in.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Setting>, Vec<Fault>> {
        settings(text, &"f".into())
    }

    /// The only value of a file.
    fn value(text: &str) -> Input {
        read(&format!("a.x = {text}")).unwrap().remove(0).input
    }

    fn fault(text: &str) -> String {
        let faults = read(text).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].to_string()
    }

    #[test]
    fn keys_joined_are_a_target() {
        let text = "top = 1\n'stats[3].packets' = 2\n[count]\nsampling = 3\nconfig.mode = 'FAST'\n'hist[3]' = 4\nfunc.calls = 5\n\
                    'calls@16' = 6\n[count.conf]\n'limits[2]' = { burst = 7 }\n['.data.custom']\nx = 8\n\
                    ['pin:/sys/fs/bpf/s']\n'[0]'.x = 9\n[['prog:12'.list]]\na = 1\n[['prog:12'.list]]\na = 2";
        let found = read(text).unwrap();
        let shown: Vec<(&str, usize)> =
            found.iter().map(|setting| (setting.target.text.as_str(), setting.place.line)).collect();
        let expected = [
            ("top", 1),
            ("stats[3].packets", 2),
            ("count.sampling", 4),
            ("count.config.mode", 5),
            ("count.hist[3]", 6),
            ("count.func.calls", 7),
            ("count.calls@16", 8),
            ("count.conf.limits[2].burst", 10),
            (".data.custom.x", 12),
            ("pin:/sys/fs/bpf/s[0].x", 14),
            ("prog:12.list", 15),
        ];
        assert_eq!(shown, expected);
        assert_eq!(found.last().unwrap().input.to_string(), "[{a: 1}, {a: 2}]");
    }

    #[test]
    fn the_example_of_the_manual_is_one() {
        let (_, format) = crate::help::SETTINGS.split_once("\nFormat:\n").unwrap();
        let (format, _) = format.split_once("\nValues:\n").unwrap();
        let example: Vec<&str> = format.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let found = read(&example.join("\n")).unwrap();
        let named: Vec<&str> = found.iter().map(|setting| setting.target.text.as_str()).collect();
        assert_eq!(named[..2], ["count.sampling", "count.config.mode"]);
        assert!(named.contains(&"limiter.config.rate") && named.contains(&"map:stats[3].packets"), "{named:?}");
        assert_eq!(named.len(), 10, "{named:?}");
    }

    #[test]
    fn values_are_what_toml_says_they_are() {
        assert_eq!(value("1_000"), 1000_u32.into());
        assert_eq!(value("-5"), (-5).into());
        assert_eq!(value("+5"), 5_u32.into());
        assert_eq!(value("0xff"), 255_u32.into());
        assert_eq!(value("0o17"), 15_u32.into());
        assert_eq!(value("0b101"), 5_u32.into());
        assert_eq!(value("true"), true.into());
        assert_eq!(value("1e3"), 1000.0_f64.into());
        assert_eq!(value("-inf"), f64::NEG_INFINITY.into());
        assert_eq!(value("nan").to_string(), "NaN");
        assert_eq!(value("'0x1f'"), Input::Value(Value::Text("0x1f".into())));
        assert_eq!(value("\"a\\u0007b\""), Input::Value(Value::Text("a\u{7}b".into())));
        assert_eq!(value("[{ a = 1 }, { b.c = [true] }]").to_string(), "[{a: 1}, {b: {c: [true]}}]");
    }

    #[test]
    fn integers_may_have_128_bits() {
        assert_eq!(value(&u128::MAX.to_string()), u128::MAX.into());
        assert_eq!(value(&i128::MIN.to_string()), i128::MIN.into());
        assert!(fault(&format!("a.x = {}0", u128::MAX)).contains("more than 128 bits"));
        assert!(fault(&format!("a.x = {}0", i128::MIN)).contains("no number of up to 128 bits"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(fault("a.x = 1\n\na.x = 2"), "f:3: this is not TOML: duplicate key");
        assert!(fault("[a]\nx = \n").starts_with("f:2: this is not TOML: "));
        assert!(fault("[a\nx = 1").starts_with("f:1: "));
        assert!(fault("a.x = 1e999").contains("out of the range"));
        assert!(fault("a.x = 2026-01-01").contains("no variable is a date"));
        assert_eq!(fault("\n[a]\n'b c' = 1"), "f:3: \"a.b c\" names no variable: a name cannot contain ' '");
        assert!(fault("[a]\n'' = 1").contains("a name is missing after a dot"));
        assert!(fault("'id:x' = 1").contains("id: is followed by a number"));
        // Of what can be read, all that is wrong.
        let faults = read("z.x = 2026-01-01\n'b[' = 1\nc.x = 1").unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.place.as_ref().unwrap().line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn no_depth_of_keys_or_brackets_ends_the_process() {
        for text in
            ["a.".repeat(1_000_000) + "a = 1", "a = ".to_owned() + &"[".repeat(1_000_000), "[".repeat(1_000_000)]
        {
            assert!(fault(&text).starts_with("f:1: this is not TOML: "));
        }
    }

    #[test]
    fn a_file_may_be_empty() {
        for text in ["", "\n", "# nothing", "[count]", "[count]\nconfig = {}"] {
            assert_eq!(read(text), Ok(Vec::new()), "{text:?}");
        }
    }
}
