//! Generates Rust for the types and variables of BPF programs, from their BTF: the structs and enums as values of maps, and a
//! struct with a handle for each variable and each array map. It is what `bpfvar generate` prints, as a library for
//! `build.rs`.
//!
//! ```c
//! enum mode { SLOW, FAST, OFF };                    // count.bpf.c
//! struct config { __u64 rate; enum mode mode; };
//!
//! __u32 sampling = 1;
//! struct config config;
//! const volatile __u32 version = 3;
//! ```
//!
//! becomes
//!
//! ```
//! #[derive(bpfvar::Bind, Debug)]
//! pub struct Count {
//!     pub config: bpfvar::Shared<Config>,
//!     pub sampling: bpfvar::Shared<u32>,
//!     pub version: bpfvar::Shared<u32, bpfvar::ReadOnly>,
//! }
//!
//! #[derive(bpfvar::MapValue, Clone, Copy, Debug, PartialEq)]
//! #[repr(C)]
//! pub struct Config {
//!     pub rate: u64,
//!     pub mode: bpfvar::Checked<Mode>,
//! }
//!
//! #[derive(bpfvar::Repr, Clone, Copy, Debug, PartialEq, Eq, Hash)]
//! #[repr(u32)]
//! pub enum Mode { Slow = 0, Fast = 1, Off = 2 }
//! ```
//!
//! with the C declarations as documentation, and with a check, when it is compiled, that every field is where C has it.
//!
//! # From build.rs
//!
//! ```no_run
//! use std::path::Path;
//!
//! use bpfvar_generate::Generator;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let object = "src/bpf/count.bpf.o"; // compiled by clang with -g, or what libbpf-cargo or aya-build makes
//!     println!("cargo::rerun-if-changed={object}");
//!     let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
//!     Generator::from_file(object)?.write_rust(Path::new(&out).join("count.rs"))?;
//!     Ok(())
//! }
//! ```
//!
//! ```ignore
//! mod count {
//!     include!(concat!(env!("OUT_DIR"), "/count.rs"));
//! }
//!
//! use bpfvar::{Bind, Globals};
//!
//! let count = count::Count::bind(&Globals::by_name("count")?)?;
//! count.sampling.store(100, Relaxed);
//! ```
//!
//! Or commit what `bpfvar generate rust count.bpf.o -o src/count.rs` writes, and let CI run it with `--check`. The code is
//! the same for the same BTF: sorted, without dates and paths.
//!
//! # What becomes what
//!
//! | in C | in Rust |
//! |---|---|
//! | an integer, `float`, `double`, `bool` | the same scalar |
//! | `char`, a text | `u8`, `[u8; 16]` |
//! | `__int128` | `Zerocopy<i128>` |
//! | a pointer | `u64` |
//! | `enum mode` | `Checked<Mode>`, so that every number can be represented; `Mode` is an enum of Rust. Further names of a number are constants |
//! | `struct config`, `typedef struct { ... } config_t` | `Config`, `ConfigT` |
//! | a struct without a name | called after the member or the variable that has it |
//! | an anonymous struct | its members |
//! | a bitfield | a word named `_bits_8` (after its offset) for all that share it, with methods that get and set each |
//! | a number that is not aligned, in a packed struct | its bytes, named `_value`, with methods that get and set it |
//! | a struct in a packed one | the same, or `ConfigPacked`, which has bytes in place of what would not be aligned |
//! | a union, another member that is not aligned | words or bytes, named `_number`; its parts by path, with `Var::at` |
//! | a flexible array, an empty struct | a comment |
//! | padding that Rust does not make by itself | `_pad_12` |
//! | `__attribute__((aligned(64)))` | `#[repr(C, align(64))]` where sizes and offsets show it |
//! | `BPFVAR_SEQ(struct stats)` in a struct or a map | `Seq<Stats>` |
//!
//! | variable or map | field |
//! |---|---|
//! | in `.data`, `.bss`, `.data.limits` | `Shared<T>` |
//! | in `.rodata`, `.kconfig`, a frozen map | `Shared<T, ReadOnly>` |
//! | `BPFVAR_SWITCH`, `BPFVAR_PERCPU` | `SwitchWriter<T>`, `PerCpu<T>` |
//! | of a type that Rust cannot have, or in a section that cannot be mapped | `Var`, with the reason as a comment |
//! | an array map with `BPF_F_MMAPABLE` | `Array<T>` |
//! | another array map with a type | `TypedMap` |
//! | in a section or a map of an object that no program of it uses | an `Option` of these: a loader makes no map of it, or no program has it |
//! | a static variable `func.calls`, a keyword, a name in capitals | `func_calls`, `r#type`, `config_hz` |
//! | one of several variables of a name | `calls_16`, bound to `calls@16` |
//! | a format string of `bpf_printk` | nothing |
//!
//! A name that is taken gets a number: `Config2`.
//!
//! # Programs that use different sections
//!
//! [`bind`](bpfvar::Bind::bind) needs all fields, and a program has only the sections and maps that it uses. An object file
//! tells what each of its programs uses, and the documentation of the struct says which programs have all of it. For one
//! program only there is [`Generator::program`]; the globals of several are put together by [`Globals::join`].
//!
//! # Lints
//!
//! The code compiles without warnings, used or not, and is documented. It is `pub`: a crate that denies `unreachable_pub` puts
//! `#[allow(unreachable_pub)]` on the module.

mod contents;
mod error;
mod live;
mod object;
mod rust;
mod uses;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use bpfvar::{Globals, TypedMap};

pub use error::{Error, Result};
pub use rust::{Difference, difference};

use contents::Contents;
use live::LiveMap;
use object::ObjectFile;
use rust::Wishes;

/// Generates code for an object file, for BTF, or for a program or maps in the kernel.
///
/// ```no_run
/// use bpfvar::Globals;
/// use bpfvar_generate::Generator;
///
/// let code = Generator::from_file("count.bpf.o")?.rust()?;
/// let code = Generator::from_globals(&Globals::by_name("count")?)?.name("Settings").rust()?;
/// # Ok::<(), bpfvar_generate::Error>(())
/// ```
pub struct Generator {
    source: Source,
    /// What errors and comments call it.
    origin: String,
    name: String,
    krate: Option<String>,
    program: Option<String>,
    types: Vec<String>,
}

enum Source {
    Object(ObjectFile),
    Live(Vec<LiveMap>),
}

/// A file, or what a pipe gives; no more than any object file has, as a device has no end.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    const MOST: u64 = 256 << 20;
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "this is longer than 256 MiB"));
    }
    Ok(bytes)
}

impl Generator {
    /// Reads an object file, `count.bpf.o`, or a file of BTF. The struct is named after the file: `Count`.
    ///
    /// # Errors
    ///
    /// [`Error::Read`]; and as [`Generator::from_bytes`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Generator> {
        let path = path.as_ref();
        let bytes = read_bounded(path).map_err(|error| Error::Read { path: path.to_owned(), error })?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        Generator::from_bytes(&file, &bytes)
    }

    /// Reads the bytes of an object file or of BTF, in this machine's byte order. Any bytes may be given. `name` is what
    /// errors and comments call it; the struct is named after its start.
    ///
    /// # Errors
    ///
    /// [`Error::NoObject`], [`Error::Elf`], [`Error::NoBtf`], [`Error::Btf`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Generator> {
        let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or("object");
        Ok(Generator::new(Source::Object(ObjectFile::parse(name, bytes)?), name, stem))
    }

    /// Takes what the kernel has of a program or map: the sections and maps that the program uses, and how they can be
    /// accessed. The struct is named after the program or map.
    ///
    /// # Errors
    ///
    /// As [`Generator::from_maps`].
    pub fn from_globals(globals: &Globals) -> Result<Generator> {
        let name = match (globals.program(), globals.maps()) {
            (Some(program), _) => &program.name,
            (None, [map]) => &map.info().name,
            _ => "globals",
        };
        Generator::from_maps(name, globals.maps())
    }

    /// Takes some maps of the kernel. The struct is named `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Library`], as [`TypedMap::access`].
    pub fn from_maps(name: &str, maps: &[TypedMap]) -> Result<Generator> {
        Ok(Generator::new(Source::Live(live::maps(maps)?), name, name))
    }

    fn new(source: Source, origin: &str, name: &str) -> Generator {
        let (origin, name) = (origin.to_owned(), name.to_owned());
        Generator { source, origin, name, krate: None, program: None, types: Vec::new() }
    }

    /// Names the struct that is bound. What is no name of a type becomes one: `count` is `Count`.
    #[must_use]
    pub fn name(self, name: &str) -> Generator {
        Generator { name: name.to_owned(), ..self }
    }

    /// Says where bpfvar is, if it is not `::bpfvar`: renamed in Cargo.toml, or re-exported.
    #[must_use]
    pub fn crate_path(self, path: &str) -> Generator {
        Generator { krate: Some(path.to_owned()), ..self }
    }

    /// Leaves out the sections and maps that this program of the object does not use.
    #[must_use]
    pub fn program(self, name: &str) -> Generator {
        Generator { program: Some(name.to_owned()), ..self }
    }

    /// Adds a struct or an enum although no variable or array map has it: that of a ring buffer, of a hash map. `name` is as
    /// in C, with or without its keyword.
    #[must_use]
    pub fn with_type(mut self, name: &str) -> Generator {
        self.types.push(name.to_owned());
        self
    }

    /// Returns the code.
    ///
    /// # Errors
    ///
    /// [`Error::NoProgram`], [`Error::NoType`], [`Error::NoRustType`], [`Error::NoRust`].
    pub fn rust(&self) -> Result<String> {
        let wishes =
            Wishes { origin: &self.origin, name: &self.name, krate: self.krate.as_deref(), types: &self.types };
        rust::code(self.contents()?, &wishes)
    }

    /// Writes the code to a file. A file that has it already is left alone, so that nothing is compiled again. Returns
    /// whether it was written.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the file is there and cannot be read, [`Error::Write`]; and as [`Generator::rust`].
    pub fn write_rust(&self, path: impl AsRef<Path>) -> Result<bool> {
        let (path, code) = (path.as_ref(), self.rust()?);
        let failed = |error| Error::Read { path: path.to_owned(), error };
        // A device or a pipe has nothing to compare with.
        let is_long_enough = match fs::metadata(path) {
            Ok(old) => old.is_file() && old.len() == code.len() as u64,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        if is_long_enough && fs::read(path).map_err(failed)? == code.as_bytes() {
            return Ok(false);
        }
        fs::write(path, code).map_err(|error| Error::Write { path: path.to_owned(), error })?;
        Ok(true)
    }

    fn contents(&self) -> Result<Contents<'_>> {
        let mut contents = match &self.source {
            Source::Object(object) => object.contents(),
            Source::Live(maps) => live::contents(maps),
        };
        if let Some(program) = &self.program {
            let used = contents.uses.get(program).cloned().ok_or_else(|| Error::NoProgram {
                name: self.origin.clone(),
                program: program.clone(),
                known: contents.uses.keys().cloned().collect(),
            })?;
            contents.retain(&used);
        }
        Ok(contents)
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("origin", &self.origin).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Compiles the README's code with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
