//! `bpfvar`: shows and sets the global variables of running BPF programs, as sysctl does for the kernel's.

use std::process::ExitCode;

fn main() -> ExitCode {
    bpfvar_cli::main()
}
