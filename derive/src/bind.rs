//! `#[derive(Bind)]`: each field of a struct becomes a look-up.
//!
//! Paths in the output are absolute, and its names begin with two underscores: see `emit`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Path, Result, Type};

/// A struct that wants to be bound.
struct Bound {
    ident: Ident,
    krate: Path,
    fields: Vec<BoundField>,
}

struct BoundField {
    ident: Ident,
    ty: Type,
    /// Where the value comes from.
    source: Source,
}

enum Source {
    /// A variable, by its path.
    Var(String),
    /// A map, by its name.
    Map(String),
}

pub(crate) fn derive(input: DeriveInput) -> Result<TokenStream> {
    parse(input).map(|bound| emit(&bound))
}

fn parse(input: DeriveInput) -> Result<Bound> {
    let fields = match input.data {
        Data::Struct(data) => data.fields,
        Data::Enum(data) => return Err(Error::new(data.enum_token.span, "only a struct can be bound")),
        Data::Union(data) => return Err(Error::new(data.union_token.span, "only a struct can be bound")),
    };
    let Fields::Named(fields) = fields else {
        let reason = "the fields need names: a field is bound to the variable with its name";
        return Err(Error::new(input.ident.span(), reason));
    };
    if let Some(parameter) = input.generics.params.first() {
        let reason = "a struct with parameters cannot be bound: the types of its fields must be known here";
        return Err(Error::new_spanned(parameter, reason));
    }
    let mut krate: Path = syn::parse_quote!(::bpfvar);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("bind")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("unknown attribute: on the struct there is `crate = \"path\"`"));
            }
            krate = meta.value()?.parse::<LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    let fields = fields.named.into_iter().map(parse_field).collect::<Result<_>>()?;
    Ok(Bound { ident: input.ident, krate, fields })
}

fn parse_field(field: Field) -> Result<BoundField> {
    let ident = field.ident.expect("the fields have names");
    let mut source = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("bind")) {
        if source.is_some() {
            return Err(Error::new_spanned(attribute, "a field is bound once"));
        }
        source = Some(match attribute.parse_args::<LitStr>() {
            Ok(path) => Source::Var(path.value()),
            Err(_) => {
                let mut name = None;
                attribute.parse_nested_meta(|meta| {
                    if !meta.path.is_ident("map") {
                        let known = "unknown attribute: there are `#[bind(\"path.of[2].variable\")]` and `#[bind(map = \"name\")]`";
                        return Err(meta.error(known));
                    }
                    name = Some(meta.value()?.parse::<LitStr>()?.value());
                    Ok(())
                })?;
                let missing = "a path or a map is missing: `#[bind(\"path\")]`, `#[bind(map = \"name\")]`";
                Source::Map(name.ok_or_else(|| Error::new_spanned(attribute, missing))?)
            }
        });
    }
    let source = source.unwrap_or_else(|| Source::Var(ident.unraw().to_string()));
    Ok(BoundField { ident, ty: field.ty, source })
}

fn emit(bound: &Bound) -> TokenStream {
    let Bound { ident, krate, fields } = bound;
    let name = ident.unraw().to_string();
    let members: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let found: Vec<_> = (0..fields.len()).map(|index| format_ident!("__found_{index}")).collect();
    let looked_up = fields.iter().map(|BoundField { ident, ty, source }| {
        let field = ident.unraw().to_string();
        match source {
            Source::Var(path) => quote!(__binder.var::<#ty>(#field, #path)),
            Source::Map(name) => quote!(__binder.map::<#ty>(#field, #name)),
        }
    });
    // One field after the other, so that all that are wrong are found; then all at once.
    let all = found.iter().zip(&members).rev().fold(
        quote!(::core::result::Result::Ok(Self { #(#members: #found,)* })),
        |inner, (found, _)| {
            quote! {
                match #found {
                    ::core::option::Option::Some(#found) => #inner,
                    ::core::option::Option::None => ::core::result::Result::Err(__binder.error()),
                }
            }
        },
    );
    quote! {
        #[automatically_derived]
        impl #krate::Bind for #ident {
            fn bind(__globals: &#krate::Globals) -> ::core::result::Result<Self, #krate::Error> {
                #[allow(unused_mut)]
                let mut __binder = #krate::__private::Binder::new(__globals, #name);
                #(let #found = #looked_up;)*
                #all
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: DeriveInput) -> String {
        derive(input).unwrap_err().to_string()
    }

    #[test]
    fn a_field_is_the_variable_of_its_name_unless_it_says_otherwise() {
        let output = derive(syn::parse_quote! {
            struct Count {
                r#type: A,
                #[bind("config.limits[2].burst")]
                burst: B,
                #[bind(map = ".bss")]
                bss: C,
            }
        });
        let output = output.unwrap().to_string();
        for look_up in [
            quote!(__binder.var::<A>("type", "type")),
            quote!(__binder.var::<B>("burst", "config.limits[2].burst")),
            quote!(__binder.map::<C>("bss", ".bss")),
        ] {
            assert!(output.contains(&look_up.to_string()), "{output}");
        }
    }

    #[test]
    fn what_cannot_be_bound_is_refused_with_the_reason() {
        assert!(
            refusal(syn::parse_quote!(
                enum E {
                    A,
                }
            ))
            .contains("only a struct")
        );
        assert!(
            refusal(syn::parse_quote!(
                struct S(A);
            ))
            .contains("need names")
        );
        assert!(
            refusal(syn::parse_quote!(
                struct S<T> {
                    a: T,
                }
            ))
            .contains("parameters")
        );
        assert!(
            refusal(syn::parse_quote!(
                struct S {
                    #[bind("a")]
                    #[bind("b")]
                    a: A,
                }
            ))
            .contains("once")
        );
        assert!(
            refusal(syn::parse_quote!(
                struct S {
                    #[bind(pin = "a")]
                    a: A,
                }
            ))
            .contains("unknown attribute")
        );
        assert!(
            refusal(syn::parse_quote!(
                struct S {
                    #[bind()]
                    a: A,
                }
            ))
            .contains("is missing")
        );
        assert!(
            refusal(syn::parse_quote!(
                #[bind(name = "x")]
                struct S {
                    a: A,
                }
            ))
            .contains("unknown attribute")
        );
    }
}
