//! What the machines boot into: the first process, the test programs, and what these need.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use cpio::NewcBuilder;

use super::image::run;
use crate::Result;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const PLAIN: u32 = 0o100_644;

/// Programs that were built for the machines: linked statically, so that they run anywhere.
pub(crate) struct Programs {
    init: PathBuf,
    /// With their names.
    tests: Vec<(String, PathBuf)>,
}

/// Builds the first process and the test programs.
pub(crate) fn build(tests: &[&str], target: &Path) -> Result<Programs> {
    let init = built(&["build", "-p", "bpfvar-vm-init"], target)?;
    let [(_, init)] = init.as_slice() else { return Err(format!("one program is expected, not {init:?}").into()) };
    let mut arguments = vec!["test", "--no-run", "-p", "bpfvar"];
    arguments.extend(tests.iter().flat_map(|test| ["--test", *test]));
    Ok(Programs { init: init.clone(), tests: built(&arguments, target)? })
}

/// The programs that cargo makes, by the names of their targets.
fn built(arguments: &[&str], target: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).args(["--locked", "--message-format=json", "--target", TARGET, "--target-dir"]).arg(target);
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    // An emulator runs them, and debuggers do not reach into it.
    cargo
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "2")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_DEV_STRIP", "true");
    let mut programs = Vec::new();
    for message in run(&mut cargo)?.lines() {
        let message: serde_json::Value = serde_json::from_str(message)?;
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            programs.push((name.to_owned(), PathBuf::from(path)));
        }
    }
    Ok(programs)
}

impl Programs {
    /// Writes the archive that the kernel unpacks.
    pub(crate) fn pack(&self, config: &Path, archive: &Path) -> Result<()> {
        let mut content = Content::default();
        content.file("init", EXECUTABLE, fs::read(&self.init)?);
        for (name, path) in &self.tests {
            content.file(&format!("tests/{name}"), EXECUTABLE, fs::read(path)?);
        }
        // A file that is no pin.
        content.file("etc/passwd", PLAIN, b"root:x:0:0:root:/:/bin/sh\n".to_vec());
        content.file("boot/config", PLAIN, fs::read(config)?);
        let bpftool = run(Command::new("sh").args(["-c", "command -v bpftool"]));
        let bpftool = bpftool.map_err(|_| "tests compare with bpftool; run: apt-get install bpftool")?;
        for file in with_libraries(bpftool.trim())? {
            content.file(file.trim_start_matches('/'), EXECUTABLE, fs::read(&file)?);
        }
        cpio::write_cpio(content.entries.into_iter(), File::create(archive)?)?;
        Ok(())
    }
}

/// A program and the libraries that it is linked with, by their paths.
fn with_libraries(program: &str) -> Result<BTreeSet<String>> {
    let listed = run(Command::new("ldd").arg(program))?;
    // `libz.so.1 => /lib/libz.so.1 (0x7f...)`, or the loader's path alone.
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(libraries.chain([program]).map(str::to_owned).collect())
}

/// What an archive holds: each directory before the files in it.
#[derive(Default)]
struct Content {
    entries: Vec<(NewcBuilder, Cursor<Vec<u8>>)>,
    directories: BTreeSet<String>,
}

impl Content {
    fn file(&mut self, path: &str, mode: u32, bytes: Vec<u8>) {
        for (end, _) in path.match_indices('/') {
            if self.directories.insert(path[..end].to_owned()) {
                self.entries.push((NewcBuilder::new(&path[..end]).mode(DIRECTORY), Cursor::default()));
            }
        }
        self.entries.push((NewcBuilder::new(path).mode(mode), Cursor::new(bytes)));
    }
}
