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
use std::panic;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
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
    let trained = train_parts(parts, source, || until_its_end(heard, steps, io))?;
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

/// Makes the trainings of all parts, if there are any, and what `meanwhile` does beside them. Each part hears of its
/// own, and of a panic by the end of its channel; then it is also this thread's.
fn train_parts<T>(parts: Vec<Part>, source: &dyn Source, meanwhile: impl FnOnce() -> T) -> T {
    if parts.is_empty() {
        return meanwhile();
    }
    // A thread of its own, not a task of the pool: one of those who wait there for a block could take it up, and
    // would be back after all its steps.
    thread::scope(|threads| {
        let trainer = threads.spawn(move || train_all(parts, source));
        let made = meanwhile();
        if let Err(panic) = trainer.join() {
            panic::resume_unwind(panic);
        }
        made
    })
}

fn train_all(parts: Vec<Part>, source: &dyn Source) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use icl::model::head::Head;
    use icl::model::trainable::Trainable;
    use icl::train::batch::{BatchPlan, Batches};
    use icl::train::objective::Objective;
    use icl::train::optimizer::OptimizerConfig;
    use ndarray::Array2;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Whose prompts cannot be had.
    struct Faulty;

    impl Source for Faulty {
        fn d(&self) -> usize {
            3
        }

        fn batches(&self, _: BatchPlan, _: usize) -> Box<dyn Batches + '_> {
            panic!("no prompts")
        }
    }

    #[test]
    fn all_who_train_side_by_side_hear_of_a_panic() {
        let config = TrainConfig {
            steps: 1,
            batch_size: 8,
            n_shots: 2,
            objective: Objective::ZeroShot,
            trainable: Trainable::All,
            optimizer: OptimizerConfig::Sgd {
                learning_rate: 0.01,
                momentum: 0.0,
            },
            clip_norm: None,
            seed: 0,
        };
        let head = Head::new(vec![0.0; 5], Array2::zeros((5, 5))).expect("shapes are right");
        let (mut parts, mut heard) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (reports, of_it) = mpsc::channel();
            parts.push(Part {
                initial: LinearAttention::from_head(&head),
                config: config.clone(),
                reports,
            });
            heard.push(of_it);
        }
        let trained = catch_unwind(AssertUnwindSafe(|| {
            train_parts(parts, &Faulty, || {
                heard
                    .iter()
                    .map(|of_it| of_it.iter().count())
                    .sum::<usize>()
            })
        }));
        let panic = trained.expect_err("the trainer panicked");
        assert_eq!(panic.downcast_ref(), Some(&"no prompts"));
    }
}
