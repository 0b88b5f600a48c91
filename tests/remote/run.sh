#!/usr/bin/env bash
# Shared stores behind URLs: builds the second program, runs its own tests, then both programs against servers of S3, Azure,
# GCS and WebDAV on this machine, also by TLS. The first is moto, from PyPI by digest, and Azure's is Azurite, from npm by
# digest; what cannot be installed is skipped by name. With --s3s it also builds s3s-fs, another server of S3, by the version
# of its crate and that crate's own Cargo.lock, and runs what takes longest on the others.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
target=$(scripts/built.sh --folder)
# That builds the program too, for its tests start it.
"$cargo" test --release --locked --manifest-path crates/remote/Cargo.toml --target-dir "$target"
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
# Installed from a copy, as npm writes beside its lock. Nothing of it runs at that: it needs none of its packages' scripts.
azurite=$target/remote-azurite
if ! { [ -e "$azurite/done" ] && cmp -s tests/remote/azurite/package-lock.json "$azurite/package-lock.json"; }; then
    rm -rf "$azurite"
    mkdir "$azurite"
    cp tests/remote/azurite/package*.json "$azurite"
    if (cd "$azurite" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
        touch "$azurite/done"
    else
        echo "skipped: stores of Azure: Azurite cannot be installed here (tests/remote/azurite)"
    fi
fi
if [ -e "$azurite/done" ]; then
    AZURITE=$(realpath "$azurite/node_modules/azurite/dist/src/blob/main.js")
    export AZURITE
fi
# A second server of S3, which takes minutes to compile and so is built only by who asks for it.
s3s=$target/remote-s3s/bin/s3s-fs
if [ "${1-}" = --s3s ]; then
    shift
    export ALL=1
    [ -x "$s3s" ] || CARGO_TARGET_DIR="$target/remote-s3s/build" "$cargo" install -q --locked --root "$target/remote-s3s" \
        --features binary s3s-fs@0.14.1
    rm -rf "$target/remote-s3s/build"
fi
if [ -x "$s3s" ]; then
    S3S=$(realpath "$s3s")
    export S3S
else
    echo "skipped: a second server of S3: s3s-fs is not there, \`make test-remote-both\` builds it"
fi

PROGRAM=$(realpath "$target/release/half-life") HELPER=$(realpath "$target/release/retrace-remote") \
    "$venv/bin/python" -B tests/remote/test_remote.py "$@"
