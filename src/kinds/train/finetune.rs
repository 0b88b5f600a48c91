//! Kind `finetune`: a pretrained model trained on prompts drawn from the fixed set of one task, beside
//! few-shot prompts of other tasks where the objective replays them.
//!
//! The inputs `train` and `roles` are for the replay of real tasks: those that pretraining saw.

use crate::kinds::exchange::examples::Examples;
use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::roles::read_roles;
use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::params::number::{NonNegative, Positive};
use crate::kinds::params::training::TrainingParams;
use crate::kinds::train::training;
use icl::model::trainable::Trainable;
use icl::prompts::data_set::DataSet;
use icl::prompts::setting::Setting;
use icl::prompts::task_pool::Flips;
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use icl::train::pool::Pool;
use icl::train::replay::Replay;
use icl::train::rows::Rows;
use ndarray::Array2;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, one, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

pub struct Finetune;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    objective: Goal,
    trainable: Trains,
    training: TrainingParams,
}

/// What is minimised.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::enum_variant_names, reason = "the names in pipeline.yaml")]
enum Goal {
    /// The zero-shot loss.
    ZeroShot,
    /// The zero-shot loss plus the few-shot loss, whose weight falls linearly to 0.
    ZeroAndFewShot,
    /// The zero-shot loss plus a constant weight times the few-shot loss on other tasks.
    ZeroShotAndReplay(ReplayParams),
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayParams {
    weight: Positive,
    tasks: ReplayTasks,
}

/// The tasks that are replayed: a fresh one for each prompt, as in pretraining.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum ReplayTasks {
    /// Random unit tasks with this label noise.
    Unit { noise_var: NonNegative },
    /// Of the real tasks that pretraining saw, labels flipped at random: the inputs `train` and `roles`.
    Pretraining,
}

/// What is updated; `key-query` and `value-and-label-column` for merged models, `query` and `key` for separate.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Trains {
    All,
    KeyQuery,
    Query,
    Key,
    Value,
    ValueAndLabelColumn,
    FirstLayerValue,
    LastLayerValue,
}

impl StageKind for Finetune {
    const NAME: &'static str = "finetune";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        one("pretrained"),
        one("data_set"),
        optional("train"),
        optional("roles"),
    ];
    const OUTPUTS: &'static [&'static str] = training::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        training::columns(output)
    }

    /// The prompts: what is minimised and trained may differ.
    fn shares(params: &Params) -> Option<String> {
        let replayed = match params.objective {
            Goal::ZeroShotAndReplay(replay) => Some(replay.tasks),
            Goal::ZeroShot | Goal::ZeroAndFewShot => None,
        };
        let TrainingParams {
            shots, batch, seed, ..
        } = &params.training;
        serde_json::to_string(&(replayed, shots, batch, seed)).ok()
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let initial = read_model(io.input("pretrained")?)?;
        let data = read_data_set(io.input("data_set")?)?;
        let objective = match params.objective {
            Goal::ZeroShot => Objective::ZeroShot,
            Goal::ZeroAndFewShot => Objective::ZeroAndFewShot,
            Goal::ZeroShotAndReplay(replay) => Objective::ZeroShotAndReplay {
                weight: replay.weight.get(),
            },
        };
        let trainable = match params.trainable {
            Trains::All => Trainable::All,
            Trains::KeyQuery => Trainable::KeyQuery,
            Trains::Query => Trainable::Query,
            Trains::Key => Trainable::Key,
            Trains::Value => Trainable::Value,
            Trains::ValueAndLabelColumn => Trainable::ValueAndLabelColumn,
            Trains::FirstLayerValue => Trainable::FirstLayerValue,
            Trains::LastLayerValue => Trainable::LastLayerValue,
        };
        let config = params.training.config(objective, trainable);
        let target = Rows(&data);
        let replay = match params.objective {
            Goal::ZeroShotAndReplay(replay) => Some(replay.tasks),
            Goal::ZeroShot | Goal::ZeroAndFewShot => None,
        };
        let unread = ["train", "roles"]
            .iter()
            .find(|role| !io.inputs(role).is_empty());
        if let (Some(role), false) = (unread, matches!(replay, Some(ReplayTasks::Pretraining))) {
            let message = format!("the input `{role}` is read by the replay of real tasks alone");
            let hint = "take it away, or set objective: {zero-shot-and-replay: {weight: 1, tasks: pretraining}}";
            return Err(Error::failed(message).hint(hint));
        }
        match replay {
            None => training::train(initial, &target, config, io),
            Some(ReplayTasks::Unit { noise_var }) => {
                let setting = Setting::new(initial.shape().d, noise_var.get()).map_err(failed)?;
                let (target, others) = (&target, &Fresh(&setting));
                training::train(initial, &Replay { target, others }, config, io)
            }
            Some(ReplayTasks::Pretraining) => {
                let examples = Examples::read(io.input("train")?)?;
                let pool = examples.pool(&read_roles(io)?.pretraining, Flips::Random)?;
                let (target, others) = (&target, &Pool(&pool));
                training::train(initial, &Replay { target, others }, config, io)
            }
        }
    }
}

/// Reads a table with columns x1..xd and y.
fn read_data_set(path: &Path) -> Result<DataSet> {
    let table = read_table(path)?;
    let d = table.columns().len().saturating_sub(1);
    let columns: Vec<Vec<f64>> = (1..=d)
        .map(|j| table.floats(&format!("x{j}")))
        .collect::<std::result::Result<_, _>>()
        .map_err(failed)?;
    let x = Array2::from_shape_fn((table.rows(), d), |(row, j)| columns[j][row]);
    DataSet::from_arrays(x.view(), &table.floats("y").map_err(failed)?).map_err(failed)
}
