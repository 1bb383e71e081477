//! A map whose values BTF describes: a data section of a program, or an array map, with its variables by name; or a map that is
//! reached by keys, with its entries.

mod access;
mod batch;
mod budget;
mod bytes;
mod change;
mod compare;
mod find;
mod keyed;
mod parts;
mod path;
mod replace;
mod together;
mod var;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::array::Array;
use crate::error::{BtfFault, Error, Object, Result};
use crate::kernel::{Map, MapInfo, MapType, Program, ProgramInfo};
use crate::mapped::Typed;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::types::{Btf, Kind, Placed, TypeId, Units};
use crate::view::{MapValue, Shared};

pub use access::AccessMode;
pub use change::{Applied, Change};
pub(crate) use find::find;
pub(crate) use keyed::may_be_keyed;
pub use keyed::{Entries, KeyedEntry, KeyedMap};
pub use path::{Step, VarPath};
pub use var::Var;

/// A map whose values BTF describes. A handle: cloning it is cheap, and it has no lifetime.
///
/// It is either a data section of a program (`.bss`, `.data`, `.rodata`, `.kconfig`, or a custom one such as `.data.limits`),
/// whose one value holds the program's variables; or another array map with a value type, which counts as one variable with the
/// map's name.
///
/// It is mapped when that is first needed: read-only for reading, read-write for writing and for a handle that writes. So
/// listing and reading never prevents anybody from freezing the map. What cannot be mapped is read by system call; see
/// [`AccessMode`].
///
/// Memory is accessed by the *units* of the map's BTF: each scalar in one step. Where the members of a union have different
/// widths, the widest counts, and the others are read and written as parts of it.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Map, MapValue, Shared, TypedMap};
///
/// let bss = TypedMap::open(Map::from_pin("/sys/fs/bpf/count_bss")?)?;
/// for var in bss.vars() {
///     println!("{} at byte {}, {} bytes: {}", var.path(), var.offset(), var.size(), var.read()?);
/// }
///
/// #[derive(MapValue, Clone, Copy)]
/// #[repr(C)]
/// struct Bss { packets: u64, drops: u32 } // the first variables; there may be more behind them
///
/// let counters: Shared<Bss> = bss.bind()?; // names, types and offsets are checked against BTF
/// println!("{}", counters.read().packets);
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone)]
pub struct TypedMap(Arc<Inner>);

struct Inner {
    map: Map,
    units: Units,
    /// Names that several of its variables have.
    twins: HashSet<Box<str>>,
    writable: OnceLock<Typed<ReadWrite>>,
    readable: OnceLock<Typed<ReadOnly>>,
}

impl TypedMap {
    /// Opens a map with the BTF that it was created with. A map without BTF, as aya creates its sections, is read by that of a
    /// program that uses it. Needs `CAP_SYS_ADMIN` to fetch the BTF; see [`TypedMap::with_btf`].
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is not an array, [`Error::Btf`] if nothing describes its values,
    /// [`Cause::BtfNeedsCapSysAdmin`](crate::Cause::BtfNeedsCapSysAdmin).
    pub fn open(map: Map) -> Result<TypedMap> {
        map.check_typed()?;
        let btf = match map.info().btf_id {
            0 => TypedMap::btf_of_a_user(&map)?,
            id => Btf::from_id(id)?,
        };
        TypedMap::with_btf(map, btf)
    }

    /// Opens a map with BTF that the caller has. No privilege is needed beyond the map's descriptor.
    ///
    /// The value's type is the one that the map names by number. For a map without BTF it is the section of the map's name
    /// (`.bss` for `.bss` and for `count.bss`). The BTF must be that with which the program was loaded. BTF of an object file as
    /// compilers write it lacks the sizes of sections; `bpftool gen object linked.o program.o` adds them (section `.BTF` of
    /// `linked.o`). A process with `CAP_SYS_ADMIN` can fetch it with [`Btf::from_id`].
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is not an array. [`Error::Btf`] if the BTF has no type for it, or one that does not fit its
    /// values.
    pub fn with_btf(map: Map, btf: Btf) -> Result<TypedMap> {
        map.check_typed()?;
        let info = map.info();
        let fault = |fault| Error::Btf { object: Box::new(info.object()), fault };
        let root = match (info.btf_id, info.btf_value_type_id) {
            (0, _) => {
                // The longest, as ".data" is also the end of "a.data".
                let names = btf.sections().map(|section| section.name());
                let named = names.filter(|name| info.name.ends_with(name)).max_by_key(|name| name.len());
                named.and_then(|name| btf.section(name))
            }
            (_, 0) => None,
            (_, id) => btf.id(id),
        };
        let root = root.ok_or_else(|| fault(BtfFault::Missing))?;
        let (size, type_name) = (btf.size(root).unwrap_or(0), btf.type_name(root));
        // The kernel and the loaders see to both.
        let is_named = match btf.get(root) {
            ty if matches!(ty.kind, Kind::Section { .. }) => {
                info.name.ends_with(&*ty.name) || ty.name.starts_with(&*info.name)
            }
            _ => true,
        };
        let fits = size == u64::from(info.value_size) && is_named;
        let units = fits.then(|| Units::new(btf, root, size)).flatten();
        let does_not_fit = || fault(BtfFault::DoesNotFit { type_name, size, value_size: info.value_size });
        let units = units.ok_or_else(does_not_fit)?;
        let twins = twins(units.btf(), units.root());
        Ok(TypedMap(Arc::new(Inner { map, units, twins, writable: OnceLock::new(), readable: OnceLock::new() })))
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
        let object = Box::new(map.info().object());
        Err(tried.unwrap_or(Error::Btf { object, fault: BtfFault::NoUserHasBtf }))
    }

    /// Returns the name by which [`Globals::map`](crate::Globals::map) finds it: that of the section, or that of the map.
    pub fn name(&self) -> &str {
        self.section().unwrap_or(&self.info().name)
    }

    /// Returns the name of the data section that the map holds: `.bss`, `.data.limits`. `None` for any other array map.
    pub fn section(&self) -> Option<&str> {
        let ty = self.btf().get(self.units().root());
        matches!(ty.kind, Kind::Section { .. }).then_some(&*ty.name)
    }

    /// Returns the map as the kernel holds it: for pins, freezing, access by system call.
    pub fn as_map(&self) -> &Map {
        &self.0.map
    }

    /// Returns what the kernel says of the map. No system call.
    pub fn info(&self) -> &MapInfo {
        self.0.map.info()
    }

    /// Returns the variables in the order of their offsets. A map that is no section is one variable.
    pub fn vars(&self) -> impl Iterator<Item = Var> {
        let (placed, whole): (&[Placed], _) = match self.btf().kind(self.units().root()) {
            Kind::Section { variables, .. } => (variables, None),
            _ => (&[], Some(Var::of_map(self))),
        };
        let is_variable = |placed: &&Placed| matches!(self.btf().get(placed.variable).kind, Kind::Variable { .. });
        placed.iter().filter(is_variable).map(|placed| Var::of_variable(self, placed)).chain(whole)
    }

    /// Finds the variable, or the part of one, that a path names: `sampling`, `config.limits[2].burst`; `func.local` or `local`
    /// for a static variable of a function; `counter@16` for the one of several `counter` that starts at byte 16.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Ambiguous`], or [`Error::Argument`] for a path that leads nowhere.
    pub fn var(&self, path: &str) -> Result<Var> {
        find(std::slice::from_ref(self), path, || self.object())
    }

    /// Returns the names and numbers of an enum, by its name without `enum`. `None` if the map's BTF has no such enum: compilers leave
    /// out those that neither a variable nor a function's parameter has.
    pub fn enumerators(&self, name: &str) -> Option<Vec<(&str, i128)>> {
        self.btf().enumerators_of(name)
    }

    /// Binds the variables of a section to the fields of a Rust type: one handle for all of them. Names, types and offsets are
    /// checked against BTF. A field whose name starts with `_` stands for anything. Variables behind the end of `T` need no
    /// field, so a program may grow there. A map that is no section must have one entry.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] with all differences; and as [`Var::bind`].
    pub fn bind<T: MapValue, A: Access>(&self) -> Result<Shared<T, A>> {
        compare::check_start::<T>(self)?;
        let entry = Var::of_map(self).one_entry()?;
        self.share(entry, 0)
    }

    /// Binds all entries of an array map to a Rust type, in a mapping of its own. The type is checked against BTF member by
    /// member. A field whose name starts with `_` stands for anything. A section is an array of one entry, every variable of
    /// which needs a field.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] with all differences; then as [`Array::from_map`].
    pub fn array<T: MapValue, A: Access>(&self) -> Result<Array<T, A>> {
        compare::check_all::<T>(self)?;
        Array::from_map(self.0.map.try_clone()?)
    }

    /// Returns the programs that use the map now. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Program::from_id`].
    pub fn programs(&self) -> Result<Vec<ProgramInfo>> {
        users(self.info().id)
    }

    /// Returns whether no program uses the map. When a program is loaded anew, its variables are in a new map, and the old one
    /// exists only for those who still hold it. Needs `CAP_SYS_ADMIN`. See [`Follower`](crate::Follower).
    ///
    /// # Errors
    ///
    /// As [`TypedMap::programs`].
    pub fn is_stale(&self) -> Result<bool> {
        self.programs().map(|programs| programs.is_empty())
    }

    /// Returns how errors name it.
    pub fn object(&self) -> Object {
        let info = self.info();
        Object::Map { name: info.name.clone(), id: info.id, section: self.section().map(str::to_owned) }
    }

    fn units(&self) -> &Units {
        &self.0.units
    }

    /// Returns the BTF by which its values are known.
    pub fn btf(&self) -> &Btf {
        self.units().btf()
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
    Ok(Program::all()?.into_iter().filter(|info| info.uses(map_id)).collect())
}

/// Whether a map may have typed values at all.
pub(crate) fn may_be_typed(info: &MapInfo) -> bool {
    info.map_type == MapType::ARRAY || info.map_type == MapType::PERCPU_ARRAY
}

/// Names it as errors do: `.bss of map "count.bss" (id 7)`.
impl fmt::Display for TypedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl fmt::Debug for TypedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedMap").field("name", &self.name()).field("map", self.as_map()).finish_non_exhaustive()
    }
}
