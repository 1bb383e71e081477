//! Where kernel object and memory meet: a type is held against a map, then entries of it are mapped.

use std::any::type_name;
use std::ops::Range;
use std::os::fd::AsFd;

use crate::error::Result;
use crate::kernel::Map;
use crate::memory::{Access, Region};

/// Maps the pages that hold `entries` of `map`, whose values must have the size of `T`: one mmap.
pub(crate) fn map<T, A: Access>(map: &Map, entries: &Range<u32>) -> Result<Region<A>> {
    check::<T>(map, entries)?;
    let stride = map.info().stride();
    let len = usize::try_from(stride * u64::from(entries.end - entries.start)).unwrap_or(usize::MAX);
    let offset = stride * u64::from(entries.start);
    Region::map(map.as_fd(), offset, len).map_err(|source| map.mmap_error(source))
}

fn check<T>(map: &Map, entries: &Range<u32>) -> Result<()> {
    let info = map.info();
    map.check_array()?;
    if !info.flags.mmapable() {
        let advice = "BPF_F_MMAPABLE (1024), without which no map can be mapped: set it where the map is made \
                      (libbpf: __uint(map_flags, BPF_F_MMAPABLE); aya: Array<T> with flags 1024), or use Map::lookup and Map::update";
        return Err(map.mismatch("map_flags", info.flags, advice));
    }
    if info.value_size as usize != size_of::<T>() {
        let expected = format!(
            "{}, the bytes of {}; compare it with the program's type, padding counts",
            size_of::<T>(),
            type_name::<T>()
        );
        return Err(map.mismatch("value_size", info.value_size, expected));
    }
    if entries.is_empty() || entries.end > info.max_entries {
        let rule = format!("it must hold at least one of the map's {} entries and no others", info.max_entries);
        return Err(map.argument("the window", format_args!("{entries:?}"), rule));
    }
    Ok(())
}
