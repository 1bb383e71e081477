//! The contents of programs and maps in the kernel.

use std::collections::BTreeMap;

use bpfvar::{AccessMode, TypedMap, Var};

use crate::contents::{Access, ArrayMap, Contents, Variable};
use crate::error::Result;

/// A map in the kernel.
pub(crate) struct LiveMap {
    map: TypedMap,
    vars: Vec<Var>,
    access: Access,
}

/// The maps, with how each can be accessed.
pub(crate) fn maps(maps: &[TypedMap]) -> Result<Vec<LiveMap>> {
    let live = |map: &TypedMap| {
        let access = match map.access()? {
            AccessMode::Mapped => Access::Write,
            AccessMode::MappedReadOnly => Access::Read,
            _ => Access::Call,
        };
        Ok(LiveMap { map: map.clone(), vars: map.vars().collect(), access })
    };
    maps.iter().map(live).collect()
}

/// What is in them.
pub(crate) fn contents(maps: &[LiveMap]) -> Contents<'_> {
    let mut contents = Contents { btfs: Vec::new(), vars: Vec::new(), maps: Vec::new(), uses: BTreeMap::new() };
    for LiveMap { map, vars, access } in maps {
        contents.btfs.push(map.btf());
        for var in vars {
            match map.section() {
                Some(section) => contents.vars.push(Variable {
                    section: section.to_owned(),
                    // Without the offset that tells it from others of its name.
                    name: var.path().split('@').next().unwrap_or_default().to_owned(),
                    ty: var.ty(),
                    offset: Some(var.offset()),
                    access: *access,
                }),
                None => {
                    let name = map.info().name.clone();
                    contents.maps.push(ArrayMap { name, value: var.ty(), access: *access });
                }
            }
        }
    }
    contents
}
