//! Copies of many bytes from and to memory that others change at the same time, by which no scalar is torn.
//!
//! Rust has no wide atomic accesses, and the compiler joins no narrow ones. So the shared side is accessed by instructions in
//! inline assembly, and only by such of which the vendors' manuals say that they access an aligned scalar whole. Why that is
//! sound is argued in DESIGN.md, "Bulk copies". Where there are none, or where a tool cannot see into assembly (Miri; `--cfg
//! bpfvar_portable` for sanitizers), values are copied scalar by scalar.

#[cfg(all(target_arch = "x86_64", not(miri), not(bpfvar_portable)))]
mod blocks;
#[cfg_attr(all(target_arch = "x86_64", not(miri), not(bpfvar_portable)), path = "x86_64.rs")]
#[cfg_attr(not(all(target_arch = "x86_64", not(miri), not(bpfvar_portable))), path = "none.rs")]
mod machine;

pub(crate) use machine::{WIDE, Wide};
