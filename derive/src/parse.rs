//! What the struct says of itself.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Generics, Ident, LitInt, LitStr, Member, Path, Result, Type,
    Visibility,
};

/// A struct that wants to be a value.
pub(crate) struct Value {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) generics: Generics,
    pub(crate) fields: Vec<Field>,
    /// Whether fields are numbered rather than named.
    pub(crate) tuple: bool,
    pub(crate) reprs: Vec<Repr>,
    /// The name of the view.
    pub(crate) view: Ident,
    /// Where bpfvar is.
    pub(crate) krate: Path,
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
}

/// One word of a `#[repr(...)]`.
pub(crate) struct Repr {
    pub(crate) word: String,
    /// The number in parentheses, as in `align(16)`.
    pub(crate) number: Option<u64>,
    pub(crate) span: Span,
}

pub(crate) fn parse(input: DeriveInput) -> Result<Value> {
    let data = match input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            let reason = "an enum cannot be a value: a BPF program may store a number that is no variant; derive `bpfvar::Repr` for it, with a #[repr(u32)] or the like, and use `bpfvar::Checked<...>`";
            return Err(Error::new(data.enum_token.span, reason));
        }
        Data::Union(data) => {
            let reason =
                "a union cannot lie in a map: its bytes have no single access width; use the widest member or bytes";
            return Err(Error::new(data.union_token.span, reason));
        }
    };
    let mut view = quote::format_ident!("{}View", input.ident);
    let mut krate: Path = syn::parse_quote!(::bpfvar);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("map_value")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("view") {
                view = meta.value()?.parse::<LitStr>()?.parse()?;
            } else if meta.path.is_ident("crate") {
                krate = meta.value()?.parse::<LitStr>()?.parse()?;
            } else {
                return Err(meta.error("unknown attribute: there are `view = \"Name\"` and `crate = \"path\"`"));
            }
            Ok(())
        })?;
    }
    let tuple = matches!(data.fields, Fields::Unnamed(_));
    let fields = data
        .fields
        .members()
        .zip(data.fields.iter())
        .map(|(member, field)| parse_field(member, field))
        .collect::<Result<_>>()?;
    Ok(Value {
        fields,
        tuple,
        reprs: parse_reprs(&input.attrs)?,
        ident: input.ident,
        vis: input.vis,
        generics: input.generics,
        view,
        krate,
    })
}

fn parse_field(member: Member, field: &syn::Field) -> Result<Field> {
    if let Some(attribute) = field.attrs.iter().find(|attribute| attribute.path().is_ident("map_value")) {
        return Err(Error::new_spanned(attribute, "`map_value` belongs on the struct, not on a field"));
    }
    let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect();
    Ok(Field { member, ty: field.ty.clone(), docs })
}

fn parse_reprs(attributes: &[Attribute]) -> Result<Vec<Repr>> {
    let mut reprs = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
            let mut number = None;
            if meta.input.peek(syn::token::Paren) {
                let content;
                syn::parenthesized!(content in meta.input);
                number = Some(content.parse::<LitInt>()?.base10_parse()?);
            }
            reprs.push(Repr { word, number, span: meta.path.span() });
            Ok(())
        })?;
    }
    Ok(reprs)
}
