//! The units of `cli/systemd`.

use std::fs;
use std::path::Path;
use std::process::Command;

use bpfvar_testkit::host;

use crate::support::{has, text};

fn units() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let mut units: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    units.sort();
    units
}

#[test]
fn systemd_takes_the_units() {
    if !host::has_tool("systemd-analyze") {
        return;
    }
    let units = units();
    assert_eq!(units.len(), 3);
    let root = tempfile::tempdir().unwrap();
    // systemd looks whether the command is there. It is not installed here.
    for (name, unit) in &units {
        let unit = unit.replace("=bpfvar ", &format!("={} ", env!("CARGO_BIN_EXE_bpfvar")));
        fs::write(root.path().join(name), unit).unwrap();
    }
    for (name, _) in &units {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(root.path().join(name))
            .output()
            .unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
    }
    // A control: what is wrong is told.
    fs::write(root.path().join("bpfvar-apply.service"), "[Service]\nType=twice\nExecStart=nothing-there\n").unwrap();
    let output =
        Command::new("systemd-analyze").arg("verify").arg(root.path().join("bpfvar-apply.service")).output().unwrap();
    assert!(!output.stderr.is_empty() || !output.status.success(), "{output:?}");
}

/// The commands of the units are commands of the tool.
#[test]
fn the_units_run_what_there_is() {
    for (name, unit) in units() {
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=bpfvar ")).unwrap();
        let mut args: Vec<&str> = line.split(' ').collect();
        args.push("--help");
        let output = crate::support::run(&args);
        assert!(output.status.success(), "{name}: {output:?}");
        has(&text(&output.stdout), &[&format!("Usage: bpfvar {}", args[0])]);
    }
}
