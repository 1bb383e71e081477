//! Waiting until no running program can still see an old value.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use super::cause;
use crate::error::{Call, Error, Object, Result};
use crate::sys::bpf::{self, MAP_TYPE_ARRAY, MAP_TYPE_ARRAY_OF_MAPS, MapCreate};

/// What to wait with: a map of maps. After an update of one of its slots the kernel waits until all programs that may still use
/// the old map have ended (`maybe_wait_bpf_programs` in `kernel/bpf/syscall.c`, Linux 5.0): it waits for an RCU grace period,
/// and so for every program on every CPU that is not sleepable. membarrier(2) waits for the same, but not on a machine with one
/// CPU, and not with nohz_full.
///
/// Two descriptors. Needs `CAP_BPF`.
#[derive(Debug)]
pub(crate) struct Grace {
    outer: OwnedFd,
    inner: OwnedFd,
}

impl Grace {
    /// Makes the two maps.
    pub(crate) fn new() -> Result<Grace> {
        let create = |mut attr: MapCreate| {
            bpf::map_create(&mut attr).map_err(|source| Error::Kernel {
                call: Call::MapCreate,
                object: Box::new(Object::NewMap { name: NAME.to_owned() }),
                cause: cause::of_create(&source, false),
                source,
            })
        };
        let mut map_name = [0; bpf::NAME_LEN];
        map_name[..NAME.len()].copy_from_slice(NAME.as_bytes());
        let inner = MapCreate {
            map_type: MAP_TYPE_ARRAY,
            key_size: 4,
            value_size: 4,
            max_entries: 1,
            map_name,
            ..MapCreate::default()
        };
        let inner = create(inner)?;
        let inner_map_fd = inner.as_raw_fd() as u32;
        let outer = create(MapCreate {
            map_type: MAP_TYPE_ARRAY_OF_MAPS,
            key_size: 4,
            value_size: 4,
            max_entries: 1,
            inner_map_fd,
            map_name,
            ..MapCreate::default()
        })?;
        Ok(Grace { outer, inner })
    }

    /// Waits until every run of a program that is not sleepable, and that began before this call, has ended. One system call, 5
    /// to 20 ms. What the thread stored before is visible to every run that begins after it.
    pub(crate) fn wait(&self) -> Result<()> {
        let Grace { outer, inner } = self;
        // SAFETY: it was made in `new`, with keys and values of 4 bytes.
        unsafe { bpf::map_of_maps_update(outer.as_fd(), inner.as_fd()) }.map_err(|source| Error::Kernel {
            call: Call::MapUpdateElem,
            object: Box::new(Object::NewMap { name: NAME.to_owned() }),
            cause: cause::of_element(&source, outer.as_fd()),
            source,
        })
    }
}

/// How listings show the two maps.
const NAME: &str = "bpfvar_grace";
