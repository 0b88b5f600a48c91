#!/usr/bin/env bash
# Installs what the browser tests need, then runs them, on several pages side by side: run.sh PAGE... The browser is
# CHROMIUM of the environment, or `chromium`. What is said of the first page and its screenshots go to target/report/1, and so on.
set -euo pipefail
browser=${CHROMIUM:-chromium}
[ $# -gt 0 ] || { echo "which page?"; exit 2; }
pages=()
for page in "$@"; do
    page=$(realpath -e -- "$page") || { echo "no page there: make smoke makes one"; exit 2; }
    pages+=("$page")
done
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
browser=$(command -v "$browser")
running=()
for n in "${!pages[@]}"; do
    shots=$work/$((n + 1))
    rm -rf "$shots"
    mkdir "$shots"
    PROGRAM=$program PAGE=${pages[n]} BROWSER=$browser SHOTS=$shots node --test report.test.mjs > "$shots/said" 2>&1 &
    running+=("$!")
done
failed=0
for n in "${!pages[@]}"; do
    wait "${running[n]}" || failed=1
    echo "${pages[n]}"
    cat "$work/$((n + 1))/said"
done
exit $failed
