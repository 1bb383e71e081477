//! Whether a view may write, as a type.
#![allow(unsafe_code)]

/// What views of an array may do: [`ReadWrite`] or [`ReadOnly`]. Sealed.
///
/// | | page protection | `load`, `read`, `snapshot` | `store`, `swap`, `fetch_*`, `write` | orderings above relaxed |
/// |---|---|---|---|---|
/// | `ReadWrite` | `PROT_READ`, `PROT_WRITE` | yes | yes | of the instruction itself |
/// | `ReadOnly` | `PROT_READ` | yes | do not exist | a relaxed load and a fence |
///
/// # Safety
///
/// Only this crate implements it. `WRITABLE` is true for [`ReadWrite`] only: memory is mapped and written accordingly.
pub unsafe trait Access: sealed::Sealed + 'static {
    #[doc(hidden)]
    const WRITABLE: bool;
}

/// Views that load and store. The default.
#[derive(Debug)]
pub enum ReadWrite {}

/// Views that only load. Others may still write: a BPF program, or a process that maps the same map writable.
#[derive(Debug)]
pub enum ReadOnly {}

// SAFETY: this is the one.
unsafe impl Access for ReadWrite {
    const WRITABLE: bool = true;
}

// SAFETY: not writable.
unsafe impl Access for ReadOnly {
    const WRITABLE: bool = false;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ReadWrite {}
    impl Sealed for super::ReadOnly {}
}
