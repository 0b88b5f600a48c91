//! Training on sampled prompts.
//!
//! Bit-identical for any thread count: a step's batch is cut into blocks of [`batch::BLOCK`] prompts, each
//! with its own random streams, and the blocks' gradients are added in order. Models that are trained on the
//! same prompts may be trained side by side, to the same bits as one by one: to draw prompts is most of the work. Does not
//! know which kinds of prompts there are: they are [`Source`]s, a file each, so that a change of one is none of
//! the others.

use crate::model::weights::{LinearAttention, Shape};
#[cfg(doc)]
use crate::train::batch;
use crate::train::batch::{BatchPlan, Batches, Part, Reader, Streams};
use crate::train::config::TrainConfig;
use crate::train::descent::{Descending, StepLoss, TrainError, Trained};
use crate::train::running::Running;
use std::ops::ControlFlow;

/// Where training prompts come from.
pub trait Source: Sync {
    /// Covariate dimension of its prompts.
    fn d(&self) -> usize;
    /// Batches of prompts with `n_shots` context pairs.
    fn batches(&self, plan: BatchPlan, n_shots: usize) -> Box<dyn Batches + '_>;
}

/// A training: from where, how, and who hears of each step.
pub struct Training<'a> {
    pub initial: &'a LinearAttention,
    pub config: &'a TrainConfig,
    /// Called after each update; `Break` ends this training there.
    pub on_step: Box<dyn FnMut(usize, StepLoss) -> ControlFlow<()> + 'a>,
}

/// Trains a copy of `initial` and returns it with its losses.
///
/// `on_step(step, loss)` is called after each update; `Break` ends training there. Runs on rayon's
/// current pool; the result does not depend on its size.
///
/// # Errors
/// Dimensions that differ, an empty batch or no steps, constants that make no sense, a trainable
/// set that the parametrisation does not have. Divergence is a result, not an error.
pub fn train<'a>(
    initial: &'a LinearAttention,
    source: &'a dyn Source,
    config: &'a TrainConfig,
    on_step: impl FnMut(usize, StepLoss) -> ControlFlow<()> + 'a,
) -> Result<Trained, TrainError> {
    let training = Training {
        initial,
        config,
        on_step: Box::new(on_step),
    };
    let mut trained = train_all(vec![training], source);
    trained.pop().unwrap_or(Err(TrainError::NoSteps))
}

/// Makes several trainings at once, each as [`train`] makes it. Those that read the same prompts (of the same
/// seed, number of shots and batch size, for models of the same shape) share them.
///
/// The results, and what is wrong with a training, are in the order of `trainings`.
pub fn train_all(
    trainings: Vec<Training<'_>>,
    source: &dyn Source,
) -> Vec<Result<Trained, TrainError>> {
    let mut groups: Vec<(Prompts, Vec<Student<'_>>)> = Vec::new();
    let mut results: Vec<Option<Result<Trained, TrainError>>> = Vec::new();
    for (place, training) in trainings.into_iter().enumerate() {
        let prompts = Prompts::of(&training);
        match Student::new(place, training, source) {
            Err(error) => results.push(Some(Err(error))),
            Ok(student) => {
                results.push(None);
                match groups.iter_mut().find(|(of, _)| *of == prompts) {
                    Some((_, students)) => students.push(student),
                    None => groups.push((prompts, vec![student])),
                }
            }
        }
    }
    for (prompts, students) in groups {
        let mut batches = source.batches(prompts.plan(), prompts.n_shots);
        for (place, trained) in side_by_side(students, &mut *batches) {
            results[place] = Some(Ok(trained));
        }
    }
    results.into_iter().flatten().collect()
}

/// Which prompts a training draws of a source.
#[derive(PartialEq)]
struct Prompts {
    shape: Shape,
    batch_size: usize,
    n_shots: usize,
    seed: u64,
}

impl Prompts {
    fn of(training: &Training<'_>) -> Prompts {
        let config = training.config;
        Prompts {
            shape: training.initial.shape(),
            batch_size: config.batch_size,
            n_shots: config.n_shots,
            seed: config.seed,
        }
    }

    fn plan(&self) -> BatchPlan {
        BatchPlan {
            shape: self.shape,
            batch_size: self.batch_size,
            seed: self.seed,
            streams: Streams::TRAINING,
        }
    }
}

/// One of those that are trained side by side.
struct Student<'a> {
    /// Among all trainings.
    place: usize,
    descending: Descending,
    gradient: Vec<f64>,
    on_step: Box<dyn FnMut(usize, StepLoss) -> ControlFlow<()> + 'a>,
}

impl<'a> Student<'a> {
    fn new(
        place: usize,
        training: Training<'a>,
        source: &dyn Source,
    ) -> Result<Student<'a>, TrainError> {
        let Training {
            initial,
            config,
            on_step,
        } = training;
        config.check(initial.shape().d, source.d())?;
        Ok(Student {
            place,
            descending: Descending::new(initial, &config.descent())?,
            gradient: vec![0.0; initial.params().len()],
            on_step,
        })
    }
}

/// All steps of students who read the same batches; each with its place, in the order in which they end.
fn side_by_side(
    mut students: Vec<Student<'_>>,
    batches: &mut dyn Batches,
) -> Vec<(usize, Trained)> {
    let _running = Running::start();
    let reader = |student: &Student<'_>| Reader {
        matrices: student.descending.model().effective(),
        objective: student.descending.objective(),
        weights: student.descending.weights(),
    };
    let mut readers: Vec<Reader> = students.iter().map(reader).collect();
    let mut ended = Vec::with_capacity(students.len());
    for step in 0.. {
        let readings = batches.read(&readers, Part::Whole, step);
        for (student, reading) in students.iter_mut().zip(readings) {
            let (descending, gradient) = (&mut student.descending, &mut student.gradient);
            descending
                .model()
                .pull_back_into(&reading.gradient, gradient);
            descending.update(reading.loss, gradient, &mut *student.on_step);
        }
        for place in (0..students.len()).rev() {
            if students[place].descending.ending().is_some() {
                readers.swap_remove(place);
                let student = students.swap_remove(place);
                ended.push((student.place, student.descending.into_trained()));
            }
        }
        if students.is_empty() {
            break;
        }
        for (student, reader) in students.iter().zip(&mut readers) {
            let descending = &student.descending;
            descending.model().effective_into(&mut reader.matrices);
            reader.weights = descending.weights();
        }
    }
    ended
}
