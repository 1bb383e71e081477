//! `bpfvar save`.

mod describe;
mod form;

use std::ops::Range;

use bpfvar::{TypedMap, Value, Var};
use clap_complete::engine::ArgValueCompleter;

use super::extent;
use crate::access::{Unwritable, unwritable};
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::resolve::{Found, Resolver};
use crate::settings::Document;
use crate::target::{Origin, Target};
use crate::value::{preview, read};
use describe::describe;
use form::Form;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar save count > count.toml          the settings of a program
  bpfvar save count.config stats          a variable, a map
  bpfvar save -q count                    without comments
  bpfvar save count > /etc/bpfvar.d/count.toml

What it prints is what `bpfvar apply` takes: every variable that can be set, with its value as it is now, and its type and possible \
values as comments. What cannot be set is a comment with the reason. Of a whole program, what lies in .bss and in array maps is a \
comment, too: programs count there, and their settings, which have initial values, lie in .data. Of members of a union, which lie over each other, the one is written that says most. If a value cannot be read, as it is \
half written, it is left out, and the exit status is 1.")]
pub(crate) struct Args {
    /// What to save: programs, maps, sections, variables
    #[arg(required = true, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Write down as settings also what programs count in: .bss and array maps of a program
    #[arg(long)]
    all: bool,
    /// Write down also what only `bpfvar apply --rewrite` sets
    #[arg(long)]
    rewrite: bool,
}

pub(super) fn run(Args { targets, all, rewrite }: &Args, out: &mut Output) -> Result<()> {
    if out.json {
        return Err(Failure::new(
            "save prints TOML, which `bpfvar apply` takes; `bpfvar dump --json` prints values as JSON",
        ));
    }
    let resolver = Resolver::default();
    let found = targets.iter().map(|target| resolver.find(target)).collect::<Result<Vec<_>>>()?;
    let mut document = Document::new(!out.quiet);
    let names: Vec<&str> = targets.iter().map(|target| target.text.as_str()).collect();
    document.note(&format!("Settings of {}, as `bpfvar save` found them. `bpfvar apply` sets them.", names.join(", ")));
    if let Some(by_id) = targets.iter().find(|target| matches!(target.origin, Origin::Id { .. } | Origin::Process(_))) {
        let object = by_id.object();
        document.note(&format!("{object} is what is loaded now. For what is loaded later, write its name."));
    }
    let mut saver = Saver { document, all: *all, rewrite: *rewrite, saved: Vec::new(), left_out: Vec::new() };
    for found in &found {
        saver.found(found)?;
    }
    let Saver { document, left_out, .. } = saver;
    out.raw(document.finish().as_bytes())?;
    left_out.iter().try_for_each(|line| out.warn(line))?;
    if left_out.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// Whether a section is where programs count, and not where their settings are: those have initial values, and so lie in `.data`.
fn is_counted(section: &TypedMap) -> bool {
    section.section().is_none_or(|name| name.starts_with(".bss"))
}

struct Saver {
    document: Document,
    all: bool,
    rewrite: bool,
    /// Maps and bits that are written down, each with its name.
    saved: Vec<(u32, Range<u64>, String)>,
    /// What could not be read, and why.
    left_out: Vec<String>,
}

impl Saver {
    fn found(&mut self, found: &Found) -> Result<()> {
        let (mut section, mut unwritable) = (None, None);
        for (label, var) in found.vars()? {
            let (object, name) = split(found, &label, &var);
            self.document.table(object);
            let (map, bits) = extent(&var);
            if section != Some(map) {
                section = Some(map);
                let is_counted = !self.all && found.program().is_some() && is_counted(var.map());
                unwritable = self.section(var.map(), is_counted)?;
            }
            let overlaps = |(other, of_it, _): &&(u32, Range<u64>, String)| {
                *other == map && of_it.start < bits.end && bits.start < of_it.end
            };
            if let Some((.., other)) = self.saved.iter().find(overlaps) {
                return Err(Failure::new(format!(
                    "{label} and {other} overlap, and a file sets nothing twice; name one of the two"
                )));
            }
            // A part of a variable is the member of a table, as it is in a struct.
            let keys =
                if found.is_var() { name.split('.').map(str::to_owned).collect() } else { vec![name.to_owned()] };
            self.variable(keys, var, unwritable.as_ref())?;
            self.saved.push((map, bits, label));
        }
        Ok(())
    }

    /// Begins a section. Gives why it cannot be written.
    fn section(&mut self, section: &TypedMap, is_counted: bool) -> Result<Option<Unwritable>> {
        let map = &section.info().name;
        let what = section.section().map_or_else(|| format!("map {map}"), |name| format!("{name} of map {map}"));
        let unwritable = unwritable(section)?.filter(|unwritable| !(self.rewrite && unwritable.rewritable));
        self.document.blank();
        self.document.note(&match &unwritable {
            Some(Unwritable { why, .. }) => format!("{what} {why}"),
            None if is_counted => format!(
                "{what}: programs count in it, mostly, and old counts are no settings for a new program; to set one by this file, delete its #, \
                 or save --all"
            ),
            None => what,
        });
        self.document.comment_out(is_counted);
        Ok(unwritable)
    }

    fn variable(&mut self, mut keys: Vec<String>, var: Var, unwritable: Option<&Unwritable>) -> Result<()> {
        if unwritable.is_some() {
            self.document.leave(&keys, &preview(&var)?, &var.type_name());
            return Ok(());
        }
        // The only entry of a map: behind its index are the elements of the value.
        let is_only_entry = var.entry() == Some(0) && var.linkage().is_none() && var.path() == var.map().info().name;
        let var = if is_only_entry { element(&mut keys, &var, 0)? } else { var };
        if var.together().first() == Some(&"BPFVAR_PERCPU") {
            self.cpus(&keys, &var)
        } else {
            self.whole(&keys, &var, true)
        }
    }

    /// What has a value for each CPU.
    fn cpus(&mut self, keys: &[String], var: &Var) -> Result<()> {
        let all = var.each_cpu()?;
        if all.is_empty() {
            let note = format!("{}: every CPU has a value of its own; save all of the variable", var.type_name());
            self.document.leave(keys, &preview(var)?, &note);
            return Ok(());
        }
        self.document.note(&var.type_name());
        for of_one in &all {
            let mut keys = keys.to_vec();
            let index = of_one.path().strip_prefix(var.path()).unwrap_or_default();
            keys.last_mut().into_iter().for_each(|last| last.push_str(index));
            self.whole(&keys, of_one, false)?;
        }
        Ok(())
    }

    /// A variable with its value as it is now; if its parts are settings of their own, behind its type.
    fn whole(&mut self, keys: &[String], var: &Var, with_type: bool) -> Result<()> {
        let value = match read(var)? {
            Ok(value) => value,
            Err(torn) => {
                self.left_out.push(format!("{}: {} is {torn}, and is left out", var.map(), keys.join(".")));
                self.document.leave(keys, torn, &var.type_name());
                return Ok(());
            }
        };
        let form = Form::of(var, &value);
        if with_type && (!form.is_literal() || matches!(form, Form::Members(_))) {
            self.document.note(&var.type_name());
        }
        self.part(keys, var, value, &form)
    }

    /// A variable or a part of one, in as many settings as it needs.
    fn part(&mut self, keys: &[String], var: &Var, value: Value, form: &Form) -> Result<()> {
        match (form, value) {
            (Form::Members(forms), Value::Struct(members)) => {
                for ((_, form), (name, value)) in forms.iter().zip(members) {
                    if let Some(form) = form {
                        let member = var.at(&format!(".{name}"))?;
                        let keys: Vec<String> = keys.iter().cloned().chain([name]).collect();
                        self.part(&keys, &member, value, form)?;
                    }
                }
                Ok(())
            }
            (Form::Elements(form), Value::Array(values)) if !form.is_literal() => {
                values.into_iter().enumerate().try_for_each(|(index, value)| {
                    let mut keys = keys.to_vec();
                    let element = element(&mut keys, var, index)?;
                    self.part(&keys, &element, value, form)
                })
            }
            (Form::Apart(form), value) => self.part(keys, var, value, form),
            (Form::Cpus, _) => self.cpus(keys, var),
            (Form::Nothing, _) => Ok(()),
            (Form::Never, value) => {
                self.document.leave(keys, &value.to_string(), &format!("{}: bpfvar only shows it", var.type_name()));
                Ok(())
            }
            (form, value) => {
                let note = describe(var, &value, form);
                self.document.set(keys, &form.literal(value), &note);
                Ok(())
            }
        }
    }
}

/// An element of a variable, and the keys of that.
fn element(keys: &mut [String], var: &Var, index: usize) -> Result<Var> {
    let step = format!("[{index}]");
    keys.iter_mut().last().into_iter().for_each(|last| last.push_str(&step));
    Ok(var.at(&step)?)
}

/// A label as the name of an object, for a table, and the name of a variable in that. Without a table, all of it is the name.
fn split<'l>(found: &Found, label: &'l str, var: &Var) -> (&'l str, &'l str) {
    let border = if found.is_var() {
        let end = label.len().checked_sub(var.path().len() + 1);
        end.filter(|at| label.ends_with(var.path()) && label[*at..].starts_with('.'))
    } else {
        label.starts_with(&found.text).then_some(found.text.len())
    };
    border.map_or(("", label), |at| (&label[..at], &label[at + 1..]))
}
