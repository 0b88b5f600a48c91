//! The plan of tasks: which stages each job of a cluster does, what it waits for, and what all must agree on.
//!
//! A file `plan.json` that a person may read. Keys are not in it: a worker computes each when the inputs are there,
//! so that a stage whose inputs came out as before is not done again. What is in it besides the tasks is what
//! a worker holds itself to ([`crate::work::refusal`]).

use crate::base::digest::Digest;
use crate::base::error::{Error, PROGRAM, Result};
use crate::base::files;
use crate::resolve::resources::Resources;
use crate::resolve::select::Selection;
use crate::run::plan::Context;
use crate::stage::kind::Kind;
use crate::stage::stage::Source;
use crate::work::pack::{Item, Packed, pack};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The version of the file's format.
const FORMAT: u64 = 1;
/// The name of the file in the plan's folder.
pub const FILE: &str = "plan.json";
/// A larger file is no plan.
const MAX_BYTES: u64 = 1 << 30;
/// What a stage is taken to need of which nothing is known.
const GUESS_S: f64 = 10.0;

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskPlan {
    pub version: u64,
    pub settings: PlannedSettings,
    /// The shared store, as it was named.
    pub store: String,
    /// Public keys whose word counts besides those that the repository trusts.
    pub signers: Vec<String>,
    /// The digest of the program's file.
    pub program: Digest,
    /// The digest of pipeline.yaml.
    pub pipeline: Digest,
    /// Files of the repository that the stages read.
    pub inputs: BTreeMap<String, Digest>,
    /// What they read as the lock records it, by stage and output; `None` where that is nothing.
    pub recorded: BTreeMap<String, Option<Digest>>,
    /// The code of each kind that a stage has.
    pub code: BTreeMap<String, PlannedCode>,
    pub tasks: Vec<Task>,
}

/// What the command line changed, and where it said that things are: a worker looks up there what is recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSettings {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cache: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sets: Vec<String>,
}

/// The code of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCode {
    pub digest: String,
    /// What it is made of: modules and dependencies, with digests or versions.
    pub parts: BTreeMap<String, String>,
}

/// Stages that one job does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// In the order in which they are done.
    pub stages: Vec<String>,
    /// The tasks that must have ended before, each smaller than its own number.
    pub after: Vec<usize>,
    /// About how long it takes.
    pub seconds: f64,
    pub resources: Resources,
}

/// What a plan says that the pipeline does not.
pub struct Planning<'a> {
    pub settings: PlannedSettings,
    pub store: String,
    pub signers: Vec<String>,
    pub program: Digest,
    pub pipeline: Digest,
    /// About how long a task should take, in seconds.
    pub limit: f64,
    /// How long a stage took when it last ran, where that is known.
    pub seconds: &'a dyn Fn(usize) -> Option<f64>,
}

impl PlannedCode {
    /// The code of a kind.
    pub fn of(kind: &dyn Kind) -> Self {
        let code = kind.code();
        PlannedCode {
            digest: code.digest().to_owned(),
            parts: code.parts().clone(),
        }
    }
}

impl TaskPlan {
    /// Plans a selection. What cannot run here because a file that people supply themselves is absent is left out
    /// where no target needs it.
    ///
    /// # Errors
    /// An input is not there, or a target needs a file that people supply themselves and that is not here.
    pub fn new(context: &Context, selection: &Selection, planning: Planning) -> Result<Self> {
        context.check_inputs(selection)?;
        let absences = context.absences(selection)?;
        if let Some(error) = absences.error(context, &selection.targets) {
            return Err(error);
        }
        let selection = &absences.rest_of(context, selection);
        let stages: Vec<usize> = selection.closure.iter().copied().collect();
        let mut plan = TaskPlan {
            version: FORMAT,
            settings: planning.settings,
            store: planning.store,
            signers: planning.signers,
            program: planning.program,
            pipeline: planning.pipeline,
            inputs: BTreeMap::new(),
            recorded: BTreeMap::new(),
            code: BTreeMap::new(),
            tasks: Vec::new(),
        };
        let pipeline = context.pipeline;
        let mut items = Vec::with_capacity(stages.len());
        for &index in &stages {
            let stage = &pipeline.stages[index];
            let kind = &*context.kinds[stage.kind];
            let code = plan.code.entry(kind.name().to_owned());
            code.or_insert_with(|| PlannedCode::of(kind));
            let read = read_by(context, index, &selection.closure)?;
            plan.inputs.extend(read.files);
            plan.recorded.extend(read.recorded);
            let before = stage.before().into_iter();
            // A place in a sorted list of the selected stages, where they have one.
            let before = before.filter_map(|before| stages.binary_search(&before).ok());
            let seconds = (planning.seconds)(index).or(stage.seconds);
            items.push(Item {
                before: before.collect(),
                seconds: seconds.unwrap_or(GUESS_S),
                class: class(pipeline.resources(index)),
            });
        }
        let task = |packed: Packed| {
            let members = packed.items.iter().map(|&item| stages[item]);
            let resources = members.clone().map(|stage| pipeline.resources(stage));
            Task {
                stages: members
                    .map(|stage| pipeline.stages[stage].id.clone())
                    .collect(),
                after: packed.after,
                // Nobody reads more digits of an estimate.
                seconds: (packed.seconds * 1000.0).round() / 1000.0,
                resources: together(resources),
            }
        };
        plan.tasks = pack(&items, planning.limit).into_iter().map(task).collect();
        Ok(plan)
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// There is none, it is damaged, or its format is a newer one.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = files::read_at_most(path, MAX_BYTES).map_err(|e| {
            let error = Error::config(Error::io("read", path, &e).message);
            error.hint(format!(
                "`{PROGRAM} plan` writes a {FILE} with what belongs to it"
            ))
        })?;
        let wrong = |why: &str| {
            let error = Error::config(format!("{shown} is no plan of tasks: {why}"));
            error.hint(format!("make it anew with `{PROGRAM} plan`"))
        };
        let json: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|e| wrong(&e.to_string()))?;
        match json.get("version").and_then(serde_json::Value::as_u64) {
            None => return Err(wrong("it has no version")),
            Some(found) if found > FORMAT => {
                let message = format!("{shown} has format {found}, this program knows {FORMAT}");
                return Err(
                    Error::config(message).hint("use the program that lies beside the plan")
                );
            }
            Some(_) => {}
        }
        let plan: TaskPlan = serde_json::from_value(json).map_err(|e| wrong(&e.to_string()))?;
        let is_ordered = |(number, task): (usize, &Task)| {
            task.after.iter().all(|&after| after < number) && !task.stages.is_empty()
        };
        match plan.tasks.iter().enumerate().all(is_ordered) {
            true => Ok(plan),
            false => Err(wrong("a task waits for one that does not come before it")),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::failed(format!("cannot write the plan: {e}")))?;
        files::write(path, (text + "\n").as_bytes())
    }

    /// The stages of the pipeline by task, in the order in which they are done.
    ///
    /// # Errors
    /// The pipeline has no such stage.
    pub(crate) fn members(&self, context: &Context) -> Result<Vec<Vec<usize>>> {
        let stages = context.pipeline.stages.iter().enumerate();
        let by_id: BTreeMap<&str, usize> = stages.map(|(i, stage)| (&*stage.id, i)).collect();
        let find = |id: &String| {
            let found = by_id.get(id.as_str()).copied();
            found.ok_or_else(|| Error::config(format!("the plan names `{id}`, which is no stage")))
        };
        let tasks = self.tasks.iter();
        tasks
            .map(|task| task.stages.iter().map(find).collect())
            .collect()
    }
}

/// What a stage reads that no stage of the plan makes.
pub(crate) struct Read {
    pub files: BTreeMap<String, Digest>,
    pub recorded: BTreeMap<String, Option<Digest>>,
}

/// What a stage reads that none of `planned` makes, with the digests that it has now.
pub(crate) fn read_by(context: &Context, index: usize, planned: &BTreeSet<usize>) -> Result<Read> {
    let mut read = Read {
        files: BTreeMap::new(),
        recorded: BTreeMap::new(),
    };
    for input in &context.pipeline.stages[index].inputs {
        match &input.source {
            Source::File(path) => {
                if let Some(digest) = context.file_digest(input, path)? {
                    read.files.insert(path.display().to_string(), digest);
                }
            }
            Source::Recorded { stage, output } if !planned.contains(stage) => {
                let name = format!("{}.{output}", context.pipeline.stages[*stage].id);
                let digest = context.recorded_digest(*stage, output, |_| None)?;
                read.recorded.insert(name, digest);
            }
            Source::Recorded { .. } | Source::Output { .. } => {}
        }
    }
    Ok(read)
}

/// What tasks do not mix: how long a stage may take adds up, but a task with a limit has only such stages.
fn class(resources: Resources) -> Resources {
    Resources {
        minutes: resources.minutes.map(|_| 1),
        ..resources
    }
}

/// What a task asks for whose stages, of one class, ask for these.
fn together(resources: impl Iterator<Item = Resources>) -> Resources {
    let both = |a: Resources, b: Resources| Resources {
        minutes: a.minutes.zip(b.minutes).map(|(a, b)| a.saturating_add(b)),
        ..a
    };
    resources.reduce(both).unwrap_or_default()
}
