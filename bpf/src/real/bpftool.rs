//! Loading by bpftool, which is libbpf.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use bpfvar::Map;
use bpfvar_testkit::Program;
use serde_json::Value;

use crate::loaded::{Loaded, LoadedMap, LoadedProgram, Pin};
use crate::source::Source;

/// Loads an object by `bpftool prog loadall`. Its programs are pinned in a new directory in `bpffs` until the result is
/// dropped.
///
/// # Errors
///
/// What bpftool says: libbpf 1.1 knows no `.bss.custom`.
///
/// # Panics
///
/// If bpftool is missing (`host::has_tool` tells), or answers what cannot be understood.
pub fn load_by_bpftool(source: Source, bpffs: &Path) -> Result<Loaded, String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let unique = format!("bpfvar-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    // libbpf names the object after the file, up to its first dot.
    let scratch = Scratch::new(&unique);
    let file = scratch.0.join(format!("{}.bpf.o", source.name()));
    fs::write(&file, source.bytes()).expect("a new file");
    let directory = bpffs.join(&unique);
    let output = Command::new("bpftool")
        .args(["prog", "loadall"])
        .arg(&file)
        .arg(&directory)
        .output()
        .expect("bpftool is there");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }

    let mut pins = Vec::new();
    let mut programs = Vec::new();
    let mut ids = Vec::new();
    for entry in fs::read_dir(&directory).expect("bpftool made it") {
        let path = entry.expect("an entry").path();
        let shown = Command::new("bpftool").args(["-j", "prog", "show", "pinned"]).arg(&path).output();
        let shown = answer(shown.expect("bpftool is there"));
        ids.extend(shown["map_ids"].as_array().into_iter().flatten().map(|id| id.as_u64().expect("an id") as u32));
        let program = Program::from_pin(&path).expect("a pinned program");
        programs.push(LoadedProgram { name: shown["name"].as_str().expect("a name").to_owned(), program });
        pins.push(Pin(path));
    }
    pins.push(Pin(directory));
    ids.sort_unstable();
    ids.dedup();
    let maps = ids.into_iter().map(|id| {
        let map = Map::from_id(id).expect("its program holds it");
        LoadedMap { name: map.info().name.to_string(), map }
    });
    Ok(Loaded { name: source.name().to_owned(), programs, maps: maps.collect(), btf: None, _pins: pins })
}

fn answer(output: Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A directory that is removed with all that is in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
