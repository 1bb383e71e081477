//! Names of C as names in Rust.

use std::collections::{HashMap, HashSet};

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};

/// Words that Rust keeps for itself, in any edition; as a name they are written with `r#`.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that no `r#` makes a name.
const NEVER: [&str; 5] = ["_", "self", "Self", "super", "crate"];

/// The identifier that is this very name; None if none can be.
pub(crate) fn exact(name: &str) -> Option<Ident> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !starts || !goes_on || NEVER.contains(&name) {
        return None;
    }
    Some(if KEYWORDS.contains(&name) { Ident::new_raw(name, Span::call_site()) } else { ident(name) })
}

/// Whether Rust's lints take it for a field or function.
pub(crate) fn is_snake(name: &str) -> bool {
    !name.trim_matches('_').contains("__") && !name.chars().any(|c| c.is_ascii_uppercase())
}

/// An identifier for a field or function: the name itself where that is one, else one that is like it.
pub(crate) fn snake(name: &str) -> String {
    match exact(name) {
        Some(_) if is_snake(name) => name.to_owned(),
        _ => usable(sanitized(name).to_snake_case(), "unnamed"),
    }
}

/// An identifier for a type or variant.
pub(crate) fn camel(name: &str) -> String {
    usable(sanitized(name).to_upper_camel_case(), "Unnamed")
}

/// An identifier for a constant.
pub(crate) fn shouty(name: &str) -> String {
    usable(sanitized(name).to_shouty_snake_case(), "UNNAMED")
}

/// What a name may contain, with something else in place of the rest.
fn sanitized(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn usable(name: String, fallback: &str) -> String {
    match name.chars().next() {
        None => fallback.to_owned(),
        Some(c) if c.is_ascii_digit() => format!("{fallback}{name}"),
        _ if NEVER.contains(&name.as_str()) => format!("{name}_"),
        _ => name,
    }
}

/// The identifier of a name that [`snake`], [`camel`] or [`shouty`] made.
pub(crate) fn ident(name: &str) -> Ident {
    if KEYWORDS.contains(&name) { Ident::new_raw(name, Span::call_site()) } else { Ident::new(name, Span::call_site()) }
}

/// Names that are taken. Who comes later gets a number.
#[derive(Default)]
pub(crate) struct Taken {
    names: HashSet<String>,
    /// The last number that was given to a name.
    numbers: HashMap<String, u32>,
}

impl Taken {
    /// The name, or with a number behind it; `separator` is between them. With it everything is taken that has one of
    /// `suffixes` behind it: a struct has a view.
    pub(crate) fn unique(&mut self, name: &str, separator: &str, suffixes: &[&str]) -> String {
        let number = self.numbers.entry(name.to_owned()).or_default();
        loop {
            *number += 1;
            let found = if *number == 1 { name.to_owned() } else { format!("{name}{separator}{number}") };
            let mut taken = suffixes.iter().map(|suffix| format!("{found}{suffix}"));
            if taken.clone().all(|name| !self.names.contains(&name)) {
                self.names.extend(&mut taken);
                return found;
            }
        }
    }

    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.names.contains(name)
    }

    /// The same for fields, functions, constants.
    pub(crate) fn unique_field(&mut self, name: &str) -> String {
        self.unique(name, "_", &[""])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_where_rust_takes_them() {
        for name in ["rate", "_reserved", "____fmt", "a1", "type"] {
            assert_eq!(snake(name), name);
        }
        assert_eq!(ident("type").to_string(), "r#type");
        assert_eq!(snake("CONFIG_HZ"), "config_hz");
        assert_eq!(snake("first.calls"), "first_calls");
        assert_eq!(snake("a__b"), "a_b");
        assert_eq!(snake("self"), "self_");
        assert_eq!(snake("_"), "unnamed");
        assert_eq!(camel("event_t"), "EventT");
        assert_eq!(camel("self"), "Self_");
        assert_eq!(camel("__1"), "Unnamed1");
        assert_eq!(camel("é<T>"), "T");
        assert_eq!(shouty("synonym"), "SYNONYM");
    }

    #[test]
    fn an_identifier_is_the_name_or_there_is_none() {
        assert_eq!(exact("rxBytes").unwrap().to_string(), "rxBytes");
        assert_eq!(exact("fn").unwrap().to_string(), "r#fn");
        for name in ["", "_", "self", "crate", "a.b", "1a", "é", "a b"] {
            assert!(exact(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn who_comes_later_gets_a_number() {
        let mut taken = Taken::default();
        let mut structure = |name: &str| taken.unique(name, "", &["", "View"]);
        assert_eq!(structure("Config"), "Config");
        assert_eq!(structure("ConfigView"), "ConfigView2");
        assert_eq!(structure("Config"), "Config2");
        assert_eq!(taken.unique_field("calls"), "calls");
        assert_eq!(taken.unique_field("calls"), "calls_2");
    }
}
