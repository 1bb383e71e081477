//! bpf(2): the one place that knows `union bpf_attr`.
//!
//! Layouts are those of `include/uapi/linux/bpf.h`; the assertions below hold them to it. The kernel accepts attributes
//! shorter than it knows (the rest counts as zero) and longer ones whose tail is zero, so each command passes exactly
//! the struct that it needs.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::Call;

/// `BPF_OBJ_NAME_LEN`: a name with its terminating NUL.
pub(crate) const NAME_LEN: usize = 16;

/// `BPF_MAP_TYPE_HASH`.
pub(crate) const MAP_TYPE_HASH: u32 = 1;
/// `BPF_MAP_TYPE_ARRAY`.
pub(crate) const MAP_TYPE_ARRAY: u32 = 2;
/// `BPF_MAP_TYPE_PERCPU_HASH`.
pub(crate) const MAP_TYPE_PERCPU_HASH: u32 = 5;
/// `BPF_MAP_TYPE_PERCPU_ARRAY`.
pub(crate) const MAP_TYPE_PERCPU_ARRAY: u32 = 6;
/// `BPF_MAP_TYPE_LRU_HASH`.
pub(crate) const MAP_TYPE_LRU_HASH: u32 = 9;
/// `BPF_MAP_TYPE_LRU_PERCPU_HASH`.
pub(crate) const MAP_TYPE_LRU_PERCPU_HASH: u32 = 10;
/// `BPF_MAP_TYPE_LPM_TRIE`.
pub(crate) const MAP_TYPE_LPM_TRIE: u32 = 11;
/// `BPF_MAP_TYPE_ARRAY_OF_MAPS`.
pub(crate) const MAP_TYPE_ARRAY_OF_MAPS: u32 = 12;

/// `BPF_F_NUMA_NODE`: `numa_node` counts.
pub(crate) const F_NUMA_NODE: u32 = 1 << 2;
/// `BPF_F_RDONLY`: the new descriptor reads only.
pub(crate) const F_RDONLY: u32 = 1 << 3;
/// `BPF_F_RDONLY_PROG`: programs may not write.
pub(crate) const F_RDONLY_PROG: u32 = 1 << 7;
/// `BPF_F_WRONLY_PROG`: programs may not read.
pub(crate) const F_WRONLY_PROG: u32 = 1 << 8;
/// `BPF_F_MMAPABLE`: user space may map the values.
pub(crate) const F_MMAPABLE: u32 = 1 << 10;
/// `BPF_F_TOKEN_FD`: `map_token_fd` counts.
pub(crate) const F_TOKEN_FD: u32 = 1 << 16;

/// Attributes of `BPF_MAP_CREATE`, up to and with `map_token_fd`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct MapCreate {
    pub(crate) map_type: u32,
    pub(crate) key_size: u32,
    pub(crate) value_size: u32,
    pub(crate) max_entries: u32,
    pub(crate) map_flags: u32,
    pub(crate) inner_map_fd: u32,
    pub(crate) numa_node: u32,
    pub(crate) map_name: [u8; NAME_LEN],
    pub(crate) map_ifindex: u32,
    pub(crate) btf_fd: u32,
    pub(crate) btf_key_type_id: u32,
    pub(crate) btf_value_type_id: u32,
    pub(crate) btf_vmlinux_value_type_id: u32,
    pub(crate) map_extra: u64,
    pub(crate) value_type_btf_obj_fd: i32,
    pub(crate) map_token_fd: i32,
}

/// Attributes of `BPF_MAP_LOOKUP_ELEM`, `_UPDATE_ELEM`, `_GET_NEXT_KEY` (whose next key is in place of the value) and of
/// `BPF_MAP_FREEZE`.
#[repr(C)]
#[derive(Default)]
struct Element {
    map_fd: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// Attributes of `BPF_MAP_LOOKUP_BATCH` and `BPF_MAP_UPDATE_BATCH`.
#[repr(C)]
#[derive(Default)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Attributes of `BPF_OBJ_PIN` and `BPF_OBJ_GET`.
#[repr(C)]
#[derive(Default)]
struct Object {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

/// Attributes of `BPF_BTF_LOAD`, up to and with `btf_log_true_size`, which the kernel writes.
#[repr(C)]
#[derive(Default)]
struct BtfLoad {
    btf: u64,
    btf_log_buf: u64,
    btf_size: u32,
    btf_log_size: u32,
    btf_log_level: u32,
    btf_log_true_size: u32,
}

/// Attributes of `BPF_*_GET_NEXT_ID` and `BPF_*_GET_FD_BY_ID`.
#[repr(C)]
#[derive(Default)]
struct Id {
    id: u32,
    next_id: u32,
    open_flags: u32,
    _pad: u32,
}

/// Attributes of `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
#[derive(Default)]
struct Info {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// `struct bpf_map_info`, up to and with `map_extra` (80 bytes before 5.16, 88 since). Older kernels leave the tail
/// zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawMapInfo {
    pub(crate) map_type: u32,
    pub(crate) id: u32,
    pub(crate) key_size: u32,
    pub(crate) value_size: u32,
    pub(crate) max_entries: u32,
    pub(crate) map_flags: u32,
    pub(crate) name: [u8; NAME_LEN],
    pub(crate) ifindex: u32,
    pub(crate) btf_vmlinux_value_type_id: u32,
    pub(crate) netns_dev: u64,
    pub(crate) netns_ino: u64,
    pub(crate) btf_id: u32,
    pub(crate) btf_key_type_id: u32,
    pub(crate) btf_value_type_id: u32,
    pub(crate) btf_vmlinux_id: u32,
    pub(crate) map_extra: u64,
}

/// `struct bpf_prog_info`, up to and with `nr_line_info`. Older kernels leave the tail zero. Addresses and lengths are
/// inputs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawProgInfo {
    pub(crate) prog_type: u32,
    pub(crate) id: u32,
    pub(crate) tag: [u8; 8],
    jited_prog_len: u32,
    xlated_prog_len: u32,
    jited_prog_insns: u64,
    xlated_prog_insns: u64,
    pub(crate) load_time: u64,
    pub(crate) created_by_uid: u32,
    pub(crate) nr_map_ids: u32,
    map_ids: u64,
    pub(crate) name: [u8; NAME_LEN],
    ifindex: u32,
    gpl_compatible: u32,
    netns_dev: u64,
    netns_ino: u64,
    nr_jited_ksyms: u32,
    nr_jited_func_lens: u32,
    jited_ksyms: u64,
    jited_func_lens: u64,
    pub(crate) btf_id: u32,
    func_info_rec_size: u32,
    func_info: u64,
    nr_func_info: u32,
    nr_line_info: u32,
}

/// `struct bpf_btf_info`, up to and with `id`. `btf` and `btf_size` are inputs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct RawBtfInfo {
    btf: u64,
    btf_size: u32,
    id: u32,
}

const _: () = {
    assert!(size_of::<BtfLoad>() == 32);
    assert!(offset_of!(BtfLoad, btf_size) == 16);
    assert!(size_of::<RawProgInfo>() == 152);
    assert!(offset_of!(RawProgInfo, load_time) == 40);
    assert!(offset_of!(RawProgInfo, map_ids) == 56);
    assert!(offset_of!(RawProgInfo, name) == 64);
    assert!(offset_of!(RawProgInfo, btf_id) == 128);
    assert!(offset_of!(RawProgInfo, func_info) == 136);
    assert!(offset_of!(RawProgInfo, nr_func_info) == 144);
    assert!(size_of::<RawBtfInfo>() == 16);
    assert!(size_of::<MapCreate>() == 80);
    assert!(offset_of!(MapCreate, map_name) == 28);
    assert!(offset_of!(MapCreate, btf_fd) == 48);
    assert!(offset_of!(MapCreate, map_extra) == 64);
    assert!(offset_of!(MapCreate, map_token_fd) == 76);
    assert!(size_of::<Element>() == 32);
    assert!(offset_of!(Element, key) == 8);
    assert!(size_of::<Batch>() == 56);
    assert!(offset_of!(Batch, count) == 32);
    assert!(offset_of!(Batch, elem_flags) == 40);
    assert!(size_of::<Object>() == 16);
    assert!(size_of::<Id>() == 16);
    assert!(size_of::<Info>() == 16);
    assert!(size_of::<RawMapInfo>() == 88);
    assert!(offset_of!(RawMapInfo, name) == 24);
    assert!(offset_of!(RawMapInfo, netns_dev) == 48);
    assert!(offset_of!(RawMapInfo, btf_id) == 64);
    assert!(offset_of!(RawMapInfo, map_extra) == 80);
};

/// Which attribute struct belongs to which command.
///
/// # Safety
///
/// `Attr` is `repr(C)` without padding and is the kernel's struct for every command that this module passes it with.
pub(super) unsafe trait Attr {}
// SAFETY: `repr(C)`, sizes and offsets asserted above against uapi/linux/bpf.h; explicit `_pad` where C would pad.
unsafe impl Attr for MapCreate {}
// SAFETY: as above.
unsafe impl Attr for Element {}
// SAFETY: as above.
unsafe impl Attr for Batch {}
// SAFETY: as above.
unsafe impl Attr for Object {}
// SAFETY: as above.
unsafe impl Attr for Id {}
// SAFETY: as above.
unsafe impl Attr for Info {}
// SAFETY: as above.
unsafe impl Attr for BtfLoad {}

/// The call itself. The result is never negative.
///
/// # Safety
///
/// `attr` is the struct that belongs to `call`, and every address in it is valid for what the kernel does with it, or one
/// that the kernel refuses with EFAULT.
unsafe fn bpf<A: Attr>(call: Call, attr: &mut A) -> io::Result<RawFd> {
    // SAFETY: `attr` is exclusively borrowed and `size_of::<A>()` bytes long; the caller answers for its contents.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, call as libc::c_long, std::ptr::from_mut(attr), size_of::<A>()) };
    match RawFd::try_from(result) {
        Ok(value) if value >= 0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The same for a command whose result is a new descriptor.
///
/// # Safety
///
/// As for [`bpf`]; and `call` returns a descriptor.
pub(super) unsafe fn bpf_fd<A: Attr>(call: Call, attr: &mut A) -> io::Result<OwnedFd> {
    // SAFETY: passed on to the caller.
    let fd = unsafe { bpf(call, attr) }?;
    // SAFETY: the kernel just made this descriptor (O_CLOEXEC) and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn raw(fd: BorrowedFd<'_>) -> u32 {
    // A BorrowedFd is never negative.
    fd.as_raw_fd() as u32
}

pub(super) fn address<T: ?Sized>(value: &T) -> u64 {
    std::ptr::from_ref(value).cast::<u8>().expose_provenance() as u64
}

pub(super) fn address_mut<T: ?Sized>(value: &mut T) -> u64 {
    std::ptr::from_mut(value).cast::<u8>().expose_provenance() as u64
}

/// `BPF_MAP_CREATE`.
pub(crate) fn map_create(attr: &mut MapCreate) -> io::Result<OwnedFd> {
    // SAFETY: MapCreate holds no address; descriptors in it are checked by the kernel.
    unsafe { bpf_fd(Call::MapCreate, attr) }
}

/// `BPF_MAP_LOOKUP_ELEM`.
///
/// # Safety
///
/// The map's keys are `key.len()` bytes long, and a lookup in it writes at most `value.len()` bytes.
pub(crate) unsafe fn map_lookup(fd: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> io::Result<()> {
    let mut attr = Element { map_fd: raw(fd), key: address(key), value: address_mut(value), ..Element::default() };
    // SAFETY: `key` is as long as the map's keys, `value` is exclusively borrowed and long enough, says the caller.
    unsafe { bpf(Call::MapLookupElem, &mut attr) }.map(drop)
}

/// `BPF_MAP_GET_NEXT_KEY`: writes to `next` the key behind `key`, or the first one. Returns false behind the last.
///
/// # Safety
///
/// The map's keys are as long as `key` and as `next`.
pub(crate) unsafe fn map_next_key(fd: BorrowedFd<'_>, key: Option<&[u8]>, next: &mut [u8]) -> io::Result<bool> {
    let key = key.map_or(0, address);
    let mut attr = Element { map_fd: raw(fd), key, value: address_mut(next), ..Element::default() };
    // SAFETY: the kernel reads a key, if there is an address, and writes one; both are as long as that, says the caller, and
    // `next` is exclusively borrowed.
    match unsafe { bpf(Call::MapGetNextKey, &mut attr) } {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks whether `fd` is a map with keys: a lookup whose key cannot be read. Such a map answers EFAULT, or EPERM where the
/// descriptor may not read; any other object answers EINVAL before it looks at the key.
///
/// This trusts the kernel. A seccomp supervisor or a security module that answers this call for single descriptors can forge it;
/// then the info is that of another object, and calls with it fail.
pub(crate) fn map_probe(fd: BorrowedFd<'_>) -> io::Result<()> {
    match failing_call(Call::MapLookupElem, raw(fd)).raw_os_error() {
        Some(libc::EFAULT) => Ok(()),
        Some(libc::EPERM) => check_call(Call::MapLookupElem),
        other => Err(io::Error::from_raw_os_error(other.unwrap_or(libc::EINVAL))),
    }
}

/// That neither seccomp nor a security module refuses the call as such, so that an EPERM for a map is about the map: without a
/// map it is EBADF.
fn check_call(call: Call) -> io::Result<()> {
    let without_map = failing_call(call, u32::MAX);
    if without_map.raw_os_error() == Some(libc::EBADF) { Ok(()) } else { Err(without_map) }
}

/// Asks whether the kernel refuses updates of a map with keys through a descriptor that may write, by an update whose key cannot
/// be read: it answers EPERM for a frozen map before it looks at the key, EFAULT for any other. A security module may deny the
/// updates of single maps with the same EPERM, so `true` does not prove a map frozen. Meanwhile a freeze by somebody else is EBUSY.
pub(crate) fn map_refuses_updates(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let error = failing_call(Call::MapUpdateElem, raw(fd));
    match error.raw_os_error() {
        Some(libc::EPERM) => check_call(Call::MapUpdateElem).map(|()| true),
        Some(libc::EFAULT) => Ok(false),
        _ => Err(error),
    }
}

/// A lookup or update that cannot succeed, and how it failed.
fn failing_call(call: Call, map_fd: u32) -> io::Error {
    // In the last page of the address space. On no machine does user space have it (on s390x it ends right below): mmap answers
    // with addresses from there on for errors (`IS_ERR_VALUE`, include/linux/err.h), so nothing is ever mapped there. The kernel
    // answers EFAULT and touches nothing.
    const UNREADABLE: u64 = u64::MAX - 7;
    let mut attr = Element { map_fd, key: UNREADABLE, value: UNREADABLE, ..Element::default() };
    // SAFETY: both addresses are refused with EFAULT.
    match unsafe { bpf(call, &mut attr) } {
        Ok(_) => io::Error::from_raw_os_error(libc::EFAULT),
        Err(error) => error,
    }
}

/// `BPF_MAP_UPDATE_ELEM` with a 4-byte key and no flags.
///
/// # Safety
///
/// The map has 4-byte keys, and an update of it reads at most `value.len()` bytes.
pub(crate) unsafe fn map_update(fd: BorrowedFd<'_>, key: u32, value: &[u8]) -> io::Result<()> {
    let mut attr = Element { map_fd: raw(fd), key: address(&key), value: address(value), ..Element::default() };
    // SAFETY: `key` is 4 readable bytes, `value` is as long as the map's values, says the caller.
    unsafe { bpf(Call::MapUpdateElem, &mut attr) }.map(drop)
}

/// `BPF_MAP_UPDATE_ELEM` of entry 0 of a map of maps.
///
/// # Safety
///
/// `outer` is a map whose keys and values are 4 bytes long.
pub(crate) unsafe fn map_of_maps_update(outer: BorrowedFd<'_>, inner: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { map_update(outer, 0, &raw(inner).to_ne_bytes()) }
}

/// `BPF_MAP_LOOKUP_BATCH`: at most `count` entries into `keys` and `values`, behind `place` or from the first on. Returns how many
/// were copied, and the place behind them; None behind the last. What a place is depends on the map: an array's is a key, a
/// hash's the number of a bucket.
///
/// # Safety
///
/// The map is an array or a hash, `keys` is `count` of its keys long, and `values` is as long as what a lookup of so many writes.
pub(crate) unsafe fn map_lookup_batch(
    fd: BorrowedFd<'_>,
    place: Option<u32>,
    count: u32,
    keys: &mut [u8],
    values: &mut [u8],
) -> io::Result<(u32, Option<u32>)> {
    let mut next = 0_u32;
    let mut attr = Batch {
        in_batch: place.as_ref().map_or(0, address),
        out_batch: address_mut(&mut next),
        keys: address_mut(keys),
        values: address_mut(values),
        count,
        map_fd: raw(fd),
        ..Batch::default()
    };
    // SAFETY: the kernel writes at most `count` keys and as many values, which `keys` and `values` have room for, says the caller,
    // and reads and writes 4 bytes for a place in an array or a hash. What it writes to is exclusively borrowed.
    match unsafe { bpf(Call::MapLookupBatch, &mut attr) } {
        Ok(_) => Ok((attr.count, Some(next))),
        // ENOENT says that the last entry was reached; `count` then counts what was copied.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok((attr.count, None)),
        Err(error) => Err(error),
    }
}

/// `BPF_MAP_UPDATE_BATCH`: writes `values` under `keys`.
///
/// # Safety
///
/// The map is a `BPF_MAP_TYPE_ARRAY`, and `values` is `keys.len()` of its values long.
pub(crate) unsafe fn map_update_batch(fd: BorrowedFd<'_>, keys: &[u32], values: &[u8]) -> io::Result<()> {
    let mut attr = Batch {
        keys: address(keys),
        values: address(values),
        count: u32::try_from(keys.len()).unwrap_or(u32::MAX),
        map_fd: raw(fd),
        ..Batch::default()
    };
    // SAFETY: the kernel reads at most `count` keys and values, which both slices hold, says the caller.
    unsafe { bpf(Call::MapUpdateBatch, &mut attr) }.map(drop)
}

/// `BPF_MAP_FREEZE`.
pub(crate) fn map_freeze(fd: BorrowedFd<'_>) -> io::Result<()> {
    // The kernel wants every byte behind `map_fd` zero.
    let mut attr = Element { map_fd: raw(fd), ..Element::default() };
    // SAFETY: no address in it.
    unsafe { bpf(Call::MapFreeze, &mut attr) }.map(drop)
}

/// `BPF_OBJ_PIN`.
pub(crate) fn obj_pin(fd: BorrowedFd<'_>, path: &CStr) -> io::Result<()> {
    let mut attr = Object { pathname: address(path), bpf_fd: raw(fd), file_flags: 0 };
    // SAFETY: `path` is NUL-terminated and borrowed for the call.
    unsafe { bpf(Call::ObjPin, &mut attr) }.map(drop)
}

/// `BPF_OBJ_GET` with `flags` of 0 or `BPF_F_RDONLY`.
pub(crate) fn obj_get(path: &CStr, flags: u32) -> io::Result<OwnedFd> {
    let mut attr = Object { pathname: address(path), bpf_fd: 0, file_flags: flags };
    // SAFETY: `path` is NUL-terminated and borrowed for the call.
    unsafe { bpf_fd(Call::ObjGet, &mut attr) }
}

/// `BPF_MAP_GET_NEXT_ID`, `BPF_PROG_GET_NEXT_ID`, `BPF_LINK_GET_NEXT_ID`: the smallest id above `id`, `None` behind the last.
pub(crate) fn next_id(kind: IdKind, id: u32) -> io::Result<Option<u32>> {
    let mut attr = Id { id, ..Id::default() };
    // SAFETY: no address in it.
    match unsafe { bpf(kind.next(), &mut attr) } {
        Ok(_) => Ok(Some(attr.next_id)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `BPF_MAP_GET_FD_BY_ID`, `BPF_PROG_GET_FD_BY_ID`, `BPF_BTF_GET_FD_BY_ID`, `BPF_LINK_GET_FD_BY_ID`.
pub(crate) fn fd_by_id(kind: IdKind, id: u32) -> io::Result<OwnedFd> {
    let mut attr = Id { id, ..Id::default() };
    // SAFETY: no address in it.
    unsafe { bpf_fd(kind.open(), &mut attr) }
}

/// What an id is an id of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    Map,
    Program,
    Btf,
    Link,
}

impl IdKind {
    /// The command that lists such ids.
    pub(crate) fn next(self) -> Call {
        match self {
            IdKind::Map => Call::MapGetNextId,
            IdKind::Program => Call::ProgGetNextId,
            IdKind::Btf => Call::BtfGetNextId,
            IdKind::Link => Call::LinkGetNextId,
        }
    }

    /// The command that opens one.
    pub(crate) fn open(self) -> Call {
        match self {
            IdKind::Map => Call::MapGetFdById,
            IdKind::Program => Call::ProgGetFdById,
            IdKind::Btf => Call::BtfGetFdById,
            IdKind::Link => Call::LinkGetFdById,
        }
    }
}

/// `BPF_OBJ_GET_INFO_BY_FD`. If `fd` is not a map, the bytes are those of another object's info.
pub(crate) fn map_info(fd: BorrowedFd<'_>) -> io::Result<RawMapInfo> {
    // What the kernel reads there first is all zero, so that no field of any object's info is taken for an address.
    let mut info = RawMapInfo::default();
    // SAFETY: no address in it, and every byte pattern is a RawMapInfo.
    unsafe { obj_info(fd, &mut info) }?;
    Ok(info)
}

/// `BPF_OBJ_GET_INFO_BY_FD`, without maps and functions. If `fd` is not a program, the bytes are those of another object's
/// info.
pub(crate) fn prog_info(fd: BorrowedFd<'_>) -> io::Result<RawProgInfo> {
    // All zero: see `map_info`.
    let mut info = RawProgInfo::default();
    // SAFETY: no address in it, and every byte pattern is a RawProgInfo.
    unsafe { obj_info(fd, &mut info) }?;
    Ok(info)
}

/// The ids of the maps of a program, as many as there are and fit into `ids`: how many there are.
///
/// # Safety
///
/// `fd` is a program: in the info of another object the same bytes mean something else.
pub(crate) unsafe fn prog_map_ids(fd: BorrowedFd<'_>, ids: &mut [u32]) -> io::Result<u32> {
    let mut info = RawProgInfo {
        nr_map_ids: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        map_ids: address_mut(ids),
        ..RawProgInfo::default()
    };
    // SAFETY: the one address in it is that of `ids`, exclusively borrowed, of which the kernel writes at most nr_map_ids.
    unsafe { obj_info(fd, &mut info) }?;
    Ok(info.nr_map_ids)
}

/// The BTF type id of a program's main function, 0 for none: the first record of its func_info.
///
/// # Safety
///
/// As for [`prog_map_ids`].
pub(crate) unsafe fn prog_function(fd: BorrowedFd<'_>) -> io::Result<u32> {
    // struct bpf_func_info { __u32 insn_off; __u32 type_id; }
    let mut record = [0_u32; 2];
    let mut info = RawProgInfo {
        nr_func_info: 1,
        func_info_rec_size: size_of_val(&record) as u32,
        func_info: address_mut(&mut record),
        ..RawProgInfo::default()
    };
    // SAFETY: the one address in it is that of one record of 8 bytes, exclusively borrowed.
    unsafe { obj_info(fd, &mut info) }?;
    Ok(record[1])
}

/// `BPF_OBJ_GET_INFO_BY_FD` of a BTF object with a buffer of any length: the id of it and its real size. What fits of its
/// bytes is in `bytes`.
///
/// # Safety
///
/// `fd` is BTF: in the info of another object the same bytes mean something else.
pub(crate) unsafe fn btf_info(fd: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(u32, u32)> {
    let mut info = RawBtfInfo {
        btf: address_mut(bytes),
        btf_size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        ..RawBtfInfo::default()
    };
    // SAFETY: the one address in it is that of `bytes`, exclusively borrowed, of which the kernel writes at most btf_size.
    unsafe { obj_info(fd, &mut info) }?;
    Ok((info.id, info.btf_size))
}

/// `BPF_BTF_LOAD`.
pub(crate) fn btf_load(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut attr =
        BtfLoad { btf: address(bytes), btf_size: u32::try_from(bytes.len()).unwrap_or(u32::MAX), ..BtfLoad::default() };
    // SAFETY: `bytes` is borrowed for the call and as long as said; no log is asked for.
    unsafe { bpf_fd(Call::BtfLoad, &mut attr) }
}

/// `BPF_OBJ_GET_INFO_BY_FD`.
///
/// # Safety
///
/// `I` is `repr(C)` without padding and any bytes are an `I`. What `info` holds are valid inputs for the object that `fd` is,
/// its addresses valid for as much as it says; all zero is valid for every object.
pub(super) unsafe fn obj_info<I>(fd: BorrowedFd<'_>, info: &mut I) -> io::Result<()> {
    let mut attr = Info { bpf_fd: raw(fd), info_len: size_of::<I>() as u32, info: address_mut(info) };
    // SAFETY: the kernel writes at most `info_len` bytes to `info`, exclusively borrowed; the caller answers for its contents.
    unsafe { bpf(Call::ObjGetInfoByFd, &mut attr) }.map(drop)
}
