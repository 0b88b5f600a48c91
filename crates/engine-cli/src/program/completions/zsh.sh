#compdef PROGRAM
# Completes PROGRAM in zsh: the program says what can stand at the cursor, and runs nothing for that.
_FUNCTION() {
    local program="${words[1]/#\~\//$HOME/}" value about
    local -a found
    while IFS=$'\t' read -r value about; do
        found+=("${value//:/\\:}${about:+:$about}")
    done < <("$program" ARGUMENT "$((CURRENT - 1))" "${(@)words[1,CURRENT]}" 2>/dev/null)
    (( $#found )) && _describe -V 'PROGRAM' found
}
if [[ "${funcstack[1]}" == "_FUNCTION" ]]; then
    _FUNCTION "$@"
else
    compdef _FUNCTION PROGRAM
fi
