#!/bin/sh
# Are all output bytes the same, whatever the machine is? Runs the profile `smoke` from an empty cache and
# `doctor` in every leg, and compares every output file, the lock and every golden digest with those of leg (i).
#   usage: verify-portable.sh [--fast] [LEG...]
# Legs: i as is; ii each instruction set forced; iii older x86-64 processors under qemu; iv the program of
# `make dist MACHINE=aarch64`, under qemu; v glibc without its FMA and AVX2 variants; vi 1, 2 and 3 threads; vii other folders,
# homes, locales, time zones and umasks. --fast leaves out iii and iv; no name means all. Tools that are not here
# are fetched by cross-tools.sh; a leg without its tools is said to be skipped, and nothing is claimed of it.
# Exits with 1 when anything differs or fails.
set -u
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)

wanted="i ii iii iv v vi vii"
if [ "${1:-}" = --fast ]; then
    wanted="i ii v vi vii"
    shift
fi
[ $# -eq 0 ] || wanted=$*
case " $wanted " in *" i "*) ;; *) wanted="i $wanted" ;; esac

cd "$root" || exit 1
program=$(scripts/built.sh) || exit 1
target=$(scripts/built.sh --folder) || exit 1
tools=$target/cross-tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=$work/table
failed=0

row() { printf '%-6s %-44s %10s %10s  %s\n' "$@" | tee -a "$table"; }

# skip LEG WHAT WHY
skip() { row "$1" "$2" - - "SKIPPED: $3"; }

# digests FOLDER: every file below with its digest, then every golden digest
digests() {
    (cd "$1/out" && find . -type f | sort | tr '\n' '\0' | xargs -0 sha256sum)
    grep -E '^ +"[^"]+": "[0-9a-f]{32}",?$' "$1/doctor.json" | tr -d ','
}

# leg LEG WHAT ROOT RUN-FLAGS COMMAND...: COMMAND starts the program
leg() {
    leg=$1 what=$2 from=$3 flags=$4
    shift 4
    here=$work/$(printf '%s' "$leg $what" | tr -c 'a-zA-Z0-9' _)
    mkdir -p "$here"
    # shellcheck disable=SC2086
    if ! (cd "$from" && "$@" run --profile smoke $flags --cache-dir "$here/cache" --out "$here/out") \
        > "$here/log" 2>&1; then
        tail -n 5 "$here/log"
        failed=1
        row "$leg" "$what" - - "FAILED: run"
        return
    fi
    rm -rf "$here/cache"
    if ! (cd "$from" && "$@" doctor --json --cache-dir "$here/cache" --out "$here/out") > "$here/doctor.json"; then
        failed=1
        row "$leg" "$what" - - "FAILED: golden digests differ, see \`icl-repro doctor\`"
        return
    fi
    digests "$here" > "$here/digests"
    rm -rf "$here/out"
    [ "$leg" != i ] || cp "$here/digests" "$work/expected"
    all=$(wc -l < "$work/expected")
    equal=$(sort "$work/expected" "$here/digests" | uniq -d | wc -l)
    if cmp -s "$work/expected" "$here/digests"; then
        row "$leg" "$what" "$all" "$equal" equal
    else
        failed=1
        row "$leg" "$what" "$all" "$equal" DIFFERS
        diff "$work/expected" "$here/digests" | head -n 10
    fi
}

# wants LEG: whether it was asked for
wants() { case " $wanted " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# has_tools KIND
has_tools() { sh "$root/scripts/cross-tools.sh" "$tools" "$1" > "$work/tools.log" 2>&1; }

row leg what digests equal result
leg i "as is" "$root" "" "$program"

if wants ii; then
    "$program" doctor --json > "$work/machine"
    for level in baseline avx2 avx512; do
        if grep -q "^    \"level\": \"$level\"" "$work/machine"; then
            skip ii "$level forced" "the widest that there is: leg i"
        elif grep -q "\"level\": \"$level\"" "$work/machine"; then
            leg ii "$level forced" "$root" "" env ICL_REPRO_SIMD=$level "$program"
        else
            skip ii "$level forced" "this processor does not have it"
        fi
    done
fi

if wants iii; then
    for cpu in qemu64 Nehalem Haswell; do
        if [ "$(uname -m)" != x86_64 ]; then
            skip iii "$cpu" "the program is not one for x86-64"
        elif has_tools qemu; then
            leg iii "x86-64 as $cpu under qemu" "$root" "" "$tools/qemu-x86_64" -cpu "$cpu" "$program"
        else
            skip iii "x86-64 as $cpu under qemu" "qemu cannot be had"
        fi
    done
fi

if wants iv; then
    if ! has_tools cross; then
        skip iv "aarch64 under qemu" "the cross compiler cannot be had"
    # The very program that is given away.
    elif "$root/scripts/dist.py" aarch64; then
        leg iv "aarch64 under qemu" "$root" "" "$tools/qemu-aarch64" "$target/dist/aarch64/icl-repro"
    else
        failed=1
        row iv "aarch64 under qemu" - - "FAILED: build"
    fi
fi

# The names of older and of newer glibc.
without=glibc.cpu.hwcaps=-FMA,-FMA4,-FMA_Usable,-AVX2,-AVX2_Usable,-AVX512F
if wants v; then
    leg v "glibc without FMA and AVX2" "$root" "" env GLIBC_TUNABLES="$without" "$program"
fi

if wants vi; then
    for threads in 1 2 3; do
        leg vi "$threads threads" "$root" "-j $threads" "$program"
    done
fi

if wants vii; then
    # A folder with no sources beside pipeline.yaml, and with a name that is easily mishandled.
    away="$work/another place, θ₀"
    mkdir -p "$away" "$work/home"
    cp -R pipeline.yaml pipeline.lock data "$away"
    # With what ii, v and vi have in it, which CI leaves out: where these differ, those say by what.
    older=baseline
    if "$program" doctor --json | grep -q '"level": "avx2"'; then older=avx2; fi
    umask 077
    leg vii "other folder, tr_TR, umask 077, SSE2" "$away" "-j 3" env HOME="$work/home" \
        ICL_REPRO_SIMD=baseline LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 TZ=Pacific/Kiritimati "$program"
    umask 002
    leg vii "no home, de_DE, umask 002, $older, as in v" "$away" "-j 3" env -u HOME GLIBC_TUNABLES="$without" \
        ICL_REPRO_SIMD=$older LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 TZ=Pacific/Honolulu "$program"
fi

printf '\n'
cat "$table"
exit $failed
