//! A variable, or a part of one: where it lies and what it is.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use super::path::{self, Step};
use super::{Section, compare};
use crate::error::{Error, Result};
use crate::mapped::Values;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::types::{Btf, Kind, Part, Placed};
use crate::value::{Value, decode};
use crate::view::{Field, MapValue};

/// A variable of a running program, or a part of one, found by its path: a pointer to its section and what BTF says of it.
///
/// [`field`](Var::field) and [`view`](Var::view) hold a Rust type against BTF and give what an [`Array`](crate::Array) gives:
/// from then on an access costs what it costs there, one instruction, no lookup, no allocation. [`read`](Var::read),
/// [`set`](Var::set) and their kin work without a Rust type, with a [`Value`].
///
/// `Var<'_, ReadOnly>`, by [`read_only`](Var::read_only), gives fields that cannot write, also where the kernel maps the section
/// read-only.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::Globals;
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let globals = Globals::of_program_named("count")?;
/// let sampling = globals.var("sampling")?.field::<u32>()?; // held against BTF: size, kind, signedness, alignment
/// sampling.store(100, Relaxed);
/// globals.var("config.mode")?.set("FAST")?;
/// println!("{}", globals.var("config")?.read()?);
/// # Ok::<(), bpfvar::Error>(())
/// ```
pub struct Var<'s, A: Access = ReadWrite> {
    section: &'s Section,
    path: String,
    entry: Entry,
    part: Part,
    linkage: Option<Linkage>,
    access: PhantomData<fn() -> A>,
}

/// Which values of the map it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// All entries of a map that is no data section.
    All,
    One(u32),
}

/// How a variable was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Linkage {
    /// `static`, or made so by `__hidden`.
    Static,
    /// Visible outside of its object.
    Global,
    /// `extern`. The variables of `.kconfig` are so in C; libbpf makes them global before it loads them.
    Extern,
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Linkage::Static => "static",
            Linkage::Global => "global",
            Linkage::Extern => "extern",
        })
    }
}

/// The variable, or the part of one, that a path names, in any of the sections of `object`.
pub(crate) fn find<'s>(sections: &'s [Section], path: &str, object: &str) -> Result<Var<'s>> {
    let mut found: Vec<Var<'s>> = Vec::new();
    let mut longest = 0;
    for var in sections.iter().flat_map(Section::vars) {
        let name = var.name();
        let goes_on = path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '@']));
        // A static variable `f.x` goes before a member `x` of a variable `f`.
        if goes_on && name.len() >= longest {
            if name.len() > longest {
                found.clear();
            }
            longest = name.len();
            found.push(var);
        }
    }
    if found.is_empty() {
        found = of_functions(sections, path);
        longest = found.first().map_or(0, |var| short_name(var.name()).len());
    }
    if found.is_empty() {
        return Err(not_found(sections, path, object));
    }
    let mut steps = &path[longest..];
    if let Some(behind) = steps.strip_prefix('@') {
        let end = behind.find(['.', '[']).unwrap_or(behind.len());
        let wanted: Option<u64> = behind[..end].parse().ok();
        found.retain(|var| Some(var.part.offset) == wanted);
        steps = &behind[end..];
        if found.is_empty() {
            return Err(not_found(sections, path, object));
        }
    }
    if found.len() > 1 {
        let candidates = found.iter().map(Var::candidate).collect();
        let hint = "say which by its offset, as it stands here, or look in one section only";
        return Err(Error::Ambiguous { what: format!("{object}: {:?}", &path[..longest]), candidates, hint });
    }
    let var = &found[0];
    var.at(steps)
}

/// Static variables of functions, `func.local`, that `path` names without their function.
fn of_functions<'s>(sections: &'s [Section], path: &str) -> Vec<Var<'s>> {
    let end = path.find(['.', '[', '@']).unwrap_or(path.len());
    let vars = sections.iter().flat_map(Section::vars);
    vars.filter(|var| var.name().contains('.') && short_name(var.name()) == &path[..end]).collect()
}

fn short_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn not_found(sections: &[Section], path: &str, object: &str) -> Error {
    const SHOWN: usize = 12;
    let names: Vec<String> = sections.iter().flat_map(Section::vars).map(|var| var.path).collect();
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let hint = match names.len() {
        0 => "it has no variables at all".to_owned(),
        SHOWN.. => format!("there are {}, among them {shown}", names.len()),
        _ => format!("there are {shown}"),
    };
    Error::NotFound { object: object.to_owned(), what: format!("variable {path:?}"), hint }
}

impl<'s> Var<'s> {
    pub(super) fn of_variable(section: &'s Section, placed: &Placed) -> Var<'s> {
        let btf = section.btf();
        let ty = btf.get(placed.variable);
        let linkage = match ty.kind {
            Kind::Variable { linkage: 0, .. } => Linkage::Static,
            Kind::Variable { linkage: 1, .. } => Linkage::Global,
            _ => Linkage::Extern,
        };
        let path = match section.twins.contains(&ty.name) {
            true => format!("{}@{}", ty.name, placed.offset),
            false => ty.name.to_string(),
        };
        Var {
            section,
            path,
            entry: Entry::One(0),
            part: path::whole(btf, placed.variable, placed.offset.into()),
            linkage: Some(linkage),
            access: PhantomData,
        }
    }

    pub(super) fn of_map(section: &'s Section) -> Var<'s> {
        let part = path::whole(section.btf(), section.units.root(), 0);
        let path = section.map.info().name.clone();
        Var { section, path, entry: Entry::All, part, linkage: None, access: PhantomData }
    }

    /// The same for whoever must not write: its fields cannot.
    pub fn read_only(self) -> Var<'s, ReadOnly> {
        let Var { section, path, entry, part, linkage, .. } = self;
        Var { section, path, entry, part, linkage, access: PhantomData }
    }
}

impl<'s, A: Access> Var<'s, A> {
    /// Its path: `config.limits[2].burst`; `calls@16` for a variable that shares its name with another of its section.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its section.
    pub fn section(&self) -> &'s Section {
        self.section
    }

    /// Its type as C names it: `__u32`, `struct config`, `char [16]`. For all entries of a map, that of one entry.
    pub fn type_name(&self) -> String {
        let name = self.btf().type_name(self.part.of);
        match self.part.bits {
            Some(bits) => format!("{name} : {}", bits.len),
            None => name,
        }
    }

    /// Its declaration as C writes it, with all that is inside, a line each; offsets, counted from the variable, and sizes in
    /// bytes as comments.
    pub fn declaration(&self) -> String {
        let name = self.path.rsplit('.').next().unwrap_or(&self.path);
        let name = name.split('[').next().unwrap_or(name);
        let name = match (self.entry, self.single()) {
            (Entry::All, None) => format!("{name}[{}]", self.section.map.info().max_entries),
            _ => name.to_owned(),
        };
        match self.part.bits {
            Some(bits) => format!("{} : {};\n", self.btf().declaration(self.part.of, &name), bits.len),
            None => self.btf().layout(self.part.of, &name),
        }
    }

    /// Where it starts, in bytes from the start of the section, or of its entry. For a bitfield, where its first byte is.
    pub fn offset(&self) -> u64 {
        self.part.offset
    }

    /// Its size in bytes; for all entries of a map, that of one entry; for a bitfield, that of its type.
    pub fn size(&self) -> u64 {
        self.btf().size(self.part.of).unwrap_or(0)
    }

    /// The entry of the map that it lies in: 0 for a variable of a data section; None for all entries of a map with several.
    pub fn entry(&self) -> Option<u32> {
        self.single()
    }

    /// How the variable was declared; None if the map is no data section.
    pub fn linkage(&self) -> Option<Linkage> {
        self.linkage
    }

    /// A part of it: `.limits[2].burst`, `[3]`. The empty path is the variable itself.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a path that goes nowhere, with what there is.
    pub fn at(&self, path: &str) -> Result<Var<'s, A>> {
        let fault = |rule: String| self.argument("path", format!("{path:?}"), rule);
        let (mut entry, mut part) = (self.entry, self.part);
        for step in path::parse_steps(path).map_err(fault)? {
            match (entry, &step) {
                (Entry::All, Step::Index(index)) => {
                    let entries = self.section.map.info().max_entries;
                    let found = u32::try_from(*index).ok().filter(|index| *index < entries);
                    let rule = || fault(format!("there is no entry {index}; they are 0 to {}", entries - 1));
                    entry = Entry::One(found.ok_or_else(rule)?);
                }
                (Entry::All, Step::Member(member)) if self.single().is_none() => {
                    return Err(fault(format!("a map has entries: choose one, {}[0].{member}", self.path)));
                }
                _ => {
                    entry = Entry::One(if let Entry::One(index) = entry { index } else { 0 });
                    part = path::step(self.btf(), part, &step).map_err(fault)?;
                }
            }
        }
        let path = format!("{}{path}", self.path);
        Ok(Var { section: self.section, path, entry, part, linkage: self.linkage, access: PhantomData })
    }

    /// Reads it, whatever its type and however its section is reached. Each scalar is whole; a struct or an array may be
    /// caught in the middle of an update.
    ///
    /// # Errors
    ///
    /// As [`Array::from_map`](crate::Array::from_map) when the section is first mapped, or as [`Map::lookup`](crate::Map::lookup).
    /// [`Error::Btf`] if its BTF lays more over its bytes than any program in C does.
    pub fn read(&self) -> Result<Value> {
        self.check_content()?;
        let read = |entry| {
            let bytes = if self.is_text() { self.read_text(entry) } else { self.section.read(entry, self.bytes()) }?;
            Ok(decode(self.btf(), self.part, &bytes))
        };
        match self.single() {
            Some(entry) => read(entry),
            None => (0..self.section.map.info().max_entries).map(read).collect::<Result<_>>().map(Value::Array),
        }
    }

    /// Reads it as a `T`, held against BTF as by [`Var::field`]; also by system call, where the section cannot be mapped.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`]; and as [`Var::read`].
    pub fn read_as<T: MapValue>(&self) -> Result<T> {
        let entry = self.check::<T>()?;
        let bytes = self.section.read(entry, self.part.offset..self.part.offset + size_of::<T>() as u64)?;
        Ok(Values::<T, ReadWrite>::of_bytes(&bytes).slice().read(0))
    }

    /// The variable as a field of type `T`: one pointer. `T` is held against BTF: size, kind, signedness, alignment, a struct
    /// member by member; an enum is an integer of its size. A field of a struct whose name starts with `_` stands for
    /// anything.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] with all differences. [`Cause::Frozen`](crate::Cause::Frozen),
    /// [`Cause::ReadOnlyForPrograms`](crate::Cause::ReadOnlyForPrograms) if the section can only be mapped read-only: use
    /// [`Var::read_only`]. [`Error::Mismatch`] if it cannot be mapped at all.
    pub fn field<T: MapValue>(&self) -> Result<Field<'s, T, A>> {
        let entry = self.check::<T>()?;
        let field = self.section.field(entry, self.part.offset)?;
        field.ok_or_else(|| compare::not_in_units::<T>(&self.section.units, &self.to_string(), self.part.offset))
    }

    /// The variable as a view of `T`, such as `derive(MapValue)` makes of a struct: `view::<Config>()?.rate.load(Relaxed)`.
    ///
    /// # Errors
    ///
    /// As [`Var::field`].
    pub fn view<T: MapValue>(&self) -> Result<T::View<'s, A>> {
        self.field().map(T::view)
    }

    fn is_text(&self) -> bool {
        matches!(*self.btf().kind(self.part.of), Kind::Array { element, .. } if self.btf().is_char(element))
    }

    /// The bytes of a char array up to its first NUL, and some more: it may be long and all but empty.
    fn read_text(&self, entry: u32) -> Result<Vec<u8>> {
        let Range { start, end } = self.bytes();
        let mut text = Vec::new();
        for at in (start..end).step_by(4096) {
            text.extend(self.section.read(entry, at..end.min(at + 4096))?);
            if text.contains(&0) {
                break;
            }
        }
        Ok(text)
    }

    /// BTF comes from whoever loaded the program: unions nested in unions, a dozen levels deep, would make a value of gigabytes
    /// out of a few bytes.
    fn check_content(&self) -> Result<()> {
        let content = self.btf().content(self.part.of);
        if content <= self.size().saturating_mul(64) + (1 << 20) {
            return Ok(());
        }
        let reason =
            format!("its members overlap so often that {} bytes are {content}; read a part of it", self.size());
        Err(Error::Btf { object: self.to_string(), reason })
    }

    /// That it has the type `T` and lies in one entry: that entry.
    fn check<T: MapValue>(&self) -> Result<u32> {
        compare::check_part::<T>(self.btf(), self.part, &self.to_string())?;
        self.one_entry()
    }

    pub(super) fn one_entry(&self) -> Result<u32> {
        self.single().ok_or_else(|| {
            let entries = self.section.map.info().max_entries;
            self.argument(
                "path",
                format!("{:?}", self.path),
                format!("the map has {entries} entries: choose one, {}[0]", self.path),
            )
        })
    }

    /// The entry, where there is but one.
    pub(super) fn single(&self) -> Option<u32> {
        match self.entry {
            Entry::One(entry) => Some(entry),
            Entry::All => (self.section.map.info().max_entries == 1).then_some(0),
        }
    }

    /// The bytes of its entry that hold it.
    pub(super) fn bytes(&self) -> Range<u64> {
        let len = match self.part.bits {
            Some(bits) => (bits.start + u64::from(bits.len)).div_ceil(8),
            None => self.size(),
        };
        self.part.offset..self.part.offset + len
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    pub(super) fn btf(&self) -> &'s Btf {
        self.section.btf()
    }

    pub(super) fn argument(&self, argument: &'static str, found: String, rule: String) -> Error {
        Error::Argument { object: self.to_string(), argument, found, rule }
    }

    /// The name of a whole variable, without the offset that tells it from its twins.
    fn name(&self) -> &str {
        self.path.split('@').next().unwrap_or(&self.path)
    }

    /// How an error tells it from others of its name.
    fn candidate(&self) -> String {
        format!("{}@{} ({} in {})", self.name(), self.part.offset, self.type_name(), self.section)
    }
}

impl<A: Access> Clone for Var<'_, A> {
    fn clone(&self) -> Self {
        Var { path: self.path.clone(), access: PhantomData, ..*self }
    }
}

/// How messages name it: `config.rate (__u64 in .data of map "count.data" (id 7))`.
impl<A: Access> fmt::Display for Var<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} in {})", self.path, self.type_name(), self.section)
    }
}

impl<A: Access> fmt::Debug for Var<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
