//! The tool as a user runs it: the built binary, and real programs in the kernel. Other tests load the same programs at the same
//! time, so targets are ids wherever a name could be somebody else's too.

mod bpftool;
mod concurrent;
mod help;
mod output;
mod refused;
mod support;
mod targets;
mod tmux;
mod together;
mod top;
mod values;
mod watch;
