//! The commands, their arguments, and all help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::complete;
use crate::help::{ABOUT, SHORT_TARGETS, TARGETS};
use crate::target::{Assignment, Target};

/// Shows and sets the global variables of running BPF programs.
#[derive(Debug, Parser)]
#[command(name = "bpfvar", version, long_about = ABOUT, after_help = SHORT_TARGETS, after_long_help = TARGETS, arg_required_else_help = true)]
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

/// The shells that can complete.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List programs, their sections and variables, and maps
    #[command(after_help = "\
Examples:
  bpfvar list                 everything that BTF describes
  bpfvar list sampling        programs, maps, sections and variables with `sampling` in their names, in any case
  bpfvar list prog:12         what `list` prints works too: prog:12, map:7, count.sampling
  bpfvar list -q              targets only, one a line
  bpfvar list --json | jq '.sections[].variables[].name'

Values are cut to fit the terminal; `bpfvar dump` shows them whole. --json leaves out values of more than 4096 bytes (null).")]
    List {
        /// Show only what has this in its name
        filter: Option<String>,
    },
    /// Print the values of variables
    #[command(after_help = "\
Examples:
  bpfvar get count.sampling count.config.rate 'count.hist[3]'
  bpfvar get -q count.sampling            the value only
  bpfvar get --per-cpu count.counters     what each CPU has counted
  bpfvar get count                        all variables of the program, a line each
  bpfvar get count.config --json          {\"count.config\":{\"rate\":1000,...}}

How targets are written: bpfvar --help")]
    Get {
        /// What to print: PROGRAM.VARIABLE, MAP.VARIABLE, MAP[INDEX]
        #[arg(required = true, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
        targets: Vec<Target>,
        /// Print what each CPU has, where it is shown added up otherwise
        ///
        /// For variables that are declared by BPFVAR_PERCPU, and for per-CPU array maps. One CPU is chosen by its number:
        /// count.counters[3].
        #[arg(long)]
        per_cpu: bool,
    },
    /// Set variables, all or none
    #[command(after_help = "\
Examples:
  bpfvar set count.sampling=100                     count.sampling: 1 -> 100
  bpfvar set count.config.mode=FAST count.label=eth1
  bpfvar set 'count.config.limits[2]={\"burst\": 7}'  members that are not named stay as they are
  bpfvar set count.flags=0x1f

All targets are found and all values checked before the first is written; if a write fails, those before it are undone. A scalar is \
written by one atomic store, a bitfield so that its neighbours keep what programs store meanwhile, structs and arrays scalar by scalar. \
Variables that are declared by BPFVAR_SWITCH or BPFVAR_SEQ (`bpfvar show` says so) change as one: all that one command sets in such a \
variable is one switch.

How targets and values are written: bpfvar --help")]
    Set {
        /// What to set, and to what
        #[arg(required = true, value_name = "TARGET=VALUE", add = ArgValueCompleter::new(complete::assignments))]
        assignments: Vec<Assignment>,
        /// Write sections that cannot be mapped by rewriting them whole
        ///
        /// For sections that are reached by system call only, such as aya's. The whole section, or the whole entry of an array
        /// map, is read and written back with the change in it: whatever programs store to any of its variables in between IS
        /// LOST. Sections that can be mapped are written as usual.
        #[arg(long)]
        rewrite: bool,
        #[command(flatten)]
        switch: Switching,
    },
    /// Add to a number in one atomic step
    #[command(after_help = "\
Examples:
  bpfvar add count.sampling 10            count.sampling: 1 -> 11
  bpfvar add count.sampling -10
  bpfvar add -q count.sampling 0          prints the new value only

No increment that a program makes atomically meanwhile is lost. A sum that does not fit the type is refused.")]
    Add {
        /// The number
        #[arg(add = ArgValueCompleter::new(complete::targets))]
        target: Target,
        /// How much; may be negative
        #[arg(allow_hyphen_values = true)]
        amount: String,
        #[command(flatten)]
        switch: Switching,
    },
    /// Set a variable only if its value is still OLD (compare and swap)
    #[command(after_help = "\
Examples:
  bpfvar cas count.config.mode FAST OFF   count.config.mode: FAST -> OFF
  bpfvar cas count.owner 0 1 || echo taken

One atomic step. If another value is there, it is printed, nothing is written, and the exit status is 1.")]
    Cas {
        /// The scalar
        #[arg(add = ArgValueCompleter::new(complete::targets))]
        target: Target,
        /// The value that must be there
        #[arg(allow_hyphen_values = true)]
        old: String,
        /// The value to write
        #[arg(allow_hyphen_values = true)]
        new: String,
        #[command(flatten)]
        switch: Switching,
    },
    /// Print everything of a program, a map or a variable
    #[command(after_help = "\
Examples:
  bpfvar dump count
  bpfvar dump count.bss --json
  bpfvar dump count.config
  bpfvar dump --json                      everything on the system

JSON has \"programs\" (id, name, maps) and \"sections\" (name, map, access, programs, variables with name, type, offset, size, \
linkage and value).")]
    Dump {
        /// What to print; everything if it is left out
        #[arg(add = ArgValueCompleter::new(complete::targets))]
        target: Option<Target>,
    },
    /// Watch values, how they change and how fast
    #[command(after_help = "\
Examples:
  bpfvar watch count.packets                     once a second, until Ctrl-C
  bpfvar watch count.packets count.hist -i 100ms
  bpfvar watch count -n 10                       all variables of a program, ten samples
  bpfvar watch count.packets -i 1ms --json | jq -c 'select(.rate > 1000)'

Arrays, map entries and structs are one row a scalar. CHANGE counts from the last sample that was shown; RATE is per second. What can be mapped \
is read from memory, without a system call. Ctrl-C, or the last sample, ends with a summary. On a terminal rows are redrawn in place, \
at most 25 times a second; elsewhere it is one line a row and sample. --json prints one object a line: time (seconds since 1970), name, \
value, change and rate, one with \"warning\" if the program is gone, and at the end one with \"summary\". More than 10000 rows are \
refused.")]
    Watch {
        /// What to watch
        #[arg(required = true, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
        targets: Vec<Target>,
        /// Time between samples: 1ms, 100ms, 2s, 1m
        #[arg(short, long, default_value = "1s", value_parser = interval)]
        interval: Duration,
        /// End after so many samples
        #[arg(short = 'n', long, value_parser = clap::value_parser!(u64).range(1..))]
        samples: Option<u64>,
    },
    /// Show the type, layout and location of a variable
    #[command(after_help = "\
Examples:
  bpfvar show count.config                the struct with offsets and sizes
  bpfvar show count.config.mode           its enumerators
  bpfvar show count                       all variables of the program
  bpfvar show -q count.config             the declaration only")]
    Show {
        /// What to show
        #[arg(add = ArgValueCompleter::new(complete::targets))]
        target: Target,
    },
    /// Freeze a map or a section, for good
    #[command(after_help = "\
Examples:
  bpfvar freeze count.bss
  bpfvar freeze map:7
  bpfvar freeze pin:/sys/fs/bpf/settings

From then on nothing in user space writes the map, neither bpfvar nor the program's owner, and nothing undoes that but \
loading the program anew. The BPF programs themselves still write it, unless it is .rodata. It fails while a process maps \
the map writable, as loaders often do.")]
    Freeze {
        /// The map or section
        #[arg(add = ArgValueCompleter::new(complete::maps))]
        target: Target,
    },
    /// Print the completion script for a shell
    #[command(after_help = "\
Examples:
  echo 'source <(bpfvar completions bash)' >> ~/.bashrc
  echo 'source <(bpfvar completions zsh)' >> ~/.zshrc
  bpfvar completions fish > ~/.config/fish/completions/bpfvar.fish

It asks bpfvar for candidates, and so completes the names of programs, maps and variables too, where bpfvar runs as root.")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a man page, or write those of all commands into a directory
    #[command(after_help = "\
Examples:
  bpfvar man | man -l -
  bpfvar man get | man -l -
  bpfvar man /usr/local/share/man/man1")]
    Man {
        /// The command whose page to print, or a directory that is there
        #[arg(value_name = "COMMAND|DIR")]
        what: Option<PathBuf>,
    },
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval =
        humantime::parse_duration(text).map_err(|_| "a time with its unit is needed: 1ms, 100ms, 2s, 1m".to_owned())?;
    if interval < Duration::from_millis(1) || interval > Duration::from_secs(24 * 60 * 60) {
        Err("it must be from 1ms to 1day".to_owned())
    } else {
        Ok(interval)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold() {
        Cli::command().debug_assert();
    }

    #[test]
    fn intervals_have_units_and_bounds() {
        assert_eq!(interval("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(interval("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "1", "fast", "999us", "0s", "-1s", "2days"] {
            assert!(interval(text).is_err(), "{text:?}");
        }
    }
}
