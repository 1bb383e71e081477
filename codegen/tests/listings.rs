//! The machine code of accesses, for x86-64: kept in `listings/`, and the same as that of raw pointers.
//!
//! `SNAPSHOTS=overwrite cargo test -p bpfvar-codegen` takes it as it is now. It is that of the compiler in rust-toolchain.toml: with
//! another one, the listings are made anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is known of a function: its instructions and labels, a line each.
type Listings = BTreeMap<String, String>;

#[test]
fn accesses_compile_to_what_raw_pointers_compile_to() {
    if !cfg!(target_arch = "x86_64") {
        println!("SKIPPED: the listings are those of x86-64");
        return;
    }
    let found = compile();
    for (name, raw) in found.iter().filter(|(name, _)| name.starts_with("raw_")) {
        let access = &found[name.trim_start_matches("raw_")];
        assert!(instructions(access) == instructions(raw), "{name} is\n{raw}\nand the access is\n{access}");
    }
    compare(&found);
}

/// Compiles src/lib.rs as a release does.
fn compile() -> Listings {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codegen");
    let assembly = target.join("codegen.s");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustc", "--quiet", "--locked", "--release", "--lib", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    // Beside what this test itself is built to, where another cargo may be at work.
    cargo.arg("--target-dir").arg(&target);
    cargo.args(["--", "-Ccodegen-units=1", "-Cllvm-args=-x86-asm-syntax=intel"]);
    cargo.arg(format!("--emit=asm={}", assembly.display()));
    // What a sanitizer or a measurement of coverage asks for is no part of it.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let status = cargo.status().expect("cargo, by which this was built");
    assert!(status.success(), "{cargo:?}: {status}");
    let assembly = fs::read_to_string(&assembly).expect("what the compiler wrote");
    listings(&assembly)
}

/// The functions without their directives, whose labels are numbered and whose symbols have no hashes.
fn listings(assembly: &str) -> Listings {
    let mut listings = Listings::new();
    let mut current: Option<(String, Vec<&str>)> = None;
    for line in assembly.lines() {
        if let Some((name, lines)) = &mut current {
            if line.starts_with(".Lfunc_end") {
                listings.insert(name.clone(), normalised(lines));
                current = None;
            } else if !line.trim_start().starts_with('.') || line.starts_with(".LBB") {
                lines.push(line);
            }
        } else if let Some(name) = line.strip_suffix(':') {
            // The compiler's own names start with an underscore or a dot.
            if name.starts_with(|first: char| first.is_ascii_lowercase()) {
                current = Some((name.to_owned(), Vec::new()));
            }
        }
    }
    listings
}

fn normalised(lines: &[&str]) -> String {
    let labels: Vec<&str> = lines.iter().filter_map(|line| line.strip_suffix(':')).collect();
    let mut text = String::new();
    for line in lines {
        let words = line.split_inclusive(|end: char| !(end.is_alphanumeric() || "._$".contains(end)));
        for word in words {
            let name = word.trim_end_matches(|end: char| !(end.is_alphanumeric() || "._$".contains(end)));
            let rest = &word[name.len()..];
            match labels.iter().position(|label| *label == name) {
                Some(number) => text.push_str(&format!("L{number}")),
                None if name.starts_with(".Lanon.") => text.push_str("PLACE"),
                None if name.starts_with("_ZN") => text.push_str(function(name)),
                None => text.push_str(name),
            }
            text.push_str(rest);
        }
        text.push('\n');
    }
    text
}

/// The name of the function that a symbol is of: the last part of its path, before the hash.
fn function(symbol: &str) -> &str {
    let (mut rest, mut function) = (symbol.trim_start_matches("_ZN"), symbol);
    while let Some(end) = rest.find(|digit: char| !digit.is_ascii_digit()).filter(|end| *end != 0) {
        let len: usize = rest[..end].parse().expect("digits");
        let part = &rest[end..end + len];
        rest = &rest[end + len..];
        if rest != "E" {
            function = part;
        }
    }
    function
}

/// The instructions of a listing: the same ones are the same code, as the compiler orders those that do not depend on one another
/// as it happens.
fn instructions(listing: &str) -> Vec<&str> {
    let mut instructions: Vec<_> = listing.lines().collect();
    instructions.sort_unstable();
    instructions
}

/// Compares with what is kept.
#[track_caller]
fn compare(found: &Listings) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("listings");
    let path = |name: &str| -> PathBuf { directory.join(format!("{name}.s")) };
    let own = || found.iter().filter(|(name, _)| !name.starts_with("raw_"));
    let files = || fs::read_dir(&directory).expect("the listings").map(|file| file.expect("a listing").path());
    if std::env::var_os("SNAPSHOTS").is_some_and(|what| what == "overwrite") {
        files().for_each(|file| fs::remove_file(file).expect("a listing that is made anew"));
        own().for_each(|(name, listing)| fs::write(path(name), listing).expect("a listing"));
        return;
    }
    for (name, listing) in own() {
        let kept = fs::read_to_string(path(name)).unwrap_or_default();
        let advice = "SNAPSHOTS=overwrite cargo test -p bpfvar-codegen takes it as it is now";
        assert!(kept == *listing, "{name}.s was\n{kept}\nand is\n{listing}\n{advice}");
    }
    assert_eq!(files().count(), own().count(), "a listing for each function, and no other");
}
