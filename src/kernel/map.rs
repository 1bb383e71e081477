//! A map as the kernel holds it: a descriptor and what it says of itself.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::object::{self, Ids};
use super::{MapBuilder, MapInfo, MapType, cause};
use crate::error::{Advice, Call, Cause, Error, Object, ObjectKind, Property, Result};
use crate::sys;
use crate::sys::bpf::{self, IdKind};

/// A BPF map as the kernel holds it: a descriptor, and [`MapInfo`] read once when it was opened.
///
/// Any map can be opened, asked for its info and pinned. Element access by system call works on every
/// `BPF_MAP_TYPE_ARRAY`, also one without `BPF_F_MMAPABLE`; for those that can be mapped there is
/// [`Array`](crate::Array), about a thousand times faster and without the races described at [`Map::update`].
///
/// Dropping it closes the descriptor. The map lives on while a mapping, a pin, a program or another descriptor holds it.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::Map;
///
/// let map = Map::builder().name("settings").value_size(12).entries(4).create()?;
/// map.update(3, &[7; 12])?;
/// let mut value = [0; 12];
/// map.lookup(3, &mut value)?;
/// assert_eq!(value, [7; 12]);
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[doc(alias = "BPF_MAP_TYPE_ARRAY")]
#[doc(alias = "bpf_map_info")]
pub struct Map {
    /// `info` is this descriptor's, for as long as the map lives. That rests on I/O safety (`std::io`, "I/O Safety"): nobody closes
    /// or replaces (dup2) a descriptor that is not his. System calls by which the kernel writes as many bytes as `info` says rely
    /// on it.
    fd: OwnedFd,
    info: MapInfo,
}

impl Map {
    /// Starts the description of a new array map. [`value_size`](MapBuilder::value_size) has to follow.
    pub fn builder<'a>() -> MapBuilder<'a, Map> {
        MapBuilder::new(0)
    }

    /// Takes over a descriptor, from wherever it came: another library, `SCM_RIGHTS`, `pidfd_getfd`.
    ///
    /// # Errors
    ///
    /// [`Error::WrongObject`] if it is a program, a link, BTF or anything else.
    pub fn from_fd(fd: OwnedFd) -> Result<Map> {
        Map::from_unproven_fd(fd)?.proven()
    }

    /// Duplicates a borrowed descriptor: what `as_fd` of a map of aya or libbpf-rs gives.
    ///
    /// # Errors
    ///
    /// As [`Map::from_fd`]; and [`Cause::OutOfDescriptors`].
    pub fn from_borrowed_fd(fd: impl AsFd) -> Result<Map> {
        Map::from_unproven_borrowed_fd(fd)?.proven()
    }

    /// Opens the map with this id. Needs `CAP_SYS_ADMIN` ([bpf(2)]: `BPF_MAP_GET_FD_BY_ID`).
    ///
    /// # Errors
    ///
    /// [`Cause::NoSuchId`] (ENOENT) or [`Cause::NeedsCapSysAdmin`] (EPERM).
    ///
    /// [bpf(2)]: https://man7.org/linux/man-pages/man2/bpf.2.html
    pub fn from_id(id: u32) -> Result<Map> {
        // The call opens nothing but maps, so no proof is needed.
        Map::from_unproven_fd(object::open_id(IdKind::Map, id)?)
    }

    /// Opens a pinned map, read-write.
    ///
    /// # Errors
    ///
    /// [`Cause::NoSuchPath`], [`Cause::PathPermission`] (the pin's mode does not let this user write; see
    /// [`Map::from_pin_read_only`]), [`Cause::NotAPin`], or [`Error::WrongObject`] if something else is pinned there.
    pub fn from_pin(path: impl AsRef<Path>) -> Result<Map> {
        let path = path.as_ref();
        Map::from_unproven_pin(path)?.proven().map_err(|error| error.at_pin(path))
    }

    /// Opens a pinned map with a descriptor that can look values up and no more: all that a user gets whom the pin's mode
    /// lets only read. The kernel maps nothing through such a descriptor, not even read-only.
    ///
    /// # Errors
    ///
    /// As [`Map::from_pin`].
    pub fn from_pin_read_only(path: impl AsRef<Path>) -> Result<Map> {
        let path = path.as_ref();
        Map::from_fd(object::open_pin(path, bpf::F_RDONLY)?).map_err(|error| error.at_pin(path))
    }

    /// Returns the ids of all maps on the system, in rising order. Needs `CAP_SYS_ADMIN`. A map may be gone by the time that its
    /// id is opened.
    pub fn ids() -> Ids {
        Ids::of(IdKind::Map)
    }

    /// Asks `fd` for its info and believes it: if `fd` is another BPF object after all, the info is nonsense, though
    /// harmless. For callers that know, or that will see mmap fail with ENODEV.
    pub(crate) fn from_unproven_fd(fd: OwnedFd) -> Result<Map> {
        match bpf::map_info(fd.as_fd()) {
            Ok(info) => Ok(Map { info: info.into(), fd }),
            // Neither map nor program nor link nor BTF.
            Err(source) if source.raw_os_error() == Some(libc::EINVAL) => Err(not_a_map(fd.as_fd())),
            Err(source) => Err(object::info_error(source, object::descriptor(fd.as_fd()))),
        }
    }

    /// As [`Map::from_borrowed_fd`], unproven.
    pub(crate) fn from_unproven_borrowed_fd(fd: impl AsFd) -> Result<Map> {
        Map::from_unproven_fd(object::duplicate(fd.as_fd())?)
    }

    /// As [`Map::from_pin`], unproven.
    pub(crate) fn from_unproven_pin(path: &Path) -> Result<Map> {
        Map::from_unproven_fd(object::open_pin(path, 0)?)
    }

    /// That this is a map and no other object.
    fn proven(self) -> Result<Map> {
        if is_map(self.as_fd()) { Ok(self) } else { Err(not_a_map(self.as_fd())) }
    }

    /// Returns what the kernel says of the map. No system call.
    pub fn info(&self) -> &MapInfo {
        &self.info
    }

    /// Duplicates the descriptor.
    ///
    /// # Errors
    ///
    /// [`Cause::OutOfDescriptors`] (EMFILE).
    pub fn try_clone(&self) -> Result<Map> {
        Ok(Map { fd: object::duplicate(self.fd.as_fd())?, info: self.info.clone() })
    }

    /// Pins the map to a path in a BPF file system, where it outlives this process. The new file has mode 0600 less the
    /// umask.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a file name with a dot in it, [`Cause::PathTaken`] (EEXIST), [`Cause::NotBpffs`] (EPERM),
    /// [`Cause::NoSuchPath`] (ENOENT: no such directory).
    pub fn pin(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.file_name().is_some_and(|name| name.as_bytes().contains(&b'.')) {
            let rule = "a file name in a BPF file system cannot contain a dot";
            return Err(self.argument("path", format_args!("{path:?}"), rule));
        }
        let c_path = object::c_path(path)?;
        bpf::obj_pin(self.as_fd(), &c_path).map_err(|source| {
            let cause = cause::of_pin(&source, path);
            Error::Kernel { call: Call::ObjPin, object: self.pinned_at(path), cause, source }
        })
    }

    /// Removes a pin, if it is this map's. Whoever can write to the directory can put another pin there between the look and the
    /// removal, and then that one is removed: the kernel has no call that does both.
    ///
    /// # Errors
    ///
    /// As [`Map::from_pin`]; and [`Error::Mismatch`] if another map is pinned there, which then stays.
    pub fn unpin(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let pinned = Map::from_pin(path)?;
        if pinned.info.id != self.info.id {
            let expected = "this map, because only its own pins are removed";
            return Err(self.mismatch(Property::Pinned, &pinned.info, expected, None));
        }
        fs::remove_file(path).map_err(|source| {
            let cause = cause::of_get(&source, path);
            Error::Kernel { call: Call::Unlink, object: self.pinned_at(path), cause, source }
        })
    }

    /// Freezes the map, for good: from now on no system call and no mapping of user space writes it; programs still do
    /// unless it is `BPF_F_RDONLY_PROG`. Linux 5.2; before 6.5 it needs `CAP_BPF`. See also
    /// [`Array::freeze`](crate::Array::freeze), which gives its own mapping up first.
    ///
    /// # Errors
    ///
    /// [`Cause::MappedWritable`] (EBUSY) while anybody maps it writable, [`Cause::Frozen`] if it is frozen already,
    /// [`Cause::ReadOnlyDescriptor`], [`Cause::KernelManagedFields`] (524).
    pub fn freeze(&self) -> Result<()> {
        bpf::map_freeze(self.as_fd()).map_err(|source| {
            let cause = cause::of_freeze(&source, self.as_fd(), &self.info);
            self.kernel_error(Call::MapFreeze, cause, source)
        })
    }

    /// Returns whether the map is frozen. Reads `/proc/thread-self/fdinfo`. Where procfs is not mounted or cannot be read, an update
    /// that must fail tells that a map is not frozen.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] with [`Call::FdInfo`] where it cannot be told: without procfs, a frozen map cannot be told from one whose
    /// updates a security module denies, and a read-only descriptor tells nothing.
    pub fn is_frozen(&self) -> Result<bool> {
        cause::is_frozen(self.as_fd()).map_err(|source| {
            let cause = cause::of_info(&source);
            self.kernel_error(Call::FdInfo, cause, source)
        })
    }

    /// Whether the descriptor can look values up and no more.
    pub(crate) fn reads_only(&self) -> bool {
        sys::access_mode(self.as_fd()).is_ok_and(|mode| mode == libc::O_RDONLY)
    }

    /// Returns what the kernel says of all maps of the system. Needs `CAP_SYS_ADMIN`. Maps that go away meanwhile are left out.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`].
    pub fn all() -> Result<Vec<MapInfo>> {
        Map::each(|map| Ok(Some(map.info)))
    }

    /// Opens all maps with this name, of which there may be several; a longer name counts by its first 15 bytes, which is all that
    /// the kernel keeps. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Map::from_id`], but for maps that go away meanwhile.
    pub fn named(name: &str) -> Result<Vec<Map>> {
        let name = object::cut(name);
        Map::each(|map| Ok((map.info.name == name).then_some(map)))
    }

    /// What `keep` makes of all maps of the system.
    pub(crate) fn each<U>(keep: impl FnMut(Map) -> Result<Option<U>>) -> Result<Vec<U>> {
        object::all(Map::ids(), Map::from_id, keep)
    }

    /// This map at a path.
    fn pinned_at(&self, path: &Path) -> Box<Object> {
        Box::new(Object::Pin { path: path.to_owned(), map: Some(Box::new(self.info.object())) })
    }

    /// The error for an argument that `rule` forbids.
    pub(crate) fn argument(&self, argument: &'static str, found: impl fmt::Display, rule: impl Into<String>) -> Error {
        let object = Box::new(self.info.object());
        Error::Argument { object, argument, found: found.to_string(), rule: rule.into(), advice: None }
    }

    /// The error for a map that is not what is needed.
    pub(crate) fn mismatch(
        &self,
        property: Property,
        found: impl fmt::Display,
        expected: impl Into<String>,
        advice: Option<Advice>,
    ) -> Error {
        if !is_map(self.as_fd()) {
            // It was unproven, and what does not match is some other object's info.
            return not_a_map(self.as_fd());
        }
        let object = Box::new(self.info.object());
        Error::Mismatch { object, property, found: found.to_string(), expected: expected.into(), advice }
    }

    /// The error for an mmap that the kernel refused, on an array with `BPF_F_MMAPABLE` and inside its length.
    pub(crate) fn mmap_error(&self, source: io::Error) -> Error {
        // No other bpf object can be mapped, nor would its info have passed for that of an array for long.
        if source.raw_os_error() == Some(libc::ENODEV) {
            return not_a_map(self.as_fd());
        }
        let cause = cause::of_mmap(&source, self.as_fd(), &self.info);
        self.kernel_error(Call::Mmap, cause, source)
    }

    /// That the map is an array with 4-byte keys.
    pub(crate) fn check_array(&self) -> Result<()> {
        if self.info.map_type != MapType::ARRAY {
            let expected = "BPF_MAP_TYPE_ARRAY, the one type of map that can be mapped";
            return Err(self.mismatch(Property::MapType, self.info.map_type, expected, None));
        }
        if self.info.key_size != 4 {
            return Err(self.mismatch(Property::KeySize, self.info.key_size, "4 bytes, as every array has", None));
        }
        Ok(())
    }

    /// That it is an array, or an array with a copy for each CPU.
    pub(crate) fn check_typed(&self) -> Result<()> {
        if self.info.map_type == MapType::PERCPU_ARRAY { self.check_per_cpu() } else { self.check_array() }
    }

    /// That it is an array with a copy for each CPU.
    pub(crate) fn check_per_cpu(&self) -> Result<()> {
        if self.info.map_type == MapType::PERCPU_ARRAY && self.info.key_size == 4 {
            return Ok(());
        }
        Err(self.mismatch(Property::MapType, self.info.map_type, "BPF_MAP_TYPE_PERCPU_ARRAY", None))
    }

    pub(super) fn kernel_error(&self, call: Call, cause: Cause, source: io::Error) -> Error {
        Error::Kernel { call, object: Box::new(self.info.object()), cause, source }
    }
}

impl<'a> MapBuilder<'a, Map> {
    /// Sets the size of a value in bytes, from 1 to 2^31 - 1.
    pub fn value_size(self, bytes: u32) -> Self {
        self.set_value_size(bytes)
    }

    /// Leaves `BPF_F_MMAPABLE` out: only system calls and programs access the map.
    pub fn unmappable(self) -> Self {
        self.flag(bpf::F_MMAPABLE, false)
    }

    /// Sets the types of key and value, by their ids in a BTF object of the kernel; see [`Btf`](crate::Btf). What `bpftool map
    /// dump` and the tool `bpfvar` need to show values by name. A data section has key type 0 and a `DATASEC` as value.
    pub fn btf(self, btf: BorrowedFd<'a>, key_type_id: u32, value_type_id: u32) -> Self {
        self.set_btf(btf, key_type_id, value_type_id)
    }

    /// Makes the map (`BPF_MAP_CREATE`, then one call for its info). Its descriptor is close-on-exec.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] before any call; then [`Cause::NeedsCapBpf`], [`Cause::MemlockLimit`] (before 5.11) or
    /// [`Cause::Policy`] for EPERM, [`Cause::OutOfMemory`], [`Cause::OutOfDescriptors`], [`Cause::TooBig`],
    /// [`Cause::UnsupportedByKernel`] (`BPF_F_MMAPABLE` needs Linux 5.5).
    pub fn create(self) -> Result<Map> {
        self.create_map()
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<Map> for OwnedFd {
    fn from(map: Map) -> OwnedFd {
        map.fd
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("fd", &self.fd).field("info", &self.info).finish()
    }
}

fn is_map(fd: BorrowedFd<'_>) -> bool {
    // Maps without keys (ring buffers, queues, arenas) refuse any key with the EINVAL of other objects; /proc tells.
    bpf::map_probe(fd).is_ok() || cause::describe(fd) == "anon_inode:bpf-map"
}

fn not_a_map(fd: BorrowedFd<'_>) -> Error {
    object::wrong(cause::describe(fd), ObjectKind::Map)
}
