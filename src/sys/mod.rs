//! System calls and nothing else: arguments in, errno out.

pub(crate) mod bpf;
mod file;

pub(crate) use file::{access_mode, is_bpffs};
