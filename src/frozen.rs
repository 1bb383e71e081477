//! Contents that nobody writes any more.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;
use std::ptr::NonNull;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::error::{Advice, Property, Result};
use crate::kernel::{Map, MapBuilder};
use crate::mapped::map_entries;
use crate::memory::{MAX_ALIGN, ReadOnly, Region};

/// The values of a map that nobody writes any more: frozen, and `BPF_F_RDONLY_PROG` since it was made, as a program's
/// `.rodata` is. They are lent as plain references.
///
/// `T` needs zerocopy's `FromBytes` and `Immutable`, or, with the feature `bytemuck`, `bytemuck::AnyBitPattern`, and no derive
/// of this crate; to make a map from values also `IntoBytes`, or `bytemuck::Pod`, so no padding. Dropping it unmaps.
///
/// # Soundness
///
/// Opening one is unsafe, reading it is not: see [`Frozen::from_map`]. [`Array<T, ReadOnly>`](crate::Array) reads the same
/// map, scalar by scalar, without any promise.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Frozen, Map};
///
/// // SAFETY: nobody else gets at the new map.
/// let weights = unsafe { Frozen::<u64>::builder().name("weights").create_from(&[1, 2, 4])? };
/// assert_eq!(weights[2], 4);
/// assert_eq!(weights.as_slice(), Some(&[1_u64, 2, 4][..]));
///
/// let map = Map::from_pin("/sys/fs/bpf/rodata")?;
/// // SAFETY: only root can open the pin, and root runs no program that writes to .rodata by iterating over it.
/// let rodata = unsafe { Frozen::<[u32; 4]>::from_map(map)? };
/// let first: &[u32; 4] = &rodata[0];
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[doc(alias = "BPF_MAP_FREEZE")]
#[doc(alias = "BPF_F_RDONLY_PROG")]
pub struct Frozen<T> {
    region: Region,
    map: Map,
    len: usize,
    values: PhantomData<T>,
}

impl<T> Frozen<T> {
    const STRIDE: usize = size_of::<T>().next_multiple_of(8);

    const SHAPE: () = {
        assert!(size_of::<T>() != 0, "a map has no values of size 0");
        assert!(align_of::<T>() <= MAX_ALIGN, "a map starts on a page of 4096 bytes, so no value is aligned to more");
    };

    /// Maps all entries of `map`, which must be `BPF_F_RDONLY_PROG` and frozen.
    ///
    /// # Safety
    ///
    /// Nobody writes the values while this lives. That the map is `BPF_F_RDONLY_PROG` and frozen is checked, and rules out
    /// all mappings, system calls and ordinary programs. What remains:
    ///
    /// - an iterator program (`iter/bpf_map_elem`) over this map gets each value as a writable buffer, whatever the flags.
    ///   Running one takes `CAP_BPF`, `CAP_PERFMON` and a descriptor of the map, for which the right to read a pin is enough;
    /// - faults of old kernels, for example those without the fixes of CVE-2021-4001 (an update in flight may land after the
    ///   freeze) and CVE-2024-49861 (some helpers write to read-only maps).
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`](crate::Error::Mismatch) if somebody could still write it, and as
    /// [`Array::from_map`](crate::Array::from_map). Whether it is frozen, [`Map::is_frozen`] tells.
    pub unsafe fn from_map(map: Map) -> Result<Frozen<T>>
    where
        T: FromBytes + Immutable,
    {
        // SAFETY: FromBytes says that any bytes are a T, Immutable that it holds no UnsafeCell. That nobody writes them is the
        // caller's promise.
        unsafe { Frozen::from_map_unchecked(map) }
    }

    /// Maps all entries of `map` for a type with bytemuck's trait, as [`Frozen::from_map`] does. Feature `bytemuck`.
    ///
    /// # Safety
    ///
    /// As for [`Frozen::from_map`].
    ///
    /// # Errors
    ///
    /// As [`Frozen::from_map`].
    #[cfg(feature = "bytemuck")]
    pub unsafe fn from_map_pod(map: Map) -> Result<Frozen<T>>
    where
        T: bytemuck::AnyBitPattern,
    {
        // SAFETY: AnyBitPattern says that any bytes are a T, and that it has no interior mutability. That nobody writes them
        // is the caller's promise.
        unsafe { Frozen::from_map_unchecked(map) }
    }

    /// # Safety
    ///
    /// Any bytes are a `T`, and `T` has no interior mutability; and as for [`Frozen::from_map`].
    unsafe fn from_map_unchecked(map: Map) -> Result<Frozen<T>> {
        let () = Self::SHAPE;
        let entries = 0..map.info().max_entries;
        let region = map_entries::<T, ReadOnly>(&map, &entries, || None)?;
        if !map.info().flags.rdonly_prog() {
            let expected = "BPF_F_RDONLY_PROG; otherwise programs could still write it";
            return Err(map.mismatch(Property::Flags, map.info().flags, expected, Some(Advice::CreateReadOnly)));
        }
        if !map.is_frozen()? {
            let expected = "a frozen map; otherwise user space could still write it";
            return Err(map.mismatch(Property::Frozen, "not frozen", expected, Some(Advice::Freeze)));
        }
        let base = region.base().cast::<T>();
        assert!(region.len() / Self::STRIDE >= entries.len() && base.is_aligned(), "the region holds all values");
        Ok(Frozen { region, map, len: entries.len(), values: PhantomData })
    }

    /// Starts the description of a new map that will never change; [`create_from`](MapBuilder::create_from) takes its
    /// contents.
    pub fn builder<'a>() -> MapBuilder<'a, Frozen<T>> {
        MapBuilder::of_type::<T>()
    }

    /// Returns the kernel's map: info, pins.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Returns the number of values, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a map has at least one entry")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns value `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        if index >= self.len {
            return None;
        }
        // SAFETY: the region holds `len` values a stride apart (asserted when it was mapped).
        let at = unsafe { self.region.base().add(index * Self::STRIDE) };
        // SAFETY: the base is aligned for T (asserted when it was mapped) and so is the stride, T's size rounded up to 8; mapped, hence initialised, while the region is borrowed; any bytes
        // are a T without interior mutability, and nobody writes them, said the constructor's caller.
        Some(unsafe { at.cast::<T>().as_ref() })
    }

    /// Returns all values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        (0..self.len).map(|index| &self[index])
    }

    /// Returns all values as one slice; `None` where there is padding between them, because their size is not a multiple of 8.
    pub fn as_slice(&self) -> Option<&[T]> {
        let first: NonNull<T> = self.region.base().cast();
        // SAFETY: as in `get`, for all values; at this stride they are an array.
        (Self::STRIDE == size_of::<T>()).then(|| unsafe { std::slice::from_raw_parts(first.as_ptr(), self.len) })
    }
}

impl<T> MapBuilder<'_, Frozen<T>> {
    /// Makes a `BPF_F_RDONLY_PROG` map with one entry for each of `values`, fills it by one system call, freezes it and maps
    /// it. Linux 5.6.
    ///
    /// # Safety
    ///
    /// As for [`Frozen::from_map`]. While the map is neither pinned nor handed on, only `CAP_SYS_ADMIN` gets at it,
    /// by its id, and whoever may trace this process, by its descriptor.
    ///
    /// # Errors
    ///
    /// As [`MapBuilder::<Map>::create`](MapBuilder), [`Map::update_batch`], [`Map::freeze`] and [`Frozen::from_map`];
    /// [`Error::Argument`](crate::Error::Argument) if there is no value.
    pub unsafe fn create_from(self, values: &[T]) -> Result<Frozen<T>>
    where
        T: FromBytes + IntoBytes + Immutable,
    {
        let map = self.create_filled(values.len(), values.as_bytes())?;
        // SAFETY: the caller's promise.
        unsafe { Frozen::from_map(map) }
    }

    /// Makes the map for a type with bytemuck's trait, as [`create_from`](MapBuilder::create_from) does. Feature `bytemuck`.
    ///
    /// # Safety
    ///
    /// As for [`Frozen::from_map`].
    ///
    /// # Errors
    ///
    /// As [`create_from`](MapBuilder::create_from).
    #[cfg(feature = "bytemuck")]
    pub unsafe fn create_from_pod(self, values: &[T]) -> Result<Frozen<T>>
    where
        T: bytemuck::Pod,
    {
        let map = self.create_filled(values.len(), bytemuck::cast_slice(values))?;
        // SAFETY: the caller's promise.
        unsafe { Frozen::from_map_pod(map) }
    }

    fn create_filled(self, len: usize, bytes: &[u8]) -> Result<Map> {
        if len == 0 {
            return Err(self.argument("values", "empty", "a map has at least one entry"));
        }
        let Ok(entries) = u32::try_from(len) else {
            return Err(self.argument("values", format_args!("{len} of them"), "a map has at most 4294967295 entries"));
        };
        let map = self.entries(entries).rdonly_prog().create_map()?;
        map.update_batch(0..entries, bytes)?;
        map.freeze()?;
        Ok(map)
    }
}

impl<T> Index<usize> for Frozen<T> {
    type Output = T;

    /// # Panics
    ///
    /// If there is no such value.
    #[track_caller]
    fn index(&self, index: usize) -> &T {
        match self.get(index) {
            Some(value) => value,
            None => panic!("index {index} is out of bounds: there are {} values", self.len),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Frozen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
