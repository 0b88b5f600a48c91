//! What Slurm reads of a plan: the script that submits its tasks, and the one that a job runs. Texts from a plan; runs
//! nothing.
//!
//! Tasks that ask for the same and wait for the same are one job array. A task waits for the tasks that it needs and
//! for no others, and starts when they have ended in any way (`afterany`): a stage that has failed stands in the plan's
//! folder, so a task leaves out what depends on it and does the rest.

use retrace::resolve::resources::Resources;
use retrace::work::plan::TaskPlan;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The script that submits.
pub const SUBMIT: &str = "submit.sh";
/// The script of a job.
pub const JOB: &str = "job.sh";
/// Where the numbers of the jobs are noted.
pub const JOBS: &str = "jobs";

/// The script that submits the tasks of which the store lacks something; `root` is the repository.
pub fn submit(plan: &TaskPlan, root: &Path, name: &str) -> String {
    let mut text = SUBMIT_HEAD
        .replace("ROOT", &quoted(&root.display().to_string()))
        .replace("NAME", &quoted(name));
    for (first, group) in groups(plan) {
        let task = &plan.tasks[first];
        let list = |tasks: &[usize]| {
            let tasks: Vec<String> = tasks.iter().map(usize::to_string).collect();
            tasks.join(" ")
        };
        let asked = options(&task.resources);
        let (after, tasks) = (list(&task.after), list(&group));
        let _ = writeln!(text, "group '{asked}' '{after}' '{tasks}'");
    }
    text + SUBMIT_TAIL
}

/// The script that does one task.
pub fn job(root: &Path, plan_folder: &Path) -> String {
    JOB_TEXT
        .replace("ROOT", &quoted(&root.display().to_string()))
        .replace("FOLDER", &quoted(&plan_folder.display().to_string()))
}

/// Tasks that are one job array, by the first of them: of each array all that it waits for comes before.
fn groups(plan: &TaskPlan) -> BTreeMap<usize, Vec<usize>> {
    let mut first: BTreeMap<(Resources, &[usize]), usize> = BTreeMap::new();
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, task) in plan.tasks.iter().enumerate() {
        // How long it may take is asked of each array: tasks with other limits are in another.
        let key = (task.resources, &*task.after);
        let first = *first.entry(key).or_insert(number);
        groups.entry(first).or_default().push(number);
    }
    groups
}

/// What a task asks of sbatch.
fn options(resources: &Resources) -> String {
    let mut options = format!("--nodes=1 --ntasks=1 --cpus-per-task={}", resources.cores);
    let Resources {
        gpus,
        memory_mb,
        minutes,
        ..
    } = resources;
    if let Some(memory) = memory_mb {
        let _ = write!(options, " --mem={memory}M");
    }
    if let Some(minutes) = minutes {
        let _ = write!(options, " --time={minutes}");
    }
    if *gpus > 0 {
        let _ = write!(options, " --gres=gpu:{gpus}");
    }
    options
}

/// A word of a shell, whatever it holds.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

const SUBMIT_HEAD: &str = r#"#!/usr/bin/env bash
# Submits the tasks of plan.json, beside this script, of which the store lacks something: run it again after a failure or
# a cancellation, and only those are submitted. Accounts and partitions: SBATCH_ACCOUNT, SBATCH_PARTITION and the other
# variables of sbatch. The numbers of the jobs are in the file jobs: `xargs scancel <jobs` cancels them.
set -euo pipefail
root=ROOT
name=NAME
dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

declare -A left=() job=() size=()
tasks_left=$("$dir/program" -C "$root" work "$dir/plan.json" --left)
for task in $tasks_left; do left[$task]=1; done
mkdir -p "$dir/logs"
rm -f "$dir"/failed/* "$dir"/lost/*
: >"$dir/jobs"
most=$(scontrol show config | awk '$1 == "MaxArraySize" { print $3 }')
most=${most:-1001}

# group OPTIONS AFTER TASKS: submits the tasks that are left, each after the tasks AFTER as far as these are submitted.
group() {
  local options=$1 task id array depends="" tasks=()
  local -A seen=() members=()
  for task in $3; do
    if [ -n "${left[$task]-}" ]; then tasks+=("$task"); fi
  done
  [ ${#tasks[@]} -gt 0 ] || return 0
  for task in $2; do
    id=${job[$task]-}
    if [ -n "$id" ]; then members[${id%_*}]=$((${members[${id%_*}]-0} + 1)); fi
  done
  for task in $2; do
    id=${job[$task]-}
    [ -n "$id" ] || continue
    array=${id%_*}
    # All of an array is one word: lists of thousands are slow to submit.
    if [ "${members[$array]}" = "${size[$array]}" ]; then id=$array; fi
    if [ -z "${seen[$id]-}" ]; then depends+=":$id"; fi
    seen[$id]=1
  done
  # An element of an array is numbered below MaxArraySize.
  while [ ${#tasks[@]} -gt 0 ]; do
    local part=("${tasks[@]:0:most}")
    tasks=("${tasks[@]:most}")
    # The options are several words.
    # shellcheck disable=SC2086
    id=$(sbatch --parsable --requeue --kill-on-invalid-dep=yes --open-mode=append --job-name="$name" \
      --output="$dir/logs/%A_%a.txt" --array="0-$((${#part[@]} - 1))" ${depends:+--dependency="afterany$depends"} \
      $options "$dir/job.sh" "${part[@]}")
    id=${id%%;*}
    echo "$id" >>"$dir/jobs"
    size[$id]=${#part[@]}
    local element
    for element in "${!part[@]}"; do job[${part[$element]}]=${id}_$element; done
  done
}

"#;

const SUBMIT_TAIL: &str = r#"
echo "submitted: ${#left[@]} tasks as $(wc -l <"$dir/jobs") job arrays"
"#;

const JOB_TEXT: &str = r#"#!/usr/bin/env bash
# One task of plan.json: of the tasks that are named, an element of a job array takes its own. A task that was ended by a
# signal, or that misses something of the store, is queued again twice, as is one whose node is lost.
set -u
root=ROOT
dir=FOLDER
tasks=("$@")
task=${tasks[${SLURM_ARRAY_TASK_ID:-0}]}
restarts=${SLURM_RESTART_COUNT:-0}
id=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}
if [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then id=${id}_$SLURM_ARRAY_TASK_ID; fi

give_up() {
  mkdir -p "$dir/lost"
  echo "$1" >"$dir/lost/$task"
  echo "task $task: given up: $1"
  exit 1
}

if [ "$restarts" -gt 2 ]; then give_up "it was started $((restarts + 1)) times"; fi
"$dir/program" -C "$root" work "$dir/plan.json" "$task" -j "${SLURM_CPUS_PER_TASK:-1}"
code=$?
# Done, or an error that would come again; 130 is somebody's wish.
if [ $code -lt 64 ] || [ $code = 130 ]; then exit $code; fi
if [ "$restarts" -ge 2 ]; then give_up "its last exit code was $code"; fi
echo "task $task: exit code $code: queued again"
scontrol requeue "$id" || give_up "its exit code was $code, and it cannot be queued again"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_shell_is_one_word() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
