#!/usr/bin/env bash
# Installs what the browser tests need, then runs them: run.sh PAGE [BROWSER]. Screenshots go to target/report/.
set -euo pipefail
page=${1:?which page?} browser=${2:-chromium}
page=$(realpath -e -- "$page") || { echo "no page there: make smoke makes one"; exit 2; }
cd "$(dirname "$0")/../.."
command -v npm >/dev/null || { echo "the browser tests need Node 20 or newer with npm"; exit 2; }
if ! command -v "$browser" >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends chromium >/dev/null
    fi
    command -v "$browser" >/dev/null || { echo "the browser tests need Chromium: apt-get install chromium, or CHROMIUM=PATH"; exit 2; }
fi
program=$PWD/target/release/icl-repro
[ -x "$program" ] || { echo "the sliders are compared with icl-repro risk: make build makes it"; exit 2; }
work=$PWD/target/report
mkdir -p "$work"
cp tests/browser/{package.json,package-lock.json,report.test.mjs} "$work/"
cd "$work"
npm ci --no-audit --no-fund --loglevel=error
PROGRAM=$program PAGE=$page BROWSER=$(command -v "$browser") SHOTS=$work node --test report.test.mjs
