//! Kind `population`: a model trained on the exact loss, without prompts.
//!
//! Without the input `task` the loss is the mean over random unit tasks (pretraining), with it the
//! error on that task; replay has the task without shots, the mean with them. Starts from the input `pretrained`, or from random entries (`start`).

use crate::kinds::exchange::model::{self, read_model};
use crate::kinds::exchange::table::failed;
use crate::kinds::exchange::task::read_task;
use crate::kinds::params::number::{Count, Dimension, NonNegative, Positive};
use crate::kinds::params::seed::Seed;
use crate::kinds::params::training::{OptimizerParams, TrainingParams};
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Shape};
use icl::prompts::setting::Setting;
use icl::train::descent::{Descent, Ending};
use icl::train::objective::Objective;
use icl::train::population::{self, PopulationLoss};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

pub struct Population;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    noise_var: NonNegative,
    objective: Goal,
    trainable: Trains,
    descent: DescentParams,
    #[serde(default)]
    start: Option<Start>,
}

/// The random entries that training starts from: those of kind `pretrain` with this seed.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    pub d: Dimension,
    pub init_std: Positive,
    pub seed: Seed,
}

/// How to descend.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DescentParams {
    /// Shots of the few-shot loss.
    pub shots: Count,
    pub steps: Count,
    pub optimizer: OptimizerParams,
    /// Left out: never clipped.
    #[serde(default)]
    pub clip_norm: Option<Positive>,
}

/// What is minimised.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Goal {
    FewShot,
    ZeroShot,
    ZeroAndFewShot,
    /// The zero-shot loss plus a constant weight times the few-shot loss on random unit tasks.
    ZeroShotAndReplay {
        weight: Positive,
    },
}

/// The matrices that are updated.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Trains {
    All,
    KeyQuery,
    Value,
    ValueAndLabelColumn,
}

impl DescentParams {
    /// The descent of an objective.
    pub fn descent(&self, objective: Objective, trainable: Trainable) -> Descent {
        let training = TrainingParams {
            shots: self.shots,
            steps: self.steps,
            batch: Count::ONE,
            optimizer: self.optimizer.clone(),
            clip_norm: self.clip_norm.unwrap_or(Positive::ONE),
            seed: Seed::Whole(0),
        };
        Descent {
            clip_norm: self.clip_norm.map(Positive::get),
            ..training.config(objective, trainable).descent()
        }
    }
}

impl StageKind for Population {
    const NAME: &'static str = "population";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[optional("task"), optional("pretrained")];
    const OUTPUTS: &'static [&'static str] = &["model.json"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let given = !io.inputs("pretrained").is_empty();
        let initial = match (&params.start, given) {
            (None, true) => read_model(io.input("pretrained")?)?,
            (Some(start), false) => random(start)?,
            _ => {
                let message =
                    "training starts from the input `pretrained` or from `start`: one of them";
                return Err(Error::failed(message));
            }
        };
        let task = match io.inputs("task").is_empty() {
            true => None,
            false => Some(read_task(io)?),
        };
        let loss =
            task.as_ref()
                .map_or(PopulationLoss::Pretraining, |task| match params.objective {
                    Goal::ZeroShotAndReplay { .. } => PopulationLoss::Replay(task),
                    _ => PopulationLoss::Target(task),
                });
        let objective = match params.objective {
            Goal::FewShot => Objective::FewShot,
            Goal::ZeroShot => Objective::ZeroShot,
            Goal::ZeroAndFewShot => Objective::ZeroAndFewShot,
            Goal::ZeroShotAndReplay { weight } => Objective::ZeroShotAndReplay {
                weight: weight.get(),
            },
        };
        let trainable = match params.trainable {
            Trains::All => Trainable::All,
            Trains::KeyQuery => Trainable::KeyQuery,
            Trains::Value => Trainable::Value,
            Trains::ValueAndLabelColumn => Trainable::ValueAndLabelColumn,
        };
        let setting = Setting::new(initial.shape().d, params.noise_var.get()).map_err(failed)?;
        let descent = params.descent.descent(objective, trainable);
        let shots = params.descent.shots.get();
        let (model, diverged) = descend(&initial, &setting, loss, shots, &descent, io)?;
        io.write("model", &model::to_bytes(&model, diverged)?)
    }
}

/// The random merged model that a start names.
pub fn random(start: &Start) -> Result<LinearAttention> {
    let shape = Shape::merged(start.d.get());
    LinearAttention::random(shape, start.init_std.get(), start.seed.get()).map_err(failed)
}

/// Trains on the exact loss; also returns the step at which it diverged, if it did.
pub fn descend(
    initial: &LinearAttention,
    setting: &Setting,
    loss: PopulationLoss<'_>,
    shots: usize,
    descent: &Descent,
    io: &Io,
) -> Result<(LinearAttention, Option<usize>)> {
    let on_step = |_, _| match io.cancelled() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let trained = population::train_population(initial, setting, loss, shots, descent, on_step)
        .map_err(failed)?;
    if let Ending::Stopped { .. } = trained.ending {
        return Err(io.interrupted());
    }
    if let Some(last) = trained.losses.last() {
        io.log(format!(
            "{} steps, last loss {}",
            trained.losses.len(),
            last.total
        ));
    }
    let diverged = trained.diverged_at();
    Ok((trained.model, diverged))
}
