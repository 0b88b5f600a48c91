//! Kind `finetune`: a pretrained model trained on prompts drawn from the fixed set of one task.

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::params::training::TrainingParams;
use crate::kinds::train::training;
use icl::model::trainable::Trainable;
use icl::prompts::data_set::DataSet;
use icl::train::objective::Objective;
use icl::train::rows::Rows;
use ndarray::Array2;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

pub struct Finetune;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    objective: Goal,
    trainable: Trains,
    training: TrainingParams,
}

/// What is minimised.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Goal {
    /// The zero-shot loss.
    ZeroShot,
    /// The zero-shot loss plus the few-shot loss, whose weight falls linearly to 0.
    ZeroAndFewShot,
}

/// The matrices that are updated; `key-query` for merged models, `query` and `key` for separate.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Trains {
    All,
    KeyQuery,
    Query,
    Key,
    Value,
}

impl StageKind for Finetune {
    const NAME: &'static str = "finetune";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("pretrained"), one("data_set")];
    const OUTPUTS: &'static [&'static str] = training::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        training::columns(output)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let initial = read_model(io.input("pretrained")?)?;
        let data = read_data_set(io.input("data_set")?)?;
        let objective = match params.objective {
            Goal::ZeroShot => Objective::ZeroShot,
            Goal::ZeroAndFewShot => Objective::ZeroAndFewShot,
        };
        let trainable = match params.trainable {
            Trains::All => Trainable::All,
            Trains::KeyQuery => Trainable::KeyQuery,
            Trains::Query => Trainable::Query,
            Trains::Key => Trainable::Key,
            Trains::Value => Trainable::Value,
        };
        let config = params.training.config(objective, trainable);
        training::train(&initial, &Rows(&data), &config, io)
    }
}

/// Reads a table with columns x1..xd and y.
fn read_data_set(path: &Path) -> Result<DataSet> {
    let table = read_table(path)?;
    let d = table.columns().len().saturating_sub(1);
    let columns: Vec<Vec<f64>> = (1..=d)
        .map(|j| table.floats(&format!("x{j}")))
        .collect::<std::result::Result<_, _>>()
        .map_err(failed)?;
    let x = Array2::from_shape_fn((table.rows(), d), |(row, j)| columns[j][row]);
    DataSet::from_arrays(x.view(), &table.floats("y").map_err(failed)?).map_err(failed)
}
