//! Kind `bridge-pretrain`: a transformer trained on fresh few-shot prompts of the regression task, each with a random unit
//! task.

use crate::kinds::transformer::model::{ModelParams, Tokens};
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::pretrain::{self, Plan, Precision};
use crate::kinds::transformer::regression::RegressionParams;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct BridgePretrain;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    world: RegressionParams,
    model: ModelParams,
    precision: Precision,
    training: Optimisation,
}

impl StageKind for BridgePretrain {
    const NAME: &'static str = "bridge-pretrain";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = pretrain::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let tokens = Tokens::Features(params.world.world().features());
        params
            .model
            .config(tokens, 1)
            .map_err(|e| format!("model: {e}"))?;
        params
            .training
            .check()
            .map_err(|e| format!("training: {e}"))
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        pretrain::columns(output)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let world = params.world.world();
        let seed = params.world.seed();
        let plan = Plan {
            model: &params.model,
            tokens: Tokens::Features(world.features()),
            outputs: 1,
            world: &world,
            training: params.training.training(seed),
            stops: params.training.stops(),
            seed,
        };
        pretrain::pretrain(params.precision, &plan, io)
    }
}
