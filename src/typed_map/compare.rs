//! A Rust type against BTF, field by field.

use super::Section;
use crate::error::{Error, LayoutMismatch, Result};
use crate::types::{Btf, Int, Kind, Part, Unit, Units};
use crate::view::{Class, Layout, LayoutField, MapValue, ScalarKind, Shape};

/// That a part has the type `T`.
pub(super) fn check_part<T: MapValue>(btf: &Btf, part: Part, object: &str) -> Result<()> {
    let layout = Layout::of::<T>();
    let mut comparison = Comparison { btf, base: part.offset, mismatches: Vec::new() };
    if part.bits.is_some() {
        comparison.differ("", layout.name(), "a bitfield, which no pointer reaches: use read, set, add".to_owned());
    } else {
        comparison.compare(&layout, part, part.offset, "");
        let align = align_of::<T>() as u64;
        if comparison.mismatches.is_empty() && part.offset % align != 0 {
            comparison.differ(
                "",
                format!("an offset that is a multiple of {align}"),
                format!("offset {}", part.offset),
            );
        }
        let size = size_of::<T>() as u64;
        if comparison.mismatches.is_empty() && btf.size(part.of) != Some(size) {
            comparison.differ("", format!("{size} bytes"), comparison.found(part));
        }
    }
    comparison.result(object, &layout)
}

/// That a whole section, or an entry of a map, has the type `T`.
pub(super) fn check<T: MapValue>(section: &Section) -> Result<()> {
    let layout = Layout::of::<T>();
    let mut comparison = Comparison { btf: section.btf(), base: 0, mismatches: Vec::new() };
    comparison.compare(&layout, Part { of: section.units.root(), offset: 0, bits: None }, 0, "");
    comparison.result(&section.to_string(), &layout)
}

/// The error for a type whose scalars are not the units that the section is accessed in: for a `T` at byte `at` of an entry.
pub(super) fn not_in_units<T: MapValue>(units: &Units, object: &str, at: u64) -> Error {
    let layout = Layout::of::<T>();
    let mut mismatches = Vec::new();
    layout.each_leaf(at as usize, &mut |leaf, width| {
        let leaf = Unit { at: leaf as u64, width: width as u32 };
        if mismatches.is_empty() && !units.admits(leaf) {
            let expected = format!("{} accessed in one step at offset {}", bytes(leaf.width.into()), leaf.at - at);
            let found = match units.at(leaf.at) {
                Some(unit) => format!(
                    "{} there, as its BTF has it (a union or a bitfield has its widest member, a packed scalar its bytes): declare the field so, use \
                     read and set, or bind the whole section (Section::bind), which has a mapping of its own",
                    bytes(unit.width.into())
                ),
                None => "padding, which only bytes can stand for, such as [u8; 3]".to_owned(),
            };
            mismatches.push(LayoutMismatch { field: String::new(), expected, found });
        }
    });
    Error::Layout { object: object.to_owned(), expected: layout.name(), mismatches }
}

/// `1 byte`, `4 bytes`.
fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

struct Comparison<'a> {
    btf: &'a Btf,
    /// Where the value starts that offsets are counted from.
    base: u64,
    mismatches: Vec<LayoutMismatch>,
}

impl Comparison<'_> {
    fn result(self, object: &str, layout: &Layout) -> Result<()> {
        if self.mismatches.is_empty() {
            return Ok(());
        }
        Err(Error::Layout { object: object.to_owned(), expected: layout.name(), mismatches: self.mismatches })
    }

    fn differ(&mut self, field: &str, expected: String, found: String) {
        self.mismatches.push(LayoutMismatch { field: field.to_owned(), expected, found });
    }

    /// `layout` lies at `at`; `part` is what BTF has under the same name.
    fn compare(&mut self, layout: &Layout, part: Part, at: u64, field: &str) {
        let Part { of, offset, bits } = part;
        if bits.is_some() || offset != at {
            return self.differ(field, self.expected(layout, at), self.found(part));
        }
        let kind = self.btf.kind(of);
        let same = match (layout.shape(), kind) {
            (_, Kind::Variable { of, .. }) => return self.compare(layout, Part { of: *of, ..part }, at, field),
            (Shape::Scalar(scalar), kind) if is_scalar(*scalar, kind, self.btf.is_char(of)) => true,
            (Shape::Words { size }, _) => self.btf.size(of) == Some(*size as u64),
            (Shape::Array { element, len, .. }, Kind::Array { element: found, len: found_len })
                if *len as u64 == u64::from(*found_len) =>
            {
                // One element stands for all.
                if *len > 0 {
                    self.compare(element, Part { of: *found, offset, bits: None }, at, &format!("{field}[0]"));
                }
                true
            }
            (Shape::Struct { size, fields, .. }, Kind::Struct { keyword, size: found, members })
                if !keyword.is_union() =>
            {
                let parts = self.btf.named_parts(members);
                let parts = parts.into_iter().map(|(name, part)| (name, Part { offset: offset + part.offset, ..part }));
                self.compare_members(fields, &parts.collect::<Vec<_>>(), at, field);
                *size as u64 == u64::from(*found)
            }
            (Shape::Struct { fields, .. }, Kind::Section { variables, .. }) => {
                let parts = variables.iter().map(|placed| {
                    let part = Part { of: placed.variable, offset: placed.offset.into(), bits: None };
                    (&*self.btf.get(placed.variable).name, part)
                });
                self.compare_members(fields, &parts.collect::<Vec<_>>(), at, field);
                true
            }
            // A union is what any of its members is.
            (_, Kind::Struct { keyword, members, .. }) if keyword.is_union() => members.iter().any(|member| {
                let mut inner = Comparison { btf: self.btf, base: self.base, mismatches: Vec::new() };
                let part = self.btf.part(member);
                inner.compare(layout, Part { offset: offset + part.offset, ..part }, at, field);
                inner.mismatches.is_empty()
            }),
            _ => false,
        };
        if !same {
            self.differ(field, self.expected(layout, at), self.found(part));
        }
    }

    fn compare_members(&mut self, fields: &[LayoutField], parts: &[(&str, Part)], at: u64, path: &str) {
        let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (index, field) in fields.iter().enumerate() {
            if field.name.starts_with('_') {
                continue;
            }
            // The fields of a tuple struct have numbers for names.
            let by_number =
                field.name.parse::<usize>().ok().filter(|number| *number == index).and_then(|index| parts.get(index));
            let found = by_number.or_else(|| parts.iter().find(|(name, _)| *name == field.name));
            let at = at + field.offset as u64;
            match found {
                Some((_, part)) => self.compare(&field.layout, *part, at, &under(field.name)),
                None => self.differ(
                    &under(field.name),
                    self.expected(&field.layout, at),
                    "no member of that name".to_owned(),
                ),
            }
        }
        for (index, (name, part)) in parts.iter().enumerate() {
            let size = self.btf.size(part.of).unwrap_or(0);
            let number = index.to_string();
            let named = fields.iter().any(|field| field.name == *name || field.name == number);
            let stood_for = fields.iter().any(|field| {
                let start = at + field.offset as u64;
                let end = start + field.layout.end().unwrap_or(0) as u64;
                field.name.starts_with('_') && start <= part.offset && part.offset + size.min(end - start) <= end
            });
            if !named && !stood_for && size != 0 {
                let expected =
                    "nothing, as the Rust type has no such field (one whose name starts with `_` stands for anything)";
                self.differ(&under(name), expected.to_owned(), self.found(*part));
            }
        }
    }

    fn expected(&self, layout: &Layout, at: u64) -> String {
        let size = layout.size().map(|size| format!(", {}", bytes(size as u64))).unwrap_or_default();
        format!("{} at offset {}{size}", layout.name(), at - self.base)
    }

    fn found(&self, part: Part) -> String {
        let (name, at) = (self.btf.type_name(part.of), part.offset - self.base);
        match part.bits {
            Some(bits) => format!("{name} : {} at offset {at}, a bitfield", bits.len),
            None => format!("{name} at offset {at}, {}{}", bytes(self.btf.size(part.of).unwrap_or(0)), self.kind(part)),
        }
    }

    /// What a typedef's name may hide.
    fn kind(&self, part: Part) -> &'static str {
        match self.btf.kind(part.of) {
            Kind::Int(Int { bool: true, .. }) => ", bool",
            Kind::Int(Int { signed: true, .. }) => ", signed",
            Kind::Int(_) => ", unsigned",
            Kind::Float { .. } => ", float",
            Kind::Pointer { .. } => ", pointer",
            Kind::Enum { .. } => ", enum",
            _ => "",
        }
    }
}

fn is_scalar(scalar: ScalarKind, kind: &Kind, is_char: bool) -> bool {
    let ScalarKind { size, class, .. } = scalar;
    let integer = matches!(class, Class::Unsigned | Class::Signed);
    match *kind {
        // Whether C's char is signed is the compiler's choice.
        Kind::Int(_) if is_char => size == 1 && integer,
        Kind::Int(Int { size: found, bool, signed, bits }) => {
            let same = match class {
                Class::Bool => bool,
                Class::Signed => signed && !bool,
                Class::Unsigned => !signed && !bool,
                Class::Float => false,
            };
            same && found as usize == size && bits.len == found * 8
        }
        Kind::Enum { size: found, .. } => integer && found as usize == size,
        Kind::Pointer { .. } => class == Class::Unsigned && size == 8,
        Kind::Float { size: found } => class == Class::Float && found as usize == size,
        _ => false,
    }
}
