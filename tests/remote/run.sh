#!/usr/bin/env bash
# Shared stores behind URLs: builds the second program, runs its own tests, then both programs against S3 and WebDAV servers
# on this machine. The S3 server is moto, from PyPI by digest; where it cannot be installed, that part is skipped by name.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
target=$(scripts/built.sh --folder)
"$cargo" test --release --locked --manifest-path crates/remote/Cargo.toml --target-dir "$target"
"$cargo" build --release --locked --manifest-path crates/remote/Cargo.toml --target-dir "$target"
"$cargo" build --release --locked --workspace --bins

venv=$target/remote-venv
if ! [ -e "$venv/done" ]; then
    rm -rf "$venv"
    if ! { "${PYTHON:-python3}" -m venv "$venv" &&
        "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes -r tests/remote/requirements.txt; }; then
        rm -rf "$venv"
        echo "skipped: stores behind URLs on real servers: moto cannot be installed here (tests/remote/requirements.txt)"
        exit 0
    fi
    touch "$venv/done"
fi
PROGRAM=$(realpath "$target/release/half-life") HELPER=$(realpath "$target/release/retrace-remote") \
    "$venv/bin/python" -B tests/remote/test_remote.py "$@"
