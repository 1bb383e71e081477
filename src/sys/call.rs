//! The calls that this crate makes, by name.

use std::fmt;

/// The kernel-internal errno `ENOTSUPP`, which leaks out of mmap and freeze and which libc has no name for.
pub(crate) const ENOTSUPP: i32 = 524;

/// A system call that this crate makes. As a number it is the command of bpf(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum Call {
    /// `bpf(BPF_MAP_CREATE)`
    MapCreate = 0,
    /// `bpf(BPF_MAP_LOOKUP_ELEM)`
    MapLookupElem = 1,
    /// `bpf(BPF_MAP_UPDATE_ELEM)`
    MapUpdateElem = 2,
    /// `bpf(BPF_MAP_GET_NEXT_KEY)`
    MapGetNextKey = 4,
    /// `bpf(BPF_PROG_LOAD)`
    ProgLoad = 5,
    /// `bpf(BPF_OBJ_PIN)`
    ObjPin = 6,
    /// `bpf(BPF_OBJ_GET)`
    ObjGet = 7,
    /// `bpf(BPF_PROG_GET_NEXT_ID)`
    ProgGetNextId = 11,
    /// `bpf(BPF_MAP_GET_NEXT_ID)`
    MapGetNextId = 12,
    /// `bpf(BPF_PROG_GET_FD_BY_ID)`
    ProgGetFdById = 13,
    /// `bpf(BPF_MAP_GET_FD_BY_ID)`
    MapGetFdById = 14,
    /// `bpf(BPF_OBJ_GET_INFO_BY_FD)`
    ObjGetInfoByFd = 15,
    /// `bpf(BPF_BTF_LOAD)`
    BtfLoad = 18,
    /// `bpf(BPF_BTF_GET_FD_BY_ID)`
    BtfGetFdById = 19,
    /// `bpf(BPF_MAP_FREEZE)`
    MapFreeze = 22,
    /// `bpf(BPF_BTF_GET_NEXT_ID)`
    BtfGetNextId = 23,
    /// `bpf(BPF_MAP_LOOKUP_BATCH)`
    MapLookupBatch = 24,
    /// `bpf(BPF_MAP_UPDATE_BATCH)`
    MapUpdateBatch = 26,
    /// `bpf(BPF_LINK_CREATE)`
    LinkCreate = 28,
    /// `bpf(BPF_LINK_GET_FD_BY_ID)`
    LinkGetFdById = 30,
    /// `bpf(BPF_LINK_GET_NEXT_ID)`
    LinkGetNextId = 31,
    /// `bpf(BPF_ITER_CREATE)`
    IterCreate = 33,
    /// `mmap(2)`
    Mmap = u32::MAX,
    /// `unlink(2)`, which removes a pin
    Unlink = u32::MAX - 1,
    /// `fcntl(F_DUPFD_CLOEXEC)`, which duplicates a borrowed descriptor
    Dup = u32::MAX - 2,
    /// Reading `/proc/thread-self/fdinfo`, which tells whether a map is frozen
    FdInfo = u32::MAX - 3,
    /// Reading `/sys/devices/system/cpu/possible`, the numbers of the CPUs
    PossibleCpus = u32::MAX - 4,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Call::MapCreate => "bpf(BPF_MAP_CREATE)",
            Call::MapLookupElem => "bpf(BPF_MAP_LOOKUP_ELEM)",
            Call::MapUpdateElem => "bpf(BPF_MAP_UPDATE_ELEM)",
            Call::MapGetNextKey => "bpf(BPF_MAP_GET_NEXT_KEY)",
            Call::ProgLoad => "bpf(BPF_PROG_LOAD)",
            Call::LinkCreate => "bpf(BPF_LINK_CREATE)",
            Call::LinkGetFdById => "bpf(BPF_LINK_GET_FD_BY_ID)",
            Call::LinkGetNextId => "bpf(BPF_LINK_GET_NEXT_ID)",
            Call::IterCreate => "bpf(BPF_ITER_CREATE)",
            Call::ObjPin => "bpf(BPF_OBJ_PIN)",
            Call::ObjGet => "bpf(BPF_OBJ_GET)",
            Call::ProgGetNextId => "bpf(BPF_PROG_GET_NEXT_ID)",
            Call::ProgGetFdById => "bpf(BPF_PROG_GET_FD_BY_ID)",
            Call::BtfLoad => "bpf(BPF_BTF_LOAD)",
            Call::BtfGetFdById => "bpf(BPF_BTF_GET_FD_BY_ID)",
            Call::BtfGetNextId => "bpf(BPF_BTF_GET_NEXT_ID)",
            Call::MapGetNextId => "bpf(BPF_MAP_GET_NEXT_ID)",
            Call::MapGetFdById => "bpf(BPF_MAP_GET_FD_BY_ID)",
            Call::ObjGetInfoByFd => "bpf(BPF_OBJ_GET_INFO_BY_FD)",
            Call::MapFreeze => "bpf(BPF_MAP_FREEZE)",
            Call::MapLookupBatch => "bpf(BPF_MAP_LOOKUP_BATCH)",
            Call::MapUpdateBatch => "bpf(BPF_MAP_UPDATE_BATCH)",
            Call::Mmap => "mmap",
            Call::Unlink => "unlink",
            Call::Dup => "fcntl(F_DUPFD_CLOEXEC)",
            Call::FdInfo => "reading fdinfo",
            Call::PossibleCpus => "reading /sys/devices/system/cpu/possible",
        })
    }
}
