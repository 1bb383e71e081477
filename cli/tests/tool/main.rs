//! The tool as a user runs it: the built binary, and real programs in the kernel. Other tests load the same programs at the same
//! time, so targets are ids wherever a name could be somebody else's too.

mod apply;
mod apply_follow;
mod bpftool;
mod charts;
mod concurrent;
mod diff;
mod export;
mod follow;
mod generate;
mod golden;
mod help;
mod keyed;
mod killed;
mod list;
mod operators;
mod output;
mod owners;
mod patterns;
mod per_cpu;
mod refused;
mod save;
mod schema;
mod settings;
mod shells;
mod support;
mod systemd;
mod targets;
mod tmux;
mod together;
mod top;
mod until;
mod values;
mod watch;
