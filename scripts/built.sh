#!/bin/sh
# Builds the program and prints where cargo put it; with --folder, prints cargo's target folder and builds
# nothing. Cargo is asked: its configuration (build.target-dir, build.target), CARGO_TARGET_DIR and
# CARGO_BUILD_TARGET_DIR all have a say.
#   usage: built.sh [--folder]
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

# text NAME: the JSON texts of that name on stdin, one a line, their escapes undone
text() {
    sed -n 's/.*"'"$1"'":"\(\([^"\\]\|\\.\)*\)".*/\1/p' | sed 's/\\\(.\)/\1/g'
}

if [ "${1:-}" = --folder ]; then
    found=$("$cargo" metadata --format-version 1 --no-deps --locked | text target_directory)
else
    found=$("$cargo" build --release --locked --bin icl-repro --message-format=json-render-diagnostics | text executable | head -n 1)
fi
[ -n "$found" ] || {
    echo "cargo does not say where it builds: is \`$cargo\` cargo?" >&2
    exit 1
}
printf '%s\n' "$found"
