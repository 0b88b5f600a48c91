//! Kind `mmlu-random-model`: a small transformer over bytes with random weights, so that the experiment can be tried without
//! anybody's weights. Its numbers mean nothing.
//!
//! Output `model`: a safetensors file as transformers of this program have it.

use crate::kinds::exchange::table::failed;
use crate::kinds::params::seed::Seed;
use crate::kinds::transformer::model::{ModelParams, Tokens};
use crate::kinds::transformer::model_file::{Built, Values, to_bytes};
use icl::math::stream::Stream;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::language::codec::Bytes;
use tuning::transformer::model::layout::Role as Part;
use tuning::transformer::model::parameters::initial;

pub struct MmluRandomModel;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    model: ModelParams,
    seed: Seed,
}

/// What tokens are, and how many outputs there are.
const SIZES: (Tokens, usize) = (Tokens::Vocabulary(Bytes::VOCABULARY), Bytes::VOCABULARY);

impl StageKind for MmluRandomModel {
    const NAME: &'static str = "mmlu-random-model";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = &["model.safetensors"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let config = params.model.config(SIZES.0, SIZES.1);
        config.map(|_| ()).map_err(|e| format!("model: {e}"))
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let built = Built {
            model: params.model.clone(),
            tokens: SIZES.0,
            outputs: SIZES.1,
            diverged_at: None,
        };
        let network = built.network()?;
        let seed = params.seed.get();
        let mut values: Vec<f32> = initial(network.layout(), params.model.init(), seed);
        // A model that is to be trained begins with outputs of 0; one that is to be asked says something.
        let width = network.config().width as f64;
        let mut stream = Stream::new(seed, "mmlu random output", &[]);
        let outputs = network.layout().tensors().iter();
        for tensor in outputs.filter(|tensor| tensor.role == Part::Output) {
            for value in &mut values[tensor.range()] {
                *value = (stream.normal() / width.sqrt()) as f32;
            }
        }
        io.log(format!("{} parameters", values.len()));
        let bytes = to_bytes(&built, &network, &Values::F32(values)).map_err(failed)?;
        io.write("model", &bytes)
    }
}
