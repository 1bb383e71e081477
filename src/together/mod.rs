//! Values that change together, held by handles: writing a switch, the slots of all CPUs.

mod per_cpu;
mod run;
mod runs;
mod switch_writer;

pub use per_cpu::PerCpu;
pub(crate) use per_cpu::{check_slots, cpus, possible};
pub use run::Run;
pub(crate) use runs::{Runs, Sleepable};
pub use switch_writer::SwitchWriter;
pub(crate) use switch_writer::{Then, switch};
