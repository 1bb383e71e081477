//! Changing the selected variable, and undoing that.

use bpfvar::Var;

use super::app::{App, Mode};
use super::edit::{Done, Edit, failure_line, refusal};
use super::node::Node;
use crate::histogram::Scale;
use crate::output::clean;
use crate::value::text;

impl App {
    /// Ends the edit of what is not there any more.
    pub(super) fn leave_what_is_gone(&mut self) {
        let Mode::Edit(edit) = &self.mode else { return };
        if self.tree.node(&edit.path).and_then(Node::var).is_none() {
            self.say(format!("{}: it is gone; nothing was changed", clean(&edit.label)), true);
            self.mode = Mode::Rows;
        }
    }

    /// The selected variable, if it can be changed; else the user is told why not.
    fn changeable(&mut self) -> Option<(String, Var)> {
        let node = self.node()?;
        let label = node.label.clone();
        let refused = match node.var() {
            _ if node.has_parts() && !node.is_group() => {
                Some(format!("{label}: only a single value is changed here; unfold it"))
            }
            None if node.is_group() => Some(format!("{label}: choose a variable of it")),
            None => Some(format!("{label}: it is gone, and has no value that could be changed")),
            Some(var) => refusal(var, &label, self.settings.read_only),
        };
        match (refused, node.var().cloned()) {
            (None, Some(var)) => Some((label, self.settings.switching.apply_to(var))),
            (refused, _) => {
                self.say(clean(&refused.unwrap_or_default()), true);
                None
            }
        }
    }

    pub(super) fn edit(&mut self) {
        if self.node().is_some_and(Node::has_parts) {
            return self.open(|open| !open);
        }
        let Some((label, var)) = self.changeable() else { return };
        match var.read() {
            Ok(value) => self.mode = Mode::Edit(Edit::new(self.selected.clone(), &label, &var, &value)),
            Err(error) => self.say(failure_line(&error.into()), true),
        }
    }

    /// Sets what was edited.
    pub(super) fn set(&mut self) {
        let Mode::Edit(edit) = &mut self.mode else { return };
        let Some(var) = self.tree.node(&edit.path).and_then(Node::var).cloned() else { return };
        match edit.apply(&self.settings.switching.apply_to(var)) {
            Ok(done) => {
                self.mode = Mode::Rows;
                self.keep(done);
            }
            Err(failure) => edit.refused = Some(failure_line(&failure)),
        }
    }

    pub(super) fn add(&mut self, amount: i8) {
        let Some((label, var)) = self.changeable() else { return };
        match Done::add(&label, &var, amount) {
            Ok(done) => self.keep(done),
            Err(failure) => self.say(failure_line(&failure), true),
        }
    }

    fn keep(&mut self, done: Done) {
        let (old, new) = done.values();
        if old == new {
            return self.say(format!("{}: it is {} already", clean(&done.label), text(new)), false);
        }
        self.say(format!("{}: {} -> {}; u undoes it", clean(&done.label), text(old), text(new)), false);
        self.done.push(done);
        self.read_selected();
    }

    pub(super) fn undo(&mut self) {
        let Some(done) = self.done.pop() else { return self.say("there is nothing to undo".to_owned(), false) };
        let label = clean(&done.label);
        match done.undo() {
            Ok(now) => self.say(format!("{label}: undone, it is {now} again"), false),
            Err(failure) => self.say(failure_line(&failure), true),
        }
        self.read_selected();
    }

    /// Shows a change at once.
    fn read_selected(&mut self) {
        let at = self.start.elapsed();
        if let Some(node) = self.tree.node_mut(&self.selected) {
            node.catch_up(at);
        }
    }

    pub(super) fn turn_histogram(&mut self) {
        let said = self.tree.node_mut(&self.selected).and_then(Node::turn_histogram);
        let text = match said {
            Some(Some(Scale::Log2)) => "a histogram: element N counts the values from 2^N",
            Some(Some(Scale::Linear { .. })) => "a histogram: element N counts the value N",
            Some(None) => "no histogram",
            None => "a histogram is an array of counters: select one",
        };
        self.say(text.to_owned(), said.is_none());
        self.make_rows();
    }
}
