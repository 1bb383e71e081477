//! The struct that is bound to a program: a field for each variable and each array map.

use std::collections::{BTreeSet, HashMap};

use bpfvar::btf::Kind;
use proc_macro2::TokenStream;
use quote::quote;

use super::docs::{code, declaration, doc, list};
use super::limits::{MAX, alignment};
use super::names::{self, Taken};
use super::types::Types;
use crate::contents::{Access, ArrayMap, Contents, NAME_LEN, Variable};

/// What libbpf's macros call the format strings of a program, which are no variables to anybody.
const FORMATS: [&str; 2] = ["____fmt", "___fmt"];

/// The fields in the making.
struct Binding<'b, 't> {
    types: &'t mut Types<'b>,
    contents: &'t Contents<'b>,
    fields: TokenStream,
    taken: Taken,
    /// What has no field, and why.
    left_out: Vec<String>,
}

/// A field: its type, and what to say of it.
struct Handle {
    ty: TokenStream,
    note: Option<String>,
}

/// The struct of this name.
pub(super) fn binding<'b>(types: &mut Types<'b>, contents: &Contents<'b>, name: &str, origin: &str) -> TokenStream {
    let krate = types.krate.clone();
    let attribute: TokenStream = types.crate_path.iter().map(|path| quote!(#[bind(crate = #path)])).collect();
    let mut binding =
        Binding { types, contents, fields: TokenStream::new(), taken: Taken::default(), left_out: Vec::new() };
    binding.vars();
    binding.maps();
    let Binding { fields, left_out, .. } = binding;
    let mut about = vec![format!("The variables and array maps of {}.", code(origin))];
    for paragraph in programs(contents).into_iter().chain(left_out) {
        about.extend([String::new(), paragraph]);
    }
    let (about, ident) = (doc(about), names::ident(name));
    quote! {
        #about
        #[derive(#krate::Bind, Debug)]
        #attribute
        #[allow(dead_code)]
        pub struct #ident { #fields }
    }
}

impl<'b> Binding<'b, '_> {
    fn vars(&mut self) {
        let contents = self.contents;
        let mut same: HashMap<&str, Vec<Option<u64>>> = HashMap::new();
        for var in &contents.vars {
            same.entry(&var.name).or_default().push(var.offset);
        }
        for var in &contents.vars {
            if FORMATS.iter().any(|format| var.name.rsplit('.').next().is_some_and(|name| name.starts_with(format))) {
                continue;
            }
            let twins = &same[var.name.as_str()];
            let is_alone = |offset: &u64| twins.iter().filter(|other| **other == Some(*offset)).count() == 1;
            let path = match (twins.len(), var.offset.filter(is_alone)) {
                _ if var.name.contains('@') => None,
                (1, _) => Some(var.name.clone()),
                (_, Some(offset)) => Some(format!("{}@{offset}", var.name)),
                _ => None,
            };
            match path {
                Some(path) => self.var(var, &path),
                None => self.left_out.push(format!(
                    "Without {} in {}, which no path tells from others of its name: `Globals::map` finds the section.",
                    code(&var.name),
                    code(&var.section)
                )),
            }
        }
    }

    fn var(&mut self, var: &Variable<'b>, path: &str) {
        let Handle { ty, note } = self.var_handle(var);
        let docs = format!("{} in {}", declaration(var.ty, &var.name, None), code(&var.section));
        self.field(path, &var.section, quote!(#path), docs, note, ty);
    }

    fn var_handle(&mut self, var: &Variable<'b>) -> Handle {
        let krate = self.types.krate.clone();
        let untyped = |note: &str| Handle { ty: quote!(#krate::Var), note: Some(note.to_owned()) };
        if var.access == Access::Call {
            return untyped("in a map that cannot be mapped");
        }
        let limit = var.offset.map_or(MAX, alignment);
        let context = var.name.rsplit('.').next().unwrap_or(&var.name);
        let of = match var.ty.resolve().kind() {
            Kind::PerCpu(value) | Kind::Switch(value) => value,
            _ => var.ty,
        };
        // All of it, of which the value is a part.
        let is_followed = of == var.ty || !matches!(var.ty.resolve().kind(), Kind::Switch(_));
        let whole = if is_followed { Ok(()) } else { self.types.value(var.ty, context).map(drop) };
        let value = match whole.and_then(|()| self.types.aligned_value(of, context, limit)) {
            Ok(value) => value.tokens,
            Err(why) => return untyped(why),
        };
        let read_only = (var.access == Access::Read).then(|| quote!(, #krate::ReadOnly));
        let ty = match (var.ty.resolve().kind(), var.access) {
            (Kind::PerCpu(_), _) => quote!(#krate::PerCpu<#value #read_only>),
            (Kind::Switch(_), Access::Write) => quote!(#krate::SwitchWriter<#value>),
            (Kind::Switch(_), _) => quote!(#krate::Shared<#krate::Switch<#value> #read_only>),
            _ => quote!(#krate::Shared<#value #read_only>),
        };
        Handle { ty, note: None }
    }

    fn maps(&mut self) {
        let contents = self.contents;
        let known = |map: &ArrayMap<'_>| -> String { map.name.chars().take(NAME_LEN).collect() };
        for map in &contents.maps {
            let name = known(map);
            if contents.maps.iter().filter(|other| known(other) == name).count() > 1 {
                self.left_out.push(format!(
                    "Without the map {}: the kernel keeps {NAME_LEN} characters of its name, which are those of another map, too.",
                    code(&map.name)
                ));
                continue;
            }
            let krate = self.types.krate.clone();
            let read_only = (map.access == Access::Read).then(|| quote!(, #krate::ReadOnly));
            let value = match map.access {
                Access::Call => Err("not mappable"),
                _ => self.types.value(map.value, &map.name).map(|value| value.tokens),
            };
            let handle = match value {
                Ok(value) => Handle { ty: quote!(#krate::Array<#value #read_only>), note: None },
                Err(why) => Handle { ty: quote!(#krate::TypedMap), note: Some(why.to_owned()) },
            };
            let docs = format!("The map {}, an array of {}", code(&map.name), code(&map.value.to_string()));
            let wanted = if self.taken.is_free(&names::snake(&map.name)) {
                map.name.clone()
            } else {
                format!("{}_map", map.name)
            };
            self.field(&wanted, &map.name, quote!(map = #name), docs, handle.note, handle.ty);
        }
    }

    /// `map` is the section or map, by the name that programs know it by.
    fn field(
        &mut self,
        wanted: &str,
        map: &str,
        source: TokenStream,
        docs: String,
        note: Option<String>,
        ty: TokenStream,
    ) {
        let name = self.taken.unique_field(&names::snake(wanted));
        let ident = names::ident(&name);
        let is_used = self.contents.is_used(map);
        let note = note.map_or(String::new(), |note| format!(", {note}"));
        let unused = if is_used { "" } else { " No program of the object uses it, so none has it." };
        let docs = doc([format!("{docs}{note}.{unused}")]);
        let ty = if is_used { ty } else { quote!(::core::option::Option<#ty>) };
        // Without an attribute the field's name is that of the variable.
        let attribute = (source.to_string() != format!("{name:?}")).then(|| quote!(#[bind(#source)]));
        self.fields.extend(quote!(#docs #attribute pub #ident: #ty,));
    }
}

/// Which programs have all of it.
fn programs(contents: &Contents<'_>) -> Option<String> {
    let sections = contents.vars.iter().map(|var| &var.section);
    let all: BTreeSet<&String> = sections.chain(contents.maps.iter().map(|map| &map.name)).collect();
    let needed: BTreeSet<&String> = all.into_iter().filter(|map| contents.is_used(map)).collect();
    let has_all = |uses: &BTreeSet<String>| needed.iter().all(|map| uses.contains(*map));
    let with: Vec<String> =
        contents.uses.iter().filter(|(_, uses)| has_all(uses)).map(|(name, _)| code(name)).collect();
    match with.len() {
        _ if contents.uses.is_empty() => None,
        count if count == contents.uses.len() => None,
        0 => {
            let some = list(&cover(contents, needed));
            Some(format!(
                "No single program uses all of it. Bind it to the globals of {some}, joined by `Globals::join`."
            ))
        }
        _ => Some(format!("These programs use all of it, and it can be bound to them: {}.", list(&with))),
    }
}

/// Some programs that together use all that is needed: again and again the one that uses most of what is left.
fn cover(contents: &Contents<'_>, mut needed: BTreeSet<&String>) -> Vec<String> {
    let mut chosen = Vec::new();
    while !needed.is_empty() {
        let new = |uses: &BTreeSet<String>| needed.iter().filter(|map| uses.contains(**map)).count();
        // Of several the first by name.
        let Some((name, uses)) = contents.uses.iter().rev().max_by_key(|(_, uses)| new(uses)) else { break };
        if new(uses) == 0 {
            break;
        }
        needed.retain(|map| !uses.contains(*map));
        chosen.push(code(name));
    }
    chosen
}
