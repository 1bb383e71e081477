//! Where kernel object and memory meet: a type is held against a map, then entries of it are mapped.

use std::any::type_name;
use std::ops::Range;
use std::os::fd::AsFd;

use crate::error::Result;
use crate::kernel::Map;
use crate::memory::{Access, Region};

/// Maps the pages that hold `entries` of `map`, whose values must have the size of `T`, or end between the last scalar of `T`
/// (`end`) and its trailing padding: one mmap.
pub(crate) fn map<T, A: Access>(
    map: &Map,
    entries: &Range<u32>,
    end: impl FnOnce() -> Option<usize>,
) -> Result<Region<A>> {
    check_mappable(map)?;
    let found = map.info().value_size as usize;
    let size = size_of::<T>();
    let same_stride = found.next_multiple_of(8) == size.next_multiple_of(8);
    if found != size && !(found < size && same_stride && end().is_some_and(|end| end <= found)) {
        let expected =
            format!("{size}, the bytes of {}; compare it with the program's type, padding counts", type_name::<T>());
        return Err(map.mismatch("value_size", found, expected));
    }
    map_entries(map, entries)
}

/// Maps all of `map`, whatever the type of its values.
pub(crate) fn map_all<A: Access>(map: &Map) -> Result<Region<A>> {
    check_mappable(map)?;
    map_entries(map, &(0..map.info().max_entries))
}

fn map_entries<A: Access>(map: &Map, entries: &Range<u32>) -> Result<Region<A>> {
    let info = map.info();
    if entries.is_empty() || entries.end > info.max_entries {
        let rule = format!("it must hold at least one of the map's {} entries and no others", info.max_entries);
        return Err(map.argument("the window", format_args!("{entries:?}"), rule));
    }
    let stride = info.stride();
    let len = usize::try_from(stride * u64::from(entries.end - entries.start)).unwrap_or(usize::MAX);
    let offset = stride * u64::from(entries.start);
    Region::map(map.as_fd(), offset, len).map_err(|source| map.mmap_error(source))
}

fn check_mappable(map: &Map) -> Result<()> {
    map.check_array()?;
    let flags = map.info().flags;
    if flags.mmapable() {
        return Ok(());
    }
    let advice = "BPF_F_MMAPABLE (1024), without which no map can be mapped: set it where the map is made \
                  (libbpf: __uint(map_flags, BPF_F_MMAPABLE); aya: Array<T> with flags 1024), or use Map::lookup and Map::update";
    Err(map.mismatch("map_flags", flags, advice))
}
