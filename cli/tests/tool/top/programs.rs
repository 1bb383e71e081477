//! Programs that come and go.

use bpfvar::{Array, Map};
use bpfvar_objects::{Loaded, Source, load_named};
use bpfvar_testkit::host;

use super::select;
use crate::support::{load, ok};
use crate::tmux::Terminal;

/// The program under a name that no other test has.
fn reloadable(name: &str) -> Option<Loaded> {
    host::ready(Source::Count.needs()).then(|| load_named(Source::Count, name))
}

#[test]
fn a_program_that_goes_is_gone_and_its_successor_is_taken_up() {
    let Some(first) = reloadable("topgoes") else { return };
    ok(&["set", "topgoes.sampling=1234", "topgoes.config.rate=77"]);
    for arguments in [vec!["top", "topgoes"], vec!["top", "-f", "topgoes"]] {
        let Some(loaded) = reloadable("topgoes_next") else { return };
        drop(loaded);
        let Some(terminal) = Terminal::run(100, 30, &arguments) else { return };
        terminal.row(&["sampling", "1234"]);
        drop(terminal);
    }
    let Some(terminal) = Terminal::run(100, 30, &["top", "-f", "topgoes", "-i", "100ms"]) else { return };
    terminal.row(&["sampling", "1234"]);
    select(&terminal, "topgoes.samp");
    terminal.keys(&["+"]);
    terminal.has(&["1234 -> 1235"]);
    let map_id = first.map(".data").info().id;
    drop(first);
    terminal.has(&["gone 0 s ago"]);
    // The last value is still to be seen; the map is let go, and is not held for the screen.
    terminal.row(&["sampling", "1235"]);
    host::eventually(|| Map::from_id(map_id).is_err());
    terminal.keys(&["Enter"]);
    terminal.has(&["it is gone"]);
    terminal.keys(&["u"]);
    terminal.has(&["nothing to undo"]);
    let Some(second) = reloadable("topgoes") else { return };
    terminal.lacks(&["gone"]);
    terminal.row(&["sampling", " 1 "]);
    ok(&["set", "topgoes.sampling=55"]);
    terminal.row(&["sampling", "55"]);
    let screen = terminal.screen();
    assert_eq!(screen.matches("sampling").count(), 2, "a row, and the line about it: {screen}");
    // While a value is edited.
    terminal.keys(&["Enter"]);
    terminal.has(&["55 ->"]);
    drop(second);
    terminal.says("topgoes.sampling: it is gone; nothing was changed");
}

#[test]
fn a_target_is_waited_for_and_a_newer_program_of_its_name_does_not_take_its_place() {
    let Some(first) = reloadable("topwaits") else { return };
    ok(&["set", "topwaits.sampling=77"]);
    let Some(terminal) = Terminal::run(100, 20, &["top", "topwaits.sampling", "topwaits.config", "-i", "100ms"]) else {
        return;
    };
    terminal.row(&["topwaits.sampling", "77"]);
    terminal.row(&["▾ topwaits.config"]);
    // Now the name is that of two programs; the one that is shown is still there.
    let Some(second) = reloadable("topwaits") else { return };
    let id = second.programs[0].id();
    ok(&["set", &format!("prog:{id}.sampling=88")]);
    ok(&["set", &format!("prog:{}.sampling=79", first.programs[0].id())]);
    terminal.row(&["topwaits.sampling", "79"]);
    drop(first);
    terminal.row(&["topwaits.sampling", "88"]);
    drop(second);
    terminal.row(&["topwaits.sampling", "88", "gone"]);
    terminal.row(&["topwaits.config", "gone"]);
    let Some(_third) = reloadable("topwaits") else { return };
    terminal.row(&["topwaits.sampling", " 1 "]);
    terminal.lacks(&["gone"]);
}

#[test]
fn a_program_that_comes_is_shown() {
    let Some(count) = load(Source::Count) else { return };
    let Some(terminal) = Terminal::run(100, 30, &["top", "-f", "topcomes"]) else { return };
    terminal.has(&["nothing has \"topcomes\" in its name"]);
    let Some(_loaded) = reloadable("topcomes") else { return };
    terminal.has(&["▾ topcomes  ", &format!("(pid {})", std::process::id()), "sampling"]);
    drop(count);
    // A map that no program uses.
    let _map = Array::<u32>::builder().name("topcomes_map").entries(3).create().unwrap();
    terminal.row(&["▸ topcomes_map[3]", "[0, 0, 0]"]);
}
