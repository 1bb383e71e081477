//! A program as the kernel holds it: which maps it uses, and what it is called.
#![allow(unsafe_code)]

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::cause;
use super::kinds::ProgramType;
use super::object::{self, Ids};
use crate::error::{Object, ObjectKind, Result};
use crate::sys::bpf::{self, IdKind};
use crate::types::Btf;

/// A loaded BPF program: a descriptor, and [`ProgramInfo`] read once when it was opened. While it is held, the program stays
/// loaded.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::Program;
///
/// for id in Program::ids() {
///     let program = Program::from_id(id?)?;
///     println!("{}: maps {:?}", program.info(), program.info().map_ids);
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[doc(alias = "bpf_prog_info")]
pub struct Program {
    fd: OwnedFd,
    info: ProgramInfo,
}

/// What the kernel says of a program: `struct bpf_prog_info`, read when the program was opened. Prints as
/// `program "count" (id 7)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ProgramInfo {
    /// The id, unique among the programs of the system while the program lives.
    pub id: u32,
    /// The name: the function's, cut to 15 bytes. Empty if none was given.
    pub name: String,
    /// The type.
    pub program_type: ProgramType,
    /// The ids of the maps that it uses, its data sections among them.
    pub map_ids: Vec<u32>,
    /// The id of the BTF that it was loaded with; 0 for none.
    pub btf_id: u32,
    /// The user who loaded it.
    pub created_by_uid: u32,
    /// When it was loaded, in nanoseconds since boot.
    pub load_time: u64,
}

impl fmt::Display for ProgramInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl ProgramInfo {
    /// Returns how errors name the program.
    pub fn object(&self) -> Object {
        Object::Program { name: self.name.clone(), id: self.id }
    }

    /// Whether no program of its type is sleepable: those that run with packets, sockets and cgroups.
    pub(crate) fn never_sleeps(&self) -> bool {
        // enum bpf_prog_type. SOCKET_FILTER; SCHED_CLS, SCHED_ACT; XDP to SK_MSG; CGROUP_SOCK_ADDR to CGROUP_SYSCTL; SK_LOOKUP;
        // NETFILTER.
        matches!(self.program_type.0, 1 | 3 | 4 | 6..=16 | 18..=23 | 30 | 32)
    }

    /// Whether programs of its type may be sleepable, in the kernels that are known here (`can_be_sleepable` in
    /// `kernel/bpf/verifier.c`): kprobes, among which uprobes are, tracing (fentry, fexit, iterators), struct_ops, LSM and syscall
    /// programs; and all types that are newer.
    pub(crate) fn may_sleep(&self) -> bool {
        const TRACEPOINTS_AND_SOCKOPT: [u32; 4] = [5, 17, 24, 25];
        !self.never_sleeps() && !TRACEPOINTS_AND_SOCKOPT.contains(&self.program_type.0)
    }

    /// Whether it is an extension (`freplace`): it runs as a part of another program, and is as sleepable as that.
    pub(crate) fn is_extension(&self) -> bool {
        const EXTENSION: u32 = 28;
        self.program_type.0 == EXTENSION
    }

    /// Returns whether the program uses the map with this id.
    pub fn uses(&self, map_id: u32) -> bool {
        self.map_ids.contains(&map_id)
    }
}

impl Program {
    /// Takes over a descriptor.
    ///
    /// # Errors
    ///
    /// [`Error::WrongObject`](crate::Error::WrongObject) if it is a map, a link, BTF or anything else.
    pub fn from_fd(fd: OwnedFd) -> Result<Program> {
        // Info answers for every BPF object and each has its own; procfs tells which this is.
        let found = cause::describe(fd.as_fd());
        if found != "anon_inode:bpf-prog" {
            return Err(object::wrong(found, ObjectKind::Program));
        }
        // SAFETY: procfs says that it is one (it was checked to be procfs), and no file can have that name there.
        unsafe { Program::from_program_fd(fd) }
    }

    /// Duplicates a borrowed descriptor: what `as_fd` of a program of aya or libbpf-rs gives.
    ///
    /// # Errors
    ///
    /// As [`Program::from_fd`]; and [`Cause::OutOfDescriptors`](crate::Cause::OutOfDescriptors).
    pub fn from_borrowed_fd(fd: impl AsFd) -> Result<Program> {
        Program::from_fd(object::duplicate(fd.as_fd())?)
    }

    /// Opens the program with this id. Needs `CAP_SYS_ADMIN` (`BPF_PROG_GET_FD_BY_ID`).
    ///
    /// # Errors
    ///
    /// [`Cause::NoSuchId`](crate::Cause::NoSuchId) (ENOENT) or
    /// [`Cause::NeedsCapSysAdmin`](crate::Cause::NeedsCapSysAdmin) (EPERM).
    pub fn from_id(id: u32) -> Result<Program> {
        let fd = object::open_id(IdKind::Program, id)?;
        // SAFETY: the call opens nothing but programs.
        unsafe { Program::from_program_fd(fd) }
    }

    /// Opens a pinned program.
    ///
    /// # Errors
    ///
    /// As [`Map::from_pin`](crate::Map::from_pin), with [`Error::WrongObject`](crate::Error::WrongObject) if something else is
    /// pinned there.
    pub fn from_pin(path: impl AsRef<Path>) -> Result<Program> {
        let path = path.as_ref();
        Program::from_fd(object::open_pin(path, 0)?).map_err(|error| error.at_pin(path))
    }

    /// Returns the ids of all programs on the system, in rising order. Needs `CAP_SYS_ADMIN`. A program may be gone by the time
    /// that its id is opened.
    pub fn ids() -> Ids {
        Ids::of(IdKind::Program)
    }

    /// Returns what the kernel says of all programs on the system. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Program::from_id`], but for programs that go away meanwhile.
    pub fn all() -> Result<Vec<ProgramInfo>> {
        object::all(Program::ids(), Program::from_id, |program| Ok(Some(program.info)))
    }

    /// Opens all programs with this name, of which there may be several. It may be the name that the kernel keeps, cut to 15 bytes,
    /// or the whole name of the function. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Program::all`].
    pub fn named(name: &str) -> Result<Vec<Program>> {
        let cut = object::cut(name);
        let is_named = |program: &Program| {
            program.info.name == cut
                && (name == cut || program.full_name().is_ok_and(|full| full == name || full == cut))
        };
        object::all(Program::ids(), Program::from_id, |program| Ok(is_named(&program).then_some(program)))
    }

    /// Returns what the kernel says of the program. No system call.
    pub fn info(&self) -> &ProgramInfo {
        &self.info
    }

    /// Returns the name of its main function as its BTF has it, which the kernel does not cut; without BTF, [`ProgramInfo::name`].
    ///
    /// # Errors
    ///
    /// As for the program's BTF: [`Cause::NeedsCapSysAdmin`](crate::Cause::NeedsCapSysAdmin).
    pub fn full_name(&self) -> Result<String> {
        // 15 bytes may be all of the name or the start of it.
        if self.info.btf_id == 0 || self.info.name.len() < bpf::NAME_LEN - 1 {
            return Ok(self.info.name.clone());
        }
        // SAFETY: it is a program.
        let function = unsafe { bpf::prog_function(self.fd.as_fd()) }
            .map_err(|source| object::info_error(source, self.info.object()))?;
        let types = Btf::from_id(self.info.btf_id)?;
        let name = types.function_name(function).filter(|name| name.starts_with(&self.info.name));
        Ok(name.unwrap_or(&self.info.name).to_owned())
    }

    /// # Safety
    ///
    /// `fd` is a program.
    unsafe fn from_program_fd(fd: OwnedFd) -> Result<Program> {
        let raw =
            bpf::prog_info(fd.as_fd()).map_err(|source| object::info_error(source, object::descriptor(fd.as_fd())))?;
        let mut info = ProgramInfo {
            id: raw.id,
            name: object::name(&raw.name),
            program_type: ProgramType(raw.prog_type),
            map_ids: vec![0; raw.nr_map_ids as usize],
            btf_id: raw.btf_id,
            created_by_uid: raw.created_by_uid,
            load_time: raw.load_time,
        };
        // A map may be bound to a program at any time, so there may be more than a moment ago.
        while !info.map_ids.is_empty() {
            // SAFETY: it is a program, says the caller.
            let count = unsafe { bpf::prog_map_ids(fd.as_fd(), &mut info.map_ids) }
                .map_err(|source| object::info_error(source, object::descriptor(fd.as_fd())))?
                as usize;
            let room = info.map_ids.len();
            info.map_ids.resize(count, 0);
            if count <= room {
                break;
            }
        }
        Ok(Program { fd, info })
    }
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<Program> for OwnedFd {
    fn from(program: Program) -> OwnedFd {
        program.fd
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("fd", &self.fd).field("info", &self.info).finish()
    }
}
