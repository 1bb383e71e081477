//! A Rust type against BTF, field by field.

use super::{TypedMap, Var};
use crate::error::{Advice, Error, LayoutMismatch, Object, Result};
use crate::types::{Btf, Int, Kind, Part};
use crate::view::{Class, Layout, LayoutField, MapValue, ScalarKind, Shape};

/// That a variable has the type `T`.
pub(super) fn check_part<T: MapValue>(var: &Var) -> Result<()> {
    let (layout, part) = (Layout::of::<T>(), var.part());
    let mut comparison = Comparison::new(var.btf(), part.offset, None);
    if part.bits.is_some() {
        comparison.differ("", layout.name(), "a bitfield, which no pointer reaches (use read, set, add)".to_owned());
    } else {
        comparison.compare(&layout, part, part.offset, "");
        let size = size_of::<T>() as u64;
        if comparison.mismatches.is_empty() && var.size() != size {
            comparison.differ("", bytes(size), comparison.found(part));
        }
    }
    comparison.result(|| var.object(), &layout)
}

/// That `T` may lie at this byte of the map.
pub(super) fn check_alignment<T: MapValue>(var: &Var, at: u64) -> Result<()> {
    let align = align_of::<T>() as u64;
    let mut comparison = Comparison::new(var.btf(), 0, None);
    if at % align != 0 {
        comparison.differ("", format!("an offset that is a multiple of {align}"), format!("offset {at}"));
    }
    comparison.result(|| var.object(), &Layout::of::<T>())
}

/// That all variables of a section, or an entry of a map, have the type `T`.
pub(super) fn check_all<T: MapValue>(map: &TypedMap) -> Result<()> {
    let layout = Layout::of::<T>();
    let mut comparison = Comparison::new(map.btf(), 0, None);
    comparison.compare(&layout, Part { of: map.units().root(), offset: 0, bits: None }, 0, "");
    comparison.result(|| map.object(), &layout)
}

/// That the first variables of a section, or an entry of a map, have the type `T`.
pub(super) fn check_start<T: MapValue>(map: &TypedMap) -> Result<()> {
    let (layout, size) = (Layout::of::<T>(), size_of::<T>() as u64);
    let end = layout.end().map_or(size, |end| end as u64);
    let mut comparison = Comparison::new(map.btf(), 0, map.section().map(|_| end));
    comparison.compare(&layout, Part { of: map.units().root(), offset: 0, bits: None }, 0, "");
    let info = map.info();
    if comparison.mismatches.is_empty() && (end > info.value_size.into() || size > info.stride()) {
        comparison.differ("", bytes(size), format!("a value of {}", bytes(info.value_size.into())));
    }
    comparison.result(|| map.object(), &layout)
}

/// `1 byte`, `4 bytes`.
fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

struct Comparison<'a> {
    btf: &'a Btf,
    /// Where the value starts that offsets are counted from.
    base: u64,
    /// Variables of a section from here on need no field.
    open_from: Option<u64>,
    mismatches: Vec<LayoutMismatch>,
}

impl Comparison<'_> {
    fn new(btf: &Btf, base: u64, open_from: Option<u64>) -> Comparison<'_> {
        Comparison { btf, base, open_from, mismatches: Vec::new() }
    }

    fn result(self, object: impl FnOnce() -> Object, layout: &Layout) -> Result<()> {
        if self.mismatches.is_empty() {
            return Ok(());
        }
        let object = Box::new(object());
        Err(Error::Layout { object, rust_type: layout.name(), mismatches: self.mismatches })
    }

    fn differ(&mut self, field: &str, expected: String, found: String) {
        self.mismatches.push(LayoutMismatch { field: field.to_owned(), expected, found, advice: None });
    }

    /// `layout` lies at `at`; `part` is what BTF has under the same name.
    fn compare(&mut self, layout: &Layout, part: Part, at: u64, field: &str) {
        let Part { of, offset, bits } = part;
        if bits.is_some() || offset != at {
            return self.differ(field, self.expected(layout, at), self.found(part));
        }
        if self.btf.wrapper(of).is_some() && !is_wrapper(layout) {
            // The commonest mistake, of which the members would tell nothing.
            return self.mismatches.push(LayoutMismatch {
                field: field.to_owned(),
                expected: self.expected(layout, at),
                found: self.btf.type_name(of),
                advice: Some(Advice::WrapType),
            });
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
            (Shape::Struct { size, fields, .. }, Kind::Struct { keyword, size: found, members, .. })
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
                let open_from = self.open_from;
                let parts: Vec<_> = parts.collect();
                let named = |(name, part): &&(&str, Part)| {
                    open_from.is_none_or(|open| part.offset < open) || fields.iter().any(|field| field.name == *name)
                };
                let parts: Vec<_> = parts.iter().filter(named).copied().collect();
                self.compare_members(fields, &parts, at, field);
                true
            }
            // A union is what any of its members is.
            (_, Kind::Struct { keyword, members, .. }) if keyword.is_union() => members.iter().any(|member| {
                let mut inner = Comparison::new(self.btf, self.base, None);
                let part = self.btf.part(member);
                inner.compare(layout, Part { offset: offset + part.offset, ..part }, at, field);
                inner.mismatches.is_empty()
            }),
            _ => false,
        };
        if !same {
            self.differ(field, self.expected(layout, at), self.found(part));
            // A struct of one field is not what its field is, unless it is said to be.
            let wraps_one = matches!(layout.shape(), Shape::Struct { fields, .. } if fields.len() == 1);
            if let Some(mismatch) = self.mismatches.last_mut().filter(|_| wraps_one) {
                mismatch.advice = Some(Advice::MakeTransparent);
            }
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
            // Of a bitfield those bytes that it has bits in.
            let size = match part.bits {
                Some(bits) => (bits.start + u64::from(bits.len)).div_ceil(8),
                None => self.btf.size(part.of).unwrap_or(0),
            };
            let number = index.to_string();
            let named = fields.iter().any(|field| field.name == *name || field.name == number);
            let stood_for = fields.iter().any(|field| {
                let start = at + field.offset as u64;
                // A type that does not show where it ends stands for what starts there.
                let holds = |end: usize| part.offset + size <= start + end as u64;
                field.name.starts_with('_')
                    && start <= part.offset
                    && field.layout.end().map_or(part.offset == start, holds)
            });
            if !named && !stood_for && size != 0 {
                let expected = "nothing, because the Rust type has no such field (a field whose name starts with `_` stands for anything)";
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

/// Whether it is a `Seq` or a `Switch`.
fn is_wrapper(layout: &Layout) -> bool {
    let Shape::Struct { fields, .. } = layout.shape() else { return false };
    fields.first().is_some_and(|first| first.name.starts_with("bpfvar_"))
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
