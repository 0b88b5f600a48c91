//! Kind `words-finetune`: variants of fine-tuning on prompts of the target task, with what is measured on the way.

use crate::kinds::exchange::table::failed;
use crate::kinds::transformer::finetune::{self, Plan};
use crate::kinds::transformer::model_file::from_bytes;
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::variant::Variants;
use crate::kinds::transformer::words::{WordsParams, sizes};
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct WordsFinetune;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    world: WordsParams,
    training: Optimisation,
    variants: Variants,
}

impl StageKind for WordsFinetune {
    const NAME: &'static str = "words-finetune";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("names"), one("pretrained")];
    const OUTPUTS: &'static [&'static str] = finetune::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.world.check().map_err(|e| format!("world.{e}"))?;
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
        let world = params.world.world(io)?;
        let (tokens, outputs) = sizes(&world);
        if (built.tokens, built.outputs) != (tokens, outputs) {
            let (found, classes) = (built.tokens, built.outputs);
            return Err(failed(format!(
                "the pretrained model reads {found:?} and has {classes} outputs, this world gives {tokens:?} and asks for {outputs}: \
                 state the same n_grams, and give it the names that it was pretrained on"
            )));
        }
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
