//! Kind `measure`: what claims ask of the models of one training seed, exactly.
//!
//! Outputs, see [`icl::theory::measures`]:
//!
//! * `errors`: columns `model` (`pretrained`, or the label of a fine-tuned one), `task` (`theta0`, `-theta0`,
//!   `unit` for the mean over random unit tasks), `n_shots`, `error`.
//! * `values`: columns `model`, `quantity`, `value`; of models with one head.

use crate::kinds::exchange::measures::{error_table, value_table};
use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::exchange::task::read_task;
use crate::kinds::params::number::{Count, NonNegative, ShotRange};
use icl::prompts::setting::Setting;
use icl::theory::measures;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, any, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

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
    const OUTPUTS: &'static [&'static str] = &["errors.parquet", "values.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "errors" => columns(&["model", "task", "n_shots", "error"]),
            "values" => columns(&["model", "quantity", "value"]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let setting = Setting::new(task.d(), params.noise_var.get()).map_err(failed)?;
        let heads = |path: &Path| {
            read_model(path)?
                .heads()
                .map_err(|_| Error::failed("exact errors are for models of one layer"))
        };
        let mut models = vec![("pretrained".to_owned(), heads(io.input("pretrained")?)?)];
        for (label, path) in io.inputs("finetuned") {
            models.push((label.clone(), heads(path)?));
        }
        let mut shots = params.shots.to_vec();
        shots.extend(params.far_shots.iter().map(|n| n.get()));
        let m = params.pretrain_shots.get();
        let measures = measures::measure(&setting, &task, &models, m, &shots).map_err(failed)?;
        write_table(io, "errors", error_table(&measures.errors))?;
        write_table(io, "values", value_table(&measures.values))
    }
}
