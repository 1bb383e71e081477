//! The struct that is bound to a program: a field for each variable and each array map.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use bpfvar::btf::Kind;
use proc_macro2::TokenStream;
use quote::quote;

use super::docs::{code, declaration, doc, list};
use super::limits::{MAX, alignment};
use super::names::{self, Taken};
use super::types::Types;
use crate::contents::{Access, ArrayMap, Contents, NAME_LEN, Variable};

/// What is said of what has no handle that is a pointer.
const UNMAPPED: &str = "which cannot be mapped: `Var::read_as` reads it";

/// The fields in the making.
struct Binding<'b, 't> {
    types: &'t mut Types<'b>,
    contents: &'t Contents<'b>,
    fields: TokenStream,
    taken: Taken,
    /// What has no field, and why.
    left_out: Vec<String>,
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
        let names = counts(contents.vars.iter().map(|var| var.name.as_str()));
        let places = counts(contents.vars.iter().map(|var| (var.name.as_str(), var.offset)));
        // Those whose fields have the very name go first.
        let is_exact = |name: &str| names.get(name) == Some(&1) && names::snake(name) == name;
        for var in contents.vars.iter().filter(|var| is_exact(&var.name)) {
            self.taken.unique_field(&var.name);
        }
        for var in contents.vars.iter().filter(|var| !is_format(var)) {
            let is_alone = places[&(var.name.as_str(), var.offset)] == 1;
            let path = match (names[var.name.as_str()], var.offset.filter(|_| is_alone)) {
                _ if var.name.contains('@') => None,
                (1, _) => Some(var.name.clone()),
                (_, Some(offset)) => Some(format!("{}@{offset}", var.name)),
                _ => None,
            };
            let (ty, note) = self.var_handle(var);
            let Some(path) = path else {
                self.left_out.push(format!(
                    "Without {} in {}, which no path tells from others of its name: `Globals::map` finds the section.",
                    code(&var.name),
                    code(&var.section)
                ));
                continue;
            };
            let docs = format!("{} in {}{note}", declaration(var.ty, &var.name, None), code(&var.section));
            let name = match is_exact(&path) {
                true => path.clone(),
                false => self.taken.unique_field(&names::snake(&path)),
            };
            self.field(&name, &var.section, quote!(#path), docs, ty);
        }
    }

    /// The type of a field for the variable, and what to say of it.
    fn var_handle(&mut self, var: &Variable<'b>) -> (TokenStream, String) {
        let krate = self.types.krate.clone();
        let limit = var.offset.map_or(MAX, alignment);
        let context = var.name.rsplit('.').next().unwrap_or(&var.name);
        let kind = var.ty.resolve().kind();
        let of = match kind {
            Kind::PerCpu(value) | Kind::Switch(value) => value,
            _ => var.ty,
        };
        // All of a switch, as its value is checked by it.
        let whole = match kind {
            Kind::Switch(_) => self.types.value(var.ty, context, limit).map(drop),
            _ => Ok(()),
        };
        let value = whole.and_then(|()| self.types.value(of, context, limit));
        let read_only = (var.access == Access::Read).then(|| quote!(, #krate::ReadOnly));
        let value = match (value, var.access) {
            (Err(why), _) => return (quote!(#krate::Var), format!(", {why}")),
            (_, Access::Call) => return (quote!(#krate::Var), format!(", {UNMAPPED}")),
            (Ok(value), _) => value.tokens,
        };
        let ty = match (kind, var.access) {
            (Kind::PerCpu(_), _) => quote!(#krate::PerCpu<#value #read_only>),
            (Kind::Switch(_), Access::Write) => quote!(#krate::SwitchWriter<#value>),
            (Kind::Switch(_), _) => quote!(#krate::Shared<#krate::Switch<#value> #read_only>),
            _ => quote!(#krate::Shared<#value #read_only>),
        };
        (ty, String::new())
    }

    fn maps(&mut self) {
        let contents = self.contents;
        let known = |map: &ArrayMap<'_>| -> String { map.name.chars().take(NAME_LEN).collect() };
        let names = counts(contents.maps.iter().map(known));
        for map in &contents.maps {
            let name = known(map);
            if names[&name] > 1 {
                self.left_out.push(format!(
                    "Without the map {}: the kernel keeps {NAME_LEN} characters of its name, which are those of another map, too.",
                    code(&map.name)
                ));
                continue;
            }
            let krate = self.types.krate.clone();
            let read_only = (map.access == Access::Read).then(|| quote!(, #krate::ReadOnly));
            let (ty, note) = match (self.types.value(map.value, &map.name, MAX), map.access) {
                (Err(why), _) => (quote!(#krate::TypedMap), format!(", {why}")),
                (_, Access::Call) => (quote!(#krate::TypedMap), format!("; {UNMAPPED}")),
                (Ok(value), _) => {
                    let value = value.tokens;
                    (quote!(#krate::Array<#value #read_only>), String::new())
                }
            };
            let docs = format!("The map {}, an array of {}{note}", code(&map.name), code(&map.value.to_string()));
            let is_free = self.taken.is_free(&names::snake(&map.name));
            let wanted = if is_free { map.name.clone() } else { format!("{}_map", map.name) };
            let field = self.taken.unique_field(&names::snake(&wanted));
            self.field(&field, &map.name, quote!(map = #name), docs, ty);
        }
    }

    /// `map` is the section or map, by the name by which programs are said to use it.
    fn field(&mut self, name: &str, map: &str, source: TokenStream, docs: String, ty: TokenStream) {
        let is_used = self.contents.is_used(map);
        let unused = if is_used { "" } else { " No program of the object uses it, so it may be missing." };
        let docs = doc([format!("{docs}.{unused}")]);
        let ty = if is_used { ty } else { quote!(::core::option::Option<#ty>) };
        // Without an attribute the field's name is that of the variable.
        let attribute = (source.to_string() != format!("{name:?}")).then(|| quote!(#[bind(#source)]));
        let ident = names::ident(name);
        self.fields.extend(quote!(#docs #attribute pub #ident: #ty,));
    }
}

/// How often each is there.
fn counts<T: Eq + Hash>(all: impl Iterator<Item = T>) -> HashMap<T, u32> {
    let mut counts = HashMap::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    counts
}

/// Whether it is a format string of one of libbpf's macros, which is no variable to anybody.
fn is_format(var: &Variable<'_>) -> bool {
    var.name.rsplit('.').next().is_some_and(|name| name.starts_with("____fmt") || name.starts_with("___fmt"))
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
