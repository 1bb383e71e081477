//! Programs that go away under an open section.

use bpfvar_objects::Source;

use crate::{loaded, text};

#[test]
fn a_section_knows_whether_a_program_still_uses_it() {
    let Some((object, globals)) = loaded(Source::Count) else { return };
    let section = globals.var("packets").unwrap().map().clone();
    assert!(!section.is_stale().unwrap());
    let ids: Vec<_> = section.programs().unwrap().iter().map(|info| info.id).collect();
    assert_eq!(ids, [object.programs[0].id()]);
    object.run(3);
    drop(object);
    bpfvar_testkit::host::eventually(|| section.is_stale().unwrap());
    // Its values stay for those who hold it.
    assert_eq!(text(&globals, "packets"), "3");
    let Some((again, _)) = loaded(Source::Count) else { return };
    again.run(1);
    assert!(section.is_stale().unwrap(), "a program loaded anew has a map of its own");
    assert_eq!(text(&globals, "packets"), "3");
}
