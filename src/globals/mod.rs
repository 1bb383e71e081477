//! All sections of one program.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use crate::error::{Cause, Error, Result};
use crate::kernel::{Map, Program, ProgramInfo};
use crate::typed_map::{self, Section, Var};
use crate::types::Btf;

/// The global variables of a running program, whoever loaded it: its data sections, and its other array maps whose values BTF
/// describes.
///
/// Nothing is mapped before it is needed, and no program is kept loaded; the maps are kept alive. See [`Section::is_stale`].
///
/// Fields and views borrow from it. To keep both in one struct, bind a section ([`Section::bind`] gives an
/// [`Array`](crate::Array) that owns its mapping), or make the `Globals` `'static` by `Box::leak`.
///
/// # Privileges
///
/// Everything here opens maps and BTF by their ids and needs `CAP_SYS_ADMIN`. Without it, open a map by pin or descriptor and use
/// [`Section::with_btf`] with BTF of your own.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Globals, MapValue};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// #[derive(MapValue, Clone, Copy, Debug)]
/// #[repr(C)]
/// struct Config { rate: u64, mode: u32, burst: u32 }
///
/// let globals = Globals::of_program_named("count")?;
/// globals.var("sampling")?.field::<u32>()?.store(100, Relaxed);
/// let config = globals.var("config")?.view::<Config>()?; // held against BTF, field by field
/// println!("{:?}", config.read());
/// # Ok::<(), bpfvar::Error>(())
/// ```
pub struct Globals {
    what: String,
    program: Option<ProgramInfo>,
    sections: Vec<Section>,
}

impl Globals {
    /// Of the program with this name: what the kernel keeps of it (15 bytes), or the whole name of its function.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::Ambiguous`] if several programs of that name use different maps, with their ids; and as
    /// [`Globals::of_program`].
    pub fn of_program_named(name: &str) -> Result<Globals> {
        let mut programs = Program::named(name)?;
        // Those that use the same maps have the same variables.
        programs.dedup_by(|one, other| one.info().map_ids == other.info().map_ids);
        if programs.len() > 1 {
            let candidates = programs.iter().map(|program| program.info().to_string()).collect();
            let hint = "open the one that is meant by its id";
            return Err(Error::Ambiguous { what: format!("program {name:?}"), candidates, hint });
        }
        let program = programs.pop().ok_or_else(|| Error::NotFound {
            object: "the system".to_owned(),
            what: format!("program {name:?}"),
            hint: "`bpfvar list` and `bpftool prog` show the programs that are loaded".to_owned(),
        })?;
        Globals::of_program(&program)
    }

    /// Of the program with this id.
    ///
    /// # Errors
    ///
    /// As [`Program::from_id`] and [`Globals::of_program`].
    pub fn of_program_id(id: u32) -> Result<Globals> {
        Globals::of_program(&Program::from_id(id)?)
    }

    /// Of a pinned program.
    ///
    /// # Errors
    ///
    /// As [`Program::from_pin`] and [`Globals::of_program`].
    pub fn of_program_pinned(path: impl AsRef<Path>) -> Result<Globals> {
        Globals::of_program(&Program::from_pin(path)?)
    }

    /// Of a program that is at hand.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Btf::from_id`]. Maps that are no arrays, or that no BTF describes, are left out.
    pub fn of_program(program: &Program) -> Result<Globals> {
        let info = program.info();
        let mut opener = Opener::default();
        let mut sections = Vec::new();
        for &id in &info.map_ids {
            sections.extend(opener.open(Map::from_id(id)?, &[info])?);
        }
        Ok(Globals { what: info.to_string(), program: Some(info.clone()), sections })
    }

    /// Of one map, with the BTF of its own or of a program that uses it.
    ///
    /// # Errors
    ///
    /// As [`Section::open`].
    pub fn of_map(map: Map) -> Result<Globals> {
        let section = Section::open(map)?;
        Ok(Globals { what: section.to_string(), program: None, sections: vec![section] })
    }

    /// Of all maps on the system.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Program::all`]. Maps that are no arrays, that no BTF describes, or that go away meanwhile, are
    /// left out.
    pub fn of_system() -> Result<Globals> {
        let programs = Program::all()?;
        let mut opener = Opener::default();
        let mut sections = Vec::new();
        for id in Map::ids() {
            let map = match Map::from_id(id?) {
                Err(error) if error.cause() == Some(Cause::NoSuchId) => continue,
                map => map?,
            };
            let id = map.info().id;
            let users: Vec<_> = programs.iter().filter(|info| info.map_ids.contains(&id)).collect();
            sections.extend(opener.open(map, &users)?);
        }
        Ok(Globals { what: "the system".to_owned(), program: None, sections })
    }

    /// The program, if it is one program's.
    pub fn program(&self) -> Option<&ProgramInfo> {
        self.program.as_ref()
    }

    /// The sections, in the order of the program's maps.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of this name: `.bss`, `.data.custom`, an array map's name.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Ambiguous`].
    pub fn section(&self, name: &str) -> Result<&Section> {
        let found: Vec<_> = self.sections.iter().filter(|section| section.name() == name).collect();
        match found.as_slice() {
            [section] => Ok(section),
            [] => {
                let names: Vec<_> = self.sections.iter().map(Section::name).collect();
                let hint = format!("there are {}", names.join(", "));
                Err(Error::NotFound { object: self.what.clone(), what: format!("section {name:?}"), hint })
            }
            several => {
                let candidates = several.iter().map(ToString::to_string).collect();
                let hint = "open the map that is meant by its id";
                Err(Error::Ambiguous { what: format!("{}: section {name:?}", self.what), candidates, hint })
            }
        }
    }

    /// The variable, or the part of one, that a path names, in any section; see [`Section::var`].
    ///
    /// # Errors
    ///
    /// As [`Section::var`].
    pub fn var(&self, path: &str) -> Result<Var<'_>> {
        typed_map::find(&self.sections, path, &self.what)
    }

    /// All variables of all sections.
    pub fn vars(&self) -> impl Iterator<Item = Var<'_>> {
        self.sections.iter().flat_map(Section::vars)
    }
}

impl fmt::Debug for Globals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Globals").field("program", &self.program).field("sections", &self.sections).finish()
    }
}

/// Opens maps, and fetches each BTF once.
#[derive(Default)]
struct Opener {
    known: HashMap<u32, Option<Btf>>,
}

impl Opener {
    /// None if it is no array or no BTF describes its values.
    fn open(&mut self, map: Map, users: &[&ProgramInfo]) -> Result<Option<Section>> {
        if !typed_map::may_be_section(&map) {
            return Ok(None);
        }
        let info = map.info();
        let btf_id = match info.btf_id {
            0 => users.iter().map(|info| info.btf_id).find(|id| *id != 0).unwrap_or(0),
            id => id,
        };
        if btf_id == 0 {
            return Ok(None);
        }
        let known = match self.known.get(&btf_id) {
            Some(known) => known.clone(),
            None => {
                let fetched = match Btf::from_id(btf_id) {
                    // It went away, or one program's is malformed, which is no reason to show nothing of the others.
                    Err(error) if error.cause() == Some(Cause::NoSuchId) || matches!(error, Error::Btf { .. }) => None,
                    btf => Some(btf?),
                };
                self.known.insert(btf_id, fetched.clone());
                fetched
            }
        };
        let Some(btf) = known else { return Ok(None) };
        match Section::with_btf(map, btf) {
            Err(Error::Btf { .. }) => Ok(None),
            section => section.map(Some),
        }
    }
}
