//! What Slurm reads of a plan: the script that submits its tasks, and the one that a job runs. Texts from a plan; runs
//! nothing.
//!
//! Tasks of one level, by the longest way to them, that ask for the same are one job array: few arrays, however many
//! tasks there are. A task waits for the tasks that it needs and for no others, and starts when they have ended in any way
//! (`afterany`): a stage that has failed stands in the plan's folder, so a task leaves out what depends on it and does
//! the rest.
//!
//! An array is submitted as one that waits for every array in which its tasks need something; then its tasks are told
//! what they wait for, which is less. So no task starts too early, whatever becomes of what it is told.

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
    for array in arrays(plan) {
        for (after, tasks) in &array.tasks {
            let _ = writeln!(text, "tasks '{}' '{}'", list(tasks), list(after));
        }
        let _ = writeln!(text, "array '{}'", options(&array.resources));
    }
    text + SUBMIT_TAIL
}

/// The script that does one task.
pub fn job(root: &Path, plan_folder: &Path) -> String {
    JOB_TEXT
        .replace("ROOT", &quoted(&root.display().to_string()))
        .replace("FOLDER", &quoted(&plan_folder.display().to_string()))
}

/// Numbers of tasks, as words.
fn list(tasks: &[usize]) -> String {
    let tasks: Vec<String> = tasks.iter().map(usize::to_string).collect();
    tasks.join(" ")
}

/// Tasks that are submitted together.
struct JobArray<'a> {
    /// What each of them may use.
    resources: Resources,
    /// By what they wait for, so that those that wait for the same have numbers in a row.
    tasks: BTreeMap<&'a [usize], Vec<usize>>,
}

/// The job arrays of a plan: of each, all that it waits for comes before.
fn arrays(plan: &TaskPlan) -> Vec<JobArray<'_>> {
    let mut levels: Vec<usize> = Vec::with_capacity(plan.tasks.len());
    let mut arrays: BTreeMap<(usize, bool, Resources), JobArray> = BTreeMap::new();
    for (number, task) in plan.tasks.iter().enumerate() {
        let level = task.after.iter().map(|&after| levels[after] + 1).max();
        let level = level.unwrap_or(0);
        levels.push(level);
        let Resources { minutes, .. } = task.resources;
        // How long it may take is asked of the whole array: as long as the longest of those that have a limit.
        let but_minutes = Resources {
            minutes: None,
            ..task.resources
        };
        let array = arrays.entry((level, minutes.is_some(), but_minutes));
        let array = array.or_insert_with(|| JobArray {
            resources: but_minutes,
            tasks: BTreeMap::new(),
        });
        array.resources.minutes = array.resources.minutes.max(minutes);
        array.tasks.entry(&task.after).or_default().push(number);
    }
    arrays.into_values().collect()
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

# What is left; of what was submitted the array's job, and the element; how many elements an array has.
declare -A left=() job=() element=() size=()
tasks_left=$("$dir/program" -C "$root" work "$dir/plan.json" --left)
for task in $tasks_left; do left[$task]=1; done
mkdir -p "$dir/logs"
rm -f "$dir"/failed/* "$dir"/lost/*
: >"$dir/jobs"
# An element of an array is numbered below MaxArraySize.
most=$(scontrol show config | awk '$1 == "MaxArraySize" { print $3 }')
most=${most:-1001}
# A longer list of what a task waits for becomes the arrays that these are in.
longest=500

# The next array: its tasks, and of each the tasks that it waits for.
next=() after=()

# tasks TASKS AFTER: those of TASKS that are left are in the next array, and wait for AFTER as far as it is submitted.
tasks() {
  local task
  for task in $1; do
    if [ -n "${left[$task]-}" ]; then next+=("$task") after+=("$2"); fi
  done
}

# whole AFTER: the arrays that hold these tasks, as a list of sbatch.
whole() {
  local task id list="" seen=" "
  for task in $1; do
    id=${job[$task]-}
    if [ -n "$id" ] && [[ $seen != *" $id "* ]]; then list+=":$id" seen+="$id "; fi
  done
  echo "$list"
}

# exactly AFTER: these tasks; where they are all of an array, this is one word.
exactly() {
  local task id word list="" n=0
  local -A members=() seen=()
  for task in $1; do
    id=${job[$task]-}
    if [ -n "$id" ]; then members[$id]=$((${members[$id]-0} + 1)); fi
  done
  for task in $1; do
    id=${job[$task]-}
    [ -n "$id" ] || continue
    word=$id
    if [ "${members[$id]}" != "${size[$id]}" ]; then word+=_${element[$task]}; fi
    if [ -z "${seen[$word]-}" ]; then list+=":$word" n=$((n + 1)); fi
    seen[$word]=1
  done
  if [ $n -gt $longest ]; then whole "$1"; else echo "$list"; fi
}

# array OPTIONS: submits the next array, or several where it is too large.
array() {
  local from=0 count n first id all exact
  while [ $from -lt ${#next[@]} ]; do
    local part=("${next[@]:from:most}") part_after=("${after[@]:from:most}")
    count=${#part[@]}
    all=""
    for ((n = 0; n < count; n++)); do
      if [ $n = 0 ] || [ "${part_after[n]}" != "${part_after[n - 1]}" ]; then all+=" ${part_after[n]}"; fi
    done
    all=$(whole "$all")
    # The options are several words.
    # shellcheck disable=SC2086
    id=$(sbatch --parsable --requeue --kill-on-invalid-dep=yes --open-mode=append --job-name="$name" \
      --output="$dir/logs/%A_%a.txt" --array="0-$((count - 1))" ${all:+--dependency="afterany$all"} $1 "$dir/job.sh" "${part[@]}")
    id=${id%%;*}
    echo "$id" >>"$dir/jobs"
    size[$id]=$count
    for ((n = 0; n < count; n++)); do job[${part[n]}]=$id element[${part[n]}]=$n; done
    # Those that wait for the same are in a row.
    for ((first = 0; first < count; first = n)); do
      for ((n = first; n < count; n++)); do
        [ "${part_after[n]}" = "${part_after[first]}" ] || break
      done
      exact=$(exactly "${part_after[first]}")
      if [ "$exact" != "$all" ]; then
        # Of those that waited for nothing that was submitted the list is empty, and so is the dependency.
        echo "update JobId=${id}_[$first-$((n - 1))] Dependency=${exact:+afterany$exact}"
      fi
    done >"$dir/dependencies"
    # One that runs by now is told too late, and one that stays as it was waits for more than it must: no harm.
    if [ -s "$dir/dependencies" ] && ! scontrol <"$dir/dependencies" >"$dir/dependencies.log" 2>&1; then
      grep -v -e '^scontrol: ' -e 'no longer pending' -e 'already finished' "$dir/dependencies.log" >&2 || true
    fi
    from=$((from + count))
  done
  next=() after=()
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
