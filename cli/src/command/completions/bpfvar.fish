# Completion of bpfvar for fish: bpfvar completions fish > ~/.config/fish/completions/bpfvar.fish
# It asks bpfvar, which knows what is loaded.

function __bpfvar_candidates
    set -l typed (commandline --current-token --cut-at-cursor)
    # As the shell will pass it, but that a quote may still be open.
    set -l current (string unescape -- "$typed"; or string unescape -- "$typed'"; or string unescape -- "$typed\"")
    BPFVAR_COMPLETE=fish bpfvar -- (commandline --current-process --tokenize --cut-at-cursor) "$current"
end

complete --keep-order --exclusive --command bpfvar --arguments '(__bpfvar_candidates)'
