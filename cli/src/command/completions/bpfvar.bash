# Completion of bpfvar for bash: source <(bpfvar completions bash)
# It asks bpfvar, which knows what is loaded.

_bpfvar() {
    # Bash has taken words apart at : and =, which targets hold. What no blank parts is one word.
    local line="${COMP_LINE:0:COMP_POINT}" part words=()
    for part in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
        [[ ${#words[@]} -gt 0 && $line != [[:space:]]* ]] || words+=("")
        line="${line#"${line%%[![:space:]]*}"}"
        words[${#words[@]} - 1]+="$part"
        line="${line#"$part"}"
    done
    [[ $line != [[:space:]]* ]] || words+=("")
    words[${#words[@]} - 1]+="${line#"${line%%[![:space:]]*}"}"

    # As the shell will pass them, but that a quote may still be open.
    local index quote current typed="${words[${#words[@]} - 1]}"
    for index in "${!words[@]}"; do
        part="${words[index]}" quote="${words[index]:0:1}"
        case $quote in
            [\'\"]) part="${part:1}" words[index]="${part%"$quote"}" ;;
            *) quote="" words[index]="${part//\\/}" ;;
        esac
    done
    current="${words[${#words[@]} - 1]}"

    # What bash believes to be words of their own is there already; in quotes it believes nothing of the kind.
    local before=""
    [[ -n $quote ]] || before="${current%"${current##*[:=]}"}"
    local value help longest=0 helps=()
    COMPREPLY=()
    while IFS=$'\t' read -r value help; do
        value="${value#"$before"}"
        # As it was begun.
        [[ -n $quote || $typed != *\\* ]] || printf -v value '%q' "$value"
        COMPREPLY+=("$value") helps+=("$help")
        ((${#value} <= longest)) || longest=${#value}
    done < <(BPFVAR_COMPLETE=fish bpfvar -- "${words[@]}" 2>/dev/null)

    if ((${#COMPREPLY[@]} == 1)); then
        [[ ${COMPREPLY[0]} == *[=/] ]] || compopt +o nospace
    # Not for what inserts one after the other.
    elif [[ $COMP_TYPE != 37 && $COMP_TYPE != 42 ]]; then
        for index in "${!COMPREPLY[@]}"; do
            [[ -z ${helps[index]} ]] || printf -v "COMPREPLY[index]" '%-*s  (%s)' "$longest" "${COMPREPLY[index]}" "${helps[index]}"
        done
    fi
}

complete -o nospace -F _bpfvar bpfvar
