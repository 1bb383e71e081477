//! The variables of a whole program.

mod bind;
mod follow;
mod open;

use std::collections::HashSet;
use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;

use crate::error::{Advice, Error, Object, ObjectKind, Result};
use crate::kernel::{Map, Program, ProgramInfo};
use crate::typed_map::{TypedMap, Var, find};

pub use bind::{Bind, Binder, FromMap, FromVar};
pub use follow::{Follower, Reload};
use open::Opener;

/// The global variables of a running program, whoever loaded it: its data sections, and its other array maps whose values BTF
/// describes. A handle without a lifetime, and so is all that comes from it.
///
/// Nothing is mapped before it is needed. The program is not kept loaded; its maps are kept alive. A program that is loaded
/// anew has new maps: see [`Follower`].
///
/// # Privileges
///
/// Maps and BTF are opened by their ids, which needs `CAP_SYS_ADMIN`. Without it, open a map by pin or descriptor and use
/// [`TypedMap::with_btf`] with BTF of your own.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Globals, MapValue, Shared};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// #[derive(MapValue, Clone, Copy, Debug)]
/// #[repr(C)]
/// struct Config { rate: u64, mode: u32, burst: u32 }
///
/// let globals = Globals::by_name("count")?;
/// globals.var("sampling")?.set(100)?;
/// let config: Shared<Config> = globals.var("config")?.bind()?; // checked against BTF, field by field
/// config.view().rate.store(5, Relaxed);
/// println!("{:?}", config.read());
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone)]
pub struct Globals {
    object: Object,
    program: Option<ProgramInfo>,
    maps: Vec<TypedMap>,
}

impl Globals {
    /// Opens the globals of the program with this name: the kernel's name of up to 15 bytes, or the full name of its function.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]. [`Error::Ambiguous`] if several programs of that name use different maps, with their ids. And as
    /// [`Globals::of_program`].
    pub fn by_name(name: &str) -> Result<Globals> {
        let mut programs = Program::named(name)?;
        // Those that use the same maps have the same variables.
        programs.dedup_by(|one, other| one.info().map_ids == other.info().map_ids);
        if programs.len() > 1 {
            return Err(Error::Ambiguous {
                object: Box::new(Object::System),
                kind: ObjectKind::Program,
                name: name.to_owned(),
                candidates: programs.iter().map(|program| program.info().object()).collect(),
                advice: Advice::ChooseById,
            });
        }
        let program = programs.pop().ok_or_else(|| Error::NotFound {
            object: Box::new(Object::System),
            kind: ObjectKind::Program,
            name: name.to_owned(),
            known: Vec::new(),
            advice: Some(Advice::ListPrograms),
        })?;
        Globals::of_program(&program)
    }

    /// Opens the globals of the program with this id.
    ///
    /// # Errors
    ///
    /// As [`Program::from_id`] and [`Globals::of_program`].
    pub fn by_id(id: u32) -> Result<Globals> {
        Globals::of_program(&Program::from_id(id)?)
    }

    /// Opens the globals of a pinned program or map.
    ///
    /// # Errors
    ///
    /// As [`Program::from_pin`], [`Map::from_pin`], [`Globals::of_program`] and [`Globals::of_map`].
    pub fn by_pin(path: impl AsRef<Path>) -> Result<Globals> {
        let path = path.as_ref();
        match Program::from_pin(path) {
            Err(Error::WrongObject { .. }) => Globals::of_map(Map::from_pin(path)?),
            program => Globals::of_program(&program?),
        }
    }

    /// Opens the globals of the program or map behind a descriptor, whatever library loaded it: aya's `program.fd()?`,
    /// libbpf-rs' `skel.progs.count`, a descriptor from another process. The descriptor is duplicated.
    ///
    /// # Errors
    ///
    /// As [`Program::from_borrowed_fd`], [`Map::from_borrowed_fd`], [`Globals::of_program`] and [`Globals::of_map`].
    pub fn by_fd(fd: impl AsFd) -> Result<Globals> {
        match Program::from_borrowed_fd(fd.as_fd()) {
            Err(Error::WrongObject { .. }) => Globals::of_map(Map::from_borrowed_fd(fd)?),
            program => Globals::of_program(&program?),
        }
    }

    /// Opens the globals of a program. Maps that are not arrays, or that no BTF describes, are left out.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Btf::from_id`](crate::Btf::from_id).
    pub fn of_program(program: &Program) -> Result<Globals> {
        let info = program.info();
        let Globals { maps, .. } = Globals::of_programs(std::slice::from_ref(program))?;
        Ok(Globals { object: info.object(), program: Some(info.clone()), maps })
    }

    /// Opens the globals of several programs, such as all that one process has loaded: each map once.
    ///
    /// # Errors
    ///
    /// As [`Globals::of_program`].
    pub fn of_programs(programs: &[Program]) -> Result<Globals> {
        let mut opener = Opener::default();
        let mut maps = Vec::new();
        let mut seen = HashSet::new();
        let infos: Vec<&ProgramInfo> = programs.iter().map(Program::info).collect();
        for id in infos.iter().flat_map(|info| &info.map_ids).copied().filter(|id| seen.insert(*id)) {
            let users: Vec<&ProgramInfo> = infos.iter().copied().filter(|info| info.uses(id)).collect();
            maps.extend(opener.open(Map::from_id(id)?, &users)?);
        }
        Ok(Globals { object: Object::System, program: None, maps })
    }

    /// Opens the globals in one map, with its own BTF or that of a program that uses it.
    ///
    /// # Errors
    ///
    /// As [`TypedMap::open`].
    pub fn of_map(map: Map) -> Result<Globals> {
        let typed = TypedMap::open(map)?;
        Ok(Globals { object: typed.object(), program: None, maps: vec![typed] })
    }

    /// Opens the globals of all programs, and all other typed array maps of the system. Maps that are not arrays, that no BTF
    /// describes, or that go away meanwhile are left out.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Program::all`].
    pub fn of_system() -> Result<Globals> {
        let programs = Program::all()?;
        let mut opener = Opener::default();
        let maps = Map::each(|map| {
            let users: Vec<_> = programs.iter().filter(|info| info.uses(map.info().id)).collect();
            opener.open(map, &users)
        })?;
        Ok(Globals { object: Object::System, program: None, maps })
    }

    /// Returns what the kernel says of the program, if these are the globals of one program.
    pub fn program(&self) -> Option<&ProgramInfo> {
        self.program.as_ref()
    }

    /// Returns the maps in the order in which the program names them.
    pub fn maps(&self) -> &[TypedMap] {
        &self.maps
    }

    /// Finds a map by the name of its section, `.bss` or `.data.limits`, or by its own name.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Ambiguous`].
    pub fn map(&self, name: &str) -> Result<&TypedMap> {
        let found: Vec<_> = self.maps.iter().filter(|map| map.name() == name || map.info().name == name).collect();
        let (object, kind, name) = (Box::new(self.object.clone()), ObjectKind::Map, name.to_owned());
        match found.as_slice() {
            [map] => Ok(map),
            [] => {
                let known = self.maps.iter().map(|map| map.name().to_owned()).collect();
                Err(Error::NotFound { object, kind, name, known, advice: None })
            }
            several => {
                let candidates = several.iter().map(|map| map.object()).collect();
                Err(Error::Ambiguous { object, kind, name, candidates, advice: Advice::ChooseById })
            }
        }
    }

    /// Finds the variable, or the part of one, that a path names, in any map; see [`TypedMap::var`].
    ///
    /// # Errors
    ///
    /// As [`TypedMap::var`].
    pub fn var(&self, path: &str) -> Result<Var> {
        find(&self.maps, path, || self.object.clone())
    }

    /// Returns all variables of all maps.
    pub fn vars(&self) -> impl Iterator<Item = Var> {
        self.maps.iter().flat_map(TypedMap::vars)
    }

    /// Returns how errors name it: the program, the map, or the system.
    pub fn object(&self) -> &Object {
        &self.object
    }
}

impl fmt::Debug for Globals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Globals").field("program", &self.program).field("maps", &self.maps).finish()
    }
}
