//! What is said of a row: in a line of its own while it is selected, and behind its name.

use super::edit::refusal;
use super::format::percentiles;
use super::node::Node;
use super::tree::{Path, Tree};
use crate::access::Access;
use crate::histogram::Histogram;
use crate::output::clean;

/// A row on the screen.
pub(super) struct Shown {
    pub(super) path: Path,
    /// What stands behind its name: how many elements it has, or what it counts in a histogram.
    pub(super) note: String,
}

/// Name, type, access, place; and why it cannot be changed.
pub(super) fn of(tree: &Tree, path: &[u32], read_only: bool) -> String {
    let (Some(node), Some(root)) = (tree.node(path), tree.root(path)) else {
        return String::new();
    };
    let label = clean(&node.label);
    let Some(var) = node.var() else {
        return match root.gone {
            Some(_) => format!("{label}  gone: no program uses it any more"),
            None => format!("{label}  {}  {} variables", clean(&root.note), node.children.len()),
        };
    };
    let map = var.map();
    let place = match map.section() {
        Some(section) => format!("{} of map:{}", clean(section), map.info().id),
        None => format!("map:{}", map.info().id),
    };
    let together = var.together().iter().map(|word| format!("  {word}")).collect::<String>();
    let access = Access::of(map).map_or("unknown", Access::mode);
    let why = match access {
        "read-write" if !read_only => String::new(),
        _ => refusal(var, &node.label, read_only).map_or_else(String::new, |why| {
            format!("  ({})", clean(why.strip_prefix(&format!("{}: ", node.label)).unwrap_or(&why)))
        }),
    };
    let counted = node.histogram().map_or_else(String::new, |histogram| {
        format!("  {} counted  {}", histogram.total(), percentiles(&histogram, usize::MAX))
    });
    format!("{label}{counted}  {}  {}  {place}{together}{why}", clean(&var.type_name()), access)
}

/// The rows with their notes.
pub(super) fn with_notes(tree: &Tree, paths: Vec<Path>) -> Vec<Shown> {
    // Elements of one histogram follow each other.
    let mut known: Option<(Path, Option<Histogram>)> = None;
    let mut note = |path: &Path| {
        let (key, parent) = path.split_last()?;
        let node = tree.node(path)?;
        if node.elements() > 0 {
            return Some(format!("[{}]", node.elements()));
        }
        if known.as_ref().is_none_or(|(known, _)| known != parent) {
            known = Some((parent.to_vec(), tree.node(parent).and_then(Node::histogram)));
        }
        let (_, histogram) = known.as_ref()?;
        Some(format!(" {}", histogram.as_ref()?.label(*key as usize)))
    };
    paths.into_iter().map(|path| Shown { note: note(&path).unwrap_or_default(), path }).collect()
}
