//! System calls and nothing else: arguments in, errno out.

pub(crate) mod bpf;
mod call;
mod cpu;
mod file;
mod iterator;
mod link;
mod thread;

pub use call::Call;
pub(crate) use call::ENOTSUPP;
pub(crate) use cpu::possible_cpus;
pub(crate) use file::{access_mode, descriptor_target, is_bpffs, page_size, read_proc};
pub(crate) use iterator::{Insn, run_iterator};
pub(crate) use link::{NameAt, RawLinkInfo, link_info, link_name};
pub(crate) use thread::Thread;
