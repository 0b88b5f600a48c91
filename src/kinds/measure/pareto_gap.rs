//! Kind `pareto-gap`: how far value-only fine-tuning is from the front, over dimensions, shots and noise levels.
//!
//! All at the least zero-shot error that the value matrix alone can have. Output `gaps`: columns `d`, `n_shots`,
//! `noise_var`, `bound` (that error), `pretrained` (the few-shot error without a bound), `value`, `value_label`, `one_head`,
//! `two_heads` (the construction of `docs/theory.md`, section 10: noise floor at a cost of 1/N), `any_heads`: few-shot
//! errors; `lost` = value - pretrained, `recovered` = (value - value_label) / lost, `scaled` = (value - value_label) (d+4)^2.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use icl::theory::pareto::front::{Family, Tradeoff};
use retrace::base::error::Result;
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct ParetoGap;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    dimensions: Vec<Dimension>,
    noise_vars: Vec<NonNegative>,
    shots: Vec<Count>,
}

const COLUMNS: [&str; 13] = [
    "d",
    "n_shots",
    "noise_var",
    "bound",
    "pretrained",
    "value",
    "value_label",
    "one_head",
    "two_heads",
    "any_heads",
    "lost",
    "recovered",
    "scaled",
];

impl StageKind for ParetoGap {
    const NAME: &'static str = "pareto-gap";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = &["gaps.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "gaps" => columns(&COLUMNS),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut columns: [Vec<f64>; COLUMNS.len()] = Default::default();
        for d in params.dimensions.iter().map(|d| d.get()) {
            for noise in params.noise_vars.iter().map(|noise| noise.get()) {
                for n in params.shots.iter().map(|n| n.get()) {
                    let tradeoff = Tradeoff::new(d, noise, n).map_err(failed)?;
                    let bound = tradeoff.least_zero_shot(Family::Value);
                    let few = |family, bound: f64| {
                        let point = tradeoff.point(family, bound);
                        point.map(|point| point.few_shot).map_err(failed)
                    };
                    let pretrained = few(Family::AnyHeads, f64::INFINITY)?;
                    let value = few(Family::Value, bound)?;
                    let label = few(Family::ValueAndLabelColumn, bound)?;
                    let row = [
                        d as f64,
                        n as f64,
                        noise,
                        bound,
                        pretrained,
                        value,
                        label,
                        few(Family::OneHead, bound)?,
                        pretrained + 1.0 / (n as f64 + 1.0),
                        few(Family::AnyHeads, bound)?,
                        value - pretrained,
                        (value - label) / (value - pretrained),
                        (value - label) * (d as f64 + 4.0) * (d as f64 + 4.0),
                    ];
                    for (column, x) in columns.iter_mut().zip(row) {
                        column.push(x);
                    }
                }
            }
        }
        let table = COLUMNS.into_iter().zip(columns).enumerate();
        let table = table.map(|(at, (name, values))| match at < 2 {
            true => (
                name,
                Column::Int(values.iter().map(|x| *x as i64).collect()),
            ),
            false => (name, Column::Float(values)),
        });
        write_table(io, "gaps", Table::new(table.collect()))
    }
}
