# Completes PROGRAM in bash: the program says what can stand at the cursor, and runs nothing for that.
_FUNCTION() {
    local program="${COMP_WORDS[0]/#\~\//$HOME/}" rest="${COMP_LINE:0:COMP_POINT}"
    local words=("") last=0 part value i
    # bash parts words at characters such as @ and =, which names have here: one word is what no space parts.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part="${COMP_WORDS[i]}"
        if [[ $rest == [[:space:]]* ]]; then
            rest="${rest#"${rest%%[![:space:]]*}"}"
            words[++last]=""
        fi
        ((i == COMP_CWORD)) && part="$rest"
        words[last]+="$part"
        rest="${rest#"$part"}"
    done
    # What is completed begins after the last such character.
    local word="${words[last]}"
    local before="${word%"${word##*["$COMP_WORDBREAKS"]}"}"
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        COMPREPLY+=("${value#"$before"}")
    done < <("$program" ARGUMENT "$last" "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[@=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _FUNCTION PROGRAM
