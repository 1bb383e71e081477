//! `bpfvar completions`.

use clap::ValueEnum;
use clap_complete::env::Shells;

use crate::complete::VARIABLE;
use crate::error::{Failure, Result};
use crate::output::Output;

/// Bash breaks words at `:` and `=`, which targets hold: this puts them together again for what clap has made, and takes off
/// the candidates what bash believes to be words of their own.
const BASH_WORDS: &str = r#"
_bpfvar() {
    local words
    IFS=$' \t\n' read -ra words <<< "${COMP_LINE:0:COMP_POINT}"
    [[ "${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=("")
    local COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
    local current="${COMP_WORDS[COMP_CWORD]}"
    _clap_complete_bpfvar bpfvar "$current"
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[:=]}"}"}")
}
complete -o nospace -o bashdefault -F _bpfvar bpfvar
"#;

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
  echo 'source <(bpfvar completions zsh)' >> ~/.zshrc
  bpfvar completions fish > ~/.config/fish/completions/bpfvar.fish

It asks bpfvar for candidates, and so completes the names of programs, maps and variables too, where bpfvar runs as root.")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(Args { shell }: &Args, out: &mut Output) -> Result<()> {
    let name = match shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let all = Shells::builtins();
    let completer = all.completer(name).ok_or_else(|| Failure::new(format!("there are no completions for {name}")))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, "bpfvar", "bpfvar", "bpfvar", &mut script)?;
    out.raw(&script)?;
    if name == "bash" { out.raw(BASH_WORDS.as_bytes()) } else { Ok(()) }
}
