//! The grammar of targets. What they name is found by [`crate::resolve`].

use std::path::PathBuf;
use std::str::FromStr;

use bpfvar::{Error, VarPath};

use crate::key::Split;
use crate::pattern::{PathPattern, is_pattern};

/// What a user typed to name a program, a map, a section, a variable or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it was typed.
    pub(crate) text: String,
    pub(crate) origin: Origin,
    /// What follows the origin: nothing, `.PATH` or `[INDEX]...`; for a name, all of name and path, whose border only the
    /// kernel's names tell.
    pub(crate) rest: String,
}

/// How a target says where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Name {
        programs: bool,
        maps: bool,
    },
    Id {
        number: u32,
        programs: bool,
        maps: bool,
    },
    /// The process that holds the programs, by its number.
    Process(u32),
    Pin(PathBuf),
}

impl Target {
    /// What it starts with: the program, map or pin, as far as text alone tells. A name with dots is cut at the first.
    pub(crate) fn object(&self) -> &str {
        let origin = self.text.len() - self.rest.len();
        let name = match self.origin {
            Origin::Name { .. } => splits(&self.rest).last().map_or(0, |(name, _)| name.len()),
            Origin::Id { .. } | Origin::Process(_) | Origin::Pin(_) => 0,
        };
        &self.text[..origin + name]
    }

    /// Whether it may name several variables: it has `*`, `?` or a range.
    pub(crate) fn is_pattern(&self) -> bool {
        is_pattern(&self.rest) && named_key(&self.rest).is_none()
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let new = |origin, rest: &str| Target { text: text.to_owned(), origin, rest: rest.to_owned() };
        let target = if let Some(id) = text.strip_prefix("id:") {
            let (number, rest) = split_number(id).ok_or("id: is followed by a number, as in id:12.sampling")?;
            new(Origin::Id { number, programs: true, maps: true }, rest)
        } else if let Some(pid) = text.strip_prefix("pid:") {
            let (number, rest) = split_number(pid).ok_or("pid: is followed by a number, as in pid:4711.sampling")?;
            new(Origin::Process(number), rest)
        } else if let Some(program) = text.strip_prefix("prog:") {
            named_or_numbered(program, true, new)
        } else if let Some(map) = text.strip_prefix("map:") {
            named_or_numbered(map, false, new)
        } else if let Some(path) = text.strip_prefix("pin:") {
            // Files in a bpffs have no dots in their names; directories above it may.
            let name = path.rfind('/').map_or(0, |slash| slash + 1);
            let end = path[name..].find(['.', '[']).map_or(path.len(), |end| name + end);
            if end == name {
                return Err("pin: is followed by the path of a file, as in pin:/sys/fs/bpf/count.sampling".to_owned());
            }
            new(Origin::Pin(path[..end].into()), &path[end..])
        } else {
            new(Origin::Name { programs: true, maps: true }, text)
        };
        check(&target.rest, !matches!(target.origin, Origin::Name { .. }))?;
        Ok(target)
    }
}

fn named_or_numbered(text: &str, programs: bool, new: impl Fn(Origin, &str) -> Target) -> Target {
    match split_number(text) {
        Some((number, rest)) => new(Origin::Id { number, programs, maps: !programs }, rest),
        None => new(Origin::Name { programs, maps: !programs }, text),
    }
}

/// The number that the text starts with, if it ends there or goes on with a path.
fn split_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let digits = &text[..end];
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some((number, &text[end..]))
}

/// A key that can be no index: whatever it holds is no pattern.
fn named_key(rest: &str) -> Option<Split<'_>> {
    Split::of(rest).filter(Split::is_no_index)
}

/// That names, dots and brackets stand where they can.
fn check(rest: &str, may_be_empty: bool) -> Result<(), String> {
    // A key may hold anything, also what no name holds.
    if let Some(Split { before, behind, .. }) = named_key(rest) {
        if is_pattern(before) || is_pattern(behind) {
            return Err(
                "a pattern has no key; [*] in place of the key means all entries, as in flows[*].packets".to_owned()
            );
        }
        check(before, may_be_empty)?;
        return check_path(behind);
    }
    if rest.is_empty() {
        return if may_be_empty { Ok(()) } else { Err("a name is missing".to_owned()) };
    }
    // `prog:12..rodata`: a section has a dot of its own.
    let sections = [".rodata", ".data", ".bss", ".kconfig"];
    let odd = |(at, _): (usize, &str)| !sections.iter().any(|section| rest[at + 1..].starts_with(section));
    let path = rest.find('[').unwrap_or(rest.len());
    if rest.ends_with('.') || rest[..path].match_indices("..").any(odd) {
        return Err("a name is missing after a dot".to_owned());
    }
    if let Some(odd) = rest.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '=') {
        return Err(format!("a name cannot contain {odd:?}"));
    }
    if rest[..path].contains(']') {
        return Err("a [ is missing before ]".to_owned());
    }
    // Where the name ends only the kernel's names tell; from the first bracket on it is a path.
    if is_pattern(rest) {
        return PathPattern::parse(&rest[path..]).map(drop);
    }
    check_path(&rest[path..])
}

fn check_path(path: &str) -> Result<(), String> {
    match path.parse::<VarPath>() {
        Err(Error::Argument { rule, .. }) => Err(rule),
        Err(error) => Err(error.to_string()),
        Ok(_) => Ok(()),
    }
}

/// `TARGET=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) target: Target,
    pub(crate) value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Assignment, String> {
        let (target, value) =
            text.split_once('=').ok_or("TARGET=VALUE is needed, without spaces, as in count.sampling=100")?;
        Ok(Assignment { target: target.parse()?, value: value.to_owned() })
    }
}

/// Where a text may end a name and start a path: all of them, the longest name first.
pub(crate) fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut in_brackets = false;
    let is_border = |(at, c): (usize, char)| {
        let border = at > 0 && (c == '[' || c == '.' && !in_brackets);
        in_brackets = c == '[' || in_brackets && c != ']';
        border.then_some(at)
    };
    let borders = text.char_indices().filter_map(is_border);
    let mut borders: Vec<usize> = borders.chain([text.len()]).collect();
    borders.reverse();
    borders.into_iter().map(|at| text.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Origin, String) {
        let target: Target = text.parse().unwrap();
        assert_eq!(target.text, text);
        (target.origin, target.rest)
    }

    #[test]
    fn prefixes_say_where_to_look() {
        let name = |programs, maps| Origin::Name { programs, maps };
        let id = |number, programs, maps| Origin::Id { number, programs, maps };
        assert_eq!(parsed("count.config.rate"), (name(true, true), "count.config.rate".into()));
        assert_eq!(parsed(".data.custom"), (name(true, true), ".data.custom".into()));
        assert_eq!(parsed("id:7"), (id(7, true, true), "".into()));
        assert_eq!(parsed("prog:12.sampling"), (id(12, true, false), ".sampling".into()));
        assert_eq!(parsed("prog:count.x"), (name(true, false), "count.x".into()));
        assert_eq!(parsed("map:7[3].x"), (id(7, false, true), "[3].x".into()));
        assert_eq!(parsed("map:7up.x"), (name(false, true), "7up.x".into()));
        assert_eq!(parsed("pid:4711.config.rate"), (Origin::Process(4711), ".config.rate".into()));
        assert_eq!(parsed("prog:12.bss"), (id(12, true, false), ".bss".into()));
        assert_eq!(parsed("prog:12..bss"), (id(12, true, false), "..bss".into()));
    }

    #[test]
    fn a_target_starts_with_an_object() {
        let object = |text: &str| text.parse::<Target>().unwrap().object().to_owned();
        assert_eq!(object("count.config.limits[2].burst"), "count");
        assert_eq!(object("stats[3].packets"), "stats");
        assert_eq!(object("count"), "count");
        assert_eq!(object("prog:12.x"), "prog:12");
        assert_eq!(object("prog:count.x"), "prog:count");
        assert_eq!(object("pin:/tmp/a.b/x.hist[3]"), "pin:/tmp/a.b/x");
        assert_eq!(object(".data.custom.x"), ".data");
    }

    #[test]
    fn a_pin_ends_behind_its_last_slash() {
        let pin = |path: &str| Origin::Pin(path.into());
        assert_eq!(parsed("pin:/sys/fs/bpf/x"), (pin("/sys/fs/bpf/x"), "".into()));
        assert_eq!(parsed("pin:/tmp/a.b/x.hist[3]"), (pin("/tmp/a.b/x"), ".hist[3]".into()));
        assert_eq!(parsed("pin:./x[3]"), (pin("./x"), "[3]".into()));
    }

    #[test]
    fn names_and_indices_may_be_patterns() {
        for text in
            ["*.sampling", "count.*", "stats[*].packets", "prog:12.hist[0..4]", "count.config.limits[..2].b?rst", "*"]
        {
            assert!(text.parse::<Target>().unwrap().is_pattern(), "{text}");
        }
        let keys = [r#"names["a*b"]"#, r#"flows[{"x": "?", "y": ".."}].packets"#, "names[a*]"];
        let plain = ["count.sampling", "prog:12..bss", "stats[3].packets", "pin:/sys/fs/bpf/*.x"];
        for text in plain.into_iter().chain(keys) {
            assert!(!text.parse::<Target>().unwrap().is_pattern(), "{text}");
        }
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in [
            "",
            "id:",
            "id:x",
            "pid:",
            "pid:opensnoop.x",
            "a[0..0]",
            "a[0..4",
            "a..*",
            "prog:",
            "map:",
            "pin:",
            "pin:/x/",
            "a.",
            "a..b",
            "prog:12..bss.",
            "prog:12...bss",
            "prog:12..b",
            "a[",
            "a[]",
            "a[?]",
            "a[+1]",
            "a]",
            "a[1",
            "a[1]b",
            "a b",
            "a\nb",
            "a[1]]",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
        assert!("a".parse::<Assignment>().is_err());
        assert!("=1".parse::<Assignment>().is_err());
    }

    #[test]
    fn keys_may_hold_anything() {
        for text in
            [r#"a.flows[{"x": 1, "y": [2]}].packets"#, r#"a["b = c."][3].d"#, "map:7[-1]", "a[TCP].x", "pin:/x/y[-1]"]
        {
            assert_eq!(text.parse::<Target>().map(|target| target.text), Ok(text.to_owned()));
        }
        // A pattern beside a key would be neither.
        for text in [r#"a["x"].b*"#, r#"a*["x"]"#, r#"a["x"][0..4]"#, r#"*[{"x": 1}]"#] {
            assert!(text.parse::<Target>().is_err_and(|why| why.contains("[*]")), "{text:?}");
        }
        for text in [r#"a[{"x": 1].y"#, r#"a["x"]y"#, r#"a["x"]."#, r#"a b["x"]"#, r#"["x"]"#, r#"a["x"][y z]"#] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_value_may_hold_anything() {
        let assignment: Assignment = "a.b=x=[1]. ".parse().unwrap();
        assert_eq!((assignment.target.text.as_str(), assignment.value.as_str()), ("a.b", "x=[1]. "));
        assert_eq!("a=".parse::<Assignment>().unwrap().value, "");
    }

    #[test]
    fn every_border_is_tried_the_longest_name_first() {
        let all: Vec<_> = splits(".data.x[1].y").collect();
        assert_eq!(splits("x[0..4]").collect::<Vec<_>>(), [("x[0..4]", ""), ("x", "[0..4]")]);
        assert_eq!(all, [(".data.x[1].y", ""), (".data.x[1]", ".y"), (".data.x", "[1].y"), (".data", ".x[1].y")]);
    }
}
