//! `#[derive(Repr)]`: enums without fields, and newtypes of a scalar.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Error, Ident, LitStr, Member, Path, Result, Type};

pub(crate) fn derive(input: DeriveInput) -> Result<TokenStream> {
    if let Some(parameter) = input.generics.params.first() {
        return Err(Error::new_spanned(
            parameter,
            "a type with parameters needs an implementation by hand: it has two methods",
        ));
    }
    let krate = crate_path(&input.attrs)?;
    let reprs = reprs(&input.attrs)?;
    let ident = &input.ident;
    let (scalar, to_scalar, from_scalar) = match &input.data {
        Data::Enum(data) => of_enum(data, ident, &reprs)?,
        Data::Struct(data) => of_newtype(data, ident, &reprs)?,
        Data::Union(data) => return Err(Error::new(data.union_token.span, "no scalar stands for a union")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl #krate::Repr for #ident {
            type Scalar = #scalar;

            #[inline]
            fn to_scalar(self) -> #scalar {
                #to_scalar
            }

            #[inline]
            fn from_scalar(__scalar: #scalar) -> ::core::option::Option<Self> {
                #from_scalar
            }
        }
    })
}

/// The scalar, and the bodies of both methods.
type Parts = (TokenStream, TokenStream, TokenStream);

fn of_enum(data: &DataEnum, ident: &Ident, reprs: &[Ident]) -> Result<Parts> {
    const INTEGERS: [&str; 8] = ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"];
    let integer = reprs.iter().find(|repr| INTEGERS.iter().any(|integer| *repr == integer)).ok_or_else(|| {
        let reason =
            "needs the size of the enum: #[repr(u32)] for what C's compilers make of most, or u8 to u64, i8 to i64";
        Error::new(ident.span(), reason)
    })?;
    if let Some(variant) = data.variants.iter().find(|variant| !variant.fields.is_empty()) {
        return Err(Error::new_spanned(variant, "a variant with fields is more than a number"));
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let from_scalar = quote! {
        #(
            if __scalar == Self::#variants as #integer {
                return ::core::option::Option::Some(Self::#variants);
            }
        )*
        ::core::option::Option::None
    };
    Ok((integer.to_token_stream(), quote!(self as #integer), from_scalar))
}

fn of_newtype(data: &DataStruct, ident: &Ident, reprs: &[Ident]) -> Result<Parts> {
    let members: Vec<(Member, &Type)> = data.fields.members().zip(data.fields.iter().map(|field| &field.ty)).collect();
    match members.as_slice() {
        [(member, ty)] if reprs.iter().any(|repr| repr == "transparent") => Ok((
            ty.to_token_stream(),
            quote!(self.#member),
            quote!(::core::option::Option::Some(Self { #member: __scalar })),
        )),
        _ => Err(Error::new(
            ident.span(),
            "a scalar stands for an enum without fields, or for a #[repr(transparent)] struct with one",
        )),
    }
}

/// `#[map_value(crate = "path")]`: where bpfvar is.
fn crate_path(attributes: &[Attribute]) -> Result<Path> {
    let mut krate: Path = syn::parse_quote!(::bpfvar);
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("map_value")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("unknown attribute: there is `crate = \"path\"`"));
            }
            krate = meta.value()?.parse::<LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    Ok(krate)
}

fn reprs(attributes: &[Attribute]) -> Result<Vec<Ident>> {
    let mut reprs = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        attribute.parse_nested_meta(|meta| {
            if meta.input.peek(syn::token::Paren) {
                let content;
                syn::parenthesized!(content in meta.input);
                content.parse::<TokenStream>()?;
            }
            reprs.extend(meta.path.get_ident().cloned());
            Ok(())
        })?;
    }
    Ok(reprs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: DeriveInput) -> String {
        derive(input).unwrap_err().to_string()
    }

    #[test]
    fn what_no_scalar_stands_for_is_refused_with_the_reason() {
        assert!(
            refusal(syn::parse_quote!(
                enum E {
                    A,
                }
            ))
            .contains("#[repr(u32)]")
        );
        assert!(
            refusal(syn::parse_quote!(
                #[repr(C)]
                enum E {
                    A,
                }
            ))
            .contains("#[repr(u32)]")
        );
        assert!(
            refusal(syn::parse_quote!(
                #[repr(u8)]
                enum E {
                    A(u8),
                }
            ))
            .contains("more than a number")
        );
        assert!(
            refusal(syn::parse_quote!(
                #[repr(C)]
                struct S(u32);
            ))
            .contains("transparent")
        );
        assert!(
            refusal(syn::parse_quote!(
                #[repr(transparent)]
                struct S<T>(T);
            ))
            .contains("by hand")
        );
        assert!(refusal(syn::parse_quote!(union U { a: u8 })).contains("union"));
    }
}
