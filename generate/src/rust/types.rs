//! From types of BTF to types of Rust, with the items that they need.

use std::collections::{BTreeMap, HashMap};

use bpfvar::btf::{Kind, Type};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::limits::{Limits, MAX};
use super::names::{self, Taken};

/// A type of Rust that can be a part of a map's value.
#[derive(Clone)]
pub(crate) struct Value {
    pub(crate) tokens: TokenStream,
    pub(crate) align: u64,
}

/// Why a type has none: what it is.
pub(crate) type Why = &'static str;

pub(crate) const UNION: Why = "a union";
pub(crate) const MISALIGNED: Why = "not aligned";
const EMPTY: Why = "of no size";
const OVERSIZED: Why = "aligned in a way that Rust cannot follow";
const OTHER: Why = "of a type that Rust has not";

/// An integer, a number with a fraction, a `bool`.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) name: &'static str,
    pub(crate) size: u64,
    pub(crate) kind: ScalarKind,
}

#[derive(Clone)]
pub(crate) enum ScalarKind {
    Bool,
    Unsigned,
    Signed,
    Float,
    /// Of the integer of the scalar, with names for some values.
    Enum(Ident),
}

impl Scalar {
    pub(crate) fn new(kind: ScalarKind, size: u64, signed: bool) -> Scalar {
        let name = match (size, signed) {
            (1, false) => "u8",
            (2, false) => "u16",
            (4, false) => "u32",
            (8, false) => "u64",
            (16, false) => "u128",
            (1, true) => "i8",
            (2, true) => "i16",
            (4, true) => "i32",
            (8, true) => "i64",
            _ => "i128",
        };
        Scalar { name, size, kind }
    }

    /// The unsigned integer of this size.
    pub(crate) fn word(size: u64) -> Scalar {
        Scalar::new(ScalarKind::Unsigned, size, false)
    }

    /// What it is in memory.
    pub(crate) fn ident(&self) -> Ident {
        Ident::new(self.name, Span::call_site())
    }
}

/// Writes types, each once.
pub(crate) struct Types<'b> {
    /// Where bpfvar is.
    pub(crate) krate: TokenStream,
    /// The same for attributes, if it is not where the derives look.
    pub(crate) crate_path: Option<String>,
    pub(crate) limits: Limits<'b>,
    pub(crate) taken: Taken,
    items: BTreeMap<String, TokenStream>,
    /// By the name that was wanted and by what is behind it: several BTFs, and one that was linked, have the same types
    /// several times.
    declared: HashMap<(String, String), Ident>,
    /// By the alignment that they may have at most.
    known: HashMap<(Type<'b>, u64), Value>,
    pub(super) enums: HashMap<Type<'b>, Scalar>,
}

impl<'b> Types<'b> {
    pub(crate) fn new(krate: TokenStream, crate_path: Option<String>) -> Self {
        Types {
            krate,
            crate_path,
            limits: Limits::default(),
            taken: Taken::default(),
            items: BTreeMap::new(),
            declared: HashMap::new(),
            known: HashMap::new(),
            enums: HashMap::new(),
        }
    }

    /// The items, in the order of their names.
    pub(crate) fn into_items(self) -> impl Iterator<Item = TokenStream> {
        self.items.into_values()
    }

    /// The type of Rust for something in a map that must not be aligned further than `limit`. A type without a name of its
    /// own is called after `context`, where it was found.
    pub(crate) fn value(&mut self, ty: Type<'b>, context: &str, limit: u64) -> Result<Value, Why> {
        let size = ty.size().filter(|size| *size > 0).ok_or(EMPTY)?;
        let krate = self.krate.clone();
        let value = match ty.kind() {
            Kind::Typedef(to) => return self.value(to, ty.name(), limit),
            Kind::Qualified(to) => return self.value(to, context, limit),
            Kind::Struct => self.known_structure(ty, context, limit),
            Kind::Union => return Err(UNION),
            Kind::PerCpu(_) => return Err("a value for each CPU inside of something else"),
            Kind::Array { element, len } => {
                let Value { tokens, align } = self.value(element, context, limit)?;
                let len = Literal::u32_unsuffixed(len);
                Value { tokens: quote!([#tokens; #len]), align }
            }
            Kind::Seq(inner) => {
                let Value { tokens, align } = self.value(inner, context, MAX)?;
                self.with_words(ty, inner, 1, align, quote!(#krate::Seq<#tokens>))?
            }
            Kind::Switch(inner) => {
                let Value { tokens, align } = self.value(inner, context, MAX)?;
                self.with_words(ty, inner, 2, align, quote!(#krate::Switch<#tokens>))?
            }
            // As compilers before 2024 aligned it.
            Kind::Int { .. } if size == 16 && limit == 8 => {
                Value { tokens: quote!(#krate::Zerocopy<[u64; 2]>), align: 8 }
            }
            Kind::Int { signed } if size == 16 => {
                let integer = Scalar::new(ScalarKind::Signed, size, signed).ident();
                Value { tokens: quote!(#krate::Zerocopy<#integer>), align: 16 }
            }
            _ => {
                let scalar = self.scalar(ty, context).ok_or(OTHER)?;
                let ident = scalar.ident();
                let tokens = match &scalar.kind {
                    ScalarKind::Enum(name) => quote!(#krate::Checked<#name>),
                    _ => quote!(#ident),
                };
                Value { tokens, align: scalar.size }
            }
        };
        if value.align <= limit { Ok(value) } else { Err(MISALIGNED) }
    }

    /// A struct as it is, or one that is aligned less and has bytes in place of what would not be aligned.
    fn known_structure(&mut self, ty: Type<'b>, context: &str, limit: u64) -> Value {
        let as_it_is = self.structure_once(ty, context, MAX);
        if as_it_is.align <= limit { as_it_is } else { self.structure_once(ty, context, limit) }
    }

    fn structure_once(&mut self, ty: Type<'b>, context: &str, limit: u64) -> Value {
        if let Some(known) = self.known.get(&(ty, limit)) {
            return known.clone();
        }
        let value = self.structure(ty, context, limit);
        self.known.insert((ty, limit), value.clone());
        value
    }

    /// `Seq` or `Switch` of a value: three words, and then so many of it. None where the C compiler laid it out otherwise.
    fn with_words(
        &self,
        ty: Type<'b>,
        inner: Type<'b>,
        count: u64,
        align: u64,
        tokens: TokenStream,
    ) -> Result<Value, Why> {
        let end = 24_u64.next_multiple_of(align) + inner.size().unwrap_or(0) * count;
        let align = align.max(8);
        if ty.size() == Some(end.next_multiple_of(align)) { Ok(Value { tokens, align }) } else { Err(OVERSIZED) }
    }

    /// The scalar that the type is, if it is one of up to 8 bytes.
    pub(crate) fn scalar(&mut self, ty: Type<'b>, context: &str) -> Option<Scalar> {
        let size = ty.size().filter(|size| matches!(size, 1 | 2 | 4 | 8))?;
        Some(match ty.kind() {
            Kind::Typedef(to) => return self.scalar(to, ty.name()),
            Kind::Qualified(to) => return self.scalar(to, context),
            Kind::Bool if size == 1 => Scalar { name: "bool", size, kind: ScalarKind::Bool },
            Kind::Int { signed: true } => Scalar::new(ScalarKind::Signed, size, true),
            Kind::Int { .. } | Kind::Pointer(_) => Scalar::word(size),
            Kind::Char => Scalar::word(size),
            Kind::Float if size == 4 => Scalar { name: "f32", size, kind: ScalarKind::Float },
            Kind::Float if size == 8 => Scalar { name: "f64", size, kind: ScalarKind::Float },
            Kind::Enum { .. } => self.enumeration(ty, context),
            _ => return None,
        })
    }

    /// Adds an item under a name like `wanted`, unless it is there already. `suffixes` are those of all names that it takes.
    pub(crate) fn declare(&mut self, wanted: &str, suffixes: &[&str], item: impl Fn(&Ident) -> TokenStream) -> Ident {
        let wanted = names::camel(wanted);
        let key = (wanted.clone(), item(&names::ident(&wanted)).to_string());
        if let Some(known) = self.declared.get(&key) {
            return known.clone();
        }
        let name = self.taken.unique(&wanted, "", suffixes);
        let ident = names::ident(&name);
        self.items.insert(name, item(&ident));
        self.declared.insert(key, ident.clone());
        ident
    }

    /// `#[map_value(crate = "path")]`, if bpfvar is not where the derives look.
    pub(crate) fn crate_attribute(&self) -> TokenStream {
        self.crate_path.iter().map(|path| quote!(#[map_value(crate = #path)])).collect()
    }
}
