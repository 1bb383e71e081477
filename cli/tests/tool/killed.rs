//! The tool is killed while it writes.

use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use bpfvar::Array;
use bpfvar_testkit::host;

use super::support::{ok_with, tool};

const COUNT: u32 = 10_000;

/// Each entry is as it was or as it was to be, and the same command once more makes the rest.
#[test]
fn what_a_killed_apply_leaves_is_completed_by_the_next() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().name("aply_killed").entries(COUNT).create().unwrap();
    let id = array.map().unwrap().info().id;
    let settings = |value: u64| {
        let lines: String = (0..COUNT).map(|index| format!("'[{index}]' = {value}\n")).collect();
        format!("['map:{id}']\n{lines}")
    };
    let (old, new) = (0, u64::MAX);
    let mut in_the_middle = 0;
    for kill in 0..20_u64 {
        array.fill(old);
        let mut child = tool(&["apply", "-q", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(settings(new).as_bytes()).unwrap();
        // Not before it writes, and a little later each time.
        while array.read(0) == old && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_micros(kill * 50));
        child.kill().unwrap();
        child.wait().unwrap();
        let values = array.snapshot();
        let written = values.iter().filter(|value| **value == new).count();
        assert!(values.iter().all(|value| [old, new].contains(value)), "each is whole");
        in_the_middle += u32::from(written > 0 && written < values.len());
        let said = ok_with(&["apply", "-q", "-"], &settings(new));
        assert!(said.is_empty(), "{said}");
        assert!(array.iter().all(|value| value.read() == new));
    }
    println!("{in_the_middle} of 20 were killed in the middle");
    assert!(in_the_middle > 0);
}
