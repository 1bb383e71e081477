//! The public API of the published libraries, an item a line, as it was last agreed to: `xtask/api/`. The tool has none of Rust: what it
//! prints is kept by its own tests.
//!
//! `SNAPSHOTS=overwrite cargo test -p xtask --test api` takes it as it is now; CONTRIBUTING.md says which differences ask for which
//! version. It is as the rustdoc of the compiler in rust-toolchain.toml writes it: with another one, the crate public-api is another.

use std::path::Path;
use std::process::Command;

use public_api::Builder;
use snapbox::{Assert, Data};

const XTASK: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_library_has_the_api_that_was_agreed_to() {
    compare("bpfvar", "bpfvar");
}

#[test]
fn the_generator_has_the_api_that_was_agreed_to() {
    compare("bpfvar-generate", "bpfvar_generate");
}

/// Compares the API of a package with the file that has what it was before.
#[track_caller]
fn compare(package: &str, library: &str) {
    let path = Path::new(XTASK).join(format!("api/{package}.txt"));
    // Nothing in the file is a pattern.
    Assert::new().action_env("SNAPSHOTS").eq(api(package, library), Data::read_from(&path, None).raw());
}

/// The API with all features, an item a line.
fn api(package: &str, library: &str) -> String {
    // Beside what this test itself is built to, where another cargo may be at work.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features", "--package", package]);
    cargo.arg("--manifest-path").arg(Path::new(XTASK).join("../Cargo.toml"));
    cargo.arg("--target-dir").arg(&target);
    cargo.args(["--", "-Zunstable-options", "--output-format=json"]);
    // The format is unstable. Only this library gets unstable options; what it depends on is built as ever.
    cargo.env("RUSTC_BOOTSTRAP", library);
    cargo.env_remove("RUSTFLAGS").env_remove("RUSTDOCFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let status = cargo.status().expect("cargo, by which this was built");
    assert!(status.success(), "{cargo:?}: {status}");
    let json = target.join(format!("doc/{library}.json"));
    // Which blanket implementations there are, the other crate decides.
    let api = Builder::from_rustdoc_json(json).omit_blanket_impls(true).build();
    let api = api.expect("the crate public-api reads what this rustdoc writes");
    api.items()
        .map(ToString::to_string)
        .filter(|item| is_stable(item))
        .fold(String::new(), |text, item| text + &item + "\n")
}

/// Whether a user can rely on it: there are traits that the compiler has for itself.
fn is_stable(item: &str) -> bool {
    let unstable = ["core::marker::Freeze", "core::marker::UnsafeUnpin", "core::marker::StructuralPartialEq"];
    !unstable.iter().any(|name| item.contains(name))
}
