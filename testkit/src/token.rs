//! BPF tokens: rights that a process outside of a user namespace delegates to one inside, by a BPF file system.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::host;
use crate::program::bpf_fd;

const BPF_TOKEN_CREATE: libc::c_long = 36;

#[repr(C)]
struct TokenCreateAttr {
    flags: u32,
    bpffs_fd: u32,
}

/// Runs `work` with a token, as nobody in a user namespace of its own, in a forked child (see [`host::fork`]). Gives the text that it
/// returns. Linux 6.9.
///
/// # Panics
///
/// If the kernel refuses, or the child panics.
pub fn with_token(work: impl FnOnce(BorrowedFd<'_>) -> String) -> String {
    // The namespace that opens the file system is the one that the token is good for; who delegates must be outside of all.
    let there = |mut parent: UnixStream| {
        host::become_nobody(0);
        host::enter_user_namespace().expect("user namespaces are allowed");
        let context = fsopen("bpf", FsOpenFlags::FSOPEN_CLOEXEC).expect("a file system context");
        parent.write_all(&context.as_raw_fd().to_ne_bytes()).expect("the parent listens");
        parent.read_exact(&mut [0]).expect("the parent has delegated");
        let mount = fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty()).expect("a mount");
        let bpffs = openat(mount, ".", OFlags::DIRECTORY, Mode::empty()).expect("its root");
        let mut attr = TokenCreateAttr { flags: 0, bpffs_fd: bpffs.as_raw_fd() as u32 };
        // SAFETY: the attribute's layout is that of BPF_TOKEN_CREATE, and it holds no address.
        let token = unsafe { bpf_fd(BPF_TOKEN_CREATE, &mut attr) }.expect("a token");
        let text = work(token.as_fd());
        parent.write_all(text.as_bytes()).expect("the parent listens");
    };
    let here = |child: u32, mut socket: UnixStream| {
        let mut number = [0; 4];
        socket.read_exact(&mut number).expect("the child has a context");
        let pid = Pid::from_raw(child as i32).expect("a child is not 0");
        let child = pidfd_open(pid, PidfdFlags::empty()).expect("the child is there");
        let context = pidfd_getfd(child, i32::from_ne_bytes(number), PidfdGetfdFlags::empty()).expect("its descriptor");
        for key in ["delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"] {
            fsconfig_set_string(&context, key, "any").expect("root may delegate");
        }
        fsconfig_create(&context).expect("a file system");
        socket.write_all(&[1]).expect("the child waits");
        std::io::read_to_string(socket).expect("the child writes text")
    };
    let (text, ended_well) = host::fork(there, here);
    assert!(ended_well, "the child panicked");
    text
}
