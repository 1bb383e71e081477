//! Which parts of a value say all of it, each bit once, and can be written back.

use std::cmp::Reverse;
use std::ops::Range;

use bpfvar::{Value, Var};

/// How a variable is written, by its type.
#[derive(Debug)]
pub(super) enum Form {
    /// As it is: a scalar, or text.
    Leaf,
    /// Member by member, of all that there are; None for those that lie over others.
    Members(Vec<(String, Option<Form>)>),
    /// Element by element.
    Elements(Box<Form>),
    /// A value for each CPU.
    Cpus,
    /// What stands in a wrapper of its own: not as a part of what is around it.
    Apart(Box<Form>),
    /// What has no bytes.
    Nothing,
    /// What cannot be written.
    Never,
}

impl Form {
    pub(super) fn of(var: &Var, value: &Value) -> Form {
        match value {
            Value::Bytes(_) => Form::Never,
            Value::Array(elements) if !(var.is_text() && var.entry().is_some()) => match elements.first() {
                Some(first) if var.size() > 0 => element(var, first),
                _ => Form::Nothing,
            },
            Value::Struct(members) => Form::Members(chosen(var, members)),
            _ if var.size() == 0 => Form::Nothing,
            _ => Form::Leaf,
        }
    }

    /// The same for a part of `outer`.
    fn of_part(outer: &Var, var: &Var, value: &Value) -> Form {
        match var.together().get(outer.together().len()..) {
            Some([first, ..]) if *first == "BPFVAR_PERCPU" => Form::Cpus,
            Some([_, ..]) => Form::Apart(Box::new(Form::of(var, value))),
            _ => Form::of(var, value),
        }
    }

    /// Whether a value is one, in one line.
    pub(super) fn is_literal(&self) -> bool {
        match self {
            Form::Leaf | Form::Nothing => true,
            Form::Members(members) => members.iter().filter_map(|(_, form)| form.as_ref()).all(Form::is_literal),
            Form::Elements(element) => element.is_literal(),
            Form::Cpus | Form::Apart(_) | Form::Never => false,
        }
    }

    /// The value without the members that were not chosen.
    pub(super) fn literal(&self, value: Value) -> Value {
        match (self, value) {
            (Form::Members(forms), Value::Struct(members)) => {
                let some = forms.iter().zip(members).filter_map(|((_, form), (name, value))| match form {
                    None | Some(Form::Nothing) => None,
                    Some(form) => Some((name, form.literal(value))),
                });
                Value::Struct(some.collect())
            }
            (Form::Elements(form), Value::Array(elements)) => {
                Value::Array(elements.into_iter().map(|element| form.literal(element)).collect())
            }
            (_, value) => value,
        }
    }

    /// How many bits it says something of.
    fn content(&self, var: &Var) -> u64 {
        let part = |path: &str, form: &Form| var.at(path).map_or(0, |var| form.content(&var));
        match self {
            Form::Leaf => var.bits().end - var.bits().start,
            Form::Members(members) => {
                members.iter().filter_map(|(name, form)| Some(part(&format!(".{name}"), form.as_ref()?))).sum()
            }
            Form::Elements(form) => {
                let one = part("[0]", form);
                var.at("[0]").map_or(0, |first| var.size().checked_div(first.size()).unwrap_or(0) * one)
            }
            Form::Apart(form) => form.content(var),
            Form::Cpus | Form::Nothing | Form::Never => 0,
        }
    }
}

/// All elements have one type. The first stands for them.
fn element(var: &Var, first: &Value) -> Form {
    let form = var.at("[0]").map(|element| Form::of_part(var, &element, first));
    Form::Elements(Box::new(form.unwrap_or(Form::Never)))
}

/// Of members that lie over each other, as those of a union do, the one that says most; where several say as much, the first.
/// Then of the rest, until all others lie over one of them.
fn chosen(var: &Var, members: &[(String, Value)]) -> Vec<(String, Option<Form>)> {
    let mut all: Vec<(String, Option<Form>)> = Vec::with_capacity(members.len());
    let mut order: Vec<(usize, u64, Range<u64>)> = Vec::with_capacity(members.len());
    for (index, (name, value)) in members.iter().enumerate() {
        let form = var.at(&format!(".{name}")).ok().map(|member| {
            let form = Form::of_part(var, &member, value);
            order.push((index, form.content(&member), member.bits()));
            form
        });
        all.push((name.clone(), form));
    }
    order.sort_by_key(|(index, content, _)| (Reverse(*content), *index));
    let mut taken: Vec<Range<u64>> = Vec::new();
    for (index, _, bits) in order {
        if taken.iter().any(|other| other.start < bits.end && bits.start < other.end) {
            all[index].1 = None;
        } else {
            taken.push(bits);
        }
    }
    all
}
