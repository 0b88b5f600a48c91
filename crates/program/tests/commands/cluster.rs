//! Tasks of a plan without a cluster: by hand, and by the script for Slurm with a `sbatch` that starts jobs at once.

use crate::folder::{self, Folder};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Two numbers are drawn, doubled and joined; another is alone.
const PIPELINE: &str = r#"
version: 2
resources:
  stages: {"double@*": {memory_mb: 100, minutes: 2}}
stages:
  draw:
    kind: command
    matrix: {seed: [1, 2]}
    params: {run: [sh, scripts/draw.sh, "${seed}", "{out.number}"]}
    outputs: {number: "artifacts/draw_${seed}.txt"}
  double:
    kind: command
    matrix: {seed: [1, 2]}
    inputs: {n: "draw@${seed}.number"}
    params: {run: [sh, scripts/double.sh, "{in.n}", "{out.number}"]}
    outputs: {number: "artifacts/double_${seed}.txt"}
  join:
    kind: command
    inputs: {a: double@1.number, b: double@2.number}
    params: {run: [sh, -c, "cat {in.a} {in.b} > {out.all}"]}
    outputs: {all: figures/all.txt}
  alone:
    kind: command
    params: {run: [sh, -c, "cat data/words.txt > {out.words}"]}
    outputs: {words: figures/words.txt}
"#;

const STAGES: usize = 6;

fn repository() -> Folder {
    Folder::with(&[
        ("pipeline.yaml", PIPELINE),
        (
            "scripts/draw.sh",
            "expr \"$1\" + $(cat data/offset.txt) > \"$2\"\n",
        ),
        ("scripts/double.sh", "expr 2 \\* $(cat \"$1\") > \"$2\"\n"),
        ("data/offset.txt", "40\n"),
        ("data/words.txt", "a b c\n"),
    ])
}

const PLAN: [&str; 7] = [
    "plan",
    "slurm",
    "--to",
    "../plan",
    "--store",
    "../store",
    "--minutes=0.01",
];

fn runnable(path: &Path) {
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("a program");
}

/// The tasks of the plan, each as the stages that it has.
fn tasks(folder: &Folder) -> Vec<Vec<String>> {
    let plan: serde_json::Value =
        serde_json::from_str(&folder.read("../plan/plan.json")).expect("JSON");
    let tasks = plan["tasks"].as_array().expect("tasks").iter();
    tasks
        .map(|task| serde_json::from_value(task["stages"].clone()).expect("ids"))
        .collect()
}

fn task_of(folder: &Folder, stage: &str) -> String {
    let tasks = tasks(folder);
    let task = tasks
        .iter()
        .position(|stages| stages.iter().any(|id| id == stage));
    task.expect("a task").to_string()
}

/// Does a task with the program beside the plan: exit code, and what it said.
fn work(folder: &Folder, task: &str) -> (Option<i32>, String) {
    let program = folder.at("../plan/program").display().to_string();
    folder::told(
        folder
            .command(&program)
            .args(["work", "../plan/plan.json", task]),
    )
}

/// Trusts the plan's key, as its owner does.
fn trust(folder: &Folder) {
    let plan: serde_json::Value =
        serde_json::from_str(&folder.read("../plan/plan.json")).expect("JSON");
    let signer = plan["signers"][0].as_str().expect("a key");
    folder.write("store.trust", format!("ed25519 {signer} cluster\n"));
}

/// The run takes everything from the store, and what it writes is what a run alone writes.
fn takes_everything(folder: &Folder) {
    trust(folder);
    let said = folder.expect(0, &["run", "--store", "../store"]);
    assert!(
        said.contains(&format!("{STAGES} from the store;")),
        "{said}"
    );
    let alone = repository();
    alone.expect(0, &["run"]);
    for file in [
        "pipeline.lock",
        "figures/all.txt",
        "figures/words.txt",
        "artifacts/double_1.txt",
    ] {
        assert_eq!(folder.read(file), alone.read(file), "{file}");
    }
    assert_eq!(folder.read("figures/all.txt"), "82\n84\n");
}

#[test]
fn tasks_in_any_order_that_their_edges_allow_make_what_a_run_makes() {
    let folder = repository();
    let said = folder.expect(0, &PLAN);
    assert!(
        said.contains("6 stages in") && said.contains("into store.trust"),
        "{said}"
    );
    let key = folder.at("../plan/key").metadata().expect("a key");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let count = tasks(&folder).len();
    assert!(count > 2, "{:?}", tasks(&folder));
    // What needs others misses them, and another try may find them.
    let (code, said) = work(&folder, &task_of(&folder, "join"));
    assert_eq!(code, Some(75), "{said}");
    assert!(
        said.contains("join: not made: the store does not have what it reads of"),
        "{said}"
    );
    for task in 0..count {
        let (code, said) = work(&folder, &task.to_string());
        assert_eq!(code, Some(0), "{said}");
    }
    // Again: everything is there.
    let (code, said) = work(&folder, "0");
    assert!(code == Some(0) && said.contains("0 stages ran"), "{said}");
    let left = folder.expect(0, &["work", "../plan/plan.json", "--left"]);
    assert_eq!(left, "");
    for name in ["figures", "artifacts", "pipeline.lock", ".retrace"] {
        assert!(!folder.at(name).exists(), "{name}");
    }
    takes_everything(&folder);
    // A task that needs nothing of the folder's cache signs with a named key, too.
    folder.expect(2, &["work", "../plan/plan.json", "0", "--profile", "other"]);
    folder.expect(2, &["work", "../plan/plan.json"]);
    folder.expect(2, &["work", "../plan", "0"]);
}

/// What a line of output tells to put into store.trust.
fn told_line(said: &str) -> String {
    let mut parts = said.split('`');
    let line = parts.find(|part| part.starts_with("ed25519 "));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[test]
fn the_lines_of_two_plans_stand_beside_each_other() {
    let folder = repository();
    let lines = ["../plan", "../plan_2"].map(|to| {
        let plan = ["plan", "slurm", "--to", to, "--store", "../store"];
        told_line(&folder.expect(0, &plan))
    });
    for line in &lines {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[2], format!("cluster-{}", &words[1][..8]), "{line}");
    }
    folder.write("store.trust", lines.join("\n"));
    let (code, said) = work(&folder, "0");
    assert_eq!(code, Some(0), "{said}");
    let said = folder.expect(0, &["run", "--store", "../store"]);
    assert!(said.contains("from the store"), "{said}");
}

#[test]
fn a_failed_stage_is_named_by_those_that_it_stops_and_stops_no_others() {
    let folder = repository();
    folder.write(
        "scripts/double.sh",
        "echo broken >&2; [ $(cat \"$1\") = 42 ] && exit 3; cat \"$1\" > \"$2\"\n",
    );
    folder.expect(0, &PLAN);
    let mut ends = Vec::new();
    for (number, stages) in tasks(&folder).iter().enumerate() {
        let (code, said) = work(&folder, &number.to_string());
        ends.push((stages.clone(), code, said));
    }
    let end = |stage: &str| {
        let found = ends
            .iter()
            .find(|(stages, ..)| stages.iter().any(|id| id == stage));
        let (_, code, said) = found.expect("a task");
        (*code, said.clone())
    };
    assert_eq!(end("alone").0, Some(0), "{ends:?}");
    assert_eq!(end("double@2").0, Some(1), "{ends:?}");
    let (code, said) = end("join");
    assert!(
        code == Some(1) && said.contains("join: not run: double@2 failed"),
        "{said}"
    );
    let failed = folder.expect(1, &["work", "../plan/plan.json", "--failed"]);
    assert!(failed.starts_with("double@2: "), "{failed}");
    let note = folder.read("../plan/failed/double@2.json");
    assert!(note.contains("broken"), "{note}");
    // What did not depend on it is in the store: only the rest is left.
    let left = folder.expect(0, &["work", "../plan/plan.json", "--left"]);
    let lines: Vec<&str> = left.lines().collect();
    assert!(lines.contains(&&*task_of(&folder, "join")), "{left}");
    assert!(!lines.contains(&&*task_of(&folder, "alone")), "{left}");
}

/// As the kernel ends a program where memory lacks: the same need not happen again.
#[test]
fn a_command_that_was_killed_from_outside_is_another_try() {
    let folder = repository();
    let script = folder.read("scripts/draw.sh");
    folder.write("scripts/draw.sh", "kill -9 $$\n");
    folder.expect(0, &PLAN);
    let task = task_of(&folder, "draw@1");
    let (code, said) = work(&folder, &task);
    assert_eq!(code, Some(75), "{said}");
    assert!(
        said.contains("not made: `sh` was ended by signal 9"),
        "{said}"
    );
    assert!(!folder.at("../plan/failed/draw@1.json").exists());
    folder.write("scripts/draw.sh", script);
    let (code, said) = work(&folder, &task);
    assert_eq!(code, Some(0), "{said}");
}

/// A process and those that came of it, as the system lists them now.
fn family(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets may have anything in it; the state and the parent follow.
        let numbers = stat.split_once(' ').zip(stat.rsplit_once(") "));
        if let Some(((process, _), (_, rest))) = numbers {
            let parent = rest
                .split(' ')
                .nth(1)
                .and_then(|parent| parent.parse::<u32>().ok());
            parents.extend(process.parse::<u32>().ok().zip(parent));
        }
    }
    let mut family = vec![root];
    let mut at = 0;
    while let Some(&parent) = family.get(at) {
        family.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(process, _)| process),
        );
        at += 1;
    }
    family
}

/// As Slurm ends all of a job that somebody cancels: neither a failure, which would be final, nor another try, which who
/// cancels does not want.
#[test]
fn a_task_that_is_cancelled_with_its_command_is_interrupted_and_done_later() {
    let folder = repository();
    let script = folder.read("scripts/draw.sh");
    // Minutes, where nobody ends it.
    folder.write(
        "scripts/draw.sh",
        "i=0; while [ $i -lt 100000000 ]; do i=$((i + 1)); done; echo 1 > \"$2\"\n",
    );
    folder.expect(0, &PLAN);
    let task = task_of(&folder, "draw@1");
    let program = folder.at("../plan/program").display().to_string();
    let worker = folder
        .command(&program)
        .args(["work", "../plan/plan.json", &task])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let is_the_command = |process: &u32| {
        let line = std::fs::read_to_string(format!("/proc/{process}/cmdline"));
        line.unwrap_or_default().contains("\0scripts/draw.sh\0")
    };
    let started = std::time::Instant::now();
    let all = loop {
        let all = family(worker.id());
        if all.iter().any(is_the_command) {
            break all;
        }
        assert!(
            started.elapsed().as_secs() < 60,
            "the command does not start"
        );
        std::thread::yield_now();
    };
    let all: Vec<String> = all.iter().map(u32::to_string).collect();
    let mut kill = folder.command("kill");
    assert!(
        kill.arg("-TERM")
            .args(&all)
            .status()
            .expect("kill")
            .success()
    );
    let output = worker.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(!folder.at("../plan/failed/draw@1.json").exists(), "{said}");
    folder.write("scripts/draw.sh", script);
    folder.expect(0, &PLAN);
    let (code, said) = work(&folder, &task);
    assert_eq!(code, Some(0), "{said}");
}

/// Keeps objects in the home folder and is no server: what `retrace-remote` says, said by a shell.
const REMOTE_OF_STRAW: &str = r#"#!/bin/sh
echo "{\"retrace_remote\":1,\"url\":\"$1\"}"
field() { printf '%s\n' "$line" | sed "s/.*\"$1\":\"*\([^\",}]*\).*/\1/"; }
while read -r line; do
  kept=$HOME/kept/$(field name)
  answer='"absent":true'
  case $(field verb) in
    put) mkdir -p "${kept%/*}" && cp "$(field file)" "$kept.$$" && mv "$kept.$$" "$kept" && answer='"done":true' ;;
    get) [ ! -e "$kept" ] || { cp "$kept" "$(field file)" && answer="\"bytes\":$(wc -c <"$kept")"; } ;;
    look) [ ! -e "$kept" ] || answer="\"listed\":[{\"name\":\"$(field name)\",\"size\":$(wc -c <"$kept"),\"age_s\":0}]" ;;
  esac
  echo "{\"id\":$(field id),$answer}"
done
"#;

#[test]
fn a_plan_for_a_store_behind_a_url_has_what_reaches_it() {
    let folder = repository();
    let remote = folder.at("../elsewhere/remote");
    folder.write("../elsewhere/remote", REMOTE_OF_STRAW);
    runnable(&remote);
    let with_remote = |arguments: &[&str]| {
        let mut command = folder.command(env!("CARGO_BIN_EXE_retrace"));
        command.args(arguments).env("RETRACE_REMOTE", &remote);
        let (code, said) = folder::told(&mut command);
        assert_eq!(code, Some(0), "{said}");
        said
    };
    let url = "https://store.invalid/ours";
    with_remote(&[
        "plan",
        "slurm",
        "--to",
        "../plan",
        "--store",
        url,
        "--minutes=0.01",
    ]);
    // Not where it was, as on another machine: the tasks have their own.
    std::fs::rename(&remote, folder.at("../elsewhere/gone")).expect("a file");
    for task in 0..tasks(&folder).len() {
        let (code, said) = work(&folder, &task.to_string());
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("ran ("), "{said}");
    }
    std::fs::rename(folder.at("../elsewhere/gone"), &remote).expect("a file");
    trust(&folder);
    let said = with_remote(&["run", "--store", url]);
    assert!(
        said.contains(&format!("{STAGES} from the store;")),
        "{said}"
    );
    assert_eq!(folder.read("figures/all.txt"), "82\n84\n");
}

#[test]
fn a_worker_refuses_what_is_not_as_it_was_planned() {
    let folder = repository();
    folder.expect(0, &PLAN);
    folder.write(
        "pipeline.yaml",
        PIPELINE.replace("seed: [1, 2]", "seed: [1, 2, 3]"),
    );
    let (code, said) = work(&folder, "0");
    assert!(
        code == Some(2) && said.contains("pipeline.yaml is not the one"),
        "{said}"
    );
    folder.write("pipeline.yaml", PIPELINE);
    let plan = folder.read("../plan/plan.json");
    let json: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    let digest = json["program"].as_str().expect("a digest");
    folder.write(
        "../plan/plan.json",
        plan.replace(digest, &digest.chars().rev().collect::<String>()),
    );
    let (code, said) = work(&folder, "0");
    assert!(
        code == Some(2) && said.contains("is not the file that the plan was made with"),
        "{said}"
    );
    folder.write("../plan/plan.json", plan);
    // Somebody's own folder is no place for a plan, nor is the repository.
    folder.write("../mine/notes.txt", "words");
    folder.expect(
        2,
        &["plan", "slurm", "--to", "../mine", "--store", "../store"],
    );
    folder.expect(2, &["plan", "slurm", "--to", ".", "--store", "../store"]);
    // Its secret key would be committed with everything else.
    for inside in ["./plan", "cluster/of/mine"] {
        let said = folder.expect(2, &["plan", "slurm", "--to", inside, "--store", "../store"]);
        assert!(
            said.contains("the plan's secret key would be among its files")
                && said.contains("--to ../plan"),
            "{said}"
        );
        assert!(!folder.at(inside).exists());
    }
    folder.expect(2, &["plan", "slurm", "--to", "../other"]);
    folder.expect(
        2,
        &[
            "plan",
            "slurm",
            "--to",
            "../plan",
            "--store",
            "../store",
            "--minutes",
            "0",
        ],
    );
    // Without a store that answers, another try may find it.
    std::fs::remove_dir_all(folder.at("../store")).expect("a store");
    assert_eq!(work(&folder, "0").0, Some(75));
}

/// `sbatch` and `scontrol` that note what they are asked for; `sbatch` does the tasks of an array at once.
fn slurm_of_straw(folder: &Folder) -> PathBuf {
    let bin = folder.at("../bin");
    let tools = [
        (
            "scontrol",
            r#"case "$1" in
  show) echo 'MaxArraySize            = 2' ;;
  *) cat >>"$HOME/told" ;;
esac
"#,
        ),
        (
            "sbatch",
            r#"#!/bin/bash
echo "$*" >>"$HOME/asked"
number=$(wc -l <"$HOME/asked")
while [ $# -gt 0 ]; do
  case $1 in
    --array=0-*) last=${1#--array=0-} ;;
    --*) ;;
    *) break ;;
  esac
  shift
done
for element in $(seq 0 "$last"); do
  SLURM_ARRAY_JOB_ID=$number SLURM_JOB_ID=$number SLURM_ARRAY_TASK_ID=$element SLURM_CPUS_PER_TASK=1 \
    "$@" >>"$HOME/jobs" 2>&1
done
echo "$number"
"#,
        ),
    ];
    for (name, text) in tools {
        let text = match text.starts_with("#!") {
            true => text.to_owned(),
            false => format!("#!/bin/sh\n{text}"),
        };
        folder.write(&format!("../bin/{name}"), text);
        runnable(&bin.join(name));
    }
    bin
}

fn submit(folder: &Folder, bin: &Path) -> String {
    let mut command = folder.command("bash");
    command
        .arg("../plan/submit.sh")
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let (code, said) = folder::told(&mut command);
    assert_eq!(code, Some(0), "{said}");
    said
}

/// Of each task that was submitted the tasks that it waits for, by its array and by what it was told after.
fn awaited(folder: &Folder) -> BTreeMap<usize, BTreeSet<usize>> {
    let asked = folder.read("../home/asked");
    let mut arrays: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut awaited = BTreeMap::new();
    // The tasks of a list such as `afterany:1:2_0`.
    let expand = |list: &str, arrays: &BTreeMap<&str, Vec<usize>>| {
        let words = list.split(':').skip(1);
        let tasks = words.flat_map(|word| match word.split_once('_') {
            None => arrays[word].clone(),
            Some((array, element)) => {
                vec![arrays[array][element.parse::<usize>().expect("a number")]]
            }
        });
        tasks.collect::<BTreeSet<usize>>()
    };
    let numbers: Vec<String> = (1..=asked.lines().count()).map(|n| n.to_string()).collect();
    for (line, number) in asked.lines().zip(&numbers) {
        let (options, tasks) = line.split_once("job.sh ").expect("a job");
        let tasks: Vec<usize> = tasks
            .split(' ')
            .map(|task| task.parse().expect("a number"))
            .collect();
        let list = options
            .split(' ')
            .find_map(|option| option.strip_prefix("--dependency="));
        let after = expand(list.unwrap_or_default(), &arrays);
        for task in &tasks {
            awaited.insert(*task, after.clone());
        }
        arrays.insert(number, tasks);
    }
    for line in folder.read("../home/told").lines() {
        let told = line
            .strip_prefix("update JobId=")
            .and_then(|told| told.split_once("_["));
        let (array, told) = told.expect("an update");
        let (elements, list) = told.split_once("] Dependency=").expect("a dependency");
        let (first, last) = elements.split_once('-').expect("a range");
        let after = expand(list, &arrays);
        let range = first.parse::<usize>().expect("a number")..=last.parse().expect("a number");
        for task in &arrays[array][range] {
            let before = awaited.insert(*task, after.clone()).expect("a task");
            assert!(after.is_subset(&before) && after != before, "{line}");
        }
    }
    awaited
}

#[test]
fn each_level_is_an_array_and_each_task_waits_for_its_own() {
    let folder = repository();
    let bin = slurm_of_straw(&folder);
    folder.expect(0, &PLAN);
    submit(&folder, &bin);
    let plan: serde_json::Value =
        serde_json::from_str(&folder.read("../plan/plan.json")).expect("JSON");
    let planned = plan["tasks"].as_array().expect("tasks").iter().enumerate();
    let planned: BTreeMap<usize, BTreeSet<usize>> = planned
        .map(|(number, task)| {
            let after = serde_json::from_value(task["after"].clone()).expect("tasks");
            (number, after)
        })
        .collect();
    assert_eq!(awaited(&folder), planned);
    // Three tasks that wait for nothing, two an array; two that wait for one of these each; one that waits for both.
    let asked = folder.read("../home/asked");
    assert_eq!(asked.lines().count(), 4, "{asked}");
}

#[test]
fn the_script_for_slurm_submits_arrays_with_their_dependencies_and_then_only_the_rest() {
    let folder = repository();
    let bin = slurm_of_straw(&folder);
    folder.expect(0, &PLAN);
    let submit = || submit(&folder, &bin);
    let said = submit();
    let asked = folder.read("../home/asked");
    let jobs = std::fs::read_to_string(folder.home().join("jobs")).expect("what jobs said");
    assert!(said.contains("submitted: "), "{said}");
    let lines: Vec<&str> = asked.lines().collect();
    for line in &lines {
        assert!(
            line.contains("--requeue --kill-on-invalid-dep=yes")
                && line.contains("--cpus-per-task=1"),
            "{line}"
        );
    }
    // No element of an array is above what the site allows, and some task waits for another.
    assert!(!asked.contains("--array=0-2"), "{asked}");
    assert!(asked.contains("--dependency=afterany:"), "{asked}");
    assert!(asked.contains("--mem=100M --time="), "{asked}");
    takes_everything(&folder);
    assert!(!jobs.contains("queued again"), "{jobs}");
    // Everything is in the store.
    let said = submit();
    assert!(said.contains("submitted: 0 tasks"), "{said}");
    assert_eq!(folder.read("../home/asked"), asked);
    // One result is gone, and what depends on it is not asked for.
    folder.write("data/words.txt", "d e f\n");
    folder.expect(0, &PLAN);
    let said = submit();
    assert!(said.contains("submitted: 1 tasks"), "{said}");
}

#[test]
fn snakemake_gets_one_rule_and_a_marker_for_what_is_done() {
    let folder = repository();
    let plan = [
        "plan",
        "snakemake",
        "--to",
        "../plan",
        "--store",
        "../store",
        "--minutes=0.01",
    ];
    folder.expect(0, &plan);
    let snakefile = folder.read("../plan/Snakefile");
    assert_eq!(snakefile.matches("\nrule ").count(), 2, "{snakefile}");
    assert!(!folder.at(".retrace").exists(), "a plan is no run");
    assert!(
        snakefile.contains("mem_mb=") && !snakefile.contains("gpu="),
        "{snakefile}"
    );
    assert_eq!(
        std::fs::read_dir(folder.at("../plan/done"))
            .expect("a folder")
            .count(),
        0
    );
    let (code, said) = work(&folder, &task_of(&folder, "alone"));
    assert_eq!(code, Some(0), "{said}");
    folder.expect(0, &plan);
    let done = std::fs::read_dir(folder.at("../plan/done")).expect("a folder");
    let done: Vec<String> = done
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(done, [task_of(&folder, "alone")]);
}

/// What only looks, or is refused, makes no store.
#[test]
fn a_look_at_a_run_on_a_cluster_makes_nothing() {
    let folder = repository();
    let on_slurm = ["run", "--executor", "slurm", "--store", "../later"];
    folder.expect(0, &[&on_slurm[..], &["--dry-run"]].concat());
    let said = folder.expect(2, &[&on_slurm[..], &["--force"]].concat());
    assert!(said.contains("for a run on this machine alone"), "{said}");
    let unknown = ["run", "nothing", "--executor", "slurm"];
    folder.expect(2, &[&unknown[..], &["--store", "../later"]].concat());
    assert!(!folder.path().with_file_name("later").exists());
}
