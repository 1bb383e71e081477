//! An array map of `T`, mapped.

use std::any::type_name;
use std::fmt;
use std::ops::{Range, RangeBounds};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::error::{Cause, Error, Object, Result};
use crate::kernel::{Map, MapBuilder};
use crate::mapped::Values;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::together::{PerCpu, SwitchWriter};
use crate::view::{CacheLine, Field, Integer, Iter, Layout, MapValue, Scalar, Shared, Slice, Switch};

/// An array map of `T`, mapped into this process: its values are plain shared memory.
///
/// When it is opened, the size of `T`, the type of the map, its flags and its key size are checked.
/// A map whose values end before the trailing padding of `T` fits too. The order and types of fields are not
/// checked: a struct of the right size that is not the program's gives wrong values. [`TypedMap::array`](crate::TypedMap::array)
/// checks them against BTF. Access makes no system call and allocates nothing, except for the `Vec` of [`Array::snapshot`].
///
/// Entries are numbered from 0. Value `i` starts `i` times the stride into the mapping, the stride being the size of `T`
/// rounded up to 8 bytes. All values of a new map are zero.
///
/// An array can be shared between threads by reference or in an [`Arc`](std::sync::Arc). A forked child shares the memory of a
/// map, and gets a copy of an array [in the process](Array::in_process). Views borrow it, so none can outlive it.
/// [`Array::share`] gives handles that own a share of the mapping, which is unmapped when the array and all of them are
/// dropped.
///
/// # Access
///
/// `A` says what views may do. `Array<T>` is [`ReadWrite`]; `Array<T, ReadOnly>` is mapped without `PROT_WRITE`, which is
/// all that the kernel grants on a frozen or a `BPF_F_RDONLY_PROG` map.
///
/// # Privileges and kernels
///
/// Mapping needs Linux 5.5 and a read-write descriptor, but no capability; for kernels before 5.19 see [the crate](crate#requirements).
/// `create` needs `CAP_BPF`, `from_id` `CAP_SYS_ADMIN`.
///
/// # Examples
///
/// ```
/// use bpfvar::Array;
/// use std::sync::atomic::Ordering::Relaxed;
///
/// // The same over process memory: no kernel, no privileges. For a map: Array::<u64>::builder()...create()?
/// let counters = Array::<u64>::in_process(256);
/// counters.at(3).fetch_add(2, Relaxed);
/// counters.at(4).store(5, Relaxed);
/// assert_eq!(counters.sum(|counter| counter), 7);
/// assert_eq!(counters.range(3..5).snapshot(), [2, 5]);
/// ```
#[doc(alias = "BPF_MAP_TYPE_ARRAY")]
#[doc(alias = "BPF_F_MMAPABLE")]
#[doc(alias = "mmap")]
pub struct Array<T: MapValue, A: Access = ReadWrite> {
    values: Values<T, A>,
    /// The map, and which of its entries are mapped. None in the process.
    mapped: Option<(Map, Range<u32>)>,
}

impl<T: MapValue> Array<T> {
    /// Makes an array of `entries` values in the memory of this process: no kernel, no privileges, same layout, zeroed. For tests
    /// of code that takes an `Array<T>`.
    ///
    /// # Panics
    ///
    /// If the values do not fit the address space. If there is no memory for them, the process ends, as with a `Vec`.
    pub fn in_process(entries: u32) -> Array<T> {
        Array { values: Values::in_process(entries as usize), mapped: None }
    }
}

impl<T: MapValue> Array<Switch<T>> {
    /// Returns what writes the switch that is value `index`.
    ///
    /// # Errors
    ///
    /// [`Cause::NeedsCapBpf`]: the wait for programs takes a map of maps.
    ///
    /// # Panics
    ///
    /// If the value does not exist.
    #[track_caller]
    pub fn switch(&self, index: usize) -> Result<SwitchWriter<T>> {
        let object = self.map().map_or(Object::Value, |map| map.info().object());
        SwitchWriter::new(self.share(index), self.map(), object)
    }
}

impl<T: MapValue> Array<T> {
    /// Freezes the map for user space, for good: unmaps, freezes, and maps read-only. Programs still write unless the map
    /// is `BPF_F_RDONLY_PROG`.
    ///
    /// Drop all other writable mappings first: those of other `Array`s, of [`Shared`] handles, of other processes and forked
    /// children. For an array [in the process](Array::in_process) it only gives up writing.
    ///
    /// # Errors
    ///
    /// [`FreezeError`], which gives the map back: [`Cause::MappedWritable`] (EBUSY) while somebody else maps it writable,
    /// or as [`Map::freeze`]. A map that somebody else has frozen meanwhile is no error.
    #[expect(clippy::result_large_err, reason = "the error gives the map back")]
    pub fn freeze(self) -> Result<Array<T, ReadOnly>, FreezeError> {
        let Array { values, mapped } = self;
        let Some((map, entries)) = mapped else {
            let values = values.share_in_process().expect("what is not mapped is in the process");
            return Ok(Array { values, mapped: None });
        };
        // The descriptor holds the map's memory while nothing maps it.
        drop(values);
        match map.freeze() {
            Err(error) if error.cause() != Some(Cause::Frozen) => return Err(FreezeError { error, map }),
            _ => {}
        }
        match Values::map(&map, &entries) {
            Ok(values) => Ok(Array { values, mapped: Some((map, entries)) }),
            Err(error) => Err(FreezeError { error, map }),
        }
    }
}

impl<T: MapValue, A: Access> Array<T, A> {
    /// Maps all entries of `map`: one mmap.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is not an array, not `BPF_F_MMAPABLE`, or its values have another size than `T`.
    /// [`Cause::Frozen`] (EPERM) or [`Cause::ReadOnlyForPrograms`] (EACCES) for a read-write array on a map that can only
    /// be mapped read-only. [`Cause::ReadOnlyDescriptor`] (EACCES, EINVAL), [`Cause::WriteOnlyDescriptor`] (EACCES),
    /// [`Cause::KernelManagedFields`] (524), [`Cause::OutOfMemory`] (ENOMEM: no address space, or too many mappings).
    pub fn from_map(map: Map) -> Result<Array<T, A>> {
        let entries = 0..map.info().max_entries;
        Array::from_map_window(map, entries)
    }

    /// Maps the pages that hold `entries` of `map`, which become `0..len` of the array. A page costs a page-table entry and
    /// the time to make it, so a window of a large map is cheap.
    ///
    /// # Errors
    ///
    /// As [`Array::from_map`]; and [`Error::Argument`] if the window is empty or ends behind the last entry.
    pub fn from_map_window(map: Map, entries: Range<u32>) -> Result<Array<T, A>> {
        let values = Values::map(&map, &entries)?;
        Ok(Array { values, mapped: Some((map, entries)) })
    }

    /// Takes over a descriptor and maps its map. Two system calls.
    ///
    /// # Errors
    ///
    /// As [`Array::from_map`]; and [`Error::WrongObject`].
    pub fn from_fd(fd: OwnedFd) -> Result<Array<T, A>> {
        // If it is no map, mmap says so.
        Array::from_map(Map::from_unproven_fd(fd)?)
    }

    /// Duplicates a borrowed descriptor, such as aya's or libbpf-rs's `as_fd`, and maps its map. Three system calls.
    ///
    /// # Errors
    ///
    /// As [`Array::from_fd`]; and [`Cause::OutOfDescriptors`].
    pub fn from_borrowed_fd(fd: impl AsFd) -> Result<Array<T, A>> {
        Array::from_map(Map::from_unproven_borrowed_fd(fd)?)
    }

    /// Opens the map with this id and maps it. Needs `CAP_SYS_ADMIN`. Three system calls.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`] and [`Array::from_map`].
    pub fn from_id(id: u32) -> Result<Array<T, A>> {
        Array::from_map(Map::from_id(id)?)
    }

    /// Opens a pinned map and maps it. Three system calls. Takes the right to read and write the pin, even for a
    /// [`ReadOnly`] array: the kernel maps nothing through a read-only descriptor.
    ///
    /// # Errors
    ///
    /// As [`Map::from_pin`] and [`Array::from_map`].
    pub fn from_pin(path: impl AsRef<Path>) -> Result<Array<T, A>> {
        let path = path.as_ref();
        Array::from_map(Map::from_unproven_pin(path)?).map_err(|error| error.at_pin(path))
    }

    /// Starts the description of a new map of `T`: [`MapBuilder`].
    pub fn builder<'a>() -> MapBuilder<'a, Array<T, A>> {
        MapBuilder::of_type::<T>()
    }

    /// Makes a second, read-only mapping of the same entries, for a part of the program that must not write.
    ///
    /// # Errors
    ///
    /// As [`Map::try_clone`] and [`Array::from_map`].
    pub fn read_only(&self) -> Result<Array<T, ReadOnly>> {
        if let Some(values) = self.values.share_in_process() {
            return Ok(Array { values, mapped: None });
        }
        let (map, entries) = self.mapped.as_ref().expect("what is not in the process is mapped");
        Array::from_map_window(map.try_clone()?, entries.clone())
    }

    /// Returns the kernel's map: info, pins. `None` if the array is [in the process](Array::in_process).
    pub fn map(&self) -> Option<&Map> {
        self.mapped.as_ref().map(|(map, _)| map)
    }

    /// Unmaps, and gives the kernel's map back. `None` if the array is [in the process](Array::in_process).
    pub fn into_map(self) -> Option<Map> {
        self.mapped.map(|(map, _)| map)
    }

    /// Returns all values as a run. A [`Slice`] offers what `Array` offers, also for some of them.
    #[inline(always)]
    pub fn slice(&self) -> Slice<'_, T, A> {
        self.values.slice()
    }

    /// Returns the number of values.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there are no values. Only an array [in the process](Array::in_process) can have none; a map cannot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the view of value `index`: a pointer, nothing is copied.
    ///
    /// # Panics
    ///
    /// If it does not exist, as with a slice.
    #[inline(always)]
    #[track_caller]
    pub fn at(&self, index: usize) -> T::View<'_, A> {
        self.slice().at(index)
    }

    /// Returns a pointer to the whole value `index`, for generic code; see [`Slice::field`].
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline(always)]
    #[track_caller]
    pub fn field(&self, index: usize) -> Field<'_, T, A> {
        self.slice().field(index)
    }

    /// Returns the view of value `index`, if there is one.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<T::View<'_, A>> {
        self.slice().get(index)
    }

    /// Returns the views of all values, in order.
    #[inline]
    pub fn iter(&self) -> Iter<'_, T, A> {
        self.slice().iter()
    }

    /// Returns a handle to value `index` that owns a share of the mapping: no lifetime. [`Shared::project`] narrows it to a
    /// field.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[track_caller]
    pub fn share(&self, index: usize) -> Shared<T, A> {
        self.values.share(index)
    }

    /// Returns the values as those of the CPUs: value `i` is that of CPU `i`. For a map into which programs look by
    /// `bpf_get_smp_processor_id`. A `T` that is a [`CacheLine`](crate::CacheLine) keeps CPUs from disturbing one another.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] of [`Property::CpuSlots`](crate::error::Property::CpuSlots) if there are fewer than the machine can
    /// have CPUs.
    pub fn per_cpu(&self) -> Result<PerCpu<T, A>> {
        let object = || self.map().map_or(Object::Value, |map| map.info().object());
        let available = u32::try_from(self.len()).unwrap_or(u32::MAX);
        PerCpu::new(available, object, |cpu| Ok(self.share(cpu as usize)))
    }

    /// Returns some of the values.
    ///
    /// # Panics
    ///
    /// If the range ends after the last value or before it starts.
    #[inline]
    #[track_caller]
    pub fn range(&self, range: impl RangeBounds<usize>) -> Slice<'_, T, A> {
        self.slice().range(range)
    }

    /// Copies value `index` out, each scalar by one relaxed load. The value as a whole may be mid-update.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline]
    #[track_caller]
    pub fn read(&self, index: usize) -> T {
        self.slice().read(index)
    }

    /// Copies all values out, each scalar by one relaxed load, in rising order. Allocates once. Not a moment's picture: what
    /// changes meanwhile is seen old or new, scalar by scalar.
    #[inline]
    pub fn snapshot(&self) -> Vec<T> {
        self.slice().snapshot()
    }

    /// Copies all values out into `values`, as [`Array::snapshot`] does. Allocates nothing.
    ///
    /// # Panics
    ///
    /// If `values` has another length than the array.
    #[inline]
    #[track_caller]
    pub fn copy_to(&self, values: &mut [T]) {
        self.slice().copy_to(values);
    }

    /// Loads a scalar of every value: `stats.load_each(|value| value.packets)`. Allocates once.
    #[inline]
    pub fn load_each<'m, S: Scalar>(&'m self, scalar: impl Fn(T::View<'m, A>) -> Field<'m, S, A>) -> Vec<S> {
        self.slice().load_each(scalar)
    }

    /// Loads a scalar of every value into `scalars`. Allocates nothing.
    ///
    /// # Panics
    ///
    /// If `scalars` has another length than the array.
    #[inline]
    #[track_caller]
    pub fn load_each_to<'m, S: Scalar>(
        &'m self,
        scalars: &mut [S],
        scalar: impl Fn(T::View<'m, A>) -> Field<'m, S, A>,
    ) {
        self.slice().load_each_to(scalars, scalar);
    }

    /// Adds up a scalar of every value: `stats.sum(|value| value.packets)`. The sum is a `u64` or `i64` and wraps around. Loads
    /// are relaxed, in rising order: not a moment's picture.
    #[inline]
    pub fn sum<'m, I: Integer>(&'m self, scalar: impl Fn(T::View<'m, A>) -> Field<'m, I, A>) -> I::Sum {
        self.slice().sum(scalar)
    }
}

impl<T: MapValue> Array<T, ReadWrite> {
    /// Copies `value` into value `index`, each scalar by one relaxed store.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    #[inline]
    #[track_caller]
    pub fn write(&self, index: usize, value: T) {
        self.slice().write(index, value);
    }

    /// Copies `values` in, each scalar by one relaxed store, in rising order.
    ///
    /// # Panics
    ///
    /// If `values` has another length than the array.
    #[inline]
    #[track_caller]
    pub fn copy_from(&self, values: &[T]) {
        self.slice().copy_from(values);
    }

    /// Copies `value` into every entry.
    #[inline]
    pub fn fill(&self, value: T) {
        self.slice().fill(value);
    }
}

impl<T: MapValue> PerCpu<T> {
    /// Makes a value for each of `cpus` CPUs in the memory of this process, zeroed: no kernel, no privileges. For tests.
    ///
    /// # Panics
    ///
    /// If the values do not fit the address space.
    pub fn in_process(cpus: u32) -> PerCpu<T> {
        let array = Array::<CacheLine<T>>::in_process(cpus);
        PerCpu::of_slots((0..array.len()).map(|cpu| array.share(cpu).project(CacheLine::place)).collect())
    }
}

impl<T: MapValue, A: Access> MapBuilder<'_, Array<T, A>> {
    /// Makes the map and maps it: five system calls, of which two give the kernel BTF of `T`, so that `bpftool map dump` and the
    /// tool `bpfvar` show fields by name. Where the kernel takes none (before 5.13 no floats, without `CAP_BPF`), the map
    /// is made without.
    ///
    /// # Errors
    ///
    /// As [`MapBuilder::<Map>::create`](MapBuilder) and [`Array::from_map`]; and [`Error::Argument`] for a read-write array
    /// of a map that is [`rdonly_prog`](MapBuilder::rdonly_prog).
    pub fn create(self) -> Result<Array<T, A>> {
        if A::WRITABLE && self.is_rdonly_prog() {
            return Err(self.rdonly_prog_error());
        }
        Array::from_map(match Layout::of::<T>().describe() {
            Some(description) => self.create_described(&description)?,
            None => self.create_map()?,
        })
    }
}

impl<'m, T: MapValue, A: Access> IntoIterator for &'m Array<T, A> {
    type Item = T::View<'m, A>;
    type IntoIter = Iter<'m, T, A>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Prints the map and the type, not the values; those are [`Array::slice`].
impl<T: MapValue, A: Access> fmt::Debug for Array<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("map", &self.map())
            .field("type", &type_name::<T>())
            .field("len", &self.len())
            .field("writable", &A::WRITABLE)
            .finish()
    }
}

/// The error of [`Array::freeze`]. It holds the map, which is no longer mapped. Prints as its `error`.
pub struct FreezeError {
    /// Why.
    pub error: Error,
    /// The map. [`Array::from_map`] maps it again.
    pub map: Map,
}

impl fmt::Display for FreezeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for FreezeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl std::error::Error for FreezeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `error` itself is what this prints.
        self.error.source()
    }
}

impl From<FreezeError> for Error {
    fn from(failed: FreezeError) -> Error {
        failed.error
    }
}
