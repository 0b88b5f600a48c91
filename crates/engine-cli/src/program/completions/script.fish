# Completes PROGRAM in fish: the program says what can stand at the cursor, and runs nothing for that.
function __FUNCTION_candidates
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l word (commandline --current-token --cut-at-cursor)
    $words[1] ARGUMENT (count $words) $words "$word" 2>/dev/null
end
complete --command PROGRAM --no-files --keep-order --arguments '(__FUNCTION_candidates)'
