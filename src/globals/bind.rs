//! A Rust struct whose fields are variables of a program.

use super::Globals;
use crate::array::Array;
use crate::error::{BindFault, Error, Result};
use crate::memory::Access;
use crate::together::{PerCpu, SwitchWriter};
use crate::typed_map::{TypedMap, Var};
use crate::view::{MapValue, Shared};

/// A struct of handles to variables of a program, bound in one step. Derive it.
///
/// Each field is looked up by its name, or as its attribute says:
///
/// | attribute | the field is |
/// |---|---|
/// | none | the variable with the field's name |
/// | `#[bind("config.limits[2].burst")]` | the variable, or part of one, that the path names |
/// | `#[bind(map = "stats")]` | the map of that name, or the section: `#[bind(map = ".bss")]` |
/// | `#[bind(crate = "path")]`, on the struct | says where bpfvar is, if it is not `::bpfvar` |
///
/// | type of the field | |
/// |---|---|
/// | [`Shared<T>`](Shared), `Shared<T, ReadOnly>` | a handle to a variable, or to a whole section; the type is checked against BTF |
/// | [`Array<T>`](Array), `Array<T, ReadOnly>` | all entries of a map |
/// | [`SwitchWriter<T>`](SwitchWriter) | what writes a variable that is declared by `BPFVAR_SWITCH` |
/// | [`PerCpu<T>`](PerCpu), `PerCpu<T, ReadOnly>` | the values of all CPUs: a variable that is declared by `BPFVAR_PERCPU`, or a map with an entry for each |
/// | [`Var`], [`TypedMap`] | access without a Rust type |
/// | `Option` of any of these | `None` if there is no such variable or map, as in an older build of the program |
///
/// Nothing is bound unless everything can be: [`Error::Bind`] lists each field that cannot, and why.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Array, Bind, Globals, MapValue, ReadOnly, Shared};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// #[derive(MapValue, Clone, Copy)]
/// #[repr(C)]
/// struct Stats { packets: u64, drops: u64 }
///
/// #[derive(Bind)]
/// struct Count {
///     sampling: Shared<u32>,
///     version: Shared<u32, ReadOnly>,                          // in .rodata
///     #[bind("config.limits[2].burst")] burst: Shared<u32>,
///     #[bind(map = "stats")] stats: Array<Stats>,
///     debug: Option<Shared<bool>>,                             // absent in older builds
/// }
///
/// let count = Count::bind(&Globals::by_name("count")?)?;
/// count.sampling.store(100, Relaxed);
/// println!("{} {}", count.burst.load(Relaxed), count.stats.sum(|stats| stats.packets));
/// # Ok::<(), bpfvar::Error>(())
/// ```
pub trait Bind: Sized {
    /// Binds to the variables of a program.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] with each field that cannot be bound.
    fn bind(globals: &Globals) -> Result<Self>;
}

/// Binds nothing: for a [`Follower`](crate::Follower) that looks variables up itself.
impl Bind for Globals {
    fn bind(globals: &Globals) -> Result<Globals> {
        Ok(globals.clone())
    }
}

/// What a field of a [`Bind`] struct can be: something made from a variable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a variable",
    label = "not `Shared<T>`, `SwitchWriter<T>`, `PerCpu<T>`, `Var` or an `Option` of one",
    note = "an `Array` or `TypedMap` is bound to a map: `#[bind(map = \"name\")]`"
)]
pub trait FromVar: Sized {
    /// Looks the variable up and binds to it.
    ///
    /// # Errors
    ///
    /// As [`Globals::var`] and [`Var::bind`].
    fn from_var(globals: &Globals, path: &str) -> Result<Self>;
}

/// What a field with `#[bind(map = "name")]` of a [`Bind`] struct can be: something made from a map.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a map",
    label = "not `Array<T>`, `Shared<T>`, `PerCpu<T>`, `TypedMap` or an `Option` of one"
)]
pub trait FromMap: Sized {
    /// Looks the map up and binds to it.
    ///
    /// # Errors
    ///
    /// As [`Globals::map`], [`TypedMap::array`] and [`TypedMap::bind`].
    fn from_map(globals: &Globals, name: &str) -> Result<Self>;
}

impl<T: MapValue, A: Access> FromVar for Shared<T, A> {
    fn from_var(globals: &Globals, path: &str) -> Result<Self> {
        globals.var(path)?.bind()
    }
}

/// A variable that is declared by `BPFVAR_SWITCH`.
impl<T: MapValue> FromVar for SwitchWriter<T> {
    fn from_var(globals: &Globals, path: &str) -> Result<Self> {
        globals.var(path)?.switch()
    }
}

/// A variable that is declared by `BPFVAR_PERCPU`, or an array with an element for each CPU.
impl<T: MapValue, A: Access> FromVar for PerCpu<T, A> {
    fn from_var(globals: &Globals, path: &str) -> Result<Self> {
        globals.var(path)?.per_cpu()
    }
}

impl FromVar for Var {
    fn from_var(globals: &Globals, path: &str) -> Result<Self> {
        globals.var(path)
    }
}

impl<F: FromVar> FromVar for Option<F> {
    fn from_var(globals: &Globals, path: &str) -> Result<Self> {
        unless_absent(F::from_var(globals, path))
    }
}

impl<T: MapValue, A: Access> FromMap for Array<T, A> {
    fn from_map(globals: &Globals, name: &str) -> Result<Self> {
        globals.map(name)?.array()
    }
}

impl<T: MapValue, A: Access> FromMap for Shared<T, A> {
    fn from_map(globals: &Globals, name: &str) -> Result<Self> {
        globals.map(name)?.bind()
    }
}

/// An array map with an entry for each CPU.
impl<T: MapValue, A: Access> FromMap for PerCpu<T, A> {
    fn from_map(globals: &Globals, name: &str) -> Result<Self> {
        globals.map(name)?.array()?.per_cpu()
    }
}

impl FromMap for TypedMap {
    fn from_map(globals: &Globals, name: &str) -> Result<Self> {
        globals.map(name).cloned()
    }
}

impl<F: FromMap> FromMap for Option<F> {
    fn from_map(globals: &Globals, name: &str) -> Result<Self> {
        unless_absent(F::from_map(globals, name))
    }
}

fn unless_absent<F>(found: Result<F>) -> Result<Option<F>> {
    match found {
        Err(Error::NotFound { .. }) => Ok(None),
        found => found.map(Some),
    }
}

/// Binds field after field and collects what cannot be bound. For the derive.
#[doc(hidden)]
#[derive(Debug)]
pub struct Binder<'g> {
    globals: &'g Globals,
    rust_type: &'static str,
    faults: Vec<BindFault>,
}

impl<'g> Binder<'g> {
    /// Starts a struct.
    pub fn new(globals: &'g Globals, rust_type: &'static str) -> Self {
        Binder { globals, rust_type, faults: Vec::new() }
    }

    /// Binds a field to a variable.
    pub fn var<F: FromVar>(&mut self, field: &'static str, path: &str) -> Option<F> {
        let found = F::from_var(self.globals, path);
        self.keep(field, found)
    }

    /// Binds a field to a map.
    pub fn map<F: FromMap>(&mut self, field: &'static str, name: &str) -> Option<F> {
        let found = F::from_map(self.globals, name);
        self.keep(field, found)
    }

    fn keep<F>(&mut self, field: &'static str, found: Result<F>) -> Option<F> {
        found.map_err(|error| self.faults.push(BindFault { field: field.to_owned(), error })).ok()
    }

    /// Returns the error for the fields that cannot be bound.
    pub fn error(self) -> Error {
        let object = Box::new(self.globals.object().clone());
        Error::Bind { object, rust_type: self.rust_type.to_owned(), faults: self.faults }
    }
}
