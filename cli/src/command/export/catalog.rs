//! The families that variables are in.

use std::borrow::Cow;

use super::config::Wish;
use super::family::{Head, Kind};

/// The families, each known by its place.
pub(super) struct Catalog {
    heads: Vec<Head>,
}

/// The families of variables without a name of their own. The names say nothing of the variables, which are labels, so they are the
/// same whatever is loaded, and good ones whatever programs call their variables.
const UNNAMED: [Head; 4] = [
    Head::fixed("bpfvar_value", Kind::Gauge, "Value of a variable of a BPF program."),
    Head::fixed("bpfvar_counted", Kind::Counter, "What a variable of a BPF program has counted since it was loaded."),
    Head::fixed("bpfvar_distribution", Kind::Histogram, "Histogram in an array of a BPF program."),
    Head::fixed("bpfvar_state", Kind::States, "Which of its states a variable of a BPF program is in."),
];

impl Catalog {
    pub(super) fn new() -> Catalog {
        Catalog { heads: UNNAMED.to_vec() }
    }

    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The place of the family that a variable is in; `about` is what a help says that nobody wrote. An error if the family is
    /// there and is another.
    pub(super) fn family(&mut self, kind: Kind, wish: Option<&Wish>, about: &str) -> Result<usize, String> {
        let named = wish.and_then(|wish| Some((wish, wish.name.as_ref()?)));
        let Some((wish, name)) = named else {
            let found = self.heads.iter().position(|head| head.kind == kind);
            return found.ok_or_else(|| format!("there is no family of type {kind:?}"));
        };
        let Some(found) = self.heads.iter().position(|head| head.name == *name) else {
            let help = wish.help.clone().unwrap_or_else(|| format!("The BPF variable {about}."));
            let unit = wish.unit.clone().map(Cow::Owned);
            self.heads.push(Head { name: Cow::Owned(name.clone()), kind, help: Cow::Owned(help), unit });
            return Ok(self.heads.len() - 1);
        };
        let known = &self.heads[found];
        let other = |property: &str, here: &str, there: &str| {
            Err(format!("the {property} of {name} is {here} here and {there} elsewhere; it must be one"))
        };
        if known.kind != kind {
            return other("type", &format!("{kind:?}").to_lowercase(), &format!("{:?}", known.kind).to_lowercase());
        }
        if known.unit.as_deref() != wish.unit.as_deref() {
            let shown = |unit: Option<&str>| unit.unwrap_or("none").to_owned();
            return other("unit", &shown(wish.unit.as_deref()), &shown(known.unit.as_deref()));
        }
        match wish.help.as_deref().filter(|help| **help != *known.help) {
            Some(help) => other("help", &format!("{help:?}"), &format!("{:?}", known.help)),
            None => Ok(found),
        }
    }
}
