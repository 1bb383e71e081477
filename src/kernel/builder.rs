//! How a map is made.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::{Map, btf, cause};
use crate::error::{Advice, Call, Error, Object, Result};
use crate::sys::bpf::{self, MapCreate, NAME_LEN};
use crate::types::Description;

/// How a map is to be made: name, entries and flags, for a [`Map`](crate::Map) or an [`Array`](crate::Array) (`K` is what
/// `create` gives).
///
/// Starts with no name, one entry, `BPF_F_MMAPABLE` and, for a `Map`, a value size that has yet to be given. What the
/// kernel would refuse without a reason is checked by `create` before any call, so that the error names the argument.
///
/// ```no_run
/// use bpfvar::Array;
///
/// let counters = Array::<u64>::builder().name("counters").entries(256).create()?;
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is created before `create` is called"]
pub struct MapBuilder<'a, K> {
    name: &'a str,
    value_size: u32,
    entries: u32,
    flags: u32,
    numa_node: u32,
    token: Option<BorrowedFd<'a>>,
    /// BTF, the key's type in it, the value's.
    btf: Option<(BorrowedFd<'a>, u32, u32)>,
    makes: PhantomData<fn() -> K>,
}

impl<'a, K> MapBuilder<'a, K> {
    pub(crate) fn new(value_size: u32) -> Self {
        MapBuilder {
            name: "",
            value_size,
            entries: 1,
            flags: bpf::F_MMAPABLE,
            numa_node: 0,
            token: None,
            btf: None,
            makes: PhantomData,
        }
    }

    /// For values of type `T`.
    pub(crate) fn of_type<T>() -> Self {
        // More than u32::MAX is refused as u32::MAX is.
        MapBuilder::new(u32::try_from(size_of::<T>()).unwrap_or(u32::MAX))
    }

    /// Sets the name that `bpftool map` shows: at most 15 letters, digits, `_` and `.`. It need not be unique.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Sets the number of entries, at least 1. All exist from the start, zeroed.
    pub fn entries(mut self, entries: u32) -> Self {
        self.entries = entries;
        self
    }

    /// Sets `BPF_F_RDONLY_PROG`: programs may only read. User space, too, may then map it read-only at most and writes by
    /// system call until it is frozen.
    pub fn rdonly_prog(self) -> Self {
        self.flag(bpf::F_RDONLY_PROG, true)
    }

    /// Sets `BPF_F_WRONLY_PROG`: programs may only write.
    pub fn wronly_prog(self) -> Self {
        self.flag(bpf::F_WRONLY_PROG, true)
    }

    /// Sets the NUMA node whose memory holds the values.
    pub fn numa_node(mut self, node: u32) -> Self {
        self.numa_node = node;
        self.flag(bpf::F_NUMA_NODE, true)
    }

    /// Sets a BPF token (`BPF_TOKEN_CREATE`), whose rights replace the caller's capabilities. Linux 6.9.
    pub fn token(mut self, token: BorrowedFd<'a>) -> Self {
        self.token = Some(token);
        self.flag(bpf::F_TOKEN_FD, true)
    }

    pub(super) fn set_value_size(mut self, value_size: u32) -> Self {
        self.value_size = value_size;
        self
    }

    pub(super) fn set_btf(mut self, btf: BorrowedFd<'a>, key_type_id: u32, value_type_id: u32) -> Self {
        self.btf = Some((btf, key_type_id, value_type_id));
        self
    }

    pub(super) fn flag(mut self, flag: u32, on: bool) -> Self {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
        self
    }

    /// Whether programs will only read: such a map cannot be mapped writable.
    pub(crate) fn is_rdonly_prog(&self) -> bool {
        self.flags & bpf::F_RDONLY_PROG != 0
    }

    /// The error for an argument that `rule` forbids.
    pub(crate) fn argument(&self, argument: &'static str, found: impl fmt::Display, rule: impl Into<String>) -> Error {
        Error::Argument { object: self.object(), argument, found: found.to_string(), rule: rule.into(), advice: None }
    }

    /// The error for a map that programs only read and that is to be mapped for writing.
    pub(crate) fn rdonly_prog_error(&self) -> Error {
        Error::Argument {
            object: self.object(),
            argument: "rdonly_prog",
            found: "set for a read-write array".to_owned(),
            rule: "such a map can never be mapped writable".to_owned(),
            advice: Some(Advice::CreateReadOnlyArray),
        }
    }

    fn object(&self) -> Box<Object> {
        Box::new(Object::NewMap { name: self.name.to_owned() })
    }

    /// Checks, then calls, then asks for the info. The new descriptor is close-on-exec.
    pub(crate) fn create_map(&self) -> Result<Map> {
        self.create_with(self.btf)
    }

    /// The same with BTF of its own; without, where the kernel takes none.
    pub(crate) fn create_described(&self, description: &Description) -> Result<Map> {
        let Description { bytes, key, value } = description;
        let described = btf::load(bytes).and_then(|btf| self.create_with(Some((btf.as_fd(), *key, *value))));
        // Kernels differ in the kinds that they know. What else is wrong will be wrong again.
        described.or_else(|_| self.create_map())
    }

    fn create_with(&self, btf: Option<(BorrowedFd<'_>, u32, u32)>) -> Result<Map> {
        let mut attr = self.checked()?;
        if let Some((btf, key, value)) = btf {
            attr.btf_fd = btf.as_raw_fd() as u32;
            attr.btf_key_type_id = key;
            attr.btf_value_type_id = value;
        }
        let fd = bpf::map_create(&mut attr).map_err(|source| {
            let cause = cause::of_create(&source, self.token.is_some());
            Error::Kernel { call: Call::MapCreate, object: self.object(), cause, source }
        })?;
        Map::from_unproven_fd(fd)
    }

    fn checked(&self) -> Result<MapCreate> {
        let mut map_name = [0; NAME_LEN];
        let name = self.name.as_bytes();
        if name.len() >= NAME_LEN {
            return Err(self.argument("name", format_args!("{} bytes long", name.len()), "15 bytes is the longest"));
        }
        if let Some(wrong) = self.name.chars().find(|&c| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')) {
            return Err(self.argument(
                "name",
                format_args!("{:?}", self.name),
                format!("{wrong:?} is not allowed: only letters, digits, '_' and '.' are"),
            ));
        }
        map_name[..name.len()].copy_from_slice(name);
        if self.value_size == 0 {
            return Err(self.argument(
                "value_size",
                "0 or not given",
                format!("it must be from 1 to {} bytes", i32::MAX),
            ));
        }
        if self.value_size > i32::MAX as u32 {
            return Err(self.argument(
                "value_size",
                self.value_size,
                format!("it must be from 1 to {} bytes", i32::MAX),
            ));
        }
        if self.entries == 0 {
            return Err(self.argument("entries", 0, "an array has at least one entry"));
        }
        let both = bpf::F_RDONLY_PROG | bpf::F_WRONLY_PROG;
        if self.flags & both == both {
            return Err(self.argument(
                "rdonly_prog",
                "set beside wronly_prog",
                "programs must be able to read or to write",
            ));
        }
        Ok(MapCreate {
            map_type: bpf::MAP_TYPE_ARRAY,
            key_size: 4,
            value_size: self.value_size,
            max_entries: self.entries,
            map_flags: self.flags,
            numa_node: self.numa_node,
            map_name,
            map_token_fd: self.token.map_or(0, |token| token.as_raw_fd()),
            ..MapCreate::default()
        })
    }
}

impl<K> fmt::Debug for MapBuilder<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapBuilder")
            .field("name", &self.name)
            .field("value_size", &self.value_size)
            .field("entries", &self.entries)
            .field("flags", &super::MapFlags(self.flags))
            .finish_non_exhaustive()
    }
}
