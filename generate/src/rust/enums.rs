//! Enums.

use std::collections::HashMap;

use bpfvar::btf::{Kind, Type};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::docs::{bytes, code, declaration, doc};
use super::names::{self, Taken};
use super::types::{Scalar, ScalarKind, Types};

impl<'b> Types<'b> {
    /// An enum of BTF as one of Rust. Only as its integer if it has no names, or numbers that the integer cannot have.
    pub(super) fn enumeration(&mut self, ty: Type<'b>, context: &str) -> Scalar {
        if let Some(known) = self.enums.get(&ty) {
            return known.clone();
        }
        let signed = matches!(ty.kind(), Kind::Enum { signed: true, .. });
        let size = ty.size().unwrap_or(4);
        let kind = if signed { ScalarKind::Signed } else { ScalarKind::Unsigned };
        let integer = Scalar::new(kind, size, signed);
        let bits = size as u32 * 8;
        let range = if signed { -(1_i128 << (bits - 1))..1 << (bits - 1) } else { 0..1 << bits };
        let enumerators = ty.enumerators();
        let fits = enumerators.iter().all(|(_, value)| range.contains(value));
        if enumerators.is_empty() || !fits {
            return integer;
        }
        let name = if ty.name().is_empty() { context } else { ty.name() };
        let (repr, attribute, krate) = (integer.ident(), self.crate_attribute(), self.krate.clone());
        let (variants, synonyms) = variants(&enumerators);
        let about = format!("{}, {}.", declaration(ty, "", None), bytes(size));
        let ident = self.declare(name, &[""], |ident| {
            let docs = doc([&about]);
            let constants = (!synonyms.is_empty()).then(|| quote!(#[allow(dead_code)] impl #ident { #synonyms }));
            quote! {
                #docs
                #[derive(#krate::Repr, Clone, Copy, Debug, PartialEq, Eq, Hash)]
                #attribute
                #[allow(dead_code, clippy::enum_variant_names)]
                #[repr(#repr)]
                pub enum #ident { #variants }
                #constants
            }
        });
        let scalar = Scalar { kind: ScalarKind::Enum(ident), ..integer };
        self.enums.insert(ty, scalar.clone());
        scalar
    }
}

/// The variants, one for each number, and constants for further names of these numbers.
fn variants(enumerators: &[(&str, i128)]) -> (TokenStream, TokenStream) {
    let mut taken = Taken::default();
    let (mut variants, mut synonyms) = (TokenStream::new(), TokenStream::new());
    let mut known: HashMap<i128, Ident> = HashMap::new();
    for (name, value) in enumerators {
        let docs = doc([format!("{}.", code(name))]);
        if let Some(variant) = known.get(value) {
            let constant = names::ident(&taken.unique_field(&names::shouty(name)));
            synonyms.extend(quote!(#docs pub const #constant: Self = Self::#variant;));
            continue;
        }
        let variant = names::ident(&taken.unique(&names::camel(name), "", &[""]));
        let number = Literal::i128_unsuffixed(*value);
        variants.extend(quote!(#docs #variant = #number,));
        known.insert(*value, variant);
    }
    (variants, synonyms)
}
