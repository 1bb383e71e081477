//! A map whose value BTF describes: a data section of a program, or an array map. Its variables by name.

mod change;
mod compare;
mod path;
mod reach;
mod var;

use std::collections::HashSet;
use std::fmt;
use std::sync::OnceLock;

use crate::array::Array;
use crate::error::{Error, Result};
use crate::kernel::{Map, MapType, Program, ProgramInfo};
use crate::mapped::Typed;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::types::{Btf, Kind, Placed, TypeId, Units};
use crate::view::MapValue;

pub use change::Change;
pub(crate) use var::find;
pub use var::{Linkage, Var};

/// A map whose values BTF describes: a data section of a program (`.bss`, `.data`, `.rodata`, `.kconfig` and their custom
/// kin), whose value is all of the program's variables that lie in it; or any other array map with a value type, which
/// counts as one variable with the map's name.
///
/// It is mapped when it is first needed: for reading without the right to write, for [`Var::field`] and writing with it. So
/// listing and reading hinders nobody from freezing the map. What cannot be mapped is read by system call; see [`Reach`].
///
/// What a section finds in memory is accessed by the units of its BTF: each scalar in one step. Where the members of a union
/// have different widths, the widest counts, and the others are read and written as parts of it.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Map, MapValue, ReadWrite, Section};
///
/// let section = Section::open(Map::from_pin("/sys/fs/bpf/count_bss")?)?;
/// for var in section.vars() {
///     println!("{} at byte {}, {} bytes: {}", var.path(), var.offset(), var.size(), var.read()?);
/// }
///
/// #[derive(MapValue, Clone, Copy)]
/// #[repr(C)]
/// struct Bss { packets: u64, drops: u32 }
///
/// let bss = section.bind::<Bss, ReadWrite>()?; // an Array of one entry, held against BTF
/// println!("{}", bss.read(0).packets);
/// # Ok::<(), bpfvar::Error>(())
/// ```
pub struct Section {
    map: Map,
    units: Units,
    /// Names that several of its variables have.
    twins: HashSet<Box<str>>,
    writable: OnceLock<Typed<ReadWrite>>,
    readable: OnceLock<Typed<ReadOnly>>,
}

/// How a section can be reached, and what that promises.
///
/// | | reading | writing |
/// |---|---|---|
/// | `Mapped` | each scalar whole | each scalar by one atomic store; a bitfield, or a narrow member of a union, by a compare-and-swap of its unit. Neighbours are never touched |
/// | `MappedReadOnly` | each scalar whole | never: the map is frozen or `BPF_F_RDONLY_PROG` |
/// | `SystemCall` | aligned words of 8 bytes whole, by one lookup | only by [`Var::change_by_rewrite`], which rewrites **the whole section** and so loses what programs stored meanwhile |
/// | `SystemCallReadOnly` | the same | never: the map is frozen, or the descriptor reads only |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reach {
    /// Mapped read-write.
    Mapped,
    /// Mapped read-only.
    MappedReadOnly,
    /// By system call: the map is not `BPF_F_MMAPABLE`, as aya's sections are not.
    SystemCall,
    /// By system call, only to read.
    SystemCallReadOnly,
}

impl Reach {
    /// Whether a variable can be written by itself: [`Var::set`] works.
    pub fn is_writable(self) -> bool {
        self == Reach::Mapped
    }
}

impl Section {
    /// Opens a map with the BTF that it was made with, or, where it was made without, as aya does, with that of a program that
    /// uses it. Needs `CAP_SYS_ADMIN` to fetch the BTF; see [`Section::with_btf`].
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is no array, [`Error::Btf`] if nothing describes its values,
    /// [`Cause::BtfNeedsCapSysAdmin`](crate::Cause::BtfNeedsCapSysAdmin).
    pub fn open(map: Map) -> Result<Section> {
        map.check_array()?;
        let btf = match map.info().btf_id {
            0 => Section::btf_of_a_user(&map)?,
            id => Btf::from_id(id)?,
        };
        Section::with_btf(map, btf)
    }

    /// Opens a map with BTF that the caller has: no privilege is needed but the map's descriptor.
    ///
    /// The value's type is the one that the map names by number, else, for a map without BTF, the section of the map's name
    /// (`.bss` for `.bss` and for `count.bss`). It must be the BTF that the program was loaded with. That of an object file as
    /// compilers write it lacks the sizes of sections; `bpftool gen object linked.o program.o` puts them in (section `.BTF` of
    /// `linked.o`). A process with the right to may fetch it by [`Btf::from_id`].
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is no array, [`Error::Btf`] if the BTF has no type for it or that does not fit its values.
    pub fn with_btf(map: Map, btf: Btf) -> Result<Section> {
        map.check_array()?;
        let info = map.info();
        let fault = |reason: String| Error::Btf { object: info.to_string(), reason };
        let root = match (info.btf_id, info.btf_value_type_id) {
            (0, _) => {
                // The longest, as ".data" is also the end of "a.data".
                let named = btf.section_names().filter(|name| info.name.ends_with(name)).max_by_key(|name| name.len());
                named.and_then(|name| btf.section(name))
            }
            (_, 0) => None,
            (_, id) => btf.id(id),
        };
        let Some(root) = root else {
            return Err(fault(
                "no BTF says what its values are; read them as bytes by Map::lookup, or bind a type by size with Array::from_map".to_owned(),
            ));
        };
        let (size, name) = (btf.size(root).unwrap_or(0), btf.type_name(root));
        // The kernel and the loaders see to both.
        let is_named = match btf.get(root) {
            ty if matches!(ty.kind, Kind::Section { .. }) => {
                info.name.ends_with(&*ty.name) || ty.name.starts_with(&*info.name)
            }
            _ => true,
        };
        let fits = size == u64::from(info.value_size) && is_named;
        let units = fits.then(|| Units::new(btf, root, size)).flatten().ok_or_else(|| {
            fault(format!(
                "its BTF ({name}, {size} bytes) does not fit its values of {} bytes: it is another program's or another build's, or was \
                 taken from an object file that no linker (bpftool gen object) or loader has completed",
                info.value_size
            ))
        })?;
        let twins = twins(units.btf(), units.root());
        Ok(Section { map, units, twins, writable: OnceLock::new(), readable: OnceLock::new() })
    }

    fn btf_of_a_user(map: &Map) -> Result<Btf> {
        let mut tried = None;
        for info in users(map.info().id)? {
            if info.btf_id != 0 {
                match Btf::from_id(info.btf_id) {
                    Ok(btf) => return Ok(btf),
                    Err(error) => tried = Some(error),
                }
            }
        }
        Err(tried.unwrap_or_else(|| Error::Btf {
            object: map.info().to_string(),
            reason:
                "it was made without BTF, and no program that uses it has any; compile with -g and load BTF with it"
                    .to_owned(),
        }))
    }

    /// `.bss`, `.data.custom`, and so on; for another array map the map's name.
    pub fn name(&self) -> &str {
        let ty = self.btf().get(self.units.root());
        if matches!(ty.kind, Kind::Section { .. }) { &ty.name } else { &self.map.info().name }
    }

    /// Whether it is a data section of a program, and no other array map.
    pub fn is_data(&self) -> bool {
        matches!(self.btf().kind(self.units.root()), Kind::Section { .. })
    }

    /// The map.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// How it can be reached. Looks at the map's flags and whether it is frozen.
    ///
    /// # Errors
    ///
    /// As [`Map::is_frozen`].
    pub fn reach(&self) -> Result<Reach> {
        let flags = self.map.info().flags;
        let fixed = self.map.reads_only() || self.map.is_frozen()?;
        Ok(match (flags.mmapable() && !self.map.reads_only(), fixed) {
            (true, false) if !flags.rdonly_prog() => Reach::Mapped,
            (true, _) => Reach::MappedReadOnly,
            (false, false) => Reach::SystemCall,
            (false, true) => Reach::SystemCallReadOnly,
        })
    }

    /// Its variables, in the order of their offsets.
    pub fn vars(&self) -> impl Iterator<Item = Var<'_>> {
        let (placed, whole): (&[Placed], _) = match self.btf().kind(self.units.root()) {
            Kind::Section { variables, .. } => (variables, None),
            _ => (&[], Some(Var::of_map(self))),
        };
        let variables =
            placed.iter().filter(|placed| matches!(self.btf().get(placed.variable).kind, Kind::Variable { .. }));
        variables.map(|placed| Var::of_variable(self, placed)).chain(whole)
    }

    /// The variable, or the part of one, that a path names: `sampling`, `config.limits[2].burst`, `func.local` or `local` for a static
    /// variable of a function, `counter@16` for the one of several `counter` that lies at byte 16.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Ambiguous`], [`Error::Argument`] for a path that goes nowhere.
    pub fn var(&self, path: &str) -> Result<Var<'_>> {
        var::find(std::slice::from_ref(self), path, &self.to_string())
    }

    /// Binds the whole section, or all entries of an array map, to a Rust type, in a mapping of its own: `T` is held against BTF
    /// member by member, a section's variables being the members. A field whose name starts with `_` stands for anything.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] with all differences; then as [`Array::from_map`].
    pub fn bind<T: MapValue, A: Access>(&self) -> Result<Array<T, A>> {
        compare::check::<T>(self)?;
        Array::from_map(self.map.try_clone()?)
    }

    /// The programs that use the map now. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Program::from_id`].
    pub fn programs(&self) -> Result<Vec<ProgramInfo>> {
        users(self.map.info().id)
    }

    /// Whether no program uses the map, any more or at all. When a program is loaded anew, its variables live in a new map, and the old one
    /// lives on only for those who still hold it. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Section::programs`].
    pub fn is_stale(&self) -> Result<bool> {
        self.programs().map(|programs| programs.is_empty())
    }

    fn btf(&self) -> &Btf {
        self.units.btf()
    }
}

/// The names that several variables of a section have: static variables of several source files or inlined functions.
fn twins(btf: &Btf, root: TypeId) -> HashSet<Box<str>> {
    let Kind::Section { variables, .. } = btf.kind(root) else { return HashSet::new() };
    let mut seen = HashSet::new();
    let names = variables.iter().map(|placed| &btf.get(placed.variable).name);
    names.filter(|name| !seen.insert(*name)).cloned().collect()
}

/// The programs that use a map.
fn users(map_id: u32) -> Result<Vec<ProgramInfo>> {
    Ok(Program::all()?.into_iter().filter(|info| info.map_ids.contains(&map_id)).collect())
}

/// Whether a map may be a section at all.
pub(crate) fn may_be_section(map: &Map) -> bool {
    map.info().map_type == MapType::ARRAY
}

/// How messages name it: `.bss of map "count.bss" (id 7)`.
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_data() { write!(f, "{} of {}", self.name(), self.map.info()) } else { self.map.info().fmt(f) }
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("name", &self.name()).field("map", &self.map).finish_non_exhaustive()
    }
}
