//! A link as the kernel holds it: which program it attaches, and where.
#![allow(unsafe_code)]

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::cause;
use super::kinds::{AttachType, LinkType};
use super::object::{self, Ids};
use crate::error::{Object, ObjectKind, Result};
use crate::sys::bpf::IdKind;
use crate::sys::{NameAt, RawLinkInfo, link_info, link_name};

/// A BPF link: a descriptor, and [`LinkInfo`] read once when it was opened. A link keeps its program attached; while it is held,
/// it stays.
///
/// Links exist since Linux 5.7, their ids since 5.8. What is attached without a link, as by netlink, has none.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::Link;
///
/// for link in Link::all()? {
///     println!("program {}: {}", link.program_id, link.attachment);
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[doc(alias = "bpf_link_info")]
pub struct Link {
    fd: OwnedFd,
    info: LinkInfo,
}

/// What the kernel says of a link: `struct bpf_link_info`, read when the link was opened. Prints as `link id 7`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LinkInfo {
    /// The id, unique among the links of the system while the link lives.
    pub id: u32,
    /// The type.
    pub link_type: LinkType,
    /// The id of the program that it attaches; 0 if it has none, as that of a struct_ops map.
    pub program_id: u32,
    /// Where it attaches it.
    pub attachment: Attachment,
}

/// Where a link attaches its program, as far as the kernel tells. Prints in one phrase: `kprobe vfs_read`,
/// `raw tracepoint sched_switch`, `trace_fentry`, `xdp at interface 2`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Attachment {
    /// A raw tracepoint, also that of a program in `tp_btf/...`.
    #[non_exhaustive]
    RawTracepoint {
        /// Its name.
        name: String,
    },
    /// A tracepoint.
    #[non_exhaustive]
    Tracepoint {
        /// Its name.
        name: String,
    },
    /// A function of the kernel.
    #[non_exhaustive]
    Kprobe {
        /// The function. Empty if the kernel does not tell (`kernel.kptr_restrict`).
        function: String,
        /// In bytes from its start.
        offset: u32,
        /// Whether it runs where the function returns.
        returns: bool,
    },
    /// A place in an executable file.
    #[non_exhaustive]
    Uprobe {
        /// The path of the file.
        file: String,
        /// In bytes from its start.
        offset: u32,
        /// Whether it runs where the function returns.
        returns: bool,
    },
    /// Any other event of perf.
    PerfEvent,
    /// Several functions of the kernel at once.
    #[non_exhaustive]
    KprobeMulti {
        /// How many.
        count: u32,
    },
    /// Several places in an executable file at once.
    #[non_exhaustive]
    UprobeMulti {
        /// The path of the file.
        file: String,
        /// How many.
        count: u32,
    },
    /// A function by a trampoline (fentry, fexit, LSM), or another program (freplace).
    #[non_exhaustive]
    Tracing {
        /// How.
        attach_type: AttachType,
    },
    /// An iterator.
    #[non_exhaustive]
    Iterator {
        /// What it goes over: `bpf_map`, `task`.
        target: String,
    },
    /// A cgroup.
    #[non_exhaustive]
    Cgroup {
        /// Its id, which is the inode of its directory.
        id: u64,
        /// For what.
        attach_type: AttachType,
    },
    /// A network namespace.
    #[non_exhaustive]
    NetworkNamespace {
        /// Its inode.
        inode: u32,
        /// For what.
        attach_type: AttachType,
    },
    /// A network interface.
    #[non_exhaustive]
    Interface {
        /// Its index.
        index: u32,
        /// For what.
        attach_type: AttachType,
    },
    /// A map: one of struct_ops, or one that holds sockets.
    #[non_exhaustive]
    Map {
        /// Its id.
        id: u32,
        /// For what.
        attach_type: AttachType,
    },
    /// A hook of netfilter.
    Netfilter,
    /// Something that is newer than this crate.
    Other,
}

impl Link {
    /// Takes over a descriptor.
    ///
    /// # Errors
    ///
    /// [`Error::WrongObject`](crate::Error::WrongObject) if it is a map, a program, BTF or anything else.
    pub fn from_fd(fd: OwnedFd) -> Result<Link> {
        // Info answers for every BPF object and each has its own; procfs tells which this is.
        let found = cause::describe(fd.as_fd());
        // The descriptor that made it has the one name, all others have the other (`bpf_link_prime`, `bpf_link_new_fd`).
        if !matches!(found.as_str(), "anon_inode:bpf_link" | "anon_inode:bpf-link") {
            return Err(object::wrong(found, ObjectKind::Link));
        }
        // SAFETY: procfs says that it is one (it was checked to be procfs), and no file can have that name there.
        unsafe { Link::from_link_fd(fd) }
    }

    /// Opens the link with this id. Needs `CAP_SYS_ADMIN` (`BPF_LINK_GET_FD_BY_ID`).
    ///
    /// # Errors
    ///
    /// [`Cause::NoSuchId`](crate::Cause::NoSuchId) (ENOENT) or
    /// [`Cause::NeedsCapSysAdmin`](crate::Cause::NeedsCapSysAdmin) (EPERM).
    pub fn from_id(id: u32) -> Result<Link> {
        let fd = object::open_id(IdKind::Link, id)?;
        // SAFETY: the call opens nothing but links.
        unsafe { Link::from_link_fd(fd) }
    }

    /// Opens a pinned link.
    ///
    /// # Errors
    ///
    /// As [`Map::from_pin`](crate::Map::from_pin), with [`Error::WrongObject`](crate::Error::WrongObject) if something else is
    /// pinned there.
    pub fn from_pin(path: impl AsRef<Path>) -> Result<Link> {
        let path = path.as_ref();
        Link::from_fd(object::open_pin(path, 0)?).map_err(|error| error.at_pin(path))
    }

    /// Returns the ids of all links on the system, in rising order. Needs `CAP_SYS_ADMIN`. A link may be gone by the time that its
    /// id is opened.
    pub fn ids() -> Ids {
        Ids::of(IdKind::Link)
    }

    /// Returns what the kernel says of all links on the system. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Link::from_id`], but for links that go away meanwhile.
    pub fn all() -> Result<Vec<LinkInfo>> {
        object::all(Link::ids(), Link::from_id, |link| Ok(Some(link.info)))
    }

    /// Returns what the kernel says of the link. No system call.
    pub fn info(&self) -> &LinkInfo {
        &self.info
    }

    /// # Safety
    ///
    /// `fd` is a link.
    unsafe fn from_link_fd(fd: OwnedFd) -> Result<Link> {
        let failed = |source| object::info_error(source, object::descriptor(fd.as_fd()));
        let raw = link_info(fd.as_fd()).map_err(failed)?;
        let mut name = String::new();
        if let Some(at) = name_of(&raw) {
            // SAFETY: a link, says the caller, whose type, which it has for life, has its name there.
            let told = unsafe { link_name(fd.as_fd(), at) };
            name = String::from_utf8_lossy(&untold(told).map_err(failed)?).into_owned();
        }
        let info = LinkInfo {
            id: raw.id,
            link_type: LinkType(raw.link_type),
            program_id: raw.prog_id,
            attachment: Attachment::of(&raw, name),
        };
        Ok(Link { fd, info })
    }
}

/// A name that the kernel has and does not tell is none.
fn untold(name: io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match name.as_ref().map_err(io::Error::raw_os_error) {
        // The file of a uprobe may be gone, or outside of this process' root.
        Err(Some(libc::ENOENT | libc::ENAMETOOLONG | libc::ENOSPC)) => Ok(Vec::new()),
        _ => name,
    }
}

// `enum bpf_perf_event_type`: what a link of perf is.
const URETPROBE: u32 = 2;
const KRETPROBE: u32 = 4;

/// Where the info of a link has a name, if it has one.
fn name_of(raw: &RawLinkInfo) -> Option<NameAt> {
    match LinkType(raw.link_type) {
        LinkType::RAW_TRACEPOINT | LinkType::ITER => Some(NameAt { address: 0, len: 8 }),
        LinkType::UPROBE_MULTI => Some(NameAt { address: 0, len: 32 }),
        // Of probes and tracepoints; the kernel before 6.6 tells of none what it is.
        LinkType::PERF_EVENT if (1..=5).contains(&raw.word(0)) => Some(NameAt { address: 8, len: 16 }),
        _ => None,
    }
}

impl Attachment {
    fn of(raw: &RawLinkInfo, name: String) -> Attachment {
        let attach_type = |at| AttachType(raw.word(at));
        match LinkType(raw.link_type) {
            LinkType::RAW_TRACEPOINT => Attachment::RawTracepoint { name },
            LinkType::TRACING => Attachment::Tracing { attach_type: attach_type(0) },
            LinkType::CGROUP => Attachment::Cgroup { id: raw.long(0), attach_type: attach_type(8) },
            LinkType::ITER => Attachment::Iterator { target: name },
            LinkType::NETNS => Attachment::NetworkNamespace { inode: raw.word(0), attach_type: attach_type(4) },
            LinkType::XDP => Attachment::Interface { index: raw.word(0), attach_type: AttachType::XDP },
            LinkType::TCX | LinkType::NETKIT => {
                Attachment::Interface { index: raw.word(0), attach_type: attach_type(4) }
            }
            LinkType::STRUCT_OPS => Attachment::Map { id: raw.word(0), attach_type: AttachType::STRUCT_OPS },
            LinkType::SOCKMAP => Attachment::Map { id: raw.word(0), attach_type: attach_type(4) },
            LinkType::NETFILTER => Attachment::Netfilter,
            LinkType::KPROBE_MULTI => Attachment::KprobeMulti { count: raw.word(8) },
            LinkType::UPROBE_MULTI => Attachment::UprobeMulti { file: name, count: raw.word(36) },
            LinkType::PERF_EVENT => match raw.word(0) {
                probe @ (1 | URETPROBE) => {
                    Attachment::Uprobe { file: name, offset: raw.word(20), returns: probe == URETPROBE }
                }
                probe @ (3 | KRETPROBE) => {
                    Attachment::Kprobe { function: name, offset: raw.word(20), returns: probe == KRETPROBE }
                }
                5 => Attachment::Tracepoint { name },
                _ => Attachment::PerfEvent,
            },
            _ => Attachment::Other,
        }
    }
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |f: &mut fmt::Formatter<'_>, what: &str, name: &str| {
            if name.is_empty() { f.write_str(what) } else { write!(f, "{what} {name}") }
        };
        let at = |f: &mut fmt::Formatter<'_>, attach_type: &AttachType, place: &str, number: u64| {
            write!(f, "{} at {place} {number}", Short(*attach_type))
        };
        match self {
            Attachment::RawTracepoint { name } => named(f, "raw tracepoint", name),
            Attachment::Tracepoint { name } => named(f, "tracepoint", name),
            Attachment::Kprobe { function, offset, returns } => {
                named(f, if *returns { "kretprobe" } else { "kprobe" }, function)?;
                if *offset == 0 { Ok(()) } else { write!(f, "+{offset:#x}") }
            }
            Attachment::Uprobe { file, offset, returns } => {
                named(f, if *returns { "uretprobe" } else { "uprobe" }, file)?;
                write!(f, "+{offset:#x}")
            }
            Attachment::PerfEvent => f.write_str("perf event"),
            Attachment::KprobeMulti { count } => write!(f, "kprobe at {count} functions"),
            Attachment::UprobeMulti { file, count } => {
                named(f, "uprobe", file)?;
                write!(f, " at {count} places")
            }
            Attachment::Tracing { attach_type } => Short(*attach_type).fmt(f),
            Attachment::Iterator { target } => named(f, "iterator of", target),
            Attachment::Cgroup { id, attach_type } => at(f, attach_type, "cgroup", *id),
            Attachment::NetworkNamespace { inode, attach_type } => {
                at(f, attach_type, "network namespace", (*inode).into())
            }
            Attachment::Interface { index, attach_type } => at(f, attach_type, "interface", (*index).into()),
            Attachment::Map { id, attach_type } => at(f, attach_type, "map", (*id).into()),
            Attachment::Netfilter => f.write_str("netfilter"),
            Attachment::Other => f.write_str("of a type that is newer than this program"),
        }
    }
}

/// The name in small letters, as tools print it: `trace_fentry`.
struct Short(AttachType);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => f.write_str(&name.to_lowercase()),
            None => self.0.fmt(f),
        }
    }
}

impl LinkInfo {
    /// Returns how errors name the link.
    pub fn object(&self) -> Object {
        Object::Link { id: self.id }
    }
}

impl fmt::Display for LinkInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<Link> for OwnedFd {
    fn from(link: Link) -> OwnedFd {
        link.fd
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("fd", &self.fd).field("info", &self.info).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a link of this type prints, whose info has these words and this name.
    fn printed(link_type: LinkType, words: &[u32], name: &str) -> String {
        Attachment::of(&RawLinkInfo::with_words(link_type.0, words), name.to_owned()).to_string()
    }

    #[test]
    fn every_type_of_link_says_where_it_attaches() {
        let low = if cfg!(target_endian = "little") { [1234, 0] } else { [0, 1234] };
        assert_eq!(printed(LinkType::RAW_TRACEPOINT, &[], "sched_switch"), "raw tracepoint sched_switch");
        assert_eq!(printed(LinkType::TRACING, &[24, 1, 2], ""), "trace_fentry");
        assert_eq!(printed(LinkType::TRACING, &[1000], ""), "BPF attach type 1000");
        assert_eq!(printed(LinkType::CGROUP, &[low[0], low[1], 0], ""), "cgroup_inet_ingress at cgroup 1234");
        assert_eq!(printed(LinkType::ITER, &[], "bpf_map"), "iterator of bpf_map");
        assert_eq!(printed(LinkType::NETNS, &[9, 36], ""), "sk_lookup at network namespace 9");
        assert_eq!(printed(LinkType::XDP, &[2], ""), "xdp at interface 2");
        assert_eq!(printed(LinkType::TCX, &[3, 46], ""), "tcx_ingress at interface 3");
        assert_eq!(printed(LinkType::STRUCT_OPS, &[7], ""), "struct_ops at map 7");
        assert_eq!(printed(LinkType::SOCKMAP, &[7, 38], ""), "sk_skb_verdict at map 7");
        assert_eq!(printed(LinkType::KPROBE_MULTI, &[0, 0, 12], ""), "kprobe at 12 functions");
        let multi = [0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        assert_eq!(printed(LinkType::UPROBE_MULTI, &multi, "/bin/bash"), "uprobe /bin/bash at 3 places");
        let perf = |kind, offset| [kind, 0, 0, 0, 0, offset];
        assert_eq!(printed(LinkType::PERF_EVENT, &perf(1, 0x40), "/bin/bash"), "uprobe /bin/bash+0x40");
        assert_eq!(printed(LinkType::PERF_EVENT, &perf(URETPROBE, 0x40), "/bin/bash"), "uretprobe /bin/bash+0x40");
        assert_eq!(printed(LinkType::PERF_EVENT, &perf(3, 0), "vfs_read"), "kprobe vfs_read");
        assert_eq!(printed(LinkType::PERF_EVENT, &perf(KRETPROBE, 4), "vfs_read"), "kretprobe vfs_read+0x4");
        assert_eq!(printed(LinkType::PERF_EVENT, &perf(3, 0), ""), "kprobe");
        assert_eq!(printed(LinkType::PERF_EVENT, &perf(5, 0), "sched_switch"), "tracepoint sched_switch");
        assert_eq!(printed(LinkType::PERF_EVENT, &[0], ""), "perf event");
        assert_eq!(printed(LinkType(999), &[], ""), "of a type that is newer than this program");
    }

    #[test]
    fn names_are_asked_for_only_where_there_are_some() {
        let place = |link_type: LinkType, first| name_of(&RawLinkInfo::with_words(link_type.0, &[first]));
        assert_eq!(place(LinkType::RAW_TRACEPOINT, 0), Some(NameAt { address: 0, len: 8 }));
        assert_eq!(place(LinkType::PERF_EVENT, 3), Some(NameAt { address: 8, len: 16 }));
        for (link_type, first) in [(LinkType::PERF_EVENT, 0), (LinkType::PERF_EVENT, 6), (LinkType::KPROBE_MULTI, 0)] {
            assert_eq!(place(link_type, first), None, "{link_type} {first}");
        }
    }
}
