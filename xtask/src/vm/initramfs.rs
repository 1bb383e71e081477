//! What the machines boot into: the first process, the test programs, and what these need.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use cpio::NewcBuilder;

use super::image::{cached, run};
use super::platform::{Foreign, Platform};
use super::toolchain::{self, Toolchain};
use crate::Result;

const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const PLAIN: u32 = 0o100_644;

/// Programs that were built for the machines: linked statically, so that they run anywhere.
pub(crate) struct Programs {
    init: PathBuf,
    /// With their names.
    tests: Vec<(String, PathBuf)>,
    /// bpftool and the libraries that it is linked with: where they are, and by which paths they are looked for.
    bpftool: Vec<(PathBuf, String)>,
}

/// Builds the first process and the test programs in the folder `build`. What is fetched for it goes to `cache`.
pub(crate) fn build(tests: &[&str], platform: &Platform, build: &Path, cache: &Path) -> Result<Programs> {
    let toolchain = platform.foreign.as_ref().map(|foreign| toolchain::of(foreign, cache)).transpose()?;
    let built = |arguments: &[&str]| {
        let mut cargo = cargo(platform, toolchain.as_ref());
        cargo.args(arguments).args([
            "--locked",
            "--message-format=json-render-diagnostics",
            "--target",
            platform.target,
        ]);
        executables(&run(cargo.arg("--target-dir").arg(build))?)
    };
    let init = built(&["build", "-p", "bpfvar-vm-init"])?;
    let [(_, init)] = init.as_slice() else { return Err(format!("one program is expected, not {init:?}").into()) };
    let mut arguments = vec!["test", "--no-run", "-p", "bpfvar"];
    arguments.extend(tests.iter().flat_map(|test| ["--test", *test]));
    let bpftool = match &platform.foreign {
        None => bpftool_of_host()?,
        Some(foreign) => bpftool_of(foreign, &cache.join(platform.target), cache)?,
    };
    Ok(Programs { init: init.clone(), tests: built(&arguments)?, bpftool })
}

/// cargo, told to build for a machine of this kind.
fn cargo(platform: &Platform, toolchain: Option<&Toolchain>) -> Command {
    let mut cargo = Command::new("cargo");
    if let Some(toolchain) = toolchain {
        let linker = format!("CARGO_TARGET_{}_LINKER", platform.target.to_uppercase().replace('-', "_"));
        cargo.env("RUSTC", &toolchain.rustc).env(linker, toolchain.linker);
    }
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    // An emulator runs them, and debuggers do not reach into it.
    cargo
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "2")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_DEV_STRIP", "true");
    cargo
}

/// What cargo made, by the names of its targets.
fn executables(messages: &str) -> Result<Vec<(String, PathBuf)>> {
    let mut programs = Vec::new();
    for message in messages.lines() {
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
        for (file, path) in &self.bpftool {
            content.file(path.trim_start_matches('/'), EXECUTABLE, fs::read(file)?);
        }
        cpio::write_cpio(content.entries.into_iter(), File::create(archive)?)?;
        Ok(())
    }
}

fn bpftool_of_host() -> Result<Vec<(PathBuf, String)>> {
    let bpftool = run(Command::new("sh").args(["-c", "command -v bpftool"]));
    let bpftool = bpftool.map_err(|_| "tests compare with bpftool; run: apt-get install bpftool")?;
    let bpftool = bpftool.trim();
    let listed = run(Command::new("ldd").arg(bpftool))?;
    // `libz.so.1 => /lib/libz.so.1 (0x7f...)`, or the loader's path alone.
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
    let files: BTreeSet<&str> = libraries.chain([bpftool]).collect();
    Ok(files.into_iter().map(|file| (PathBuf::from(file), file.to_owned())).collect())
}

/// Unpacks the packages in `folder`.
fn bpftool_of(foreign: &Foreign, folder: &Path, cache: &Path) -> Result<Vec<(PathBuf, String)>> {
    for package in foreign.bpftool {
        run(Command::new("dpkg-deb").arg("--extract").arg(cached(package, cache)?).arg(folder))?;
    }
    let mut found = vec![(folder.join("usr/sbin/bpftool"), "usr/sbin/bpftool".to_owned())];
    let usr_lib = folder.join("usr/lib");
    for folder in children(&usr_lib)?.into_iter().filter(|path| path.is_dir()).chain([usr_lib]) {
        for file in children(&folder)?.into_iter().filter(|path| path.is_file()) {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // `libz.so.1`, `ld-linux-aarch64.so.1`
            if name.contains(".so.") {
                found.push((file.clone(), format!("lib/{name}")));
            }
        }
    }
    Ok(found)
}

fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
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
