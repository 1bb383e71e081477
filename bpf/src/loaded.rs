//! What is in the kernel for as long as somebody holds it.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use bpfvar::Map;
use bpfvar_testkit::Program;

use crate::btf::Btf;

/// An object in the kernel. Dropping it unloads its programs and maps, unless somebody else holds them too.
#[derive(Debug)]
pub struct Loaded {
    /// The object's name.
    pub name: String,
    /// Its programs.
    pub programs: Vec<LoadedProgram>,
    /// Its maps: those that its programs use.
    pub maps: Vec<LoadedMap>,
    /// Its types as the kernel got them; `None` where another loader did it.
    pub btf: Option<Btf>,
    /// What has to be removed.
    pub(crate) _pins: Vec<Pin>,
}

/// A program in the kernel.
#[derive(Debug)]
pub struct LoadedProgram {
    /// Its function's name in full.
    pub name: String,
    /// The program.
    pub program: Program,
}

/// A map in the kernel.
pub struct LoadedMap {
    /// What the object calls it: a section, such as `.bss`, or a variable in `.maps`. Only the kernel's name, up to 15
    /// characters, where another loader made it.
    pub name: String,
    /// The map.
    pub map: Map,
}

impl Loaded {
    /// A program by the name of its function.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn program(&self, name: &str) -> &LoadedProgram {
        let found = self.programs.iter().find(|program| program.name == name);
        found.unwrap_or_else(|| panic!("no program {name:?} in {self:?}"))
    }

    /// A map by its name in the object (`.bss`) or in the kernel (`count.bss`).
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn map(&self, name: &str) -> &Map {
        let found = self.maps.iter().find(|map| map.name == name || map.map.info().name == name);
        &found.unwrap_or_else(|| panic!("no map {name:?} in {self:?}")).map
    }

    /// Runs the first program `times` times; see [`LoadedProgram::run`].
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn run(&self, times: u32) -> u32 {
        self.programs[0].run(times)
    }
}

impl LoadedProgram {
    /// Runs the program `times` times on this CPU, in one system call. Returns what its last run returned.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn run(&self, times: u32) -> u32 {
        self.program.run(times)
    }

    /// The kernel's number for it.
    ///
    /// # Panics
    ///
    /// If /proc does not tell.
    pub fn id(&self) -> u32 {
        self.program.id()
    }
}

impl fmt::Debug for LoadedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.map.info())
    }
}

/// A file or an empty directory that is removed with it.
#[derive(Debug)]
pub(crate) struct Pin(pub(crate) PathBuf);

impl Drop for Pin {
    fn drop(&mut self) {
        // Whatever is left keeps a program loaded, which the gate looks for in the end.
        drop(if self.0.is_dir() { fs::remove_dir(&self.0) } else { fs::remove_file(&self.0) });
    }
}
