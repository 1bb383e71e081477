//! What maps, programs, links and BTF have in common: ids, pins, descriptors.

use std::ffi::CString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::cause;
use crate::error::{Call, Cause, Error, Object, ObjectKind, Result};
use crate::sys::bpf::{self, IdKind};

/// Iterator over the ids of all maps, programs or links of the system in rising order; see [`Map::ids`](crate::Map::ids).
/// Ends after its first error.
#[derive(Debug)]
pub struct Ids {
    kind: IdKind,
    last: Option<u32>,
}

impl Ids {
    pub(super) fn of(kind: IdKind) -> Ids {
        Ids { kind, last: Some(0) }
    }

    /// Returns those behind `id` only. The kernel numbers in rising order, and starts anew after two billion objects: so whether
    /// one was made since another takes one system call.
    pub fn after(self, id: u32) -> Ids {
        Ids { last: Some(id), ..self }
    }
}

impl Iterator for Ids {
    type Item = Result<u32>;

    fn next(&mut self) -> Option<Result<u32>> {
        match bpf::next_id(self.kind, self.last?) {
            Ok(next) => {
                self.last = next;
                next.map(Ok)
            }
            Err(source) => {
                self.last = None;
                let cause = cause::of_id(&source, self.kind);
                Some(Err(Error::Kernel { call: self.kind.next(), object: Box::new(Object::System), cause, source }))
            }
        }
    }
}

pub(super) fn open_id(kind: IdKind, id: u32) -> Result<OwnedFd> {
    bpf::fd_by_id(kind, id).map_err(|source| {
        let cause = cause::of_id(&source, kind);
        Error::Kernel { call: kind.open(), object: Box::new(sought(kind, id)), cause, source }
    })
}

/// An object of which only the id is known.
fn sought(kind: IdKind, id: u32) -> Object {
    match kind {
        IdKind::Map => Object::Map { name: String::new(), id, section: None },
        IdKind::Program => Object::Program { name: String::new(), id },
        IdKind::Btf => Object::Btf { id: Some(id) },
        IdKind::Link => Object::Link { id },
    }
}

/// The error for a descriptor of another kind of object. `found` is what /proc says of it.
pub(super) fn wrong(found: String, expected: ObjectKind) -> Error {
    Error::WrongObject { object: Box::new(Object::Descriptor { what: String::new() }), found, expected }
}

/// A pin of which only the path is known.
pub(super) fn pin(path: &Path) -> Box<Object> {
    Box::new(Object::Pin { path: path.to_owned(), map: None })
}

/// What a descriptor is, as far as /proc tells.
pub(super) fn descriptor(fd: BorrowedFd<'_>) -> Object {
    Object::Descriptor { what: cause::describe(fd) }
}

pub(super) fn open_pin(path: &Path, flags: u32) -> Result<OwnedFd> {
    let c_path = c_path(path)?;
    bpf::obj_get(&c_path, flags).map_err(|source| {
        let cause = cause::of_get(&source, path);
        Error::Kernel { call: Call::ObjGet, object: pin(path), cause, source }
    })
}

pub(super) fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Error::Argument {
        object: pin(path),
        argument: "path",
        found: format!("{path:?}"),
        rule: "a path cannot hold a NUL byte".to_owned(),
        advice: None,
    })
}

pub(super) fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    fd.try_clone_to_owned().map_err(|source| {
        let cause = cause::of_info(&source);
        Error::Kernel { call: Call::Dup, object: Box::new(descriptor(fd)), cause, source }
    })
}

/// The error for info that could not be had, and for a descriptor that has none: it is neither map nor program nor link nor
/// BTF.
pub(super) fn info_error(source: std::io::Error, object: Object) -> Error {
    let cause = cause::of_info(&source);
    Error::Kernel { call: Call::ObjGetInfoByFd, object: Box::new(object), cause, source }
}

/// The bytes of a `char name[16]` up to its first NUL.
pub(super) fn name(raw: &[u8]) -> String {
    let name = raw.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// As much of a name as the kernel keeps.
pub(crate) fn cut(name: &str) -> &str {
    let mut end = name.len().min(bpf::NAME_LEN - 1);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// What `keep` makes of all objects; those that went away since their ids were listed are left out. One is open at a time, unless it
/// is kept.
pub(super) fn all<T, U>(
    ids: Ids,
    open: impl Fn(u32) -> Result<T>,
    mut keep: impl FnMut(T) -> Result<Option<U>>,
) -> Result<Vec<U>> {
    let mut found = Vec::new();
    for id in ids {
        match open(id?) {
            Ok(object) => found.extend(keep(object)?),
            Err(error) if error.cause() == Some(Cause::NoSuchId) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
