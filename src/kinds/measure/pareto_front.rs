//! Kind `pareto-front`: the least mean few-shot error under a bound on the zero-shot error, exactly and by descent.
//!
//! Output `front`: a row for each curve and bound that it can keep; columns
//!
//! * `curve`: a family (`value`, `value_label`, `value_constant`, `value_label_constant`, `one_head`, `any_heads`),
//!   or `descent_H` for descent over all entries of H heads, or `every_value` for one head with value vectors of many
//!   directions, each with the optimal Q;
//! * `heads`: 0 for any number; `bound`, and `level`, its place among the bounds; `zero_shot`, `few_shot`: the exact errors there;
//! * `excess`: `few_shot` above the least without a bound;
//! * `alpha`, `beta`, `a`, `b`, `c`, `gamma`: the model of a family of one head, v = (0, alpha theta0, beta), Q00 = c,
//!   Q\[x,x\] = b I + (a - b) theta0 theta0^T, Q\[x,y\] = gamma theta0; null elsewhere.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use icl::theory::pareto::entries::LARGEST_D;
use icl::theory::pareto::every_value::EveryValue;
use icl::theory::pareto::front::{FAMILIES, Family, FrontError, FrontModel, Tradeoff};
use icl::theory::pareto::search::{Errors, Plan};
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct ParetoFront;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
    /// n of the few-shot error.
    shots: Count,
    /// Bounds on the zero-shot error, less the noise variance; the least that the value matrix alone can have is added.
    above_noise: Vec<NonNegative>,
    /// Descents over all entries.
    descents: Vec<DescentParams>,
    seed: u64,
    /// Directions of the value vector.
    #[serde(default)]
    every_value: Option<EveryValueParams>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DescentParams {
    heads: Count,
    /// Random starts for each bound.
    starts: Count,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EveryValueParams {
    /// Steps of each of three angles.
    side: Count,
    /// Every how many bounds.
    each: Count,
}

struct Row {
    curve: String,
    heads: usize,
    level: usize,
    bound: f64,
    zero_shot: f64,
    few_shot: f64,
    model: Option<[f64; 6]>,
}

impl StageKind for ParetoFront {
    const NAME: &'static str = "pareto-front";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = &["front.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let d = params.d.get();
        let entries = !params.descents.is_empty() || params.every_value.is_some();
        if entries && d > LARGEST_D {
            return Err(format!(
                "d: {d} is more than {LARGEST_D}, the most for descents and every_value; take these away, the families go on"
            ));
        }
        let tradeoff = Tradeoff::new(d, params.noise_var.get(), params.shots.get());
        tradeoff.map(|_| ()).map_err(|e| e.to_string())
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "front" => columns(&[
                "curve",
                "heads",
                "level",
                "bound",
                "zero_shot",
                "few_shot",
                "excess",
                "alpha",
                "beta",
                "a",
                "b",
                "c",
                "gamma",
            ]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let tradeoff = Tradeoff::new(params.d.get(), params.noise_var.get(), params.shots.get());
        let tradeoff = tradeoff.map_err(failed)?;
        let noise_var = params.noise_var.get();
        let above = params.above_noise.iter();
        let mut bounds: Vec<f64> = above.map(|above| noise_var + above.get()).collect();
        bounds.push(tradeoff.least_zero_shot(Family::Value));
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let mut rows = families(&tradeoff, &bounds)?;
        let total = (params.descents.len() * bounds.len()) as u64;
        let mut done = 0;
        for descent in &params.descents {
            let heads = descent.heads.get();
            let errors = Errors::new(&tradeoff, heads);
            let plan = Plan {
                starts: descent.starts.get(),
                seed: params.seed,
            };
            for (level, &bound) in bounds.iter().enumerate() {
                if io.cancelled() {
                    return Err(io.interrupted());
                }
                io.progress(done, total, format!("{heads} heads, bound {bound}"));
                done += 1;
                rows.extend(errors.search(bound, &plan).map(|found| Row {
                    curve: format!("descent_{heads}"),
                    heads,
                    level,
                    bound,
                    zero_shot: found.zero_shot,
                    few_shot: found.few_shot,
                    model: None,
                }));
            }
        }
        if let Some(every) = &params.every_value {
            let all = EveryValue::new(&tradeoff);
            for (level, &bound) in bounds
                .iter()
                .enumerate()
                .filter(|(level, _)| level % every.each.get() == 0)
            {
                if io.cancelled() {
                    return Err(io.interrupted());
                }
                let found = all.least_of_grid(bound, every.side.get());
                rows.extend(found.map(|found| Row {
                    curve: "every_value".to_owned(),
                    heads: 1,
                    level,
                    bound,
                    zero_shot: found.bounded,
                    few_shot: found.value,
                    model: None,
                }));
            }
        }
        let free = tradeoff.point(Family::AnyHeads, f64::INFINITY);
        let free = free.map_err(failed)?.few_shot;
        write_table(io, "front", table(&rows, free))
    }
}

/// The points of all families within their reach.
fn families(tradeoff: &Tradeoff, bounds: &[f64]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for family in FAMILIES {
        for (level, &bound) in bounds.iter().enumerate() {
            let point = match tradeoff.point(family, bound) {
                Ok(point) => point,
                Err(FrontError::OutOfReach { .. }) => continue,
                Err(error) => return Err(Error::failed(error.to_string())),
            };
            let model = match point.model {
                FrontModel::AnyHeads(_) => None,
                FrontModel::OneHead {
                    alpha,
                    beta,
                    a,
                    b,
                    c,
                    gamma,
                } => Some([alpha, beta, a, b, c, gamma]),
            };
            rows.push(Row {
                curve: family.name().to_owned(),
                heads: usize::from(model.is_some()),
                level,
                bound,
                zero_shot: point.zero_shot,
                few_shot: point.few_shot,
                model,
            });
        }
    }
    Ok(rows)
}

fn table(rows: &[Row], free: f64) -> std::result::Result<Table, tables::table::TableError> {
    let float = |part: &dyn Fn(&Row) -> f64| Column::Float(rows.iter().map(part).collect());
    let of_model = |at: usize| float(&|row| row.model.map_or(f64::NAN, |model| model[at]));
    Table::new(vec![
        (
            "curve",
            Column::Text(rows.iter().map(|row| row.curve.clone()).collect()),
        ),
        (
            "heads",
            Column::Int(rows.iter().map(|row| row.heads as i64).collect()),
        ),
        (
            "level",
            Column::Int(rows.iter().map(|row| row.level as i64).collect()),
        ),
        ("bound", float(&|row| row.bound)),
        ("zero_shot", float(&|row| row.zero_shot)),
        ("few_shot", float(&|row| row.few_shot)),
        ("excess", float(&|row| row.few_shot - free)),
        ("alpha", of_model(0)),
        ("beta", of_model(1)),
        ("a", of_model(2)),
        ("b", of_model(3)),
        ("c", of_model(4)),
        ("gamma", of_model(5)),
    ])
}
