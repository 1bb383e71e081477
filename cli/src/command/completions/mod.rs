//! `bpfvar completions`. The scripts are this tool's own: clap's do not take off quotes, do not know that bash breaks words at `:` and
//! `=`, which targets hold, and give bash no descriptions.

use clap::ValueEnum;

use crate::error::Result;
use crate::output::Output;

/// The shells that can complete.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  echo 'source <(bpfvar completions bash)' >> ~/.bashrc
  echo 'source <(bpfvar completions zsh)' >> ~/.zshrc     behind compinit
  bpfvar completions fish > ~/.config/fish/completions/bpfvar.fish

It asks bpfvar for candidates, and so completes the names of programs, maps and variables too, where bpfvar runs as root. \
Types and the numbers of enumerators stand behind them.")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(Args { shell }: &Args, out: &mut Output) -> Result<()> {
    // Each asks as fish does: it is told a candidate a line, with what it is behind a tab.
    let script = match shell {
        Shell::Bash => include_str!("bpfvar.bash"),
        Shell::Zsh => include_str!("bpfvar.zsh"),
        Shell::Fish => include_str!("bpfvar.fish"),
    };
    out.raw(script.as_bytes())
}
