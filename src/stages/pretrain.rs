//! Kind `pretrain`: a model trained on fresh few-shot prompts, each with a random unit task.

use crate::icl::model::{LinearAttention, Shape};
use crate::icl::objective::Objective;
use crate::icl::setting::Setting;
use crate::icl::source::Source;
use crate::icl::trainable::Trainable;
use crate::pipeline::error::Result;
use crate::pipeline::kind::{Io, Role, StageKind};
use crate::stages::exchange::failed;
use crate::stages::matrices::Matrices;
use crate::stages::params::{Count, Dimension, NonNegative, Positive};
use crate::stages::training;
use crate::stages::training_params::TrainingParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct Pretrain;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
    layers: Count,
    heads: Count,
    matrices: Matrices,
    /// Standard deviation of the initial entries.
    init_std: Positive,
    training: TrainingParams,
}

impl StageKind for Pretrain {
    const NAME: &'static str = "pretrain";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = training::OUTPUTS;
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let shape = Shape {
            d: params.d.get(),
            n_layers: params.layers.get(),
            n_heads: params.heads.get(),
            parametrization: params.matrices.parametrization(),
        };
        let std = params.init_std.get();
        let initial = LinearAttention::random(shape, std, params.training.seed).map_err(failed)?;
        let config = params.training.config(Objective::FewShot, Trainable::All);
        training::train(&initial, Source::Fresh(&setting), &config, io)
    }
}
