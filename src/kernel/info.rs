//! What the kernel says of a map.

use std::fmt;

use super::object;
use crate::error::Object;
use crate::sys::bpf::{self, RawMapInfo};

/// What the kernel says of a map: `struct bpf_map_info`, read once when the map was opened or created. All of it is
/// fixed for the map's life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MapInfo {
    /// The type; bpfvar maps [`MapType::ARRAY`] only.
    pub map_type: MapType,
    /// The id, unique among the maps of the system while the map lives.
    pub id: u32,
    /// The name: at most 15 bytes, empty if none was given.
    pub name: String,
    /// Size of a key in bytes: 4 for arrays.
    pub key_size: u32,
    /// Size of a value in bytes. Values of a mapped array sit [`MapInfo::stride`] bytes apart.
    pub value_size: u32,
    /// Number of entries, all of which always exist in an array; the most that there can be in a map that is reached by keys.
    pub max_entries: u32,
    /// The flags it was made with. The kernel leaves out those that only concerned the descriptor or the call
    /// (`BPF_F_RDONLY`, `BPF_F_WRONLY`, `BPF_F_TOKEN_FD`).
    pub flags: MapFlags,
    /// The id of the BTF object that describes key and value; 0 for none.
    pub btf_id: u32,
    /// The key's type in that BTF; 0 for none.
    pub btf_key_type_id: u32,
    /// The value's type in that BTF; 0 for none. A `DATASEC` where the map is a program's data section.
    pub btf_value_type_id: u32,
}

impl MapInfo {
    /// Returns how errors name the map.
    pub fn object(&self) -> Object {
        Object::Map { name: self.name.clone(), id: self.id, section: None }
    }

    /// Returns the distance from value to value in a mapping, in bytes: the value size rounded up to 8.
    pub fn stride(&self) -> u64 {
        u64::from(self.value_size).next_multiple_of(8)
    }
}

impl From<RawMapInfo> for MapInfo {
    fn from(raw: RawMapInfo) -> Self {
        MapInfo {
            map_type: MapType(raw.map_type),
            id: raw.id,
            name: object::name(&raw.name),
            key_size: raw.key_size,
            value_size: raw.value_size,
            max_entries: raw.max_entries,
            flags: MapFlags(raw.map_flags),
            btf_id: raw.btf_id,
            btf_key_type_id: raw.btf_key_type_id,
            btf_value_type_id: raw.btf_value_type_id,
        }
    }
}

/// How messages name the map: `map "stats" (id 7)`.
impl fmt::Display for MapInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

/// `enum bpf_map_type`. Prints as the kernel's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MapType(
    /// The kernel's number.
    pub u32,
);

impl MapType {
    /// `BPF_MAP_TYPE_ARRAY`, the one type that can be mapped (beside arenas, which are memory of another kind).
    pub const ARRAY: MapType = MapType(bpf::MAP_TYPE_ARRAY);

    /// `BPF_MAP_TYPE_PERCPU_ARRAY`, which has a value for each CPU in each entry, and cannot be mapped.
    pub const PERCPU_ARRAY: MapType = MapType(bpf::MAP_TYPE_PERCPU_ARRAY);

    /// `BPF_MAP_TYPE_HASH`.
    pub const HASH: MapType = MapType(bpf::MAP_TYPE_HASH);

    /// `BPF_MAP_TYPE_LRU_HASH`, which drops what was not used for the longest time when it is full.
    pub const LRU_HASH: MapType = MapType(bpf::MAP_TYPE_LRU_HASH);

    /// `BPF_MAP_TYPE_PERCPU_HASH`, which has a value for each CPU in each entry.
    pub const PERCPU_HASH: MapType = MapType(bpf::MAP_TYPE_PERCPU_HASH);

    /// `BPF_MAP_TYPE_LRU_PERCPU_HASH`, which is both.
    pub const LRU_PERCPU_HASH: MapType = MapType(bpf::MAP_TYPE_LRU_PERCPU_HASH);

    /// `BPF_MAP_TYPE_LPM_TRIE`, whose lookup finds the longest prefix of a key.
    pub const LPM_TRIE: MapType = MapType(bpf::MAP_TYPE_LPM_TRIE);

    /// In the order of `enum bpf_map_type` in `include/uapi/linux/bpf.h`.
    const NAMES: [&'static str; 34] = [
        "UNSPEC",
        "HASH",
        "ARRAY",
        "PROG_ARRAY",
        "PERF_EVENT_ARRAY",
        "PERCPU_HASH",
        "PERCPU_ARRAY",
        "STACK_TRACE",
        "CGROUP_ARRAY",
        "LRU_HASH",
        "LRU_PERCPU_HASH",
        "LPM_TRIE",
        "ARRAY_OF_MAPS",
        "HASH_OF_MAPS",
        "DEVMAP",
        "SOCKMAP",
        "CPUMAP",
        "XSKMAP",
        "SOCKHASH",
        "CGROUP_STORAGE",
        "REUSEPORT_SOCKARRAY",
        "PERCPU_CGROUP_STORAGE",
        "QUEUE",
        "STACK",
        "SK_STORAGE",
        "DEVMAP_HASH",
        "STRUCT_OPS",
        "RINGBUF",
        "INODE_STORAGE",
        "TASK_STORAGE",
        "BLOOM_FILTER",
        "USER_RINGBUF",
        "CGRP_STORAGE",
        "ARENA",
    ];
}

impl fmt::Display for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0).ok().and_then(|index| Self::NAMES.get(index)) {
            Some(name) => write!(f, "BPF_MAP_TYPE_{name}"),
            None => write!(f, "BPF map type {}", self.0),
        }
    }
}

impl fmt::Debug for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The flags of a map. Prints as the kernel's names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MapFlags(
    /// The kernel's bits (`BPF_F_*`).
    pub u32,
);

impl MapFlags {
    const NAMES: [(u32, &'static str); 11] = [
        (1 << 0, "BPF_F_NO_PREALLOC"),
        (1 << 1, "BPF_F_NO_COMMON_LRU"),
        (bpf::F_NUMA_NODE, "BPF_F_NUMA_NODE"),
        (1 << 5, "BPF_F_STACK_BUILD_ID"),
        (1 << 6, "BPF_F_ZERO_SEED"),
        (bpf::F_RDONLY_PROG, "BPF_F_RDONLY_PROG"),
        (bpf::F_WRONLY_PROG, "BPF_F_WRONLY_PROG"),
        (1 << 9, "BPF_F_CLONE"),
        (bpf::F_MMAPABLE, "BPF_F_MMAPABLE"),
        (1 << 11, "BPF_F_PRESERVE_ELEMS"),
        (1 << 12, "BPF_F_INNER_MAP"),
    ];

    /// Returns whether the values can be mapped (`BPF_F_MMAPABLE`).
    pub fn mmapable(self) -> bool {
        self.0 & bpf::F_MMAPABLE != 0
    }

    /// Returns whether BPF programs may only read (`BPF_F_RDONLY_PROG`).
    pub fn rdonly_prog(self) -> bool {
        self.0 & bpf::F_RDONLY_PROG != 0
    }

    /// Returns whether BPF programs may only write (`BPF_F_WRONLY_PROG`).
    pub fn wronly_prog(self) -> bool {
        self.0 & bpf::F_WRONLY_PROG != 0
    }
}

impl fmt::Display for MapFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().filter(|(bit, _)| self.0 & bit != 0);
        let unknown = Self::NAMES.iter().fold(self.0, |rest, (bit, _)| rest & !bit);
        let mut separator = "";
        for (_, name) in known {
            write!(f, "{separator}{name}")?;
            separator = " | ";
        }
        if unknown != 0 || self.0 == 0 {
            write!(f, "{separator}{unknown:#x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for MapFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The kernel's name.
#[cfg(feature = "serde")]
impl serde::Serialize for MapType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The kernel's names.
#[cfg(feature = "serde")]
impl serde::Serialize for MapFlags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_flags_print_as_the_kernel_names_them() {
        assert_eq!(MapType::ARRAY.to_string(), "BPF_MAP_TYPE_ARRAY");
        assert_eq!(MapType(27).to_string(), "BPF_MAP_TYPE_RINGBUF");
        assert_eq!(MapType(33).to_string(), "BPF_MAP_TYPE_ARENA");
        assert_eq!(MapType(4_000_000_000).to_string(), "BPF map type 4000000000");
        assert_eq!(MapFlags(0).to_string(), "0x0");
        assert_eq!(MapFlags(0x480).to_string(), "BPF_F_RDONLY_PROG | BPF_F_MMAPABLE");
        assert_eq!(MapFlags(0x8000_0400).to_string(), "BPF_F_MMAPABLE | 0x80000000");
    }

    #[test]
    fn lengths_are_computed_in_64_bits() {
        let raw = RawMapInfo { value_size: 12, ..RawMapInfo::default() };
        let info = MapInfo::from(raw);
        assert_eq!(info.stride(), 16);
        let huge = MapInfo::from(RawMapInfo { value_size: u32::MAX, ..raw });
        assert_eq!(huge.stride(), 1 << 32);
    }

    #[test]
    fn a_name_ends_at_its_first_nul() {
        let mut raw = RawMapInfo::default();
        raw.name[..5].copy_from_slice(b"ab\0cd");
        assert_eq!(MapInfo::from(raw).name, "ab");
        raw.name = [b'x'; 16];
        assert_eq!(MapInfo::from(raw).name.len(), 16);
    }
}
