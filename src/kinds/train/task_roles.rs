//! Kind `task-roles`: which tasks are pretrained on, which is fine-tuned on, which are never seen.
//!
//! The target is given; the others are drawn, under a rule on the classes that pretraining sees. A class
//! is known by its examples: tasks that share an example share a class (`3_vs_4` and `3_vs_7` share the
//! images of a 3), whatever the tasks are called. Outputs: `roles`, JSON with `target`, `pretraining`,
//! `unseen` and `new_class`; `data_set`, the target's examples to train on with columns x1..xd and y, for
//! kind `finetune`.

use crate::kinds::exchange::data_set::write_data_set;
use crate::kinds::exchange::examples::{Examples, Labels};
use crate::kinds::exchange::roles::Roles;
use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::Count;
use crate::kinds::params::seed::Seed;
use icl::math::stream::Stream;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct TaskRoles;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The task that is fine-tuned on.
    target: String,
    /// Number of tasks to pretrain on.
    pretraining: Count,
    /// Number of tasks that no training sees.
    unseen: Count,
    #[serde(default, skip_serializing_if = "Classes::is_any")]
    classes: Classes,
    seed: Seed,
}

/// Which classes pretraining sees.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Classes {
    /// Whichever its tasks have.
    #[default]
    Any,
    /// All: each example of the target and of the unseen tasks is part of a pretraining task too.
    Seen,
    /// All but the target's: tasks that share an example with the target are kept from pretraining and
    /// from the unseen tasks, and are `new_class` among the roles; each example of an unseen task is
    /// part of a pretraining task.
    TargetNew,
}

impl Classes {
    fn is_any(&self) -> bool {
        *self == Classes::Any
    }
}

/// Draws of which none has every class among the pretraining tasks: there are hardly any that have.
const MOST_DRAWS: usize = 1_000;

impl StageKind for TaskRoles {
    const NAME: &'static str = "task-roles";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("train")];
    const OUTPUTS: &'static [&'static str] = &["roles.json", "data_set.parquet"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let examples = Examples::read(io.input("train")?)?;
        let target = examples.data_set(&params.target).map_err(|mut error| {
            error.message = format!("target: {}", error.message);
            error
        })?;
        write_data_set(io, "data_set", &target)?;
        let roles = draw(params, &examples)?;
        let mut json = serde_json::to_vec_pretty(&roles).map_err(failed)?;
        json.push(b'\n');
        io.write("roles", &json)
    }
}

/// The roles; uniform over the choices that the rule allows.
fn draw(params: &Params, examples: &Examples) -> Result<Roles> {
    let target = examples.labels(&params.target)?;
    let shares = |labels: &Labels| {
        let mut pairs = labels.labels.iter().zip(target);
        pairs.any(|(a, b)| !a.is_nan() && !b.is_nan())
    };
    let others = examples.tasks.iter();
    let others = others.filter(|labels| labels.task != params.target);
    let (new_class, mut others): (Vec<&Labels>, Vec<&Labels>) = match params.classes {
        Classes::Any | Classes::Seen => (Vec::new(), others.collect()),
        Classes::TargetNew => others.partition(|labels| shares(labels)),
    };
    let (first, unseen) = (params.pretraining.get(), params.unseen.get());
    let wanted = first + unseen;
    if wanted > others.len() {
        let there = match params.classes {
            Classes::Any | Classes::Seen => "are there beside the target",
            Classes::TargetNew => "share no example with the target",
        };
        let message = format!(
            "{} tasks {there}, {wanted} are asked for: {first} to pretrain on and {unseen} unseen",
            others.len()
        );
        return Err(Error::failed(message).hint("ask for fewer, or give the table more tasks"));
    }
    if params.classes == Classes::TargetNew && new_class.is_empty() {
        let message = format!(
            "classes: no task shares an example with the target `{}`: none has one class of it",
            params.target
        );
        return Err(Error::failed(message).hint("leave `classes` out"));
    }
    let mut stream = Stream::new(params.seed.get(), "task roles", &[]);
    for _ in 0..MOST_DRAWS {
        // The first `wanted` places of a Fisher-Yates shuffle.
        for place in 0..wanted {
            let other = place + stream.index(others.len() - place);
            others.swap(place, other);
        }
        let (pretraining, rest) = others.split_at(first);
        let unseen = &rest[..unseen];
        let mut known: Vec<&[f64]> = unseen.iter().map(|task| &task.labels[..]).collect();
        if params.classes == Classes::Seen {
            known.push(target);
        }
        if params.classes == Classes::Any || all_seen(&known, pretraining) {
            let names = |tasks: &[&Labels]| tasks.iter().map(|task| task.task.clone()).collect();
            return Ok(Roles {
                target: params.target.clone(),
                pretraining: names(pretraining),
                unseen: names(unseen),
                new_class: names(&new_class),
            });
        }
    }
    let message = format!(
        "classes: in {MOST_DRAWS} draws of {first} pretraining tasks there was always an example of the others that none of them has"
    );
    Err(Error::failed(message).hint("ask for more pretraining tasks, or leave `classes` out"))
}

/// Whether each example of the tasks is part of a pretraining task.
fn all_seen(tasks: &[&[f64]], pretraining: &[&Labels]) -> bool {
    let rows = tasks.first().map_or(0, |labels| labels.len());
    let is_of = |row: usize| tasks.iter().any(|labels| !labels[row].is_nan());
    let is_seen = |row: usize| pretraining.iter().any(|task| !task.labels[row].is_nan());
    (0..rows).all(|row| !is_of(row) || is_seen(row))
}
