//! Programs and maps: opened once, and found by their names.

use std::path::Path;
use std::rc::Rc;
use std::thread;

use bpfvar::{Cause, Error, Globals, Map, MapInfo, MapType, Program, ProgramInfo};

use super::{Object, Resolver};
use crate::error::{Failure, Result};
use crate::owner::Owners;
use crate::pattern::fits;

impl Resolver {
    pub(super) fn open(&self, object: Object) -> bpfvar::Result<Rc<Globals>> {
        if let Some(known) = self.opened.borrow().get(&object) {
            return Ok(known.clone());
        }
        let globals = match object {
            Object::Program(id) => Globals::by_id(id),
            Object::Map(id) => Map::from_id(id).and_then(Globals::of_map),
            Object::Process(pid) => Globals::of_programs(&self.programs_of(pid)?),
        };
        Ok(self.keep(object, globals?))
    }

    /// A pin is a map's or a program's.
    pub(super) fn open_pin(&self, path: &Path) -> Result<Object> {
        match Map::from_pin(path) {
            Ok(map) => {
                let object = Object::Map(map.info().id);
                self.keep(object, Globals::of_map(map)?);
                Ok(object)
            }
            Err(Error::WrongObject { .. }) => {
                let program = Program::from_pin(path)?;
                let object = Object::Program(program.info().id);
                self.keep(object, Globals::of_program(&program)?);
                Ok(object)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn keep(&self, object: Object, globals: Globals) -> Rc<Globals> {
        self.opened.borrow_mut().entry(object).or_insert(Rc::new(globals)).clone()
    }

    /// What the kernel says of all programs, asked once.
    pub(crate) fn programs(&self) -> Result<&[ProgramInfo]> {
        if self.programs.get().is_none() {
            let _ = self.programs.set(Program::all()?);
        }
        Ok(self.programs.get().map_or(&[], Vec::as_slice))
    }

    pub(crate) fn maps(&self) -> Result<&[MapInfo]> {
        if self.maps.get().is_none() {
            let _ = self.maps.set(Map::all()?);
        }
        Ok(self.maps.get().map_or(&[], Vec::as_slice))
    }

    /// By what the kernel keeps of the name, or by all of it.
    pub(super) fn programs_named(&self, name: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for info in self.programs()? {
            let cut = info.name.len() == NAME_LEN && name.len() > NAME_LEN && name.starts_with(&info.name);
            let whole = || self.full_name(info.id).as_deref() == Some(name);
            if info.name == name && !name.is_empty() || cut && whole() {
                ids.push(info.id);
            }
        }
        Ok(ids)
    }

    /// All of a program's name, asked once.
    fn full_name(&self, id: u32) -> Option<Rc<str>> {
        let ask = || Program::from_id(id).and_then(|program| program.full_name()).ok().map(Rc::from);
        self.full_names.borrow_mut().entry(id).or_insert_with(ask).clone()
    }

    /// All programs that a process holds, as one object if nothing follows, else each for itself: another one of its objects may
    /// have a variable of the same name.
    pub(super) fn in_process<'t>(&self, pid: u32, rest: &'t str) -> Result<Vec<(Object, &'t str)>> {
        let programs = self.owners().programs_of(|owner| owner.pid == pid);
        if programs.is_empty() && self.owners().is_hidden(pid) {
            return Err(Failure::new(format!(
                "process {pid}: what it holds may not be looked at; run as root (sudo bpfvar ...), or name the program, prog:ID"
            )));
        }
        if programs.is_empty() {
            return Err(Failure::new(format!(
                "process {pid} holds no BPF program, or there is no such process; `bpfvar list` shows which processes hold some"
            )));
        }
        Ok(match rest {
            "" => vec![(Object::Process(pid), rest)],
            _ => programs.into_iter().map(|id| (Object::Program(id), rest)).collect(),
        })
    }

    /// Those of them that are still there.
    fn programs_of(&self, pid: u32) -> bpfvar::Result<Vec<Program>> {
        let ids = self.owners().programs_of(|owner| owner.pid == pid).into_iter();
        let opened = ids
            .map(Program::from_id)
            .filter(|program| !program.as_ref().is_err_and(|error| error.cause() == Some(Cause::NoSuchId)));
        opened.collect()
    }

    /// The programs of an object, whose name, or the start of it, is that of the maps of its sections: `count` in `count.bss`.
    pub(super) fn programs_in(&self, object: &str) -> Result<Vec<u32>> {
        let is_section = |info: &&MapInfo| {
            let section = info.name.strip_prefix(object).filter(|_| !object.is_empty());
            is_array(info) && section.is_some_and(|section| section.starts_with('.'))
        };
        let maps: Vec<u32> = self.maps()?.iter().filter(is_section).map(|info| info.id).collect();
        let of_object = self.programs()?.iter().filter(|program| maps.iter().any(|map| program.uses(*map)));
        Ok(of_object.map(|program| program.id).collect())
    }

    /// The processes that hold programs and maps, looked for once.
    pub(crate) fn owners(&self) -> &Owners {
        self.owners.get_or_init(Owners::look)
    }

    /// Opens all maps, and looks meanwhile for those who hold programs: both take milliseconds, and neither needs the other.
    pub(crate) fn system_with_owners(&self) -> Result<(&Globals, &Owners)> {
        thread::scope(|scope| {
            let looking = scope.spawn(Owners::look);
            let system = self.system()?;
            // One that failed is looked for again.
            if let Ok(owners) = looking.join() {
                let _ = self.owners.set(owners);
            }
            Ok((system, self.owners()))
        })
    }

    /// All typed maps of the system, opened once.
    pub(crate) fn system(&self) -> Result<&Globals> {
        if self.system.get().is_none() {
            let _ = self.system.set(Globals::of_system()?);
        }
        self.system.get().ok_or_else(|| Failure::new("the maps of the system cannot be listed"))
    }

    /// The programs whose name, or whole name, a pattern means.
    pub(super) fn programs_fitting(&self, pattern: &str) -> Result<Vec<u32>> {
        let whole = |info: &ProgramInfo| {
            info.name.len() == NAME_LEN
                && Program::from_id(info.id)
                    .and_then(|program| program.full_name())
                    .is_ok_and(|full| fits(pattern, &full))
        };
        let fitting = self.programs()?.iter().filter(|info| fits(pattern, &info.name) || whole(info));
        Ok(fitting.map(|info| info.id).collect())
    }

    /// The same. What a map was called before the kernel cut its name, only a section tells.
    pub(super) fn maps_named(&self, name: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for info in self.maps()?.iter().filter(|info| is_array(info)) {
            let cut = info.name.len() == NAME_LEN && name.len() > NAME_LEN && name.starts_with(&info.name);
            let whole = || match self.open(Object::Map(info.id)) {
                Ok(globals) => globals.maps().iter().any(|section| match section.section() {
                    Some(own) => name.ends_with(own),
                    None => !name[NAME_LEN..].contains(['.', '[']),
                }),
                Err(_) => false,
            };
            if info.name == name && !name.is_empty() || cut && whole() {
                ids.push(info.id);
            }
        }
        Ok(ids)
    }
}

/// Whether a map may have variables.
pub(super) fn is_array(info: &MapInfo) -> bool {
    info.map_type == MapType::ARRAY || info.map_type == MapType::PERCPU_ARRAY
}

/// Whether a name is that of a map, of which the kernel has kept as much as fits.
pub(super) fn is_name_of(name: &str, kept: &str) -> bool {
    let cut = kept.len() == NAME_LEN && name.len() > NAME_LEN && name.starts_with(kept);
    !name.is_empty() && (name == kept || cut && !name.contains(['.', '[']))
}

/// As much of a name as the kernel keeps.
const NAME_LEN: usize = 15;
