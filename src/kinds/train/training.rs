//! What pretraining and fine-tuning share: train with progress, write the model and its losses.
//!
//! Losses are a table with one row a step: `step`, `loss` (what was minimised), and its parts
//! `zero_shot` and `few_shot`, null where the objective does not have them.

use crate::kinds::exchange::model;
use crate::kinds::exchange::table::{failed, write_table};
use icl::model::weights::LinearAttention;
use icl::train::config::TrainConfig;
use icl::train::descent::{Ending, StepLoss};
use icl::train::sampled::{self, Source};
use retrace::base::error::Result;
use retrace::stage::columns;
use retrace::stage::kind::Io;
use std::ops::ControlFlow;
use tables::table::{Column, Table};

/// Names of the outputs.
pub const OUTPUTS: &[&str] = &["model.json", "losses.parquet"];

/// The columns of the output `losses`.
pub fn columns(output: &str) -> Option<Vec<String>> {
    match output {
        "losses" => columns::columns(&["step", "loss", "zero_shot", "few_shot"]),
        _ => None,
    }
}

/// How often a stage says where it is.
const REPORTS: usize = 200;

/// Trains a copy of `initial` and writes both outputs. Divergence is recorded, not an error.
pub fn train(
    initial: &LinearAttention,
    source: &dyn Source,
    config: &TrainConfig,
    io: &Io,
) -> Result<()> {
    let every = (config.steps / REPORTS).max(1);
    let trained = sampled::train(initial, source, config, |step, loss| {
        if step % every == 0 {
            io.progress(
                step as u64,
                config.steps as u64,
                format!("loss {:.4}", loss.total),
            );
        }
        if io.cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .map_err(failed)?;
    match trained.ending {
        Ending::Stopped { .. } => return Err(io.interrupted()),
        Ending::Diverged { step } => io.log(format!("diverged at step {step}")),
        Ending::Completed => {}
    }
    if let Some(last) = trained.losses.last() {
        io.log(format!(
            "{} steps, last loss {}",
            trained.losses.len(),
            last.total
        ));
    }
    io.write(
        "model",
        &model::to_bytes(&trained.model, trained.diverged_at())?,
    )?;
    let column = |part: fn(&StepLoss) -> Option<f64>| {
        let values = trained
            .losses
            .iter()
            .map(|loss| part(loss).unwrap_or(f64::NAN));
        Column::Float(values.collect())
    };
    let table = Table::new(vec![
        (
            "step",
            Column::Int((0..trained.losses.len() as i64).collect()),
        ),
        ("loss", column(|loss| Some(loss.total))),
        ("zero_shot", column(|loss| loss.zero_shot)),
        ("few_shot", column(|loss| loss.few_shot)),
    ]);
    write_table(io, "losses", table)
}
