#compdef bpfvar
# Completion of bpfvar for zsh: source <(bpfvar completions zsh), behind compinit; or as _bpfvar in a directory of $fpath.
# It asks bpfvar, which knows what is loaded.

_bpfvar() {
    local line value help
    # Something follows what is open: a value behind =, a file behind /.
    local -a whole open
    for line in "${(@f)$(BPFVAR_COMPLETE=fish bpfvar -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        value="${line%%$'\t'*}" help="${line#*$'\t'}"
        [[ -n $value ]] || continue
        line="${${value//\\/\\\\}//:/\\:}"
        [[ $help == $value ]] || line+=":$help"
        case $value in
            *[=/]) open+=("$line") ;;
            *) whole+=("$line") ;;
        esac
    done
    _describe bpfvar whole -- open -S ''
}

if [[ $funcstack[1] == _bpfvar ]]; then
    _bpfvar "$@"
else
    compdef _bpfvar bpfvar
fi
