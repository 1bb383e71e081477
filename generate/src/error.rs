//! What can go wrong.

use std::io;
use std::path::PathBuf;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no code was generated. `Display` makes one line of it, with the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    #[non_exhaustive]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },

    /// The file cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    #[non_exhaustive]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },

    /// It is neither an object file nor BTF.
    #[error("{name} is neither an ELF file nor BTF: it starts with {found}")]
    #[non_exhaustive]
    NoObject {
        /// The file, or the name that was given to its bytes.
        name: String,
        /// Its first bytes.
        found: String,
    },

    /// It is an ELF file that is broken.
    #[error("{name} is a broken ELF file: {reason}")]
    #[non_exhaustive]
    Elf {
        /// The file, or the name that was given to its bytes.
        name: String,
        /// What is wrong.
        reason: String,
    },

    /// The object has no types.
    #[error(
        "{name} has no section .BTF, so no types are known; compile it with -g, and strip it by `llvm-strip -g` at most"
    )]
    #[non_exhaustive]
    NoBtf {
        /// The file, or the name that was given to its bytes.
        name: String,
    },

    /// The BTF is broken.
    #[error("{name}: {error}")]
    #[non_exhaustive]
    Btf {
        /// The file, or the name that was given to its bytes.
        name: String,
        /// What is wrong.
        error: bpfvar::Error,
    },

    /// The kernel, or the library, refused.
    #[error(transparent)]
    Library(#[from] bpfvar::Error),

    /// There is no such program in the object.
    #[error("{name} has no program {program:?}; {}", listed(.known))]
    #[non_exhaustive]
    NoProgram {
        /// The file, or the name that was given to its bytes.
        name: String,
        /// The program that was asked for.
        program: String,
        /// The programs that there are.
        known: Vec<String>,
    },

    /// A struct or enum that was asked for is not there.
    #[error("{name} has no struct, enum or typedef {type_name:?}; {}", listed(.known))]
    #[non_exhaustive]
    NoType {
        /// The file, or the name that was given to its bytes.
        name: String,
        /// The type that was asked for.
        type_name: String,
        /// Types with a name that is like it.
        known: Vec<String>,
    },

    /// A type that was asked for is there, but no Rust type is like it.
    #[error("{type_name} of {name} cannot be a Rust type: it is {reason}")]
    #[non_exhaustive]
    NoRustType {
        /// The file, or the name that was given to its bytes.
        name: String,
        /// The type that was asked for.
        type_name: String,
        /// What it is.
        reason: &'static str,
    },

    /// The name for the struct, or the path of the crate, is no Rust.
    #[error("{found:?} is not {expected} in Rust")]
    #[non_exhaustive]
    NoRust {
        /// What was given.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names.len() {
        0 => "there is nothing like it".to_owned(),
        count if count > SHOWN => format!("there are {count}, among them {}", names[..SHOWN].join(", ")),
        _ => format!("there are {}", names.join(", ")),
    }
}
