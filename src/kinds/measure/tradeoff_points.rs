//! Kind `tradeoff-points`: the two errors of the trade-off, side by side, of every measured model.
//!
//! Output `points`: columns `set` (the label of an input up to its `@`), `item` (what follows; empty for a single
//! file), `model`, `zero_shot` (on theta0 at n = 0), `few_shot` (mean over random unit tasks at n shots).

use crate::kinds::exchange::table::{failed, read_table, write_table};
use crate::kinds::params::number::Count;
use icl::theory::measures::UNIT;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct TradeoffPoints;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// n of the few-shot error.
    shots: Count,
}

impl StageKind for TradeoffPoints {
    const NAME: &'static str = "tradeoff-points";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("errors")];
    const OUTPUTS: &'static [&'static str] = &["points.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "points" => columns(&["set", "item", "model", "zero_shot", "few_shot"]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("errors", &["model", "task", "n_shots", "error"])
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let shots = params.shots.get();
        let mut texts: [Vec<String>; 3] = Default::default();
        let mut numbers: [Vec<f64>; 2] = Default::default();
        for (label, path) in io.inputs("errors") {
            let (set, item) = label.split_once('@').unwrap_or((label, ""));
            let table = read_table(path)?;
            let (model, task) = (
                table.texts("model").map_err(failed)?,
                table.texts("task").map_err(failed)?,
            );
            let (n_shots, error) = (
                table.floats("n_shots").map_err(failed)?,
                table.floats("error").map_err(failed)?,
            );
            let mut models: Vec<&String> = model.iter().collect();
            models.dedup();
            for name in models {
                let at = |wanted: &str, n: usize| {
                    let here = |row: &usize| {
                        &model[*row] == name && task[*row] == wanted && n_shots[*row] == n as f64
                    };
                    let found = (0..table.rows()).find(here).map(|row| error[row]);
                    found.ok_or_else(|| {
                        Error::failed(format!(
                            "`{label}`: `{name}` was not measured on {wanted} at n = {n}"
                        ))
                    })
                };
                for (column, text) in texts.iter_mut().zip([set, item, name]) {
                    column.push(text.to_owned());
                }
                let row = [at("theta0", 0)?, at(UNIT, shots)?];
                for (column, x) in numbers.iter_mut().zip(row) {
                    column.push(x);
                }
            }
        }
        let [set, item, model] = texts.map(Column::Text);
        let [zero_shot, few_shot] = numbers.map(Column::Float);
        let table = Table::new(vec![
            ("set", set),
            ("item", item),
            ("model", model),
            ("zero_shot", zero_shot),
            ("few_shot", few_shot),
        ]);
        write_table(io, "points", table)
    }
}
