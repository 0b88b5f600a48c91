//! What pretraining and fine-tuning share: train with progress, write the model and its losses.
//!
//! Losses are a table with one row a step: `step`, `loss` (what was minimised), and its parts
//! `zero_shot` and `few_shot`, null where the objective does not have them.

use crate::kinds::exchange::model;
use crate::kinds::exchange::table::{failed, write_table};
use icl::model::weights::LinearAttention;
use icl::train::config::TrainConfig;
use icl::train::descent::{Ending, StepLoss, TrainError, Trained};
use icl::train::sampled::{self, Source, Training};
use retrace::base::error::{Error, Result};
use retrace::stage::columns;
use retrace::stage::kind::Io;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, Sender};
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

/// A training that may be made beside others, and who hears of it.
struct Part {
    initial: LinearAttention,
    config: TrainConfig,
    reports: Sender<Report>,
}

enum Report {
    Step(usize, StepLoss),
    End(std::result::Result<Trained, TrainError>),
}

/// Trains a copy of `initial` and writes both outputs. Divergence is recorded, not an error.
///
/// Stages that share their work ([`Io::gather`]) have the same source, and their trainings are made side by side.
pub fn train(
    initial: LinearAttention,
    source: &dyn Source,
    config: TrainConfig,
    io: &Io,
) -> Result<()> {
    let steps = config.steps;
    let (reports, heard) = mpsc::channel();
    let parts = io.gather(Part {
        initial,
        config,
        reports,
    });
    let trained = rayon::in_place_scope(|pool| {
        if !parts.is_empty() {
            pool.spawn(|_| train_parts(&parts, source));
        }
        until_its_end(heard, steps, io)
    })?;
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

/// Makes the trainings of all parts; each hears of its own.
fn train_parts(parts: &[Part], source: &dyn Source) {
    let trainings = parts.iter().map(|part| Training {
        initial: &part.initial,
        config: &part.config,
        on_step: Box::new(
            |step, loss| match part.reports.send(Report::Step(step, loss)) {
                Ok(()) => ControlFlow::Continue(()),
                // Nobody waits for it any more.
                Err(_) => ControlFlow::Break(()),
            },
        ),
    });
    let trained = sampled::train_all(trainings.collect(), source);
    for (part, trained) in parts.iter().zip(trained) {
        let _ = part.reports.send(Report::End(trained));
    }
}

/// What comes of a training that somebody makes; says where it is in the meantime.
fn until_its_end(heard: Receiver<Report>, steps: usize, io: &Io) -> Result<Trained> {
    let every = (steps / REPORTS).max(1);
    for report in heard {
        match report {
            Report::Step(step, loss) if step % every == 0 => {
                let note = format!("loss {:.4}", loss.total);
                io.progress(step as u64, steps as u64, note);
            }
            Report::Step(..) => {}
            Report::End(trained) => return trained.map_err(failed),
        }
        if io.cancelled() {
            return Err(io.interrupted());
        }
    }
    Err(Error::failed("the training that it was part of has failed"))
}
