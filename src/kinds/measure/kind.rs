//! Kind `measure`: what claims ask of the models of one training seed, exactly.
//!
//! Outputs, see [`icl::theory::measures`]:
//!
//! * `errors`: columns `model` (`pretrained`, or the label of a fine-tuned one), `task`, `n_shots`,
//!   `error`.
//! * `values`: columns `model`, `quantity`, `value`.

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, read_table, write_table};
use crate::kinds::exchange::task::read_task;
use crate::kinds::measure::evaluate::only_head;
use crate::kinds::params::number::{Count, NonNegative, ShotRange};
use icl::prompts::setting::Setting;
use icl::theory::measures::{self, ErrorAt, Measures, ValueOf};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, any, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use tables::table::{Column, Table};

pub struct Measure;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    noise_var: NonNegative,
    /// m, the shots of pretraining.
    pretrain_shots: Count,
    shots: ShotRange,
    /// Numbers of shots beyond, for limits.
    #[serde(default)]
    far_shots: Vec<Count>,
}

impl StageKind for Measure {
    const NAME: &'static str = "measure";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("task"), one("pretrained"), any("finetuned")];
    const OUTPUTS: &'static [&'static str] = &["errors", "values"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let setting = Setting::new(task.d(), params.noise_var.get()).map_err(failed)?;
        let head = |path: &Path| {
            only_head(&read_model(path)?)
                .ok_or_else(|| Error::failed("exact errors are for one layer with one head"))
        };
        let mut models = vec![("pretrained".to_owned(), head(io.input("pretrained")?)?)];
        for (label, path) in io.inputs("finetuned") {
            models.push((label.clone(), head(path)?));
        }
        let mut shots = params.shots.to_vec();
        shots.extend(params.far_shots.iter().map(|n| n.get()));
        let m = params.pretrain_shots.get();
        let measures = measures::measure(&setting, &task, &models, m, &shots).map_err(failed)?;
        write_table(io, "errors", error_table(&measures.errors))?;
        write_table(io, "values", value_table(&measures.values))
    }
}

type TableResult = std::result::Result<Table, tables::table::TableError>;

fn error_table(errors: &[ErrorAt]) -> TableResult {
    let text = |part: fn(&ErrorAt) -> &str| {
        Column::Text(errors.iter().map(|e| part(e).to_owned()).collect())
    };
    let shots = errors.iter().map(|e| e.n_shots as i64);
    Table::new(vec![
        ("model", text(|e| &e.model)),
        ("task", text(|e| &e.task)),
        ("n_shots", Column::Int(shots.collect())),
        (
            "error",
            Column::Float(errors.iter().map(|e| e.error).collect()),
        ),
    ])
}

fn value_table(values: &[ValueOf]) -> TableResult {
    let text = |part: fn(&ValueOf) -> &str| {
        Column::Text(values.iter().map(|v| part(v).to_owned()).collect())
    };
    // A number without meaning is null in the file.
    let known = values.iter().map(|v| match v.value.is_finite() {
        true => v.value,
        false => f64::NAN,
    });
    Table::new(vec![
        ("model", text(|v| &v.model)),
        ("quantity", text(|v| &v.value_name)),
        ("value", Column::Float(known.collect())),
    ])
}

/// Reads both outputs; errors on real data (kind `pool-evaluate`) have accuracies and no `values` beside.
pub fn read_measures(errors: &Path, values: Option<&Path>) -> Result<Measures> {
    let errors = read_table(errors)?;
    let texts = |table: &Table, name: &str| table.texts(name).map(<[String]>::to_vec);
    let floats = |table: &Table, name: &str| table.floats(name);
    let (model, task) = (texts(&errors, "model"), texts(&errors, "task"));
    let (model, task) = (model.map_err(failed)?, task.map_err(failed)?);
    let n_shots = floats(&errors, "n_shots").map_err(failed)?;
    let error = floats(&errors, "error").map_err(failed)?;
    let has_accuracy = errors.columns().iter().any(|(name, _)| name == "accuracy");
    let accuracy = match has_accuracy {
        true => Some(floats(&errors, "accuracy").map_err(failed)?),
        false => None,
    };
    let errors = (0..error.len()).map(|i| ErrorAt {
        model: model[i].clone(),
        task: task[i].clone(),
        n_shots: n_shots[i] as usize,
        error: error[i],
        accuracy: accuracy.as_ref().map(|accuracy| accuracy[i]),
    });
    let values = match values {
        Some(values) => read_values(&read_table(values)?)?,
        None => Vec::new(),
    };
    Ok(Measures {
        errors: errors.collect(),
        values,
    })
}

fn read_values(values: &Table) -> Result<Vec<ValueOf>> {
    let texts = |name: &str| values.texts(name).map(<[String]>::to_vec);
    let owner = texts("model").map_err(failed)?;
    let name = texts("quantity").map_err(failed)?;
    let value = values.floats("value").map_err(failed)?;
    let values = (0..value.len()).map(|i| ValueOf {
        model: owner[i].clone(),
        value_name: name[i].clone(),
        value: value[i],
    });
    Ok(values.collect())
}
