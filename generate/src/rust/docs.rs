//! Text for comments.

use bpfvar::btf::Type;
use proc_macro2::TokenStream;
use quote::quote;

/// Declarations longer than this are cut.
const MAX: usize = 120;

/// A doc comment of one or several lines.
pub(crate) fn doc<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> TokenStream {
    let lines = lines.into_iter().map(|line| match line.as_ref() {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// Something of C, as it stands in a comment. Names come from whoever made the BTF: nothing in them ends the code or turns
/// the text.
pub(crate) fn code(text: &str) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        match c {
            '`' => clean.push('\''),
            ' '..='~' => clean.push(c),
            _ => clean.extend(c.escape_default()),
        }
    }
    if clean.len() > MAX {
        clean.truncate(MAX);
        clean.push_str("...");
    }
    format!("`{clean}`")
}

/// `__u32 hist[16]`, `__u32 three : 3`.
pub(crate) fn declaration(ty: Type<'_>, name: &str, bits: Option<u32>) -> String {
    let declaration = ty.declaration(name);
    code(&bits.map_or(declaration.clone(), |bits| format!("{declaration} : {bits}")))
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// `1 byte`, `4 bytes`.
pub(crate) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_comment() {
        assert_eq!(code("a`b\u{202e}c\n"), "`a'b\\u{202e}c\\n`");
        assert_eq!(code(&"x".repeat(600)).len(), MAX + 5);
    }

    #[test]
    fn names_are_listed_as_people_do() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([list(&names[..0]), list(&names[..1]), list(&names)], ["", "a", "a, b and c"]);
    }
}
