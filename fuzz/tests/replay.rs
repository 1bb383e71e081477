//! Every seed, and everything that a fuzzer ever found, through its target: as a test, by the stable compiler.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use bpfvar_fuzz::{TARGETS, seeds};
use bpfvar_testkit::host;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

#[test]
fn seeds_go_through_their_targets() {
    // Those of values lie in maps.
    if !host::ready((5, 8)) {
        return;
    }
    for (name, run) in TARGETS {
        let mut files: Vec<PathBuf> =
            fs::read_dir(root().join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 4, "{name} has {} seeds", files.len());
        for file in &files {
            let bytes = fs::read(file).unwrap();
            assert!(catch_unwind(|| run(&bytes)).is_ok(), "{}", file.display());
        }
        println!("{name}: {} files", files.len());
    }
}

#[test]
fn seeds_are_those_that_are_made() {
    if !host::ready((5, 8)) {
        return;
    }
    for (name, bytes) in seeds::all() {
        let kept = fs::read(root().join(&name)).unwrap_or_default();
        assert!(kept == bytes, "{name} is outdated; run: cargo run -p bpfvar-fuzz --bin seeds");
    }
}
