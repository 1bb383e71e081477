//! What the kernel says of a link: `struct bpf_link_info`, most of which depends on the link's type.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::os::fd::BorrowedFd;

use super::bpf::{address_mut, obj_info};

/// `struct bpf_link_info`, as Linux 6.18 has it. Older kernels leave the tail zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawLinkInfo {
    pub(crate) link_type: u32,
    pub(crate) id: u32,
    pub(crate) prog_id: u32,
    _pad: u32,
    /// The union behind these words. Its addresses and lengths of names are inputs.
    detail: [u8; DETAIL],
}

/// The longest member of the union: that of `perf_event.kprobe`, and that of `uprobe_multi`.
const DETAIL: usize = 48;

const _: () = assert!(size_of::<RawLinkInfo>() == 64);

/// A name in the union: where the address of its buffer stands, and where the length of that, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameAt {
    pub(crate) address: usize,
    pub(crate) len: usize,
}

impl RawLinkInfo {
    const NOTHING: RawLinkInfo = RawLinkInfo { link_type: 0, id: 0, prog_id: 0, _pad: 0, detail: [0; DETAIL] };

    /// What the kernel would tell of a link of this type, with these words in the union.
    #[cfg(test)]
    pub(crate) fn with_words(link_type: u32, words: &[u32]) -> RawLinkInfo {
        let mut info = RawLinkInfo { link_type, ..RawLinkInfo::NOTHING };
        info.detail.chunks_exact_mut(4).zip(words).for_each(|(room, word)| room.copy_from_slice(&word.to_ne_bytes()));
        info
    }

    /// A number in the union.
    pub(crate) fn word(&self, at: usize) -> u32 {
        self.detail[at..at + 4].try_into().map(u32::from_ne_bytes).unwrap_or(0)
    }

    /// The same, of 8 bytes.
    pub(crate) fn long(&self, at: usize) -> u64 {
        self.detail[at..at + 8].try_into().map(u64::from_ne_bytes).unwrap_or(0)
    }
}

/// `BPF_OBJ_GET_INFO_BY_FD`, without names. If `fd` is not a link, the bytes are those of another object's info.
pub(crate) fn link_info(fd: BorrowedFd<'_>) -> io::Result<RawLinkInfo> {
    // What the kernel reads there first is all zero, so that no field of any object's info is taken for an address.
    let mut info = RawLinkInfo::NOTHING;
    // SAFETY: no address in it, and every byte pattern is a RawLinkInfo.
    unsafe { obj_info(fd, &mut info) }?;
    Ok(info)
}

/// A name that the kernel tells of a link, up to its NUL.
///
/// # Safety
///
/// `fd` is a link of a type whose info has a name at `at`: elsewhere the same bytes mean something else.
pub(crate) unsafe fn link_name(fd: BorrowedFd<'_>, at: NameAt) -> io::Result<Vec<u8>> {
    // PATH_MAX, and no name is longer than a path.
    let mut name = vec![0_u8; 4096];
    let mut info = RawLinkInfo::NOTHING;
    let len = name.len() as u32;
    info.detail[at.address..at.address + 8].copy_from_slice(&address_mut(name.as_mut_slice()).to_ne_bytes());
    info.detail[at.len..at.len + 4].copy_from_slice(&len.to_ne_bytes());
    // SAFETY: the one address in it is that of `name`, exclusively borrowed, of which the kernel writes at most `len` bytes.
    unsafe { obj_info(fd, &mut info) }?;
    name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
    Ok(name)
}
