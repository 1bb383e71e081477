//! BTF as the kernel holds it.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, OwnedFd};

use super::{cause, object};
use crate::error::{Call, Error, Object, Result};
use crate::sys::bpf::{self, IdKind};
use crate::types::Btf;

impl Btf {
    /// Fetches a BTF object by its id, which the info of a map or a program holds. Needs `CAP_SYS_ADMIN`
    /// (`BPF_BTF_GET_FD_BY_ID`), also where the map or program itself was opened otherwise.
    ///
    /// # Errors
    ///
    /// [`Cause::BtfNeedsCapSysAdmin`](crate::Cause::BtfNeedsCapSysAdmin) (EPERM),
    /// [`Cause::NoSuchId`](crate::Cause::NoSuchId) (ENOENT), [`Error::Btf`].
    pub fn from_id(id: u32) -> Result<Btf> {
        let fd = object::open_id(IdKind::Btf, id)?;
        let mut bytes = Vec::new();
        // The first call tells how long it is, and BTF never changes.
        for _ in 0..2 {
            // SAFETY: the call opens nothing but BTF.
            let (_, size) = unsafe { bpf::btf_info(fd.as_fd(), &mut bytes) }
                .map_err(|source| object::info_error(source, Object::Btf { id: Some(id) }))?;
            bytes.resize(size as usize, 0);
        }
        Btf::parse(&bytes).map_err(|error| error.about(Object::Btf { id: Some(id) }))
    }
}

/// Gives BTF to the kernel, for the maps that it describes.
pub(super) fn load(bytes: &[u8]) -> Result<OwnedFd> {
    bpf::btf_load(bytes).map_err(|source| {
        let cause = cause::of_info(&source);
        Error::Kernel { call: Call::BtfLoad, object: Box::new(Object::Btf { id: None }), cause, source }
    })
}
