//! Kind `task-roles`: which tasks are pretrained on, which is fine-tuned on, which are never seen.
//!
//! The target is given; the others are drawn. Outputs: `roles`, JSON with `target`, `pretraining` and
//! `unseen`; `data_set`, the target's examples to train on with columns x1..xd and y, for kind
//! `finetune`.

use crate::kinds::exchange::data_set::write_data_set;
use crate::kinds::exchange::examples::Examples;
use crate::kinds::exchange::roles::Roles;
use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::Count;
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
    seed: u64,
}

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
        let others = examples.tasks.iter().map(|labels| &labels.task);
        let mut others: Vec<String> = others
            .filter(|&task| *task != params.target)
            .cloned()
            .collect();
        let (first, wanted) = (
            params.pretraining.get(),
            params.pretraining.get() + params.unseen.get(),
        );
        if wanted > others.len() {
            let message = format!(
                "{} tasks are there beside the target, {wanted} are asked for: {first} to pretrain on and {} unseen",
                others.len(),
                params.unseen.get()
            );
            return Err(Error::failed(message).hint("ask for fewer, or give the table more tasks"));
        }
        // The first `wanted` places of a Fisher-Yates shuffle.
        let mut stream = Stream::new(params.seed, "task roles", &[]);
        for place in 0..wanted {
            let other = place + stream.index(others.len() - place);
            others.swap(place, other);
        }
        let roles = Roles {
            target: params.target.clone(),
            pretraining: others[..first].to_vec(),
            unseen: others[first..wanted].to_vec(),
        };
        let mut json = serde_json::to_vec_pretty(&roles).map_err(failed)?;
        json.push(b'\n');
        io.write("roles", &json)
    }
}
