//! The variables of a whole program.

mod bind;
mod follow;
mod open;

use std::collections::HashSet;
use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;

use crate::error::{Advice, Error, Object, ObjectKind, Result};
use crate::kernel::{Map, Program, ProgramInfo, cut};
use crate::typed_map::{KeyedMap, TypedMap, Var, find};

pub use bind::{Bind, Binder, FromMap, FromVar};
pub use follow::{Follower, Reload};
use open::{Maps, Opener};

/// The global variables of a running program, whoever loaded it: its data sections, and its other array maps whose values BTF
/// describes. Beside them its maps that are reached by keys. A handle without a lifetime, and so is all that comes from it.
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
    keyed: Vec<KeyedMap>,
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

    /// Opens the globals of a program. Maps that are neither arrays nor reached by keys, or that no BTF describes, are left out.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Btf::from_id`](crate::Btf::from_id).
    pub fn of_program(program: &Program) -> Result<Globals> {
        let info = program.info();
        let globals = Globals::of_programs(std::slice::from_ref(program))?;
        Ok(Globals { object: info.object(), program: Some(info.clone()), ..globals })
    }

    /// Opens the globals of several programs, such as all that one process has loaded: each map once.
    ///
    /// # Errors
    ///
    /// As [`Globals::of_program`].
    pub fn of_programs(programs: &[Program]) -> Result<Globals> {
        let mut opener = Opener::default();
        let mut maps = Maps::default();
        let mut seen = HashSet::new();
        let infos: Vec<&ProgramInfo> = programs.iter().map(Program::info).collect();
        for id in infos.iter().flat_map(|info| &info.map_ids).copied().filter(|id| seen.insert(*id)) {
            let users: Vec<&ProgramInfo> = infos.iter().copied().filter(|info| info.uses(id)).collect();
            opener.open(Map::from_id(id)?, &users, &mut maps)?;
        }
        Ok(Globals { object: Object::System, program: None, maps: maps.typed, keyed: maps.keyed })
    }

    /// Opens the globals in one array map, with its own BTF or that of a program that uses it. For a map that is reached by keys
    /// see [`KeyedMap::open`].
    ///
    /// # Errors
    ///
    /// As [`TypedMap::open`].
    pub fn of_map(map: Map) -> Result<Globals> {
        let typed = TypedMap::open(map)?;
        Ok(Globals { object: typed.object(), program: None, maps: vec![typed], keyed: Vec::new() })
    }

    /// Opens the globals of all programs, and all other maps of the system that BTF describes: arrays, and those that are reached
    /// by keys. Maps that no BTF describes, or that go away meanwhile, are left out.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Program::all`].
    pub fn of_system() -> Result<Globals> {
        let programs = Program::all()?;
        let mut opener = Opener::default();
        let mut maps = Maps::default();
        Map::each(|map| {
            let users: Vec<_> = programs.iter().filter(|info| info.uses(map.info().id)).collect();
            opener.open(map, &users, &mut maps).map(Some)
        })?;
        Ok(Globals { object: Object::System, program: None, maps: maps.typed, keyed: maps.keyed })
    }

    /// Adds the maps of another program that are not there yet. Programs of one object may use different sections of it; a struct that
    /// derives [`Bind`] and has variables of several of them is bound to their globals joined.
    ///
    /// ```no_run
    /// use bpfvar::Globals;
    ///
    /// let globals = Globals::by_name("ingress")?.join(Globals::by_name("egress")?);
    /// # Ok::<(), bpfvar::Error>(())
    /// ```
    #[must_use]
    pub fn join(mut self, other: Globals) -> Globals {
        for map in other.maps {
            if self.maps.iter().all(|known| known.info().id != map.info().id) {
                self.maps.push(map);
            }
        }
        self
    }

    /// Returns what the kernel says of the program, if these are the globals of one program.
    pub fn program(&self) -> Option<&ProgramInfo> {
        self.program.as_ref()
    }

    /// Returns the maps with variables in the order in which the program names them.
    pub fn maps(&self) -> &[TypedMap] {
        &self.maps
    }

    /// Returns the maps that are reached by keys, in the order in which the program names them.
    pub fn keyed_maps(&self) -> &[KeyedMap] {
        &self.keyed
    }

    /// Finds a map that is reached by keys, by its name; a longer name counts by its first 15 bytes, which is all that the kernel
    /// keeps.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Ambiguous`].
    pub fn keyed_map(&self, name: &str) -> Result<&KeyedMap> {
        let found: Vec<_> = self.keyed.iter().filter(|map| map.name() == cut(name)).collect();
        self.one(&found, name, || self.keyed.iter().map(|map| map.name().to_owned()).collect(), KeyedMap::object)
    }

    /// Finds a map by the name of its section, `.bss` or `.data.limits`, or by its own name.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Ambiguous`].
    pub fn map(&self, name: &str) -> Result<&TypedMap> {
        let found: Vec<_> = self.maps.iter().filter(|map| map.name() == name || map.info().name == name).collect();
        self.one(&found, name, || self.maps.iter().map(|map| map.name().to_owned()).collect(), TypedMap::object)
    }

    /// The one map of a name.
    fn one<'m, M>(
        &self,
        found: &[&'m M],
        name: &str,
        known: impl Fn() -> Vec<String>,
        object_of: impl Fn(&M) -> Object,
    ) -> Result<&'m M> {
        let (object, kind, name) = (Box::new(self.object.clone()), ObjectKind::Map, name.to_owned());
        match found {
            [map] => Ok(map),
            [] => Err(Error::NotFound { object, kind, name, known: known(), advice: None }),
            several => {
                let candidates = several.iter().map(|map| object_of(map)).collect();
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
        f.debug_struct("Globals")
            .field("program", &self.program)
            .field("maps", &self.maps)
            .field("keyed", &self.keyed)
            .finish()
    }
}
