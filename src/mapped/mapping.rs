//! From a map to a region of its memory: what can be mapped, and which bytes that takes.
#![allow(unsafe_code)]

use std::any::type_name;
use std::ops::Range;
use std::os::fd::AsFd;

use crate::error::{Advice, Property, Result};
use crate::kernel::Map;
use crate::memory::{Access, Region};

/// Maps the pages that hold `entries` of `map`, whose values must have the size of `T`, or end between the last scalar of `T`
/// (`end`) and its trailing padding: one mmap.
pub(crate) fn map_entries<T, A: Access>(
    map: &Map,
    entries: &Range<u32>,
    end: impl FnOnce() -> Option<usize>,
) -> Result<Region> {
    check_mappable(map)?;
    let found = map.info().value_size as usize;
    let size = size_of::<T>();
    let same_stride = found.next_multiple_of(8) == size.next_multiple_of(8);
    if found != size && !(found < size && same_stride && end().is_some_and(|end| end <= found)) {
        let expected = format!("{size}, the size of {} in bytes", type_name::<T>());
        return Err(map.mismatch(Property::ValueSize, found, expected, Some(Advice::CompareWithProgram)));
    }
    let info = map.info();
    if entries.is_empty() || entries.end > info.max_entries {
        let rule = format!("it must hold at least one of the map's {} entries and no others", info.max_entries);
        return Err(map.argument("window", format_args!("{entries:?}"), rule));
    }
    let stride = info.stride();
    let len = stride * u64::from(entries.end - entries.start);
    map_bytes::<A>(map, stride * u64::from(entries.start), len)
}

/// Maps all of `map`, whatever the type of its values.
pub(super) fn map_all<A: Access>(map: &Map) -> Result<Region> {
    check_mappable(map)?;
    let info = map.info();
    map_bytes::<A>(map, 0, info.stride() * u64::from(info.max_entries))
}

/// Maps the pages that hold `len` bytes of entry `entry`, from byte `at` on. The bytes lie inside the entry.
pub(super) fn map_part<A: Access>(map: &Map, entry: u32, at: u64, len: u64) -> Result<Region> {
    check_mappable(map)?;
    let info = map.info();
    assert!(entry < info.max_entries && at + len <= info.stride(), "the part lies inside an entry");
    // No mapping is empty, but a type may be.
    map_bytes::<A>(map, info.stride() * u64::from(entry) + at, len.max(1))
}

fn map_bytes<A: Access>(map: &Map, offset: u64, len: u64) -> Result<Region> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    // SAFETY: OBJ_GET_INFO_BY_FD answered for the descriptor of every `Map`, which it does for BPF objects only.
    unsafe { Region::map(map.as_fd(), offset, len, A::WRITABLE) }.map_err(|source| map.mmap_error(source))
}

fn check_mappable(map: &Map) -> Result<()> {
    map.check_array()?;
    let flags = map.info().flags;
    if flags.mmapable() {
        return Ok(());
    }
    let expected = "BPF_F_MMAPABLE (1024), without which no map can be mapped";
    Err(map.mismatch(Property::Flags, flags, expected, Some(Advice::MakeMappable)))
}
