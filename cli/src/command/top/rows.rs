//! The rows: what of the tree is to be seen, and in which order. Elements of large arrays are no more than a number here.

use bpfvar::Value;

use super::node::Node;
use super::tree::{Path, Tree};

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Name,
    Change,
    Rate,
}

/// What the user wants to see.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// In small letters; all is shown while it is empty.
    pub(super) filter: String,
    pub(super) sort: Sort,
    pub(super) reverse: bool,
}

impl Sort {
    pub(super) fn next(self) -> Sort {
        match self {
            Sort::Name => Sort::Change,
            Sort::Change => Sort::Rate,
            Sort::Rate => Sort::Name,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Sort::Name => "name",
            Sort::Change => "change",
            Sort::Rate => "rate",
        }
    }
}

/// All rows, those of a run of elements as one.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Each with the number of its first row.
    spans: Vec<(usize, Span)>,
    len: usize,
    /// The first that the filter looks for, and not only what that is in.
    first_that_fits: Option<usize>,
}

#[derive(Debug)]
enum Span {
    One(Path),
    /// Elements that have nothing open below them.
    Run {
        parent: Path,
        first: u32,
    },
}

impl Rows {
    pub(super) fn of(tree: &mut Tree, view: &View) -> Rows {
        let mut rows = Rows::default();
        let order = view.order(tree.roots.iter().map(|(key, root)| (*key, &root.node)), true);
        for key in order {
            if let Some(root) = tree.roots.get_mut(&key) {
                let is_noted = view.is_in(&root.note);
                rows.add(&mut root.node, &mut vec![key], view, is_noted);
            }
        }
        rows
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn first_that_fits(&self) -> usize {
        self.first_that_fits.unwrap_or(0)
    }

    /// The node of a row.
    pub(super) fn path(&self, row: usize) -> Option<Path> {
        if row >= self.len {
            return None;
        }
        let index = self.spans.partition_point(|(first, _)| *first <= row).checked_sub(1)?;
        let (start, span) = &self.spans[index];
        Some(match span {
            Span::One(path) => path.clone(),
            Span::Run { parent, first } => {
                let mut path = parent.clone();
                path.push(first + (row - start) as u32);
                path
            }
        })
    }

    /// The row of a node.
    pub(super) fn row(&self, path: &[u32]) -> Option<usize> {
        let (key, parent) = path.split_last()?;
        self.spans.iter().enumerate().find_map(|(index, (start, span))| match span {
            Span::One(own) => (own == path).then_some(*start),
            Span::Run { parent: own, first } => {
                let end = self.spans.get(index + 1).map_or(self.len, |(start, _)| *start);
                let offset = key.checked_sub(*first)? as usize;
                (own == parent && offset < end - start).then_some(start + offset)
            }
        })
    }

    /// Adds a node and what is below it. `all` says that the filter has let pass what it is in.
    fn add(&mut self, node: &mut Node, path: &mut Path, view: &View, all: bool) {
        let fits = all || view.fits(node);
        let below = !fits && view.fits_below(node);
        if !fits && !below {
            return;
        }
        if fits {
            self.first_that_fits.get_or_insert(self.len);
        }
        self.spans.push((self.len, Span::One(path.clone())));
        self.len += 1;
        // Which element it is in, a member does not tell.
        let has_elements = node.elements() > 0;
        if !(node.open || below && !has_elements) {
            return;
        }
        if !has_elements || view.sort != Sort::Name && node.look_at_elements() {
            node.look_at_all();
            let keys = view.order(node.children.iter().map(|(key, child)| (*key, child)), node.is_group());
            for key in keys {
                path.push(key);
                if let Some(child) = node.children.get_mut(&key) {
                    self.add(child, path, view, fits || has_elements);
                }
                path.pop();
            }
        } else {
            self.add_elements(node, path, view);
        }
    }

    /// In the order of their indexes: runs, and between them those that are open.
    fn add_elements(&mut self, node: &mut Node, path: &mut Path, view: &View) {
        let count = node.part_count();
        let open: Vec<u32> = node.children.iter().filter(|(_, child)| child.open).map(|(key, _)| *key).collect();
        let mut first = 0;
        for key in open.into_iter().chain([count]) {
            if first < key {
                self.spans.push((self.len, Span::Run { parent: path.clone(), first }));
                self.len += (key - first) as usize;
            }
            if let Some(child) = node.children.get_mut(&key) {
                path.push(key);
                self.add(child, path, view, true);
                path.pop();
            }
            first = key + 1;
        }
    }
}

impl View {
    fn fits(&self, node: &Node) -> bool {
        self.is_in(&node.label)
    }

    /// Whether the filter lets pass what has this name.
    fn is_in(&self, name: &str) -> bool {
        self.filter.is_empty() || name.to_lowercase().contains(&self.filter)
    }

    /// Whether a variable or member below a node fits. Of elements, which are alike, the first is looked at.
    fn fits_below(&self, node: &mut Node) -> bool {
        if node.elements() > 0 {
            return node.child(0).is_some_and(|element| self.fits_below(element));
        }
        if !node.is_group() {
            node.look_at_members();
        }
        node.children.values_mut().any(|child| self.fits(child) || self.fits_below(child))
    }

    /// The numbers of nodes in the order in which they are shown. Without change or rate, parts of a variable stay as declared.
    fn order<'n>(&self, nodes: impl Iterator<Item = (u32, &'n Node)>, are_named: bool) -> Vec<u32> {
        // What moves most comes first; what does not move at all stays in the order of names.
        let height = |node: &Node| {
            let number = match self.sort {
                Sort::Name => None,
                Sort::Change => node.series.change().as_ref().and_then(Value::as_f64),
                Sort::Rate => node.series.rate(),
            };
            number.map_or(-1.0, f64::abs)
        };
        let name = |node: &Node| if are_named { node.name.to_lowercase() } else { String::new() };
        let mut nodes: Vec<(f64, String, u32)> = nodes.map(|(key, node)| (height(node), name(node), key)).collect();
        nodes.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        if self.reverse && (are_named || self.sort != Sort::Name) {
            nodes.reverse();
        }
        nodes.into_iter().map(|(_, _, key)| key).collect()
    }
}
