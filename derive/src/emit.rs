//! The view of a struct, and its `MapValue`.
//!
//! Paths in the output are absolute, as the user may have shadowed any name. What it declares beside the user's own fields
//! and parameters begins with two underscores, as those are not hygienic in stable Rust.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{GenericParam, Generics, Member, Path, Type, parse_quote};

use crate::parse::{Field, Value};

pub(crate) fn emit(value: &Value) -> TokenStream {
    let Value { ident, vis, view, krate, .. } = value;
    let generics = bounded(value);
    let (value_impl, value_ty, value_where) = generics.split_for_impl();
    let view_generics = with_view_parameters(generics.clone(), krate);
    let (view_impl, view_ty, _) = view_generics.split_for_impl();
    let view_arguments = arguments(&generics);

    let members: Vec<_> = value.fields.iter().map(|field| &field.member).collect();
    let types: Vec<_> = value.fields.iter().map(|field| &field.ty).collect();
    let places: Vec<_> = value.fields.iter().map(place).collect();
    let names: Vec<_> = members.iter().map(|member| text(member)).collect();
    let name = ident.unraw().to_string();
    let whole = whole(value);
    let definition = view_definition(value, &view_generics);
    let debug = debug_body(value);
    let write_impl = write_impl(value, &generics);
    let shape = shape_check(value);
    let bindings: Vec<_> = (0..members.len()).map(|index| quote::format_ident!("__field_{index}")).collect();
    let layout = if value.reprs.iter().any(|repr| repr.word == "transparent") {
        quote! {
            #(
                // SAFETY: as in `view`, which has this field and no other; the compiler sees to `repr(transparent)`.
                unsafe { <#krate::__private::ValueLayout>::transparent::<Self, #types>(#name, #places) }
            )*
        }
    } else {
        quote! {
            // SAFETY: all fields follow.
            let __layout = unsafe { <#krate::__private::ValueLayout>::structure::<Self>(#name) };
            #(
                // SAFETY: as in `view`, which has these fields and no others.
                let __layout = unsafe { <#krate::__private::ValueLayout>::with::<Self, #types>(__layout, #names, #places) };
            )*
            __layout
        }
    };

    quote! {
        #definition

        #[allow(deprecated, nonstandard_style)]
        const _: () = {
            impl #view_impl ::core::marker::Copy for #view #view_ty #value_where {}

            impl #view_impl ::core::clone::Clone for #view #view_ty #value_where {
                #[inline(always)]
                fn clone(&self) -> Self {
                    *self
                }
            }

            impl #view_impl ::core::fmt::Debug for #view #view_ty #value_where {
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #debug
                }
            }

            impl #view_impl #view #view_ty #value_where {
                /// Copies the whole struct out, each scalar by one relaxed load. The struct may be caught in the middle of
                /// an update.
                #[inline]
                #vis fn read(self) -> #ident #value_ty {
                    #krate::Field::read(self.#whole)
                }

                /// Returns the pointer to the whole struct.
                #[inline(always)]
                #[allow(dead_code)]
                #vis fn field(self) -> #krate::Field<'__m, #ident #value_ty, __A> {
                    self.#whole
                }
            }

            #write_impl

            // Only a type of the user's crate takes one. An attribute macro may have put another under the struct's name, whose
            // fields are accessed otherwise.
            impl #value_impl #ident #value_ty #value_where {}

            #[automatically_derived]
            impl #value_impl #krate::MapValue for #ident #value_ty #value_where {
                type View<'__m, __A: #krate::Access> = #view<'__m, #view_arguments __A>;

                #[inline(always)]
                fn view<__A: #krate::Access>(__field: #krate::Field<'_, Self, __A>) -> Self::View<'_, __A> {
                    #view {
                        #(
                            // SAFETY: a field of this struct and not of what it derefs to, no member of a union, aligned
                            // (`__fields` would not compile otherwise), of this very type (with another, the closure would
                            // not compile), and accessed only so.
                            #members: <#types as #krate::MapValue>::view(unsafe { __field.project(#places) }),
                        )*
                        #whole: __field,
                    }
                }

                #[inline]
                fn read_from<__A: #krate::Access>(__field: #krate::Field<'_, Self, __A>) -> Self {
                    Self {
                        #(
                            // SAFETY: as in `view`.
                            #members: <#types as #krate::MapValue>::read_from(unsafe { __field.project(#places) }),
                        )*
                    }
                }

                #[inline]
                fn read_into<__A: #krate::Access>(__field: #krate::Field<'_, Self, __A>, __value: &mut Self) {
                    #(
                        // SAFETY: as in `view`.
                        <#types as #krate::MapValue>::read_into(unsafe { __field.project(#places) }, &mut __value.#members);
                    )*
                }

                #[inline]
                fn write_to(__field: #krate::Field<'_, Self, #krate::ReadWrite>, __value: &Self) {
                    #(
                        // SAFETY: as in `view`.
                        <#types as #krate::MapValue>::write_to(unsafe { __field.project(#places) }, &__value.#members);
                    )*
                }

                const PLAIN: #krate::__private::Plain<Self> = {
                    // SAFETY: all fields follow.
                    let __plain = unsafe { <#krate::__private::PlainStruct>::start::<Self>() };
                    #(
                        // SAFETY: as in `view`: the place is that of a field of this very type. There are no others (see `layout`).
                        let __plain = unsafe { <#krate::__private::PlainStruct>::with::<Self, #types>(__plain, #places) };
                    )*
                    __plain
                };

                fn layout() -> #krate::__private::ValueLayout {
                    // Never called. It compiles for a struct with just these fields of just these types, all of them aligned,
                    // and for nothing else: a pattern finds no field behind a Deref, a union has no such pattern without
                    // unsafe, and there is no reference to a packed field.
                    let __fields = |__value: &Self| {
                        let Self { #(#members: #bindings,)* } = __value;
                        #(let _: &#types = #bindings;)*
                    };
                    let _ = __fields;
                    #layout
                }
            }

            #shape
        };
    }
}

/// The view: `struct StatsView<'__m, __A> { pub packets: <u64 as MapValue>::View<'__m, __A>, ... }`.
fn view_definition(value: &Value, view_generics: &Generics) -> TokenStream {
    let Value { ident, vis, view, krate, .. } = value;
    let (_, value_ty, _) = value.generics.split_for_impl();
    let where_clause = &view_generics.where_clause;
    let fields = value.fields.iter().map(|field| {
        let Field { member, ty, docs } = field;
        let docs = if docs.is_empty() {
            let doc = format!("Field `{}`.", text(member));
            quote!(#[doc = #doc])
        } else {
            quote!(#(#docs)*)
        };
        let name = matches!(member, Member::Named(_)).then(|| quote!(#member:));
        let view = view_type(ty, krate);
        quote!(#docs pub #name #view,)
    });
    let whole = quote!(#krate::Field<'__m, #ident #value_ty, __A>);
    let body = if value.tuple {
        quote!((#(#fields)* #whole) #where_clause;)
    } else {
        quote!(#where_clause { #(#fields)* __bpfvar_whole: #whole, })
    };
    let doc = format!(
        "View of a [`{}`] in shared memory: a pointer for each of its fields. Made by `#[derive(MapValue)]`.",
        ident.unraw()
    );
    quote! {
        #[doc = #doc]
        #[must_use]
        #[allow(deprecated, nonstandard_style)]
        #vis struct #view #view_generics #body
    }
}

/// `<u64 as MapValue>::View<'__m, __A>`, with the place of the type from end to end: a type that is no value is to blame
/// there, and the compiler says but once what it would say twice of the same place.
fn view_type(ty: &Type, krate: &Path) -> TokenStream {
    let mut places = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = places.next().unwrap_or_else(Span::call_site);
    let last = places.last().unwrap_or(first);
    let map_value = quote!(#krate::MapValue);
    let start = quote_spanned!(first=> <#ty as #map_value>::);
    let end = quote_spanned!(last=> View<'__m, __A>);
    quote!(#start #end)
}

/// `write`, for views that may.
fn write_impl(value: &Value, generics: &Generics) -> TokenStream {
    let Value { ident, vis, view, krate, .. } = value;
    let mut generics = generics.clone();
    let arguments = arguments(&generics);
    generics.params.insert(0, parse_quote!('__m));
    let (view_impl, _, where_clause) = generics.split_for_impl();
    let (_, value_ty, _) = value.generics.split_for_impl();
    let whole = whole(value);
    quote! {
        impl #view_impl #view<'__m, #arguments #krate::ReadWrite> #where_clause {
            /// Copies a whole struct in, each scalar by one relaxed store. Others may see some of them before the rest.
            #[inline]
            #vis fn write(self, __value: #ident #value_ty) {
                #krate::Field::write(self.#whole, __value);
            }
        }
    }
}

/// Prints the values that are there now, under the names of the struct's fields. No method calls: a trait of the user's
/// may have methods of these names for every type.
fn debug_body(value: &Value) -> TokenStream {
    let name = value.view.unraw().to_string();
    let members = value.fields.iter().map(|field| &field.member);
    if value.tuple {
        quote! {
            let mut __debug = ::core::fmt::Formatter::debug_tuple(__f, #name);
            #(::core::fmt::DebugTuple::field(&mut __debug, &self.#members);)*
            ::core::fmt::DebugTuple::finish(&mut __debug)
        }
    } else {
        let names = value.fields.iter().map(|field| text(&field.member));
        quote! {
            let mut __debug = ::core::fmt::Formatter::debug_struct(__f, #name);
            #(::core::fmt::DebugStruct::field(&mut __debug, #names, &self.#members);)*
            ::core::fmt::DebugStruct::finish(&mut __debug)
        }
    }
}

/// What can only be known of a struct with all its types: checked here where it has no parameters, else where it is used.
fn shape_check(value: &Value) -> TokenStream {
    let ident = &value.ident;
    if !value.generics.params.is_empty() {
        return TokenStream::new();
    }
    let zero = format!("{} has size 0, and no map has values of size 0", ident.unraw());
    let align = format!("{} is aligned to more than 4096 bytes, but a map starts on a page of 4096", ident.unraw());
    // Where the name is, but with the paths of this crate's edition: in 2015 `::core` was a module of the user's crate.
    let place = Span::call_site().located_at(ident.span());
    quote_spanned! {place=>
        ::core::assert!(::core::mem::size_of::<#ident>() != 0, #zero);
        ::core::assert!(::core::mem::align_of::<#ident>() <= 4096, #align);
    }
}

/// The place of a field in a struct whose address is given. By syntax, not by `offset_of!`: a path such as `::core` is what
/// the user's crate makes of it (`extern crate self as core`), and a forged offset would be undefined behaviour.
fn place(field: &Field) -> TokenStream {
    let Field { member, ty, .. } = field;
    quote! {
        // SAFETY: who calls this gives the address of such a struct, for it is an unsafe fn, whoever it is handed to.
        (|__at: *mut Self| -> *mut #ty { unsafe { &raw mut (*__at).#member } }) as unsafe fn(*mut Self) -> *mut #ty
    }
}

/// The view's own field, which points to the struct as a whole.
fn whole(value: &Value) -> Member {
    if value.tuple { Member::from(value.fields.len()) } else { parse_quote!(__bpfvar_whole) }
}

/// The struct's parameters, every type of which is a value.
fn bounded(value: &Value) -> Generics {
    let krate = &value.krate;
    let mut generics = value.generics.clone();
    let bounds: Vec<syn::WherePredicate> = generics
        .type_params()
        .map(|parameter| {
            let ident = &parameter.ident;
            parse_quote!(#ident: #krate::MapValue)
        })
        .collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}

/// With the view's lifetime in front and its access mode, which has a default, behind.
fn with_view_parameters(mut generics: Generics, krate: &Path) -> Generics {
    generics.params.insert(0, parse_quote!('__m));
    generics.params.push(parse_quote!(__A: #krate::Access = #krate::ReadWrite));
    generics
}

/// The parameters as arguments, each with a comma behind it.
fn arguments(generics: &Generics) -> TokenStream {
    generics
        .params
        .iter()
        .map(|parameter| {
            let ident = match parameter {
                GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
                GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
                GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
            };
            quote!(#ident,)
        })
        .collect()
}

/// A field's name as people write it: `type` for `r#type`, `0` for the first of a tuple struct.
fn text(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emitted(input: syn::DeriveInput) -> String {
        let value = crate::parse::parse(input).expect("a struct");
        emit(&value).to_string()
    }

    #[test]
    fn the_docs_of_a_field_are_those_of_the_views_field() {
        let emitted = emitted(parse_quote! {
            struct Stats {
                #[doc = " Packets seen."]
                #[doc = " Wraps around."]
                packets: u64,
            }
        });
        let docs = quote!(#[doc = " Packets seen."] #[doc = " Wraps around."] pub packets:);
        assert!(emitted.contains(&docs.to_string()), "{emitted}");
    }

    #[test]
    fn a_field_without_docs_is_documented_by_its_name() {
        let emitted = emitted(parse_quote! {
            struct Stats {
                r#type: u64,
            }
        });
        let docs = quote!(#[doc = "Field `type`."] pub r#type:);
        assert!(emitted.contains(&docs.to_string()), "{emitted}");
    }

    #[test]
    fn the_output_fits_a_type_of_the_users_crate_only() {
        // What remains if an attribute macro deletes the struct and its name then means a type of another crate: E0116.
        let emitted = emitted(parse_quote! {
            struct Stats<T> {
                packets: T,
            }
        });
        let inherent = quote!(
            impl<T> Stats<T> where T: ::bpfvar::MapValue {}
        );
        assert!(emitted.contains(&inherent.to_string()), "{emitted}");
    }

    #[test]
    fn the_place_of_a_field_is_an_unsafe_function_whoever_gets_it() {
        let emitted = emitted(parse_quote! {
            struct Stats {
                packets: u64,
            }
        });
        let count = |tokens: TokenStream| emitted.matches(&tokens.to_string()).count();
        let places = count(quote!(&raw mut));
        assert!(places > 0, "{emitted}");
        assert_eq!(count(quote!(as unsafe fn(*mut Self) -> *mut u64)), places, "{emitted}");
    }
}
