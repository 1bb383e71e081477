//! A variable, or a part of one: where it lies and what it is.

use std::fmt;
use std::ops::Range;

use super::path::{self, Astray, Step, VarPath};
use super::together::Guard;
use super::{TypedMap, compare};
use crate::error::{Advice, Error, Object, ObjectKind, Result};
use crate::mapped::Values;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::together::Sleepable;
use crate::types::explore::{Linkage, Type};
use crate::types::{Btf, Kind, Part, Placed};
use crate::value::Value;
use crate::view::{MapValue, Shared};

/// A variable of a running program, or a part of one, found by its path. A handle: it owns a share of its map, so it can be
/// cloned, stored and sent to other threads.
///
/// [`bind`](Var::bind) checks a Rust type against BTF and returns a [`Shared`] handle: from then on an access is one
/// instruction, without lookup or allocation. [`read`](Var::read), [`set`](Var::set) and their kin need no Rust type; they work
/// with a [`Value`] and an [`Input`](crate::Input).
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Globals, ReadOnly, Shared};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let globals = Globals::by_name("count")?;
/// let sampling: Shared<u32> = globals.var("sampling")?.bind()?; // checked: size, kind, signedness, alignment
/// sampling.store(100, Relaxed);
/// let version = globals.var("version")?.bind::<u32, ReadOnly>()?; // in .rodata, which is never written
/// globals.var("config.mode")?.set("FAST")?;
/// println!("{} {}", version.load(Relaxed), globals.var("config")?.read()?);
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone)]
pub struct Var {
    map: TypedMap,
    path: String,
    entry: Entry,
    /// What stands between the entry and the part, from the outside to the inside.
    pub(super) guards: Vec<Guard>,
    pub(super) part: Part,
    linkage: Option<Linkage>,
    pub(super) sleepable: Sleepable,
}

/// Which values of the map it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// All entries of a map that is no data section.
    All,
    One(u32),
}

impl Var {
    pub(super) fn of_variable(map: &TypedMap, placed: &Placed) -> Var {
        let btf = map.btf();
        let ty = btf.get(placed.variable);
        let linkage = match ty.kind {
            Kind::Variable { linkage, .. } => Linkage::of(linkage),
            _ => Linkage::Extern,
        };
        let is_twin = map.0.twins.contains(&ty.name);
        let path = if is_twin { format!("{}@{}", ty.name, placed.offset) } else { ty.name.to_string() };
        let part = path::whole(btf, placed.variable, placed.offset.into());
        Var {
            map: map.clone(),
            path,
            entry: Entry::One(0),
            guards: map.guards(),
            part,
            linkage: Some(linkage),
            sleepable: Sleepable::Refused,
        }
    }

    pub(super) fn of_map(map: &TypedMap) -> Var {
        let part = path::whole(map.btf(), map.units().root(), 0);
        Var {
            map: map.clone(),
            path: map.info().name.clone(),
            entry: Entry::All,
            guards: map.guards(),
            part,
            linkage: None,
            sleepable: Sleepable::Refused,
        }
    }

    /// Returns its path: `config.limits[2].burst`; `calls@16` for a variable that shares its name with another of its section.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the map that it lies in.
    pub fn map(&self) -> &TypedMap {
        &self.map
    }

    /// Returns its type as C names it: `__u32`, `struct config`, `char [16]`. For all entries of a map, the type of one entry.
    pub fn type_name(&self) -> String {
        let name = self.btf().type_name(self.part.of);
        match self.part.bits {
            Some(bits) => format!("{name} : {}", bits.len),
            None => name,
        }
    }

    /// Returns its type, to walk through. For all entries of a map, the type of one entry; for a bitfield, the type of which it
    /// takes some bits.
    pub fn ty(&self) -> Type<'_> {
        self.btf().ty(self.part.of)
    }

    /// Returns its declaration as C writes it, with everything inside it, a line each. Comments give offsets, counted from the
    /// variable, and sizes in bytes.
    pub fn declaration(&self) -> String {
        if self.wrapper().is_some() {
            let inner = self.unwrapped();
            return format!("// {}\n{}", self.type_name(), inner.declaration());
        }
        let name = self.path.rsplit('.').next().unwrap_or(&self.path);
        let name = name.split('[').next().unwrap_or(name);
        let name = match (self.entry, self.single()) {
            (Entry::All, None) => format!("{name}[{}]", self.map.info().max_entries),
            _ => name.to_owned(),
        };
        self.btf().layout(self.part, &name)
    }

    /// Returns the names and numbers that it can have, if it is an enum or a bitfield of one. Empty for any other type.
    pub fn enumerators(&self) -> Vec<(&str, i128)> {
        self.ty().enumerators()
    }

    /// Returns where it starts, in bytes from the start of its section or entry. For a bitfield, where its first byte is.
    pub fn offset(&self) -> u64 {
        self.part.offset
    }

    /// Returns the bits that it takes of its section or entry, counted from the start of that. Two parts of one entry lie over each
    /// other, as the members of a union do, if their bits do.
    pub fn bits(&self) -> Range<u64> {
        let (start, len) = match self.part.bits {
            Some(bits) => (bits.start, bits.len.into()),
            None => (0, self.size() * 8),
        };
        let start = self.part.offset * 8 + start;
        start..start + len
    }

    /// Returns its size in bytes. For all entries of a map, the size of one entry; for a bitfield, that of its type.
    pub fn size(&self) -> u64 {
        self.btf().size(self.part.of).unwrap_or(0)
    }

    /// Returns the entry of the map that it lies in: 0 for a variable of a section. `None` for all entries of a map with several.
    pub fn entry(&self) -> Option<u32> {
        self.single()
    }

    /// Returns how the variable was declared. `None` if the map is not a section.
    pub fn linkage(&self) -> Option<Linkage> {
        self.linkage
    }

    /// Returns whether it is an array of C's `char`, which is read as text. For all entries of a map, whether each is.
    pub fn is_text(&self) -> bool {
        matches!(*self.btf().kind(self.part.of), Kind::Array { element, .. } if self.btf().is_char(element))
    }

    /// Returns a part of it: `.limits[2].burst`, `[3]`. The empty path is the variable itself. See [`VarPath`].
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a member that does not exist, with those that do. [`Error::Argument`] for a path that leads
    /// nowhere or is malformed.
    pub fn at(&self, path: &str) -> Result<Var> {
        let steps: VarPath = path.parse().map_err(|error: Error| error.about(self.object()))?;
        let mut var = self.clone();
        for step in steps.steps() {
            var = var.stepped(step).map_err(|mut error| {
                if let Error::Argument { argument: "path", found, .. } = &mut error {
                    *found = format!("{path:?}");
                }
                error.about(self.object())
            })?;
        }
        Ok(Var { path: format!("{}{path}", self.path), ..var })
    }

    /// One step further. Its path stays as it is, and so errors name what it starts from.
    pub(super) fn stepped(&self, step: &Step) -> Result<Var> {
        let fault = |rule: String, advice| self.argument("path", format!("{:?}", step.to_string()), rule, advice);
        let mut var = self.clone();
        match (self.entry, step) {
            (Entry::All, Step::Index(index)) => {
                let entries = self.map.info().max_entries;
                let found = u32::try_from(*index).ok().filter(|index| *index < entries);
                let rule = || fault(format!("there is no entry {index}; they are 0 to {}", entries - 1), None);
                var.entry = Entry::One(found.ok_or_else(rule)?);
            }
            (Entry::All, Step::Member(member)) if self.single().is_none() => {
                let rule = format!("a map has entries, such as {}[0].{member}", self.path);
                return Err(fault(rule, Some(Advice::ChooseEntry)));
            }
            _ => {
                var.entry = Entry::One(if let Entry::One(index) = self.entry { index } else { 0 });
                if !var.step_to_cpu(step)? {
                    var.part = path::step(self.btf(), var.part, step).map_err(|astray| match astray {
                        Astray::Rule(rule) => fault(rule, None),
                        Astray::Missing { kind, name, known } => self.not_found(kind, name, known),
                    })?;
                }
            }
        }
        Ok(var)
    }

    /// Reads it, whatever its type and however its map is accessed. Each scalar is whole; a struct or an array may be caught in
    /// the middle of an update, unless it is declared by `BPFVAR_SEQ` or `BPFVAR_SWITCH` or is inside of one: then all of it is
    /// of one moment. What has a value for each CPU is the sum of all; `[3]` is that of CPU 3.
    ///
    /// # Errors
    ///
    /// As [`Array::from_map`](crate::Array::from_map) when the map is first mapped, or as [`Map::lookup`](crate::Map::lookup).
    /// [`Error::Btf`] if its BTF lays more over its bytes than any program in C does. [`Error::Torn`] if there was no
    /// consistent copy.
    pub fn read(&self) -> Result<Value> {
        self.check_content()?;
        self.read_checked()
    }

    /// The same of what is known not to take too much.
    pub(super) fn read_checked(&self) -> Result<Value> {
        let unwrapped = self.wrapper().map(|_| self.unwrapped());
        let var = unwrapped.as_ref().unwrap_or(self);
        let read = |entry| var.read_entry(entry).map_err(|error| error.about(self.object()));
        match self.single() {
            Some(entry) => read(entry),
            None => (0..self.map.info().max_entries).map(read).collect::<Result<_>>().map(Value::Array),
        }
    }

    /// Reads it as a `T`, which is checked against BTF as by [`Var::bind`]. Where the map cannot be mapped, by system call.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`]; and as [`Var::read`].
    pub fn read_as<T: MapValue>(&self) -> Result<T> {
        if self.btf().holds_wrapper(self.part.of) {
            // Copied by the type's own rules.
            return Ok(self.bind::<T, ReadOnly>()?.read());
        }
        let entry = self.check::<T>()?;
        let bytes = self.read_as_one(entry).map_err(|error| error.about(self.object()))?;
        Ok(Values::<T, ReadWrite>::of_bytes(&bytes).slice().read(0))
    }

    /// Binds the variable to a Rust type: returns a handle to it as a `T`. `A` is [`ReadWrite`] or
    /// [`ReadOnly`](crate::ReadOnly), which every mapped variable allows.
    ///
    /// `T` is checked against BTF: size, kind, signedness, alignment, a struct member by member. An enum is an integer of its
    /// size. A field of a struct whose name starts with `_` stands for anything. A [`Zerocopy`](crate::Zerocopy) is checked by
    /// its size only.
    ///
    /// All handles of a map share one mapping. A type whose scalars are not those of the BTF, such as a narrow member of a union
    /// or bytes as a [`Zerocopy`](crate::Zerocopy), gets a mapping of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] with all differences. [`Cause::Frozen`](crate::Cause::Frozen),
    /// [`Cause::ReadOnlyForPrograms`](crate::Cause::ReadOnlyForPrograms) if the map can only be mapped read-only.
    /// [`Error::Mismatch`] if it cannot be mapped at all.
    pub fn bind<T: MapValue, A: Access>(&self) -> Result<Shared<T, A>> {
        self.check_pointer::<A>()?;
        let entry = self.check::<T>()?;
        self.map.share(entry, self.part.offset).map_err(|error| error.about(self.object()))
    }

    /// The bytes of a char array up to its first NUL, and some more: it may be long and all but empty.
    pub(super) fn read_text(&self, entry: u32) -> Result<Vec<u8>> {
        let Range { start, end } = self.bytes();
        let mut text = Vec::new();
        for at in (start..end).step_by(4096) {
            text.extend(self.map.read(entry, at..end.min(at + 4096))?);
            if text.contains(&0) {
                break;
            }
        }
        Ok(text)
    }

    /// That it has the type `T` and lies in one entry: that entry.
    fn check<T: MapValue>(&self) -> Result<u32> {
        self.check_content()?;
        compare::check_part::<T>(self)?;
        let entry = self.one_entry()?;
        compare::check_alignment::<T>(self, self.map.info().stride() * u64::from(entry) + self.part.offset)?;
        Ok(entry)
    }

    pub(super) fn one_entry(&self) -> Result<u32> {
        self.single().ok_or_else(|| {
            let entries = self.map.info().max_entries;
            let rule = format!("the map has {entries} entries, {}[0] and so on", self.path);
            self.argument("path", format!("{:?}", self.path), rule, Some(Advice::ChooseEntry))
        })
    }

    /// The entry, where there is but one.
    pub(super) fn single(&self) -> Option<u32> {
        match self.entry {
            Entry::One(entry) => Some(entry),
            Entry::All => (self.map.info().max_entries == 1).then_some(0),
        }
    }

    /// Whether it is all entries of a map, as if it were an array.
    pub(super) fn is_map(&self) -> bool {
        self.entry == Entry::All
    }

    /// The bytes of its entry that hold it.
    pub(super) fn bytes(&self) -> Range<u64> {
        let len = match self.part.bits {
            Some(bits) => (bits.start + u64::from(bits.len)).div_ceil(8),
            None => self.size(),
        };
        self.part.offset..self.part.offset + len
    }

    /// The variable that it is a part of.
    pub(super) fn start(&self) -> Var {
        let holds = |var: &Var| {
            self.path.strip_prefix(&*var.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let start = self.map.vars().filter(holds).max_by_key(|var| var.path.len()).unwrap_or_else(|| self.clone());
        Var { sleepable: self.sleepable, ..start }
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    pub(super) fn btf(&self) -> &Btf {
        self.map.btf()
    }

    pub(super) fn argument(
        &self,
        argument: &'static str,
        found: String,
        rule: String,
        advice: Option<Advice>,
    ) -> Error {
        Error::Argument { object: Box::new(self.object()), argument, found, rule, advice }
    }

    fn not_found(&self, kind: ObjectKind, name: String, known: Vec<String>) -> Error {
        Error::NotFound { object: Box::new(self.object()), kind, name, known, advice: None }
    }

    /// Returns how errors name it.
    pub fn object(&self) -> Object {
        Object::Variable {
            path: self.path.clone(),
            type_name: self.type_name(),
            offset: self.part.offset,
            map: Box::new(self.map.object()),
        }
    }

    /// The name of a whole variable, without the offset that tells it from its twins.
    pub(super) fn name(&self) -> &str {
        self.path.split('@').next().unwrap_or(&self.path)
    }
}

/// Names it as errors do: `config.rate (__u64 in .data of map "count.data" (id 7))`.
impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
