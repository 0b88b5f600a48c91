//! Kind `bridge-explain`: value-only fine-tuning of a one-layer transformer, split into what the change of V does through
//! the first token, the examples and the query ([`icl::bridge::explain`]).
//!
//! Output `explained`: columns `step`, `measure`, `n_shots`, `quantity`, `value`; rows after a divergence are null. With
//! GROUP one of `first`, `examples`, `query`, quantities are `attention_GROUP` (what the query pays, a mean over heads and
//! prompts), `mean_GROUP` and `mean_square_GROUP` (of what GROUP adds to predictions), `error_none` (the pretrained
//! model's), `error_GROUP_only` and `error_without_GROUP` (as if the new V acted on GROUP alone, on all but it),
//! `error_all`, and `change_norm` (|V' - V| / |V|, the same for every measure).

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::transformer::model_file::{Values, from_bytes};
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::pretrain::hear;
use crate::kinds::transformer::regression::RegressionParams;
use icl::bridge::explain::{GROUPS, check};
use icl::bridge::explained_path::{ExplainedPath, explained_path};
use icl::forgetting::world::{Measure, World};
use icl::math::tensor::float::Float;
use icl::transformer::network::Network;
use icl::transformer::train::Ending;
use retrace::base::error::Result;
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table, TableError};

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
            "explained" => columns(&["step", "measure", "n_shots", "quantity", "value"]),
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
    write_table(io, "explained", table(&path, &measures, &stops))
}

/// Names of a measure's quantities, in the order of [`values`].
fn quantities() -> Vec<String> {
    let of_groups =
        |before: &str, after: &str| GROUPS.map(|group| format!("{before}{group}{after}"));
    let mut names = vec![
        "change_norm".to_owned(),
        "error_none".into(),
        "error_all".into(),
    ];
    for (before, after) in [
        ("attention_", ""),
        ("mean_", ""),
        ("mean_square_", ""),
        ("error_", "_only"),
        ("error_without_", ""),
    ] {
        names.extend(of_groups(before, after));
    }
    names
}

/// The numbers of a measure after a step; NaN where training had diverged.
fn values(path: &ExplainedPath, step: usize, measure: usize) -> Vec<f64> {
    let found = path.checkpoints.iter().find(|at| at.step == step);
    let Some(found) = found else {
        return vec![f64::NAN; quantities().len()];
    };
    let change = &found.changes[measure];
    let error = |acts| change.error(acts);
    let mut values = vec![found.change_norm, error([false; 3]), error([true; 3])];
    values.extend(path.attention[measure]);
    values.extend(change.mean());
    values.extend(change.mean_square());
    for others in [false, true] {
        let of_group = |group| error(std::array::from_fn(|at| (at == group) != others));
        values.extend((0..GROUPS.len()).map(of_group));
    }
    values
}

fn table(
    path: &ExplainedPath,
    measures: &[Measure],
    stops: &[usize],
) -> std::result::Result<Table, TableError> {
    let names = quantities();
    let (mut steps, mut of, mut shots) = (Vec::new(), Vec::new(), Vec::new());
    let (mut quantity, mut value) = (Vec::new(), Vec::new());
    for &step in stops {
        for (at, measure) in measures.iter().enumerate() {
            steps.extend(names.iter().map(|_| step as i64));
            of.extend(names.iter().map(|_| measure.name.to_owned()));
            shots.extend(names.iter().map(|_| measure.shots as i64));
            quantity.extend(names.iter().cloned());
            value.extend(values(path, step, at));
        }
    }
    Table::new(vec![
        ("step", Column::Int(steps)),
        ("measure", Column::Text(of)),
        ("n_shots", Column::Int(shots)),
        ("quantity", Column::Text(quantity)),
        ("value", Column::Float(value)),
    ])
}
