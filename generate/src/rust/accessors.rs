//! Methods for what Rust has no fields for: bitfields, and numbers that are not aligned.

use bpfvar::btf::Member;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::docs::{declaration, doc};
use super::layout::Bitfield;
use super::names::{self, Taken};
use super::types::{Scalar, ScalarKind, Types};

/// The field of a struct that holds bitfields.
pub(crate) struct Storage<'a> {
    pub(crate) field: &'a Ident,
    /// In bytes from the start of the struct.
    pub(crate) offset: u64,
    pub(crate) size: u64,
    /// As one word; otherwise as an array of bytes.
    pub(crate) is_word: bool,
}

impl<'b> Types<'b> {
    /// The methods of a bitfield. None if it is of no integer type of up to 64 bits.
    pub(super) fn bitfield(
        &mut self,
        bitfield: &Bitfield<'b>,
        storage: &Storage<'_>,
        context: &str,
        taken: &mut Taken,
    ) -> Option<TokenStream> {
        let Bitfield { member, len, .. } = *bitfield;
        let scalar = self.scalar(member.ty, context)?;
        if matches!(scalar.kind, ScalarKind::Float) || u64::from(len) > scalar.size * 8 || member.name.is_empty() {
            return None;
        }
        let bits = Bits::new(bitfield, storage);
        let (prepare, loaded) = (bits.prepare(storage), bits.loaded(storage));
        let value = self.scalar_of(&scalar, bits.get(&loaded, &scalar));
        let stored = bits.store(storage, &loaded, bits.widened(&scalar));
        let about = declaration(member.ty, member.name, Some(len));
        Some(self.methods(
            &scalar,
            member.name,
            taken,
            [format!("{about}."), format!("Sets {about}. Bits that do not fit are cut off, as in C.")],
            [quote!(#prepare #value), quote!(#prepare #stored)],
        ))
    }

    /// The methods of a number whose bytes are in the field. None if it is none.
    pub(super) fn unaligned(
        &mut self,
        member: &Member<'b>,
        field: &Ident,
        context: &str,
        taken: &mut Taken,
    ) -> Option<TokenStream> {
        let scalar = self.scalar(member.ty, context).filter(|_| !member.name.is_empty())?;
        let integer = scalar.ident();
        let value = self.scalar_of(&scalar, quote!(#integer::from_ne_bytes(self.#field)));
        let number = scalar.number();
        let about = declaration(member.ty, member.name, None);
        let docs = [format!("{about}."), format!("Sets {about}.")];
        Some(self.methods(&scalar, member.name, taken, docs, [value, quote!(self.#field = #number.to_ne_bytes();)]))
    }

    /// `name` and `set_name`, with their comments and bodies.
    fn methods(
        &self,
        scalar: &Scalar,
        name: &str,
        taken: &mut Taken,
        docs: [String; 2],
        [get, set]: [TokenStream; 2],
    ) -> TokenStream {
        let getter = taken.unique_field(&names::snake(name));
        let setter = taken.unique_field(&names::snake(&format!("set_{getter}")));
        let (getter, setter) = (names::ident(&getter), names::ident(&setter));
        let [docs, set_docs] = docs.map(|docs| doc([docs]));
        let (ident, krate) = (scalar.ident(), &self.krate);
        let ty = match &scalar.kind {
            ScalarKind::Enum(name) => quote!(#krate::Checked<#name>),
            _ => quote!(#ident),
        };
        quote! {
            #docs
            #[must_use]
            pub fn #getter(&self) -> #ty { #get }

            #set_docs
            pub fn #setter(&mut self, value: #ty) { #set }
        }
    }

    /// A scalar from its integer.
    fn scalar_of(&self, scalar: &Scalar, integer: TokenStream) -> TokenStream {
        let krate = &self.krate;
        match scalar.kind {
            ScalarKind::Enum(_) => quote!(#krate::Checked::from_scalar(#integer)),
            _ => integer,
        }
    }
}

impl Scalar {
    /// `value` as the number that it is in memory.
    fn number(&self) -> TokenStream {
        match self.kind {
            ScalarKind::Enum(_) => quote!(value.scalar()),
            _ => quote!(value),
        }
    }
}

/// Where a bitfield is in its storage.
struct Bits {
    /// The bytes of the storage that are loaded.
    first: usize,
    end: usize,
    /// From the lowest bit of the word that they make.
    shift: u32,
    len: u32,
    /// Of that word, in bits.
    width: u32,
    is_word: bool,
}

impl Bits {
    fn new(bitfield: &Bitfield<'_>, storage: &Storage<'_>) -> Bits {
        let bytes = if storage.is_word { storage.offset..storage.offset + storage.size } else { bitfield.bytes() };
        let (start, len) = ((bitfield.first - bytes.start * 8) as u32, bitfield.len);
        let loaded = (bytes.end - bytes.start) as u32 * 8;
        Bits {
            first: (bytes.start - storage.offset) as usize,
            end: (bytes.end - storage.offset) as usize,
            // The first bit is the lowest on a little-endian machine, and the highest on another.
            shift: if cfg!(target_endian = "little") { start } else { loaded - start - len },
            len,
            width: if storage.is_word { loaded } else { 128 },
            is_word: storage.is_word,
        }
    }

    fn word(&self) -> Ident {
        format_ident!("u{}", self.width)
    }

    /// So many bits from the lowest on, shifted.
    fn mask(&self, shift: u32) -> TokenStream {
        let mask = u128::MAX >> (128 - self.len) << shift;
        format!("{mask:#x}").parse().expect("a number")
    }

    /// What comes before the storage can be used as one word.
    fn prepare(&self, storage: &Storage<'_>) -> TokenStream {
        if self.is_word {
            return TokenStream::new();
        }
        let (field, from, to) = (storage.field, range(self.first, self.end), self.in_word());
        quote! {
            let mut bytes = [0; 16];
            bytes[#to].copy_from_slice(&self.#field[#from]);
        }
    }

    /// The storage as one word.
    fn loaded(&self, storage: &Storage<'_>) -> TokenStream {
        let field = storage.field;
        match (self.is_word, cfg!(target_endian = "little")) {
            (true, _) => quote!(self.#field),
            (false, true) => quote!(u128::from_le_bytes(bytes)),
            (false, false) => quote!(u128::from_be_bytes(bytes)),
        }
    }

    /// The bytes of a word of 16 that make up the lowest part of it.
    fn in_word(&self) -> TokenStream {
        let len = self.end - self.first;
        if cfg!(target_endian = "little") { range(0, len) } else { range(16 - len, 16) }
    }

    /// The bits as what is in memory where the scalar has all of its bits; a `bool` as it is.
    fn get(&self, loaded: &TokenStream, scalar: &Scalar) -> TokenStream {
        let (mask, shift) = (self.mask(0), Literal::u32_unsuffixed(self.shift));
        let raw = match (self.shift, self.shift + self.len == self.width) {
            (0, true) => loaded.clone(),
            (0, false) => quote!((#loaded & #mask)),
            (_, true) => quote!((#loaded >> #shift)),
            (_, false) => quote!(((#loaded >> #shift) & #mask)),
        };
        let (integer, unsigned) = (scalar.ident(), Scalar::word(scalar.size).ident());
        let unused = scalar.size as u32 * 8 - self.len;
        let is_signed = scalar.name.starts_with('i');
        match scalar.kind {
            ScalarKind::Bool => quote!(#raw != 0),
            _ if is_signed && unused > 0 => {
                let unused = Literal::u32_unsuffixed(unused);
                let all = if self.word() == unsigned { raw } else { quote!((#raw as #unsigned)) };
                quote!((#all << #unused) as #integer >> #unused)
            }
            _ if self.word() == integer => unparenthesized(raw),
            _ => quote!(#raw as #integer),
        }
    }

    /// `value`, a scalar, as such a word.
    fn widened(&self, scalar: &Scalar) -> TokenStream {
        let (word, number) = (self.word(), scalar.number());
        match scalar.kind {
            ScalarKind::Bool => quote!(#word::from(value)),
            _ if word == scalar.ident() => number,
            _ => quote!(#number as #word),
        }
    }

    /// Stores `value`, which is such a word.
    fn store(&self, storage: &Storage<'_>, loaded: &TokenStream, value: TokenStream) -> TokenStream {
        let field = storage.field;
        if self.len == self.width {
            return quote!(self.#field = #value;);
        }
        let (mask, others, shift) = (self.mask(0), self.mask(self.shift), Literal::u32_unsuffixed(self.shift));
        let placed = match self.shift {
            0 => quote!((#value & #mask)),
            _ => quote!(((#value & #mask) << #shift)),
        };
        let new = quote!((#loaded & !#others) | #placed);
        if self.is_word {
            return quote!(self.#field = #new;);
        }
        let (to, from) = (range(self.first, self.end), self.in_word());
        let bytes = if cfg!(target_endian = "little") { quote!(to_le_bytes) } else { quote!(to_be_bytes) };
        quote! {
            let word = #new;
            self.#field[#to].copy_from_slice(&word.#bytes()[#from]);
        }
    }
}

/// `..4`, `2..4`.
fn range(start: usize, end: usize) -> TokenStream {
    let (first, end) = (Literal::usize_unsuffixed(start), Literal::usize_unsuffixed(end));
    if start == 0 { quote!(..#end) } else { quote!(#first..#end) }
}

/// The expression without parentheses around all of it.
fn unparenthesized(expression: TokenStream) -> TokenStream {
    let mut trees = expression.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(proc_macro2::TokenTree::Group(group)), None) => group.stream(),
        _ => expression,
    }
}
