//! `#[derive(MapValue)]` of the crate `bpfvar`, which documents and re-exports it.
//!
//! Three steps: `parse` reads the struct and its attributes, `check` refuses what cannot lie in a map, `emit` writes
//! the view and the implementation.

mod check;
mod emit;
mod parse;

use proc_macro::TokenStream;

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
