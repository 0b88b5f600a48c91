//! Kind `pretrain`: a model trained on fresh few-shot prompts, each with a random unit task.

use crate::kinds::exchange::table::failed;
use crate::kinds::params::matrices::Matrices;
use crate::kinds::params::number::{Count, Dimension, NonNegative, Positive};
use crate::kinds::params::training::TrainingParams;
use crate::kinds::train::training;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Shape};
use icl::prompts::setting::Setting;
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind};
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

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        training::columns(output)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let shape = Shape {
            d: params.d.get(),
            n_layers: params.layers.get(),
            n_heads: params.heads.get(),
            parametrization: params.matrices.parametrization(),
        };
        let std = params.init_std.get();
        let initial =
            LinearAttention::random(shape, std, params.training.seed.get()).map_err(failed)?;
        let config = params.training.config(Objective::FewShot, Trainable::All);
        training::train(initial, &Fresh(&setting), config, io)
    }
}
