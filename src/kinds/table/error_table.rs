//! Kind `error-table`: test error by model, task and shots: Monte Carlo with its standard error,
//! and exact at the same parameters.
//!
//! CSV and Parquet hold every row and column of the evaluation, with `z` = (error - exact) / standard error;
//! the LaTeX fragment holds some numbers of shots.

use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::table::print::{self, Names, column, printed};
use plots::latex::{self, Align, Group};
use plots::number;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct ErrorTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    names: Names,
    /// Models in the LaTeX fragment, in order.
    models: Vec<String>,
    /// Numbers of shots in the LaTeX fragment.
    shots: Vec<u32>,
}

impl StageKind for ErrorTable {
    const NAME: &'static str = "error-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("errors")];
    const OUTPUTS: &'static [&'static str] = print::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&[
                "model",
                "task",
                "n_shots",
                "error",
                "std_error",
                "prompts",
                "exact",
                "median",
                "q90",
                "tail",
                "z",
            ]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted(
            "errors",
            &["model", "task", "n_shots", "error", "std_error", "exact"],
        )
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let errors = read_table(io.input("errors")?)?;
        let floats = |name: &str| errors.floats(name).map_err(failed);
        let (mean, std_error, exact) = (floats("error")?, floats("std_error")?, floats("exact")?);
        let z = (0..errors.rows()).map(|row| (mean[row] - exact[row]) / std_error[row]);
        let mut columns: Vec<(&str, Column)> = errors
            .columns()
            .iter()
            .map(|(name, column)| (name.as_str(), column.clone()))
            .collect();
        columns.push(("z", Column::Float(z.collect())));
        let table = Table::new(columns).map_err(failed)?;

        let (model, task) = (
            errors.texts("model").map_err(failed)?,
            errors.texts("task").map_err(failed)?,
        );
        let n_shots = floats("n_shots")?;
        // Consecutive rows of one model and task.
        let same = |a: usize, b: usize| model[a] == model[b] && task[a] == task[b];
        let all: Vec<usize> = (0..errors.rows()).collect();
        let blocks: Vec<&[usize]> = all.chunk_by(|&a, &b| same(a, b)).collect();
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut rules_above = Vec::new();
        for (at, wanted) in params.models.iter().enumerate() {
            let blocks: Vec<&&[usize]> = blocks
                .iter()
                .filter(|block| model[block[0]] == *wanted)
                .collect();
            if blocks.is_empty() {
                let error = Error::failed(format!("models.{at}: there is no model `{wanted}`"));
                return Err(error.suggest(wanted, model.iter().map(String::as_str)));
            }
            if !rows.is_empty() {
                rules_above.push(rows.len());
            }
            for block in blocks {
                let task = &task[block[0]];
                let mut cells = vec![
                    printed(&params.names, wanted).to_owned(),
                    task.replace('-', "\u{2212}").replace("theta0", "θ₀"),
                ];
                for (at, &shots) in params.shots.iter().enumerate() {
                    let found = block
                        .iter()
                        .copied()
                        .find(|&i| n_shots[i] == f64::from(shots));
                    let i = found.ok_or_else(|| {
                        let message = format!(
                            "shots.{at}: `{wanted}` was not evaluated on `{task}` at n = {shots}"
                        );
                        let known: Vec<String> =
                            block.iter().map(|&i| n_shots[i].to_string()).collect();
                        let known = known.iter().map(String::as_str);
                        Error::failed(message).suggest(&shots.to_string(), known)
                    })?;
                    cells.push(number::with_error(mean[i], std_error[i], 1));
                    cells.push(number::fixed(exact[i], 4));
                }
                rows.push(cells);
            }
        }
        let mut columns = vec![column("Model", Align::Left), column("Task", Align::Left)];
        let mut groups = vec![Group {
            header: String::new(),
            span: 2,
        }];
        for n in &params.shots {
            columns.push(column("learned", Align::Decimal));
            columns.push(column("exact", Align::Decimal));
            groups.push(Group {
                header: format!("n = {n}"),
                span: 2,
            });
        }
        let print = latex::Table {
            columns,
            groups,
            rows,
            rules_above,
            notes: Vec::new(),
        };
        print::write(io, &table, &print)
    }
}
