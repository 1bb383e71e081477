//! What an error is about.

use std::fmt;
use std::path::PathBuf;

/// What an error is about: a map, a program, a variable, ... with its name and id as data.
///
/// `Display` names it in one phrase: `map "stats" (id 7)`, `config.rate (__u64 in .data of map "count.data" (id 7))`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Object {
    /// All maps and programs of the system.
    System,
    /// A map.
    #[non_exhaustive]
    Map {
        /// The kernel's name for it, at most 15 bytes. Empty if it has none, or if it was sought by its id only.
        name: String,
        /// Its id.
        id: u32,
        /// The data section that it holds, such as `.bss`.
        section: Option<String>,
    },
    /// A map that is to be created.
    #[non_exhaustive]
    NewMap {
        /// The name that was asked for.
        name: String,
    },
    /// A program.
    #[non_exhaustive]
    Program {
        /// The kernel's name for it, at most 15 bytes. Empty if it has none, or if it was sought by its id only.
        name: String,
        /// Its id.
        id: u32,
    },
    /// BTF: type information.
    #[non_exhaustive]
    Btf {
        /// Its id. `None` for BTF that comes from bytes, or that is to be loaded.
        id: Option<u32>,
    },
    /// A link.
    #[non_exhaustive]
    Link {
        /// Its id.
        id: u32,
    },
    /// A pin.
    #[non_exhaustive]
    Pin {
        /// Its path.
        path: PathBuf,
        /// The map that is to be pinned there or unpinned, where that is known.
        map: Option<Box<Object>>,
    },
    /// A file descriptor whose object is not known yet.
    #[non_exhaustive]
    Descriptor {
        /// What it is, as /proc names it: `anon_inode:bpf-map`.
        what: String,
    },
    /// A value in memory, reached by a pointer that does not know whose it is.
    Value,
    /// A variable, or a part of one.
    #[non_exhaustive]
    Variable {
        /// Its path: `config.limits[2].burst`.
        path: String,
        /// Its type as C names it.
        type_name: String,
        /// Where it starts, in bytes from the start of its section or entry.
        offset: u64,
        /// The map that it lies in: [`Object::Map`].
        map: Box<Object>,
    },
}

/// The kind of an [`Object`], or of something inside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// The whole system.
    System,
    /// A map.
    Map,
    /// A program.
    Program,
    /// BTF.
    Btf,
    /// A link.
    Link,
    /// A pin.
    Pin,
    /// A descriptor.
    Descriptor,
    /// A variable.
    Variable,
    /// A member of a struct or union.
    Member,
    /// An entry of a map, or an element of an array.
    Element,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ObjectKind::System => "system",
            ObjectKind::Map => "map",
            ObjectKind::Program => "program",
            ObjectKind::Btf => "BTF",
            ObjectKind::Link => "link",
            ObjectKind::Pin => "pin",
            ObjectKind::Descriptor => "descriptor",
            ObjectKind::Variable => "variable",
            ObjectKind::Member => "member",
            ObjectKind::Element => "element",
        })
    }
}

impl Object {
    /// Returns what kind of object it is.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Object::System => ObjectKind::System,
            Object::Map { .. } | Object::NewMap { .. } => ObjectKind::Map,
            Object::Program { .. } => ObjectKind::Program,
            Object::Btf { .. } => ObjectKind::Btf,
            Object::Link { .. } => ObjectKind::Link,
            Object::Pin { .. } => ObjectKind::Pin,
            Object::Descriptor { .. } => ObjectKind::Descriptor,
            Object::Variable { .. } | Object::Value => ObjectKind::Variable,
        }
    }

    /// Returns the name of a map or program, or the path of a variable.
    pub fn name(&self) -> Option<&str> {
        match self {
            Object::Map { name, .. } | Object::NewMap { name } | Object::Program { name, .. } => Some(name),
            Object::Variable { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Returns the id of a map, program, link or BTF. A variable has that of its map.
    pub fn id(&self) -> Option<u32> {
        match self {
            Object::Map { id, .. } | Object::Program { id, .. } | Object::Link { id } => Some(*id),
            Object::Btf { id } => *id,
            Object::Variable { map, .. } | Object::Pin { map: Some(map), .. } => map.id(),
            _ => None,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::System => f.write_str("the system"),
            Object::Map { name, id, section: None } => named(f, "map", name, *id),
            Object::Map { name, id, section: Some(section) } => {
                write!(f, "{section} of ")?;
                named(f, "map", name, *id)
            }
            Object::NewMap { name } => write!(f, "new map {name:?}"),
            Object::Program { name, id } => named(f, "program", name, *id),
            Object::Btf { id: Some(id) } => write!(f, "BTF id {id}"),
            Object::Btf { id: None } => f.write_str("BTF"),
            Object::Link { id } => write!(f, "link id {id}"),
            Object::Pin { path, map: None } => write!(f, "pin {path:?}"),
            Object::Pin { path, map: Some(map) } => write!(f, "{map} at {path:?}"),
            Object::Descriptor { what } if what.is_empty() => f.write_str("the descriptor"),
            Object::Descriptor { what } => write!(f, "the descriptor ({what})"),
            Object::Value => f.write_str("the value"),
            Object::Variable { path, type_name, map, .. } => write!(f, "{path} ({type_name} in {map})"),
        }
    }
}

fn named(f: &mut fmt::Formatter<'_>, noun: &str, name: &str, id: u32) -> fmt::Result {
    if name.is_empty() { write!(f, "{noun} id {id}") } else { write!(f, "{noun} {name:?} (id {id})") }
}
