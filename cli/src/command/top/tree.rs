//! All that is shown, as a tree that outlives the programs: what is loaded anew is found again, what goes away is shown as gone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::node::{Node, Pass};
use super::scan::{Found, Named};
use crate::output::clean;

/// What is gone is shown for so long, unless it comes again.
const GONE_FOR: Duration = Duration::from_secs(60);
/// All variables are read so often, for their history.
const SWEEP: Duration = Duration::from_millis(990);

/// From the root to a node: the numbers of the children. They stay the same for as long as the node is there.
pub(super) type Path = Vec<u32>;

/// All that is shown.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) roots: BTreeMap<u32, Root>,
    /// The number of the next child of the tree or of a group.
    next: u32,
    /// Of drawings.
    drawing: u64,
    /// The variables and maps that were on the screen, or something in them.
    shown: Vec<Path>,
    last_sample: Duration,
    last_sweep: Option<Duration>,
}

/// A group of programs, or a map, or the one variable that a target names.
pub(super) struct Root {
    pub(super) node: Node,
    /// Which programs or map it is.
    pub(super) note: String,
    programs: Vec<String>,
    target: Option<usize>,
    /// Since when.
    pub(super) gone: Option<Duration>,
}

impl Tree {
    pub(super) fn node(&self, path: &[u32]) -> Option<&Node> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(&self.roots.get(first)?.node, |node, key| node.children.get(key))
    }

    /// The same, made if nobody has looked at it yet.
    pub(super) fn node_mut(&mut self, path: &[u32]) -> Option<&mut Node> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(&mut self.roots.get_mut(first)?.node, |node, key| node.child(*key))
    }

    /// The programs or map that a node is of.
    pub(super) fn root(&self, path: &[u32]) -> Option<&Root> {
        self.roots.get(path.first()?)
    }

    /// How many variables there are.
    pub(super) fn count(&self) -> usize {
        let of = |root: &Root| if root.node.is_group() { root.node.children.len() } else { 1 };
        self.roots.values().map(of).sum()
    }

    /// The maps that were there, though no program used them.
    pub(super) fn unused(&self) -> HashSet<u32> {
        self.roots.values().filter(|root| root.programs.is_empty()).flat_map(|root| root.node.maps()).collect()
    }

    /// The targets that still name what they named: a program uses each of their maps.
    pub(super) fn settled(&self, used: &HashSet<u32>) -> HashSet<usize> {
        let is_settled = |root: &&Root| root.gone.is_none() && root.node.maps().is_subset(used);
        self.roots.values().filter(is_settled).filter_map(|root| root.target).collect()
    }

    /// Lets go of all maps but these.
    pub(super) fn release(&mut self, all_but: &HashSet<u32>) {
        self.roots.values_mut().for_each(|root| root.node.release(all_but));
    }

    /// Takes what is there now, beside the targets that were not looked for. What was there before keeps its history, and is the
    /// same row; what is not there any more is gone.
    pub(super) fn merge(&mut self, found: Vec<Found>, settled: &HashSet<usize>, at: Duration) {
        let maps = self.roots.iter().flat_map(|(key, root)| root.node.maps().into_iter().map(|map| (map, *key)));
        let owner: HashMap<u32, u32> = maps.collect();
        let is_settled = |root: &Root| root.target.is_some_and(|target| settled.contains(&target));
        let mut taken: HashSet<u32> =
            self.roots.iter().filter(|(_, root)| is_settled(root)).map(|(key, _)| *key).collect();
        // The kernel frees the maps of a program some time after the program: they are no news.
        let is_left_over = |found: &Found| {
            let of = found.vars.iter().find_map(|named| owner.get(&named.map())).and_then(|key| self.roots.get(key));
            found.target.is_none() && found.programs.is_empty() && of.is_some_and(|root| !root.programs.is_empty())
        };
        let found = found.into_iter().filter(|found| !is_left_over(found));
        let mut left: Vec<Option<Found>> = found.map(Some).collect();
        // The best sign of who succeeds whom is looked for first.
        for sign in [Sign::Itself, Sign::Name, Sign::Program] {
            for slot in &mut left {
                let key = slot.as_ref().and_then(|found| self.predecessor(found, sign, &owner, &taken));
                let root = key.and_then(|key| self.roots.get_mut(&key));
                if let (Some(key), Some(root), Some(found)) = (key, root, slot.take_if(|_| key.is_some())) {
                    taken.insert(key);
                    root.take(found, &mut self.next);
                }
            }
        }
        for (key, root) in &mut self.roots {
            if !taken.contains(key) && root.gone.is_none() {
                root.gone = Some(at);
                root.node.release(&HashSet::new());
            }
        }
        for found in left.into_iter().flatten() {
            let key = self.next;
            self.next += 1;
            let root = Root::new(found, &mut self.next);
            self.roots.insert(key, root);
        }
    }

    /// The number of the root that was what is found now.
    fn predecessor(&self, found: &Found, sign: Sign, owner: &HashMap<u32, u32>, taken: &HashSet<u32>) -> Option<u32> {
        let is_free = |key: &u32| !taken.contains(key);
        let mut roots = self.roots.iter().filter(|(key, root)| is_free(key) && root.target == found.target);
        match sign {
            Sign::Itself if found.target.is_some() => roots.next().map(|(key, _)| *key),
            Sign::Itself => found.vars.iter().find_map(|named| owner.get(&named.map())).copied().filter(is_free),
            _ if found.target.is_some() => None,
            Sign::Name => {
                let same = |root: &Root| root.node.label == found.name && root.node.is_group() != found.is_var;
                roots.find(|(_, root)| same(root)).map(|(key, _)| *key)
            }
            Sign::Program => {
                let same = |root: &Root| root.programs.iter().any(|name| found.programs.contains(name));
                roots.find(|(_, root)| root.node.is_group() && !found.is_var && same(root)).map(|(key, _)| *key)
            }
        }
    }

    /// Forgets what has been gone for long. Whether that was anything. A target is waited for without end.
    pub(super) fn forget(&mut self, at: Duration) -> bool {
        let before = self.roots.len();
        let is_old = |gone: Duration| at.saturating_sub(gone) > GONE_FOR;
        self.roots.retain(|_, root| root.target.is_some() || !root.gone.is_some_and(is_old));
        self.roots.len() < before
    }

    /// Takes a sample: of what was shown last, and of all variables if the order of rows depends on them, or once a second.
    /// Returns whether it was the one of this second.
    pub(super) fn sample(&mut self, at: Duration, all: bool) -> bool {
        let sweep = self.last_sweep.is_none_or(|last| at.saturating_sub(last) >= SWEEP);
        if sweep {
            self.last_sweep = Some(at);
        }
        let pass = Pass { at, shown: self.drawing, sweep };
        if all || sweep {
            self.roots.values_mut().for_each(|root| root.node.sample(pass));
        } else {
            for path in std::mem::take(&mut self.shown) {
                if let Some(node) = self.node_mut(&path) {
                    node.sample(pass);
                }
                self.shown.push(path);
            }
        }
        self.last_sample = at;
        sweep
    }

    /// Says what is on the screen now. What was not there at the last sample is read.
    pub(super) fn show(&mut self, paths: &[Path], at: Duration) {
        self.drawing += 1;
        self.shown.clear();
        for path in paths {
            let is_group = self.root(path).is_some_and(|root| root.node.is_group());
            let variable = path.get(..if is_group { 2 } else { 1 });
            // Parts of one variable follow each other.
            if let Some(variable) = variable.filter(|variable| self.shown.last().is_none_or(|last| last != variable)) {
                self.shown.push(variable.to_vec());
            }
            for end in 1..=path.len() {
                let (drawing, newest) = (self.drawing, self.last_sample);
                let Some(node) = self.node_mut(&path[..end]) else { break };
                node.show(drawing, at);
                if end == path.len() && node.is_behind(newest) {
                    node.catch_up(at);
                }
            }
        }
    }
}

/// How it is known that something was there before.
#[derive(Clone, Copy)]
enum Sign {
    /// It is the same map, or what the same target names.
    Itself,
    /// It has the same name.
    Name,
    /// A program of it has the same name.
    Program,
}

impl Root {
    fn new(found: Found, next: &mut u32) -> Root {
        let node = Node::group(&found.name);
        let mut root = Root { node, note: String::new(), programs: Vec::new(), target: found.target, gone: None };
        let is_target = found.target.is_some();
        root.take(found, next);
        if !root.node.is_group() {
            // Whoever names a variable wants to see what is in it.
            root.node.open = is_target;
        }
        root
    }

    /// What is there now takes the place of what was there.
    fn take(&mut self, found: Found, next: &mut u32) {
        self.gone = None;
        self.note = found.note;
        self.programs = found.programs;
        if found.is_var {
            for Named { name, label, var } in found.vars {
                if self.node.is_group() {
                    self.node = Node::new(&name, label, var);
                } else {
                    self.node.attach(var);
                }
            }
            return;
        }
        if self.node.is_group() {
            self.node.rename(&found.name, found.name.clone());
        } else {
            self.node = Node::group(&found.name);
        }
        let mut before: HashMap<String, u32> = HashMap::new();
        before.extend(self.node.children.iter().map(|(key, child)| (child.name.clone(), *key)));
        for Named { name, label, var } in found.vars {
            let known = before.remove(&clean(&name)).and_then(|key| self.node.children.get_mut(&key));
            if let Some(child) = known {
                child.rename(&name, label);
                child.attach(var);
            } else {
                self.node.children.insert(*next, Node::new(&name, label, var));
                *next += 1;
            }
        }
        before.into_values().for_each(|key| drop(self.node.children.remove(&key)));
    }
}
