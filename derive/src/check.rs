//! What cannot lie in a map, each with its reason, on the span that is to blame. All of it is reported at once.

use syn::{Error, GenericParam, Result, Type};

use crate::parse::{Repr, Value};

/// The smallest page of any machine. A map starts on a page, and values that are a multiple of their alignment long stay aligned.
const MAX_ALIGN: u64 = 4096;

pub(crate) fn check(value: &Value) -> Result<()> {
    let mut errors = Vec::new();
    check_repr(value, &mut errors);
    for parameter in &value.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            errors.push(Error::new_spanned(
                lifetime,
                "a value of a map borrows nothing: it is bytes that the kernel owns",
            ));
        }
    }
    if value.fields.is_empty() {
        errors.push(Error::new(
            value.ident.span(),
            "a struct without fields has size 0, and no map has values of size 0",
        ));
    }
    for field in &value.fields {
        check_type(&field.ty, &mut errors);
    }
    errors
        .into_iter()
        .reduce(|mut all, error| {
            all.combine(error);
            all
        })
        .map_or(Ok(()), Err)
}

fn check_repr(value: &Value, errors: &mut Vec<Error>) {
    if !value.reprs.iter().any(|repr| repr.word == "C" || repr.word == "transparent") {
        let reason = "needs #[repr(C)]: only then are its fields where the BPF program's struct has them (or #[repr(transparent)] for a newtype)";
        errors.push(Error::new(value.ident.span(), reason));
    }
    for Repr { word, number, span } in &value.reprs {
        match (word.as_str(), number) {
            ("packed", _) => {
                let reason = "packed fields are not aligned, so no single instruction loads or stores one, here or in the BPF program (clang stores a packed u64 byte by byte); order the fields by size instead";
                errors.push(Error::new(*span, reason));
            }
            ("align", Some(align)) if *align > MAX_ALIGN => {
                errors.push(Error::new(*span, "a map starts on a page of 4096 bytes, so no value is aligned to more"));
            }
            _ => {}
        }
    }
}

fn check_type(ty: &Type, errors: &mut Vec<Error>) {
    let reason = match ty {
        Type::Array(array) => return check_type(&array.elem, errors),
        Type::Paren(inner) => return check_type(&inner.elem, errors),
        Type::Group(inner) => return check_type(&inner.elem, errors),
        // A derive sees names only. A type of the user's own that has one of these can be said as `self::String`.
        Type::Path(path) => match path.path.get_ident().map(ToString::to_string).as_deref() {
            None => match path.path.segments.last().map(|segment| segment.ident.to_string()).as_deref() {
                Some("__BindgenBitfieldUnit") => {
                    "bitfields share their bytes; declare the integer that holds them, such as u32, under a name that starts with `_`, and read and set them by name (bpfvar::Var)"
                }
                Some("MaybeUninit") => "a map's memory is never uninitialised; declare the type that is inside",
                _ => return,
            },
            Some("usize") => {
                "usize is as wide as the machine; say u64, which is what a pointer-sized integer is to a BPF program"
            }
            Some("isize") => {
                "isize is as wide as the machine; say i64, which is what a pointer-sized integer is to a BPF program"
            }
            Some("u128" | "i128") => {
                "no atomic instruction that works on read-only memory moves 16 bytes; use bpfvar::Zerocopy<u128>, which is read as two words"
            }
            Some("char") => "not every u32 is a char, and a BPF program may store any; use u32 and char::from_u32",
            Some("str" | "String") => "text lies in a map as bytes; use [u8; N]",
            _ => return,
        },
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) => {
            "an address means nothing to the other side of a map; where the program's struct has a pointer, declare it as u64"
        }
        Type::Tuple(_) => "the layout of a tuple is not defined; use a #[repr(C)] struct with derive(MapValue)",
        Type::Slice(_) | Type::TraitObject(_) => "a value of a map has one size, known when compiling; use an array",
        _ => return,
    };
    errors.push(Error::new_spanned(ty, reason));
}
