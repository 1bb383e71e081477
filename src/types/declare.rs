//! Types as C writes them.

use std::collections::HashSet;
use std::fmt::Write;

use super::{Alias, Bits, Btf, Kind, Part, TypeId};

/// Behind so many pointers the rest is left out: pointers may go in circles.
const MAX_POINTERS: u32 = 16;

impl Btf {
    /// The type by its name, as in a cast: `struct config`, `__u32 [4]`, `const char *`.
    pub(crate) fn type_name(&self, id: TypeId) -> String {
        self.declaration(id, "")
    }

    /// The declaration of something of this type: `__u32 hist[16]`.
    pub(crate) fn declaration(&self, id: TypeId, name: &str) -> String {
        self.declarator(id, name.to_owned(), 0)
    }

    fn declarator(&self, id: TypeId, inner: String, depth: u32) -> String {
        let ty = self.get(id);
        let plain = |specifier: &str| match inner.as_str() {
            "" => specifier.to_owned(),
            inner => format!("{specifier} {inner}"),
        };
        let tagged = |keyword: &str| match &*ty.name {
            "" => plain(&format!("{keyword} {{...}}")),
            name => plain(&format!("{keyword} {name}")),
        };
        if depth > MAX_POINTERS {
            return plain("...");
        }
        if let Some(wrapper) = self.wrapper(id).filter(|_| ty.name.is_empty()) {
            let value = self.declarator(wrapper.value().of, String::new(), depth + 1);
            return plain(&format!("{}({value})", wrapper.macro_name()));
        }
        match &ty.kind {
            Kind::Pointer { to } => self.pointer(*to, "", &inner, depth),
            Kind::Array { element, len } => self.declarator(*element, format!("{inner}[{len}]"), depth),
            Kind::Alias { how: Alias::Typedef, .. } => plain(&ty.name),
            Kind::Alias { how: Alias::TypeTag, to } => self.declarator(*to, inner, depth + 1),
            Kind::Alias { how, to } => {
                let word = match how {
                    Alias::Const => "const",
                    Alias::Volatile => "volatile",
                    _ => "restrict",
                };
                match self.get(*to).kind {
                    Kind::Pointer { to } => self.pointer(to, word, &inner, depth),
                    _ => format!("{word} {}", self.declarator(*to, inner, depth + 1)),
                }
            }
            Kind::Struct { keyword, .. } | Kind::Forward { keyword } => tagged(keyword.text()),
            Kind::Enum { .. } => tagged("enum"),
            Kind::Prototype { returns, parameters } => {
                let parameters = if parameters.is_empty() { "void" } else { "..." };
                self.declarator(*returns, format!("{inner}({parameters})"), depth + 1)
            }
            Kind::Variable { of, .. } => self.declarator(*of, inner, depth),
            Kind::Section { .. } => plain(&format!("section {}", ty.name)),
            _ => plain(&ty.name),
        }
    }

    fn pointer(&self, to: TypeId, qualifier: &str, inner: &str, depth: u32) -> String {
        let space = if qualifier.is_empty() || inner.is_empty() { "" } else { " " };
        let inner = format!("*{qualifier}{space}{inner}");
        let inner = match self.get(to).kind {
            Kind::Array { .. } | Kind::Prototype { .. } => format!("({inner})"),
            _ => inner,
        };
        self.declarator(to, inner, depth + 1)
    }

    /// The declaration with all that is inside, a line each, with offset and size in bytes as comments:
    ///
    /// ```text
    /// struct config {
    ///     __u64 rate;                 // offset 0, 8 bytes
    ///     enum mode {
    ///         SLOW = 0,
    ///         FAST = 1,
    ///     } mode;                     // offset 8, 4 bytes
    /// } config;                       // offset 0, 16 bytes
    /// ```
    pub(crate) fn layout(&self, part: Part, name: &str) -> String {
        let (size, bits) = (self.size(part.of).unwrap_or(0), part.bits);
        let mut writer = Writer { btf: self, lines: Vec::new(), written_out: HashSet::new() };
        writer.add(part.of, name, Extent { offset: 0, size, bits }, 0);
        let lines = writer.lines;
        let width =
            lines.iter().filter(|line| line.note.is_some()).map(|line| line.text.len()).max().unwrap_or(0).min(60);
        let mut out = String::new();
        for Line { text, note } in lines {
            let _ = match note {
                Some(note) => writeln!(out, "{text:width$}  // {note}"),
                None => writeln!(out, "{text}"),
            };
        }
        out
    }
}

/// A declaration in the making.
struct Writer<'a> {
    btf: &'a Btf,
    lines: Vec<Line>,
    /// As in C, a type is written out where it comes first and has its name from then on. That also bounds the text.
    written_out: HashSet<TypeId>,
}

impl Writer<'_> {
    fn add(&mut self, id: TypeId, name: &str, extent: Extent, level: usize) {
        let btf = self.btf;
        let indent = "    ".repeat(level);
        let suffix = extent.bits.map_or_else(String::new, |bits| format!(" : {}", bits.len));
        // Through arrays and aliases down to what has an inside.
        let mut base = id;
        let mut dimensions = String::new();
        loop {
            match btf.get(base).kind {
                Kind::Array { element, len } => {
                    let _ = write!(dimensions, "[{len}]");
                    base = element;
                }
                Kind::Alias { to, .. } => base = to,
                Kind::Variable { of, .. } => base = of,
                _ => break,
            }
        }
        let ty = btf.get(base);
        let space = if name.is_empty() { "" } else { " " };
        let closing = format!("{indent}}}{space}{name}{dimensions}{suffix};");
        let note = match btf.get(id) {
            ty if matches!(ty.kind, Kind::Alias { how: Alias::Typedef, .. }) => {
                format!("{}, typedef {}", extent.note(), ty.name)
            }
            _ => extent.note(),
        };
        match &ty.kind {
            Kind::Struct { keyword, members, .. } if self.written_out.insert(base) => {
                self.lines.push(Line::bare(format!("{indent}{} {{", head(keyword.text(), &ty.name))));
                for member in members {
                    let part = btf.part(member);
                    let size = btf.size(member.of).unwrap_or(0);
                    let bits = part.bits;
                    self.add(
                        member.of,
                        &member.name,
                        Extent { offset: extent.offset + part.offset, size, bits },
                        level + 1,
                    );
                }
                self.lines.push(Line { text: closing, note: Some(note) });
            }
            Kind::Enum { values, .. } if self.written_out.insert(base) => {
                self.lines.push(Line::bare(format!("{indent}{} {{", head("enum", &ty.name))));
                for value in values {
                    self.lines.push(Line::bare(format!("{indent}    {} = {},", value.name, value.value)));
                }
                self.lines.push(Line { text: closing, note: Some(note) });
            }
            _ => {
                let text = format!("{indent}{}{suffix};", btf.declaration(id, name));
                self.lines.push(Line { text, note: Some(extent.note()) });
            }
        }
    }
}

fn head(keyword: &str, name: &str) -> String {
    if name.is_empty() { keyword.to_owned() } else { format!("{keyword} {name}") }
}

struct Line {
    text: String,
    note: Option<String>,
}

impl Line {
    fn bare(text: String) -> Line {
        Line { text, note: None }
    }
}

struct Extent {
    offset: u64,
    size: u64,
    bits: Option<Bits>,
}

impl Extent {
    fn note(&self) -> String {
        match self.bits {
            Some(bits) => format!("offset {}, bit {}, bitfield", self.offset, bits.start),
            None if self.size == 1 => format!("offset {}, 1 byte", self.offset),
            None => format!("offset {}, {} bytes", self.offset, self.size),
        }
    }
}
