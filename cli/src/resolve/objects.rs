//! Programs and maps: opened once, and found by their names.

use std::path::Path;
use std::rc::Rc;

use bpfvar::{Error, Globals, Map, MapInfo, MapType, Program, ProgramInfo};

use super::{Object, Resolver};
use crate::error::Result;

impl Resolver {
    pub(super) fn open(&self, object: Object) -> bpfvar::Result<Rc<Globals>> {
        if let Some(known) = self.opened.borrow().get(&object) {
            return Ok(known.clone());
        }
        let globals = match object {
            Object::Program(id) => Globals::by_id(id),
            Object::Map(id) => Map::from_id(id).and_then(Globals::of_map),
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

    pub(super) fn maps(&self) -> Result<&[MapInfo]> {
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
            let whole =
                || Program::from_id(info.id).and_then(|program| program.full_name()).is_ok_and(|full| full == name);
            if info.name == name && !name.is_empty() || cut && whole() {
                ids.push(info.id);
            }
        }
        Ok(ids)
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
