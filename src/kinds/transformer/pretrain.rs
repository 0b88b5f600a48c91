//! Pretraining in any world: the model and what was measured on the way.
//!
//! Output `model`: a safetensors file. Output `curve`: columns `step`, `loss` (null after the last step), `measure`,
//! `n_shots`, `error`; rows after a divergence are null. Does not know worlds.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::transformer::model::{ModelParams, Tokens};
use crate::kinds::transformer::model_file::{Built, Stored, to_bytes};
use retrace::base::error::Result;
use retrace::stage::columns;
use retrace::stage::kind::Io;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use tables::table::{Column, Table};
use tuning::forgetting::paths::{self, Path};
use tuning::forgetting::world::{Measure, World};
use tuning::transformer::model::parameters::initial;
use tuning::transformer::network::Network;
use tuning::transformer::train::{Ending, Training};

/// Names of the outputs.
pub const OUTPUTS: &[&str] = &["model.safetensors", "curve.parquet"];

/// The columns of the output `curve`.
pub fn columns(output: &str) -> Option<Vec<String>> {
    match output {
        "curve" => columns::columns(&["step", "loss", "measure", "n_shots", "error"]),
        _ => None,
    }
}

/// Numbers of what precision parameters, activations and gradients are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    F32,
    F64,
}

/// What is pretrained.
pub struct Plan<'a> {
    pub model: &'a ModelParams,
    pub tokens: Tokens,
    pub outputs: usize,
    pub world: &'a dyn World,
    pub training: Training,
    pub stops: Vec<usize>,
    pub seed: u64,
}

/// Trains and writes both outputs. Divergence is recorded, not an error.
pub fn pretrain(precision: Precision, plan: &Plan<'_>, io: &Io) -> Result<()> {
    match precision {
        Precision::F32 => pretrain_in::<f32>(plan, io),
        Precision::F64 => pretrain_in::<f64>(plan, io),
    }
}

fn pretrain_in<T: Stored>(plan: &Plan<'_>, io: &Io) -> Result<()> {
    let config = plan
        .model
        .config(plan.tokens, plan.outputs)
        .map_err(failed)?;
    let network = Network::new(config).map_err(failed)?;
    let mut parameters: Vec<T> = initial(network.layout(), plan.model.init(), plan.seed);
    io.log(format!("{} parameters", parameters.len()));
    let steps = plan.training.steps;
    let hear = &mut hear(io, steps, "");
    let (world, stops) = (plan.world, &plan.stops);
    let path = paths::pretrain(
        &network,
        &mut parameters,
        world,
        &plan.training,
        stops,
        hear,
    )
    .map_err(failed)?;
    let diverged_at = match path.ending {
        Ending::Stopped => return Err(io.interrupted()),
        Ending::Diverged { step } => {
            io.log(format!("diverged at step {step}"));
            Some(step)
        }
        Ending::Completed => None,
    };
    let built = Built {
        model: plan.model.clone(),
        tokens: plan.tokens,
        outputs: plan.outputs,
        diverged_at,
    };
    io.write("model", &to_bytes(&built, &network, &T::store(parameters))?)?;
    let mut rows = Rows::default();
    rows.push(&path, &plan.world.measures().map_err(failed)?, &plan.stops);
    let table = rows.table();
    write_table(io, "curve", table)
}

/// How often a stage says where it is.
const REPORTS: usize = 200;

/// Reports progress now and then, and stops where the run was cancelled.
pub fn hear<'a>(
    io: &'a Io,
    steps: usize,
    name: &'a str,
) -> impl FnMut(usize, f64) -> ControlFlow<()> + 'a {
    let every = (steps / REPORTS).max(1);
    move |step, loss| {
        if step % every == 0 {
            io.progress(step as u64, steps as u64, format!("{name} loss {loss:.4}"));
        }
        match io.cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// Checkpoints as rows.
#[derive(Default)]
pub struct Rows {
    step: Vec<i64>,
    loss: Vec<f64>,
    measure: Vec<String>,
    n_shots: Vec<i64>,
    error: Vec<f64>,
}

impl Rows {
    /// A row for each stop and measure; null where training had diverged. Returns how many.
    pub fn push(&mut self, path: &Path, measures: &[Measure], stops: &[usize]) -> usize {
        for &stop in stops {
            let found = path
                .checkpoints
                .iter()
                .find(|checkpoint| checkpoint.step == stop);
            for (at, measure) in measures.iter().enumerate() {
                self.step.push(stop as i64);
                self.loss
                    .push(found.and_then(|found| found.loss).unwrap_or(f64::NAN));
                self.measure.push(measure.name.to_owned());
                self.n_shots.push(measure.shots as i64);
                self.error
                    .push(found.map_or(f64::NAN, |found| found.errors[at]));
            }
        }
        stops.len() * measures.len()
    }

    /// With `loss`.
    fn table(self) -> std::result::Result<Table, tables::table::TableError> {
        Table::new(vec![
            ("step", Column::Int(self.step)),
            ("loss", Column::Float(self.loss)),
            ("measure", Column::Text(self.measure)),
            ("n_shots", Column::Int(self.n_shots)),
            ("error", Column::Float(self.error)),
        ])
    }

    /// Without `loss`, led by a variant's name.
    pub fn table_of_variants(
        self,
        variant: Vec<String>,
    ) -> std::result::Result<Table, tables::table::TableError> {
        Table::new(vec![
            ("variant", Column::Text(variant)),
            ("step", Column::Int(self.step)),
            ("measure", Column::Text(self.measure)),
            ("n_shots", Column::Int(self.n_shots)),
            ("error", Column::Float(self.error)),
        ])
    }
}
