//! Kind `pool-pretrain`: a model trained on few-shot prompts of real tasks, their labels flipped at random.
//!
//! Everything but the source of prompts is that of kind `pretrain`; d is that of the examples.

use crate::kinds::exchange::examples::Examples;
use crate::kinds::exchange::roles::read_roles;
use crate::kinds::exchange::table::failed;
use crate::kinds::params::matrices::Matrices;
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::params::training::TrainingParams;
use crate::kinds::train::training;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Shape};
use icl::prompts::task_pool::Flips;
use icl::train::objective::Objective;
use icl::train::pool::Pool;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct PoolPretrain;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    layers: Count,
    heads: Count,
    matrices: Matrices,
    /// Standard deviation of the initial entries.
    init_std: Positive,
    training: TrainingParams,
}

impl StageKind for PoolPretrain {
    const NAME: &'static str = "pool-pretrain";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("train"), one("roles")];
    const OUTPUTS: &'static [&'static str] = training::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        training::columns(output)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let examples = Examples::read(io.input("train")?)?;
        let pool = examples.pool(&read_roles(io)?.pretraining, Flips::Random)?;
        let shape = Shape {
            d: pool.d(),
            n_layers: params.layers.get(),
            n_heads: params.heads.get(),
            parametrization: params.matrices.parametrization(),
        };
        let std = params.init_std.get();
        let initial =
            LinearAttention::random(shape, std, params.training.seed.get()).map_err(failed)?;
        let config = params.training.config(Objective::FewShot, Trainable::All);
        training::train(initial, &Pool(&pool), config, io)
    }
}
