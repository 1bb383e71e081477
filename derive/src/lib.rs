//! The derives of the crate `bpfvar`, which documents and re-exports them.
//!
//! `#[derive(MapValue)]` has three steps: `parse` reads the struct and its attributes, `check` refuses what cannot lie in a map, `emit` writes
//! the view and the implementation.

mod bind;
mod check;
mod emit;
mod parse;
mod repr;

use proc_macro::TokenStream;

/// Binds the fields of a struct to variables and maps of a program. See `bpfvar::Bind`.
#[proc_macro_derive(Bind, attributes(bind))]
pub fn derive_bind(input: TokenStream) -> TokenStream {
    syn::parse(input).and_then(bind::derive).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Converts an enum without fields, or a newtype of a scalar, from and to that scalar. See `bpfvar::Repr`.
#[proc_macro_derive(Repr, attributes(map_value))]
pub fn derive_repr(input: TokenStream) -> TokenStream {
    syn::parse(input).and_then(repr::derive).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a `#[repr(C)]` struct a value of a BPF map, with a view that has a field for each of its fields. See
/// `bpfvar::MapValue`.
#[proc_macro_derive(MapValue, attributes(map_value))]
pub fn derive_map_value(input: TokenStream) -> TokenStream {
    syn::parse(input)
        .and_then(parse::parse)
        .and_then(|value| check::check(&value).map(|()| value))
        .map_or_else(syn::Error::into_compile_error, |value| emit::emit(&value))
        .into()
}
