//! `bpfvar show`.

use bpfvar::{Linkage, Var};
use serde::Serialize;

use crate::error::Result;
use crate::output::{Ink, Output, clean};
use crate::resolve::Resolver;
use crate::table::access;
use crate::target::Target;
use crate::value::fit;

#[derive(Debug, Serialize)]
struct Shown {
    target: String,
    name: String,
    #[serde(rename = "type")]
    ty: String,
    declaration: String,
    section: Option<String>,
    map: String,
    map_id: u32,
    entries: u32,
    linkage: Option<String>,
    entry: Option<u32>,
    offset: u64,
    size: u64,
    access: &'static str,
}

impl Shown {
    fn new(target: &str, var: &Var<'_>) -> Shown {
        let section = var.section();
        let info = section.map().info();
        Shown {
            target: target.to_owned(),
            name: var.path().to_owned(),
            ty: var.type_name(),
            declaration: declaration(var),
            section: section.is_data().then(|| section.name().to_owned()),
            map: info.name.clone(),
            map_id: info.id,
            entries: info.max_entries,
            linkage: var.linkage().as_ref().map(Linkage::to_string),
            entry: var.entry(),
            offset: var.offset(),
            size: var.size(),
            access: access(section),
        }
    }
}

/// The library's; of a bitfield that is an enum with the enumerators, which stand in the declaration of what it lies in.
fn declaration(var: &Var<'_>) -> String {
    let own = var.declaration();
    let ty = var.type_name();
    let Some((ty, bits)) = ty.rsplit_once(" : ").filter(|_| !own.contains('{')) else { return own };
    let Some((parent, name)) = parent(var) else { return own };
    written_out(&parent.declaration(), ty, &format!("{name} : {bits};")).unwrap_or(own)
}

/// What a member lies in, and its name there.
fn parent<'s, 'n>(var: &'n Var<'s>) -> Option<(Var<'s>, &'n str)> {
    let (path, name) = var.path().rsplit_once('.')?;
    let section = var.section();
    let whole = section.vars().next()?;
    let parent = match section.is_data() {
        true => section.var(path),
        false => whole.at(path.strip_prefix(whole.path())?),
    };
    Some((parent.ok()?, name))
}

/// The enum of a bitfield as a declaration writes it out where it comes first. `closing` is how the bitfield's own ends.
fn written_out(declaration: &str, ty: &str, closing: &str) -> Option<String> {
    let lines: Vec<&str> = declaration.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_end = |line: &&str| line.trim_start().starts_with('}');
    let is_own = |line: &&str| line.trim_start().strip_prefix("} ").is_some_and(|line| line.starts_with(closing));
    let is_typedef = |line: &&str| is_end(line) && line.ends_with(&format!(", typedef {ty}"));
    let head = format!("{ty} {{");
    let start = lines.iter().position(|line| line.trim_start() == head).or_else(|| {
        let end = lines.iter().position(is_own).or_else(|| lines.iter().position(is_typedef));
        let end = end?;
        lines[..end].iter().rposition(|line| indent(line) == indent(lines[end]) && line.ends_with('{'))
    })?;
    let head = lines[start].trim_start();
    if !head.starts_with("enum") {
        return None;
    }
    let inside = lines[start + 1..].iter().take_while(|line| !is_end(line));
    let inside: String = inside.map(|line| format!("    {}\n", line.trim_start())).collect();
    let note = if ty.starts_with("enum") { String::new() } else { format!("  // typedef {ty}") };
    Some(format!("{head}\n{inside}}} {closing}{note}\n"))
}

pub(super) fn run(target: &Target, out: &mut Output) -> Result<()> {
    let found = Resolver::default().find(target)?;
    let vars = found.vars()?;
    if vars.is_empty() {
        found.var()?;
    }
    let all: Vec<Shown> = vars.iter().map(|(label, var)| Shown::new(label, var)).collect();
    if out.json {
        return if found.is_var() { out.json(&all[0]) } else { out.json(&all) };
    }
    for (index, shown) in all.iter().enumerate() {
        if index > 0 && !out.quiet {
            out.line("")?;
        }
        print(shown, out)?;
    }
    Ok(())
}

fn print(shown: &Shown, out: &mut Output) -> Result<()> {
    if !out.quiet {
        out.line(out.ink(Ink::Heading, &shown.target))?;
    }
    let indent = if out.quiet { "" } else { "  " };
    for line in shown.declaration.lines() {
        let line = fit(&clean(line), out.width.unwrap_or(usize::MAX).saturating_sub(indent.len()));
        let (code, note) = line.find("//").map_or((line.as_str(), ""), |at| line.split_at(at));
        let note = if note.is_empty() { String::new() } else { out.ink(Ink::Faint, note) };
        out.line(format_args!("{indent}{code}{note}"))?;
    }
    if out.quiet {
        return Ok(());
    }
    let place = match (&shown.section, shown.entry) {
        (Some(section), _) => format!("byte {} of section {section}", shown.offset),
        (None, Some(entry)) => format!("byte {} of entry {entry}", shown.offset),
        (None, None) => format!("all {} entries, chosen by [INDEX]", shown.entries),
    };
    let linkage = shown.linkage.as_ref().map_or(String::new(), |linkage| format!("{linkage}, "));
    let size = if shown.size == 1 { "1 byte".to_owned() } else { format!("{} bytes", shown.size) };
    let line = format!("{linkage}{place}, {size}, map:{} {}, {}", shown.map_id, shown.map, shown.access);
    out.line(format_args!("  {}", out.ink(Ink::Faint, &line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARATION: &str = "\
struct bits {
    enum color {
        RED = 0,
        GREEN = 5,
    } hue : 3;        // offset 8, bitfield
    enum color other : 4;  // offset 8, bitfield
    enum {
        A = 1,
    } nameless : 2;   // offset 8, bitfield
    enum {
        B = 2,
    } typed : 2;      // offset 8, bitfield, typedef b_t
    b_t again : 5;    // offset 8, bitfield
} bits_value;         // offset 0, 12 bytes
";

    #[test]
    fn an_enum_is_found_where_it_is_written_out() {
        let found = |ty: &str, closing: &str| written_out(DECLARATION, ty, closing);
        let color = |name: &str| Some(format!("enum color {{\n    RED = 0,\n    GREEN = 5,\n}} {name};\n"));
        assert_eq!(found("enum color", "hue : 3;"), color("hue : 3"));
        assert_eq!(found("enum color", "other : 4;"), color("other : 4"));
        assert_eq!(found("enum {...}", "nameless : 2;"), Some("enum {\n    A = 1,\n} nameless : 2;\n".to_owned()));
        let typed = |name: &str| Some(format!("enum {{\n    B = 2,\n}} {name};  // typedef b_t\n"));
        assert_eq!(found("b_t", "typed : 2;"), typed("typed : 2"));
        assert_eq!(found("b_t", "again : 5;"), typed("again : 5"));
        assert_eq!(found("__u32", "one : 1;"), None);
    }
}
