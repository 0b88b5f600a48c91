//! What Snakemake reads of a plan: one rule for all tasks, whose input function reads the plan's edges. A text; runs
//! nothing.
//!
//! One rule, because Snakemake looks at all pairs of rules. A task leaves a marker when it has ended for good, also where
//! a stage failed: those who wait for it leave out what depends on that stage and do the rest, and the last rule tells
//! what failed.

use crate::verbs::cluster::slurm::quoted;
use retrace::work::plan::TaskPlan;
use std::path::Path;

/// The name of the file.
pub const SNAKEFILE: &str = "Snakefile";
/// The folder of the markers.
pub const DONE: &str = "done";

/// The Snakefile; `root` is the repository.
pub fn snakefile(plan: &TaskPlan, root: &Path, folder: &Path) -> String {
    let asks = |of: &dyn Fn(&retrace::resolve::resources::Resources) -> bool| {
        plan.tasks.iter().any(|task| of(&task.resources))
    };
    let mut resources = Vec::new();
    if asks(&|r| r.memory_mb.is_some()) {
        resources.push(r#"mem_mb=lambda w: asked(w).get("memory_mb", 1000)"#);
    }
    if asks(&|r| r.minutes.is_some()) {
        resources.push(r#"runtime=lambda w: asked(w).get("minutes", 60)"#);
    }
    if asks(&|r| r.gpus > 0) {
        resources.push(r#"gpu=lambda w: asked(w)["gpus"]"#);
    }
    let resources = match resources.is_empty() {
        true => String::new(),
        false => format!(
            "    resources:\n        {}\n",
            resources.join(",\n        ")
        ),
    };
    let command = format!(
        "{} -C {} work {}",
        quoted(&folder.join("program").display().to_string()),
        quoted(&root.display().to_string()),
        quoted(&folder.join("plan.json").display().to_string()),
    );
    // Braces are Snakemake's, in a format string.
    let command = serde_json::Value::from(command.replace('{', "{{").replace('}', "}}"));
    TEXT.replace("RESOURCES", &resources)
        .replace("COMMAND", &command.to_string())
}

const TEXT: &str = r##"# The tasks of plan.json, beside this file: `snakemake -s Snakefile --cores 4`, or with a profile of your cluster. Made by
# the verb `plan snakemake`; make it anew after a failure: what the store has is marked as done then.
import json
import pathlib

DIR = pathlib.Path(workflow.snakefile).resolve().parent
WORK = COMMAND
with open(DIR / "plan.json") as file:
    TASKS = json.load(file)["tasks"]


def marker(task):
    return str(DIR / "done" / str(task))


def asked(wildcards):
    return TASKS[int(wildcards.task)]["resources"]


localrules:
    all,


rule all:
    input:
        [marker(task) for task in range(len(TASKS))],
    shell:
        WORK + " --failed"


rule task:
    input:
        lambda w: [marker(task) for task in TASKS[int(w.task)]["after"]],
    output:
        touch(marker("{task}")),
    wildcard_constraints:
        task=r"\d+",
    threads: lambda w: asked(w)["cores"]
RESOURCES    retries: 2
    # 1: a stage has failed, and would fail again.
    shell:
        WORK + " {wildcards.task} -j {threads} || [ $? = 1 ]"
"##;
