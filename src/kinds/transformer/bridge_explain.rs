//! Kind `bridge-explain`: value-only fine-tuning of a one-layer transformer, split into what the change of V does through
//! the first token, the examples and the query ([`tuning::bridge::explain`]).
//!
//! Output `explained`: columns `step`, `measure`, `n_shots`, `quantity`, `tokens`, `value`; after a divergence all but `attention` is null.
//! `tokens` is `first`, `examples` or `query`, besides `none` and `all` for errors; prompts without a first token, or
//! without examples, have no rows of these. Quantities:
//!
//! * `attention`: what the query pays, a mean over heads and prompts; fine-tuning leaves it;
//! * `added`, `added_square`: means over prompts of what the change of V adds to the prediction through these tokens, and
//!   of its square;
//! * `alone_square`: of `query`, the mean square of what it would add if every head paid all its attention to it;
//! * `error`: as if the new V acted on these tokens alone, the pretrained one on all others; of `none` it is
//!   the pretrained model's, of `all` the fine-tuned one's;
//! * `error_without`: as if it acted on all tokens but these;
//! * `change_norm`: |V' - V| / |V| (Frobenius), of `all` and the same for every measure.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::transformer::model_file::{Values, from_bytes};
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::pretrain::hear;
use crate::kinds::transformer::regression::RegressionParams;
use icl::math::tensor::float::Float;
use retrace::base::error::Result;
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table, TableError};
use tuning::bridge::explain::{Change, GROUPS, check};
use tuning::bridge::explained_path::{ExplainedPath, explained_path};
use tuning::forgetting::world::{Measure, World};
use tuning::transformer::network::Network;
use tuning::transformer::train::Ending;

pub struct BridgeExplain;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    world: RegressionParams,
    training: Optimisation,
}

impl StageKind for BridgeExplain {
    const NAME: &'static str = "bridge-explain";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("pretrained")];
    const OUTPUTS: &'static [&'static str] = &["explained.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params
            .training
            .check()
            .map_err(|e| format!("training: {e}"))
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "explained" => columns(&["step", "measure", "n_shots", "quantity", "tokens", "value"]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let (built, network, pretrained) = from_bytes(&io.read("pretrained")?)?;
        params.world.check_reader(&built)?;
        check(network.config()).map_err(failed)?;
        match pretrained {
            Values::F32(values) => run_from(params, &network, &values, io),
            Values::F64(values) => run_from(params, &network, &values, io),
        }
    }
}

fn run_from<T: Float>(params: &Params, network: &Network, pretrained: &[T], io: &Io) -> Result<()> {
    let world = params.world.world();
    let measures = world.measures().map_err(failed)?;
    let training = params.training.training(params.world.seed());
    let stops = params.training.stops();
    let path = explained_path(
        network,
        pretrained,
        &world,
        world.first_token,
        &measures,
        &training,
        &stops,
        &mut hear(io, training.steps, "V"),
    )
    .map_err(failed)?;
    match path.ending {
        Ending::Stopped => return Err(io.interrupted()),
        Ending::Diverged { step } => io.log(format!("diverged at step {step}")),
        Ending::Completed => {}
    }
    let table = table(&path, world.first_token, &measures, &stops);
    write_table(io, "explained", table)
}

/// A quantity, of which tokens, and its number.
type Quantity = (&'static str, &'static str, f64);

/// All of a measure after a step; NaN where training had diverged.
fn quantities(path: &ExplainedPath, step: usize, measure: usize, has: [bool; 3]) -> Vec<Quantity> {
    let found = path.checkpoints.iter().find(|at| at.step == step);
    let change = found.map(|found| &found.changes[measure]);
    let number = |of: &dyn Fn(&Change) -> f64| change.map_or(f64::NAN, of);
    let norm = found.map_or(f64::NAN, |found| found.change_norm);
    let mut all = vec![
        ("change_norm", "all", norm),
        ("alone_square", "query", number(&Change::alone_square)),
        ("error", "none", number(&|change| change.error([false; 3]))),
        ("error", "all", number(&|change| change.error([true; 3]))),
    ];
    for (at, tokens) in GROUPS.into_iter().enumerate().filter(|(at, _)| has[*at]) {
        let only = std::array::from_fn(|other| other == at);
        let others = only.map(|is: bool| !is);
        all.extend([
            ("attention", tokens, path.attention[measure][at]),
            ("added", tokens, number(&|change| change.mean()[at])),
            (
                "added_square",
                tokens,
                number(&|change| change.mean_square()[at]),
            ),
            ("error", tokens, number(&|change| change.error(only))),
            (
                "error_without",
                tokens,
                number(&|change| change.error(others)),
            ),
        ]);
    }
    all
}

fn table(
    path: &ExplainedPath,
    first_token: bool,
    measures: &[Measure],
    stops: &[usize],
) -> std::result::Result<Table, TableError> {
    let (mut steps, mut of, mut shots) = (Vec::new(), Vec::new(), Vec::new());
    let (mut names, mut tokens, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for &step in stops {
        for (at, measure) in measures.iter().enumerate() {
            let has = [first_token, measure.shots > 0, true];
            for (quantity, of_tokens, value) in quantities(path, step, at, has) {
                steps.push(step as i64);
                of.push(measure.name.to_owned());
                shots.push(measure.shots as i64);
                names.push(quantity.to_owned());
                tokens.push(of_tokens.to_owned());
                values.push(value);
            }
        }
    }
    Table::new(vec![
        ("step", Column::Int(steps)),
        ("measure", Column::Text(of)),
        ("n_shots", Column::Int(shots)),
        ("quantity", Column::Text(names)),
        ("tokens", Column::Text(tokens)),
        ("value", Column::Float(values)),
    ])
}
