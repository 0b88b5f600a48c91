//! Kind `words-pretrain`: a transformer trained on few-shot prompts of names, four languages and their letters anew in
//! each.

use crate::kinds::transformer::model::ModelParams;
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::pretrain::{self, Plan, Precision};
use crate::kinds::transformer::words::{WordsParams, sizes};
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct WordsPretrain;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    world: WordsParams,
    model: ModelParams,
    precision: Precision,
    training: Optimisation,
}

impl StageKind for WordsPretrain {
    const NAME: &'static str = "words-pretrain";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("names")];
    const OUTPUTS: &'static [&'static str] = pretrain::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.world.check().map_err(|e| format!("world.{e}"))?;
        params
            .model
            .check_words()
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
        let world = params.world.world(io)?;
        let (tokens, outputs) = sizes(&world);
        let seed = params.world.seed();
        let plan = Plan {
            model: &params.model,
            tokens,
            outputs,
            world: &world,
            training: params.training.training(seed),
            stops: params.training.stops(),
            seed,
        };
        pretrain::pretrain(params.precision, &plan, io)
    }
}
