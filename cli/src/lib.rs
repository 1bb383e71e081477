//! `bpfvar`: shows and sets the global variables of running BPF programs, as sysctl does for the kernel's.
//!
//! It knows the library `bpfvar` by its public API only. `cli` and `help` hold the commands' definitions and all help, `target` the
//! grammar of targets, `resolve` what finds them in the kernel, `settings` what files say of them, `command` one module a command.
//!
//! It is a library only so that tests reach its parsers (`parse`): nothing here is an interface for other programs.

mod access;
mod aggregate;
mod cli;
mod columns;
mod command;
mod complete;
mod difference;
mod entries;
mod enumerator;
mod error;
mod group;
mod help;
mod histogram;
mod key;
mod live;
mod loaded;
mod output;
mod owner;
pub mod parse;
mod pattern;
mod per_cpu;
mod resolve;
mod saved;
mod settings;
mod signals;
mod table;
mod table_keyed;
mod target;
mod value;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use cli::Cli;
use output::Output;

/// Runs the tool: reads the command line of the process, and returns with what it ends.
pub fn main() -> ExitCode {
    // Asked by a shell for candidates; what `bpfvar completions` prints sets the variable.
    CompleteEnv::with_factory(Cli::command).var(complete::VARIABLE).complete();
    let cli = Cli::try_parse().unwrap_or_else(|error| output::fail_usage(&error));
    // Every map that is looked at is an open descriptor, and a system may have more maps than the usual soft limit of 1024.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut out = Output::new(&cli.options);
    let result = command::run(cli.command, &mut out).and_then(|()| out.flush());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => out.fail(&failure),
    }
}
