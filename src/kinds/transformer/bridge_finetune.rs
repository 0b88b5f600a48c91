//! Kind `bridge-finetune`: variants of fine-tuning on fresh prompts of the target task, with what is measured on the
//! way.

use crate::kinds::transformer::finetune::{self, Plan};
use crate::kinds::transformer::model_file::from_bytes;
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::regression::RegressionParams;
use crate::kinds::transformer::variant::Variants;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct BridgeFinetune;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    world: RegressionParams,
    training: Optimisation,
    variants: Variants,
}

impl StageKind for BridgeFinetune {
    const NAME: &'static str = "bridge-finetune";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("pretrained")];
    const OUTPUTS: &'static [&'static str] = finetune::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params
            .training
            .check()
            .map_err(|e| format!("training: {e}"))
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        finetune::columns(output)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let (built, network, pretrained) = from_bytes(&io.read("pretrained")?)?;
        params.world.check_reader(&built)?;
        let world = params.world.world();
        let plan = Plan {
            network: &network,
            pretrained: &pretrained,
            world: &world,
            variants: &params.variants,
            training: params.training.training(params.world.seed()),
            stops: params.training.stops(),
        };
        finetune::run(&plan, io)
    }
}
