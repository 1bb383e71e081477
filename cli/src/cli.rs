//! The commands, and what all of them take. What each takes stands in its module.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command::{
    add, apply, cas, completions, diff, dump, export, freeze, generate, get, list, man, save, set, show, top, watch,
};
use crate::help::{ABOUT, SHORT_TARGETS, TARGETS};

/// The version of the tool, and that of what `--json` prints.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\nJSON 1 (schema/bpfvar-1.json)");

/// Shows and sets the global variables of running BPF programs.
#[derive(Debug, Parser)]
#[command(name = "bpfvar", version, long_version = VERSION, long_about = ABOUT, after_help = SHORT_TARGETS, after_long_help = TARGETS, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What all commands take.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Print JSON
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print values only; commands that write print nothing
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Name the system call and its errno in errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// When to use colours; NO_COLOR is respected
    #[arg(
        long,
        global = true,
        help_heading = "Output",
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: Color,
}

/// What commands that write take for variables that are declared by BPFVAR_SWITCH.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Switching {
    /// Switch although sleepable programs use the variable
    ///
    /// For variables that are declared by BPFVAR_SWITCH. bpfvar waits until no program can still see the old value, but the kernel cannot
    /// wait for sleepable programs. Say this if none of them keeps the value while it sleeps.
    #[arg(long)]
    pub(crate) allow_sleepable: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List programs, their sections and variables, and maps
    List(list::Args),
    /// Print the values of variables
    Get(get::Args),
    /// Set variables, all or none
    Set(set::Args),
    /// Add to a number in one atomic step
    Add(add::Args),
    /// Set a variable only if its value is still OLD (compare and swap)
    Cas(cas::Args),
    /// Apply the settings of files, all or none of each program
    Apply(apply::Args),
    /// Print what `apply` takes: everything that can be set, with types as comments
    Save(save::Args),
    /// Print everything of a program, a map or a variable
    Dump(dump::Args),
    /// Compare two programs, maps or variables, or what is there now with what was saved
    Diff(diff::Args),
    /// Watch values, how they change and how fast
    Watch(watch::Args),
    /// Show all variables on the whole screen, live, and change them there
    Top(top::Args),
    /// Show the type, layout and location of a variable
    Show(show::Args),
    /// Export variables as metrics, for Prometheus
    Export(export::Args),
    /// Freeze a map or a section, for good
    Freeze(freeze::Args),
    /// Print code for the types and variables of a program or an object file
    Generate(generate::Args),
    /// Print the completion script for a shell
    Completions(completions::Args),
    /// Print a man page, or write those of all commands into a directory
    Man(man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold() {
        Cli::command().debug_assert();
    }
}
