//! The tool as a user runs it: the built binary, and real programs in the kernel. Other tests load the same programs at the same
//! time, so targets are ids wherever a name could be somebody else's too.

mod bpftool;
mod charts;
mod concurrent;
mod diff;
mod follow;
mod help;
mod keyed;
mod list;
mod operators;
mod output;
mod owners;
mod patterns;
mod refused;
mod support;
mod targets;
mod together;
mod until;
mod values;
mod watch;
