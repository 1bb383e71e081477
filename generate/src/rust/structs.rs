//! Structs.

use bpfvar::btf::{Kind, Member, Type};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::accessors::Storage;
use super::docs::{bytes, code, declaration, doc, list};
use super::layout::{Layout, Slot, What};
use super::limits::{MAX, alignment};
use super::names::{self, Taken};
use super::types::{MISALIGNED, Scalar, Types, UNION, Value, Why};

/// What a member without a field of its own can be reached by.
const BY_PATH: &str = "to be read and set by path, with `Var::at`";

/// The inside of a struct in the making.
struct Body {
    fields: TokenStream,
    methods: TokenStream,
    /// Where each field has to be.
    places: Vec<(Ident, u64)>,
    /// Where the next field starts, if it needs no padding.
    end: u64,
    align: u64,
    taken: Taken,
    methods_taken: Taken,
    is_snake: bool,
}

impl Body {
    fn new() -> Body {
        Body {
            fields: TokenStream::new(),
            methods: TokenStream::new(),
            places: Vec::new(),
            end: 0,
            align: 1,
            taken: Taken::default(),
            methods_taken: Taken::default(),
            is_snake: true,
        }
    }

    /// The name of a field that is the member: the library finds it by this name.
    fn exact(&mut self, member: &str) -> Ident {
        match names::exact(member) {
            Some(ident) if self.taken.is_free(member) => {
                self.is_snake &= names::is_snake(member);
                self.taken.unique_field(member);
                ident
            }
            _ => self.standing_for(member),
        }
    }

    /// The name of a field that stands for something else, which the library does not look at: it starts with `_`.
    fn standing_for(&mut self, what: &str) -> Ident {
        names::ident(&self.taken.unique_field(&format!("_{}", names::snake(what))))
    }

    fn push(&mut self, docs: String, name: Ident, ty: TokenStream, align: u64, slot: &Slot<'_>) {
        if self.end.next_multiple_of(align) != slot.offset {
            self.pad_to(slot.offset);
        }
        let docs = doc([docs]);
        self.fields.extend(quote!(#docs pub #name: #ty,));
        self.places.push((name, slot.offset));
        self.align = self.align.max(align);
        self.end = slot.offset + slot.size;
    }

    fn pad_to(&mut self, offset: u64) {
        let name = self.standing_for(&format!("pad_{}", self.end));
        let (docs, len) = (doc(["Padding."]), Literal::u64_unsuffixed(offset - self.end));
        self.fields.extend(quote!(#docs pub #name: [u8; #len],));
        self.end = offset;
    }
}

impl<'b> Types<'b> {
    /// A struct of BTF as one of Rust, of the same size and with the same members at the same offsets, aligned to `limit` at
    /// most.
    pub(super) fn structure(&mut self, ty: Type<'b>, context: &str, limit: u64) -> Value {
        let name = if ty.name().is_empty() { context } else { ty.name() };
        let name = if limit == MAX { name.to_owned() } else { format!("{name}_packed") };
        let size = ty.size().unwrap_or(0);
        let layout = Layout::new(self, ty, &name, limit.min(alignment(size)));
        let mut body = Body::new();
        for slot in &layout.slots {
            self.field(slot, &name, &mut body);
        }
        let aligned = self.over_alignment(ty, &layout, &body, size);
        if aligned.is_none() && body.end.next_multiple_of(body.align) != size {
            body.pad_to(size);
        }
        let mut about = vec![format!("{}, {}.", declaration(ty, "", None), bytes(size))];
        if !body.methods.is_empty() {
            about.push(String::new());
            about.push("The methods work on a copy. `Var::set` sets the same in place, by path.".to_owned());
        }
        if !layout.without_bytes.is_empty() {
            let left_out = |member: &Member<'b>| declaration(member.ty, member.name, None);
            let left_out: Vec<String> = layout.without_bytes.iter().map(left_out).collect();
            about.push(String::new());
            about.push(format!("Without {}, of no size.", list(&left_out)));
        }
        let align = aligned.unwrap_or(body.align);
        let ident = self.declare_struct(&name, &about, &body, aligned, size);
        Value { tokens: quote!(#ident), align }
    }

    /// The alignment that makes padding at the end which nothing else explains, if all places where the struct lies allow it.
    fn over_alignment(&self, ty: Type<'b>, layout: &Layout<'b>, body: &Body, size: u64) -> Option<u64> {
        if body.end.next_multiple_of(body.align) == size {
            return None;
        }
        let most = layout.max_align.min(self.limits.of(ty));
        let larger = std::iter::successors(Some(body.align * 2), |align| Some(align * 2));
        larger.take_while(|align| *align <= most).find(|align| body.end.next_multiple_of(*align) == size)
    }

    fn field(&mut self, slot: &Slot<'b>, context: &str, body: &mut Body) {
        match &slot.what {
            What::Field(member, value) => {
                let docs = format!("{}.", declaration(member.ty, member.name, None));
                let name = body.exact(member.name);
                body.push(docs, name, value.tokens.clone(), value.align, slot);
            }
            What::Words { members, width, why } => {
                let declarations: Vec<String> = members.iter().map(|member| described(member, why)).collect();
                let what = match members.as_slice() {
                    [member] if !member.name.is_empty() => member.name.to_owned(),
                    [_] if *why == UNION => format!("union_{}", slot.offset),
                    _ => format!("bytes_{}", slot.offset),
                };
                let field = body.standing_for(&what);
                let context = format!("{context}_{what}");
                let methods = match members.as_slice() {
                    [member] if *why == MISALIGNED => self.unaligned(member, &field, &context, &mut body.methods_taken),
                    _ => None,
                };
                let way = if methods.is_some() { "see the methods" } else { BY_PATH };
                let docs = format!("{}: {way}.", list(&declarations));
                body.methods.extend(methods);
                body.push(docs, field, words(*width, slot.size), *width, slot);
            }
            What::Bits { bitfields, width } => {
                let field = body.standing_for(&format!("bits_{}", slot.offset));
                let is_word = *width == slot.size;
                let storage = Storage { field: &field, offset: slot.offset, size: slot.size, is_word };
                let (mut with, mut without) = (Vec::new(), Vec::new());
                for bitfield in bitfields {
                    let context = format!("{context}_{}", bitfield.member.name);
                    let methods = self.bitfield(bitfield, &storage, &context, &mut body.methods_taken);
                    let named = if methods.is_some() { &mut with } else { &mut without };
                    named.push(code(bitfield.member.name));
                    body.methods.extend(methods);
                }
                let bitfields = |names: &[String], way: &str| {
                    let plural = if names.len() == 1 { "" } else { "s" };
                    (!names.is_empty()).then(|| format!("Bitfield{plural} {}: {way}.", list(names)))
                };
                let sentences = [bitfields(&with, "see the methods"), bitfields(&without, BY_PATH)];
                let docs = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
                let ty = words(*width, slot.size);
                body.push(docs, field.clone(), ty, *width, slot);
            }
        }
    }

    fn declare_struct(&mut self, name: &str, about: &[String], body: &Body, aligned: Option<u64>, size: u64) -> Ident {
        let Body { fields, methods, places, is_snake, .. } = body;
        let (krate, attribute) = (self.krate.clone(), self.crate_attribute());
        let docs = doc(about);
        let align = aligned.map(|align| {
            let align = Literal::u64_unsuffixed(align);
            quote!(, align(#align))
        });
        let allowed = if *is_snake { quote!(dead_code) } else { quote!(dead_code, non_snake_case) };
        let size = Literal::u64_unsuffixed(size);
        let (members, offsets): (Vec<_>, Vec<_>) =
            places.iter().map(|(name, offset)| (name, Literal::u64_unsuffixed(*offset))).unzip();
        let imports = match places.is_empty() {
            true => quote!(
                use ::core::mem::size_of;
            ),
            false => quote!(
                use ::core::mem::{offset_of, size_of};
            ),
        };
        self.declare(name, &["", "View"], |ident| {
            let methods = (!methods.is_empty()).then(|| {
                quote! {
                    #[allow(dead_code, clippy::all, clippy::pedantic)]
                    impl #ident { #methods }
                }
            });
            quote! {
                #docs
                #[derive(#krate::MapValue, Clone, Copy, Debug, PartialEq)]
                #attribute
                #[allow(#allowed)]
                #[repr(C #align)]
                pub struct #ident { #fields }

                #methods

                const _: () = {
                    #imports
                    const SIZE: usize = size_of::<#ident>();
                    assert!(SIZE == #size);
                    #(assert!(offset_of!(#ident, #members) == #offsets);)*
                };
            }
        })
    }
}

/// A member in a comment, and why it is no field. A union without a name is told by its members.
fn described(member: &Member<'_>, why: Why) -> String {
    let is_nameless = member.name.is_empty() && member.ty.resolve().kind() == Kind::Union;
    let inner = member.ty.members().map(|inner| declaration(inner.ty, inner.name, None));
    match is_nameless {
        true => format!("A union of {}", list(&inner.collect::<Vec<_>>())),
        false => format!("{}, {why}", declaration(member.ty, member.name, None)),
    }
}

/// `u32`, `[u32; 2]`, `[u8; 3]`.
fn words(width: u64, size: u64) -> TokenStream {
    let (word, len) = (Scalar::word(width).ident(), Literal::u64_unsuffixed(size / width));
    if size == width { quote!(#word) } else { quote!([#word; #len]) }
}
