//! `top`, in a real terminal.

mod change;
mod programs;
mod screen;
mod terminal;

use crate::support::ok;
use crate::tmux::Terminal;

/// What the tool itself says of a variable.
fn value(target: &str) -> String {
    ok(&["get", "-q", target]).trim().to_owned()
}

/// Filters by a name, and selects the first row that fits.
fn select(terminal: &Terminal, name: &str) {
    terminal.keys(&["Escape", "/"]);
    terminal.has(&["filter:"]);
    terminal.write(name);
    terminal.has(&[&format!("filter: {name}")]);
    terminal.keys(&["Enter"]);
    terminal.lacks(&["filter:"]);
    terminal.keys(&["End"]);
}
