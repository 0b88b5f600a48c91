//! Kind `loss-table`: the loss at the end of each training, as a mean over its last steps.

use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::params::number::Count;
use crate::kinds::table::print::{self, Names, column, printed};
use icl::math::moments::Moments;
use plots::latex::{self, Align};
use plots::number;
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use tables::table::{Column, Table};

pub struct LossTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    names: Names,
    /// Trainings in order, by the label of their input or the item of their matrix.
    models: Vec<String>,
    /// Steps at the end that are averaged.
    last: Count,
}

impl StageKind for LossTable {
    const NAME: &'static str = "loss-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("losses")];
    const OUTPUTS: &'static [&'static str] = print::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&[
                "model",
                "steps",
                "loss",
                "std_error",
                "zero_shot",
                "few_shot",
            ]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("losses", &["loss", "zero_shot", "few_shot"])
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let (mut model, mut steps) = (Vec::new(), Vec::new());
        let mut numbers = vec![Vec::new(); 4];
        let mut rows = Vec::new();
        let inputs: Vec<(&str, &Path)> = io
            .inputs("losses")
            .iter()
            .map(|(label, path)| (label.rsplit('@').next().unwrap_or(label), path.as_path()))
            .collect();
        for (label, path) in print::in_order(&params.models, &inputs, |(label, _)| label)? {
            let table = read_table(path)?;
            let mut cells = vec![printed(&params.names, label).to_owned()];
            model.push((*label).to_owned());
            steps.push(table.rows() as i64);
            cells.push(table.rows().to_string());
            for (slot, part) in ["loss", "zero_shot", "few_shot"].into_iter().enumerate() {
                let values = table.floats(part).map_err(failed)?;
                let mut moments = Moments::new();
                let from = values.len().saturating_sub(params.last.get());
                values[from..].iter().for_each(|&value| moments.push(value));
                let estimate = moments.estimate();
                numbers[slot].push(estimate.mean);
                if slot == 0 {
                    numbers[3].push(estimate.std_error);
                }
                cells.push(match estimate.mean.is_nan() {
                    true => String::new(),
                    false => number::with_error(estimate.mean, estimate.std_error, 1),
                });
            }
            rows.push(cells);
        }
        let [loss, zero_shot, few_shot, std_error] =
            <[Vec<f64>; 4]>::try_from(numbers).map_err(|_| failed("four columns"))?;
        let table = Table::new(vec![
            ("model", Column::Text(model)),
            ("steps", Column::Int(steps)),
            ("loss", Column::Float(loss)),
            ("std_error", Column::Float(std_error)),
            ("zero_shot", Column::Float(zero_shot)),
            ("few_shot", Column::Float(few_shot)),
        ])
        .map_err(failed)?;
        let columns = vec![
            column("Model", Align::Left),
            column("Steps", Align::Right),
            column("Loss", Align::Decimal),
            column("Zero-shot part", Align::Decimal),
            column("Few-shot part", Align::Decimal),
        ];
        let notes = vec![format!("Means over the last {} steps.", params.last.get())];
        let print = latex::Table {
            columns,
            groups: Vec::new(),
            rows,
            rules_above: Vec::new(),
            notes,
        };
        print::write(io, &table, &print)
    }
}
