#!/usr/bin/env bash
# A pipeline on a real Slurm, which is started on this machine and stopped again: what is made equals a run without it,
# byte for byte; a node is lost in the middle; a stage fails; the jobs are cancelled and the rest is done; what does a task
# is killed once, and always; the store is away for a while; it is behind a URL, whose server asks who is there.
#
#   tests/cluster/slurm.sh RETRACE             a small pipeline of commands; two to four minutes
#   tests/cluster/slurm.sh RETRACE ICL-REPRO   also the smoke profile of this repository; by Snakemake too, where SNAKEMAKE
#                                              (or `snakemake`) has its plugin for Slurm, snakemake-executor-plugin-slurm
#
# Needs slurmctld, slurmd, sbatch, munged: on Debian, as root,
# `RUNLEVEL=1 apt-get install --no-install-recommends slurmctld slurmd slurm-client munge`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
retrace=$(realpath "$1")
icl_repro=${2:+$(realpath "$2")}
for tool in slurmctld slurmd sbatch munged; do
  if ! PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null; then
    echo "skipped: work on a cluster, for there is no $tool here"
    exit 0
  fi
done
export PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
site=$work/site
# shellcheck source=tests/cluster/site.sh
. "$here/site.sh"
finish() {
  local code=$?
  if [ $code != 0 ]; then tail -n 5 "$work"/paper*/.retrace/cluster/logs/* "$site"/log/* 2>/dev/null | tail -n 60 >&2 || true; fi
  [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
  site_down
  rm -rf "$work"
  exit $code
}
trap finish EXIT

say() { echo "cluster: $*"; }
same() { diff -r "$1" "$2" || { echo "these differ: $1 $2" >&2; exit 1; }; }
# Stages that ran, by the logs of the jobs of the last plan.
ran() { cat "$1"/.retrace/cluster/logs/*.txt | grep -c ': ran (' || true; }

# paper FOLDER: a pipeline of commands. Those of `slow` compute until they are done, and touch nothing else.
paper() {
  mkdir -p "$1/scripts"
  cat >"$1/pipeline.yaml" <<'YAML'
version: 2
stages:
  draw:
    kind: command
    matrix: {seed: [1, 2, 3]}
    params: {run: [sh, scripts/draw.sh, "${seed}", "{out.number}"]}
    outputs: {number: "artifacts/draw_${seed}.txt"}
  slow:
    kind: command
    matrix: {seed: [1, 2, 3]}
    inputs: {n: "draw@${seed}.number"}
    params: {run: [sh, scripts/slow.sh, "{in.n}", "{out.number}"]}
    outputs: {number: "artifacts/slow_${seed}.txt"}
  each:
    kind: command
    matrix: {seed: [1, 2, 3]}
    inputs: {n: "slow@${seed}.number"}
    params: {run: [sh, -c, "expr 1 + $(cat {in.n}) > {out.number}"]}
    outputs: {number: "figures/each_${seed}.txt"}
  all:
    kind: command
    inputs: {a: each@1.number, b: each@2.number, c: each@3.number}
    params: {run: [sh, -c, "cat {in.a} {in.b} {in.c} > {out.all}"]}
    outputs: {all: figures/all.txt}
YAML
  echo 'expr 100 \* "$1" > "$2"' >"$1/scripts/draw.sh"
  echo 'awk -v n="$(cat "$1")" "BEGIN { for (i = 0; i < '"${2:-3000000}"'; i++) n = (n * 69069 + 1) % 65521; print n }" > "$2"' \
    >"$1/scripts/slow.sh"
}

on_cluster() { (cd "$1" && "$retrace" run --executor slurm --store "$1.store" --minutes 0.001); }
alone() { (cd "$1" && "$retrace" run -q); }
results() { mkdir -p "$2" && cp -r "$1/figures" "$1/artifacts" "$1/pipeline.lock" "$2"; }
# is_as_alone N [STEPS]: the results of paperN are those of a run without the cluster.
is_as_alone() {
  paper "$work/alone$1" "${@:2}"
  alone "$work/alone$1"
  results "$work/paper$1" "$work/results$1"
  results "$work/alone$1" "$work/results$1alone"
  same "$work/results$1alone" "$work/results$1"
}

site_up 2
say "Slurm is up with two nodes"

# Equal to a run without it.
paper "$work/paper1"
on_cluster "$work/paper1" | tail -n 1
is_as_alone 1
[ "$(ran "$work/paper1")" = 10 ]
# One for each of the four levels.
[ "$(wc -l <"$work/paper1/.retrace/cluster/jobs")" = 4 ]
say "what the cluster made equals a run without it: 10 stages, $(wc -l <"$work/paper1/.retrace/cluster/jobs") job arrays"

# A stage that fails stops what depends on it, and is not tried again.
paper "$work/paper2"
echo 'if [ "$(cat "$1")" = 200 ]; then echo "200 is too many" >&2; exit 1; fi; cat "$1" > "$2"' >"$work/paper2/scripts/slow.sh"
code=0
on_cluster "$work/paper2" >"$work/said" 2>&1 || code=$?
[ $code = 1 ] || { cat "$work/said"; exit 1; }
grep -q 'slow@2: ' "$work/said"
[ -e "$work/paper2/figures/each_1.txt" ] && [ -e "$work/paper2/figures/each_3.txt" ]
[ ! -e "$work/paper2/figures/each_2.txt" ] && [ ! -e "$work/paper2/figures/all.txt" ]
[ "$(ran "$work/paper2")" = 7 ]
! grep -q 'queued again' "$work"/paper2/.retrace/cluster/logs/*
say "a stage that failed stopped the two that depend on it, and nothing else"

# The jobs are cancelled in the middle; the same command does the rest.
paper "$work/paper3" 40000000
(cd "$work/paper3" && exec "$retrace" run --executor slurm --store "$work/paper3.store" --minutes 0.001) >"$work/said" 2>&1 &
run=$!
is_slow() { grep -qs 'slow@.*: runs' "$1"/.retrace/cluster/logs/*.txt; }
wait_for "a slow stage runs" is_slow "$work/paper3"
kill -TERM $run
code=0
wait $run || code=$?
[ $code = 130 ] || { cat "$work/said"; exit 1; }
[ ! -e "$work/paper3/figures" ] && [ ! -e "$work/paper3/pipeline.lock" ]
before=$(ran "$work/paper3")
on_cluster "$work/paper3" | tail -n 1
is_as_alone 3 40000000
[ "$(ran "$work/paper3")" = 10 ]
# A slow stage runs as soon as its own number is drawn.
[ "$before" -ge 1 ] && [ "$before" -lt 10 ]
say "cancelled after $before of 10 stages; the same command did the others, and the result is equal"

# A node is lost while a stage runs there.
paper "$work/paper4" 40000001
on_cluster "$work/paper4" >"$work/said" 2>&1 &
run=$!
wait_for "a slow stage runs" is_slow "$work/paper4"
node=$(squeue -h -t RUNNING -o %N | head -n 1)
site_lose "$node"
wait $run || { cat "$work/said"; exit 1; }
tail -n 1 "$work/said"
is_as_alone 4 40000001
say "node $node was lost while a stage ran, and the result is equal"

slurmd -f "$SLURM_CONF" -N "$node"
wait_for "the nodes are idle" site_is_idle 2

# workers FOLDER TASK: the processes that do a task of the pipeline there.
workers() { pgrep -f "$1/.retrace/cluster/plan.json $2 -j" || true; }
# Of a run in the background: whether it has ended; what is queued again starts at once.
ended() {
  site_hurry || true
  ! kill -0 "$1" 2>/dev/null
}
# again FOLDER TASK: how often a task was queued again. One that waits for it may be too: Slurm can start it before.
again() { cat "$1"/.retrace/cluster/logs/* | grep -c "task $2: .*queued again" || true; }

# What does a task is killed, as the kernel does where memory runs out: the task is tried again, and is whole.
paper "$work/paper5" 40000002
on_cluster "$work/paper5" >"$work/said" 2>&1 &
run=$!
wait_for "a slow stage runs" is_slow "$work/paper5"
task=$(cd "$work/paper5/.retrace/cluster/logs" && grep -l 'slow@.*: runs' -- * | head -n 1)
# An element of the second array; the plan has its tasks in the order of their levels.
task=$((3 + $(sed 's/.*_//; s/[.]txt//' <<<"$task")))
kill -KILL "$(workers "$work/paper5" $task | head -n 1)"
wait_for "the run has ended" ended $run
wait $run || { cat "$work/said"; exit 1; }
[ "$(again "$work/paper5" "$task")" = 1 ]
grep -q "task $task: exit code 137: queued again" "$work"/paper5/.retrace/cluster/logs/*
is_as_alone 5 40000002
say "what did task $task was killed while a stage ran; the task was queued again, and the result is equal"

# It is killed however often it is tried: given up after the third time, with what depends on it and nothing else.
paper "$work/paper6" 40000003
on_cluster "$work/paper6" >"$work/said" 2>&1 &
run=$!
ended_of_kills() {
  local process
  for process in $(workers "$work/paper6" 4); do kill -KILL "$process" 2>/dev/null || true; done
  ended $run
}
wait_for "the run has ended" ended_of_kills
code=0
wait $run || code=$?
[ $code = 1 ] || { cat "$work/said"; exit 1; }
grep -q 'task 4 was given up, with slow@2' "$work/said"
[ "$(again "$work/paper6" 4)" = 2 ]
[ -e "$work/paper6/figures/each_1.txt" ] && [ -e "$work/paper6/figures/each_3.txt" ]
[ ! -e "$work/paper6/figures/each_2.txt" ] && [ ! -e "$work/paper6/figures/all.txt" ]
on_cluster "$work/paper6" | tail -n 1
is_as_alone 6 40000003
say "a task that was killed three times was given up with what depends on it; the same command did the rest"

# The store takes nothing for a while: the tasks end with exit code 75, and are done again.
paper "$work/paper7" 40000004
on_cluster "$work/paper7" >"$work/said" 2>&1 &
run=$!
wait_for "a slow stage runs" is_slow "$work/paper7"
mv "$work/paper7.store/objects" "$work/objects" && touch "$work/paper7.store/objects"
is_again() { grep -qs 'exit code 75: queued again' "$work"/paper7/.retrace/cluster/logs/*; }
wait_for "a task is queued again" is_again
rm "$work/paper7.store/objects" && mv "$work/objects" "$work/paper7.store/objects"
wait_for "the run has ended" ended $run
wait $run || { cat "$work/said"; exit 1; }
is_as_alone 7 40000004
say "the store took nothing for a while, $(again "$work/paper7" '[0-9]*') tasks were queued again, and the result is equal"

# One job is cancelled, which a site does whose limit of memory it has passed: the stage is named, and all else is made.
paper "$work/paper9" 40000005
on_cluster "$work/paper9" >"$work/said" 2>&1 &
run=$!
wait_for "a slow stage runs" is_slow "$work/paper9"
scancel "$(cd "$work/paper9/.retrace/cluster/logs" && grep -l 'slow@.*: runs' -- * | head -n 1 | sed 's/[.]txt//')"
wait_for "the run has ended" ended $run
code=0
wait $run || code=$?
[ $code = 1 ] || { cat "$work/said"; exit 1; }
grep -q 'error: slow@[123]: its job ended without it' "$work/said"
grep -q 'CANCELLED' "$work/said"
[ "$(ls "$work/paper9/figures" | wc -l)" = 2 ]
on_cluster "$work/paper9" | tail -n 1
is_as_alone 9 40000005
say "one job was cancelled, its stage was named, and the same command did the rest"

# A store behind a URL: the plan has the second program with it, and who asks comes to the jobs by their environment.
if [ -x "$(dirname "$retrace")/retrace-remote" ] && command -v python3 >/dev/null; then
  mkdir "$work/served"
  secret=hunter2hunter2hunter2
  python3 -u "$repository/tests/remote/dav_server.py" "$work/served" --only $secret >"$work/server" 2>&1 &
  server=$!
  wait_for "the server of the store tells its port" grep -qsx '[0-9][0-9]*' "$work/server"
  host=127.0.0.1:$(grep -x '[0-9][0-9]*' "$work/server" | head -n 1)
  paper "$work/paper8" 3000001
  (cd "$work/paper8" && RETRACE_HTTP_AUTHORIZATION="$host Bearer $secret" \
    "$retrace" run --executor slurm --store "http://$host/of us" --minutes 0.001) | tail -n 1
  is_as_alone 8 3000001
  [ "$(ran "$work/paper8")" = 10 ]
  if grep -rq $secret "$work/paper8"; then echo "the secret was written down" >&2; exit 1; fi
  say "what jobs put into a store behind a URL equals a run without it, and who may do that is in no file of the plan"
else
  echo "skipped: a store behind a URL from jobs: there is no retrace-remote beside $retrace (make remote), or no python3"
fi

[ -n "$icl_repro" ] || exit 0
cd "$repository"
"$icl_repro" run --profile smoke --cache-dir "$work/cache" --out "$work/smoke" -q
SECONDS=0
"$icl_repro" run --profile smoke --cache-dir "$work/cache2" --out "$work/smoke2" --executor slurm --store "$work/store" --minutes 0.1 |
  tail -n 1
same "$work/smoke" "$work/smoke2"
say "the smoke profile is equal, after $SECONDS s as $(wc -l <"$work/cache2/cluster/jobs") job arrays"

# The same work by Snakemake's plugin for Slurm. That drops SLURM_CONF, without which the srun of its jobs finds no site here;
# and there is no accounting, which it would ask for the state of jobs.
snakemake=${SNAKEMAKE:-snakemake}
if ! { command -v "$snakemake" && "$snakemake" --help | grep -q -e --slurm-status-command; } >/dev/null 2>&1; then
  echo "skipped: Snakemake on Slurm: there is no $snakemake with snakemake-executor-plugin-slurm here"
  exit 0
fi
mkdir "$site/bin"
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" >"$site/bin/srun"
chmod +x "$site/bin/srun"
git clone -q "$repository" "$work/clone"
cd "$work/clone"
"$icl_repro" run --profile smoke --group main --cache-dir "$work/cache3" --out "$work/smoke3" -q
"$icl_repro" plan snakemake --profile smoke --group main --to "$work/plan" --store "$work/store2" --minutes 0.05 >"$work/said" 2>&1
grep -o 'ed25519 [0-9a-f]* cluster[-0-9a-f]*' "$work/said" >store.trust
SECONDS=0
PATH=$site/bin:$PATH "$snakemake" -s "$work/plan/Snakefile" --executor slurm --jobs 50 --slurm-status-command squeue \
  --slurm-init-seconds-before-status-checks 5 >"$work/snakemake" 2>&1 || { tail -n 40 "$work/snakemake"; exit 1; }
"$icl_repro" run --profile smoke --group main --cache-dir "$work/cache4" --out "$work/smoke4" --store "$work/store2" >"$work/said"
! grep -q ' runs: ' "$work/said"
same "$work/smoke3" "$work/smoke4"
say "group main of the smoke profile is equal, done by Snakemake in $SECONDS s as $(ls "$work/plan/done" | wc -l) jobs"
