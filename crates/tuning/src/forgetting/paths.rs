//! Pretraining and fine-tuning with what is measured on the way.

use crate::forgetting::variant::Variant;
use crate::forgetting::world::{Measure, World};
use crate::transformer::model::batch::{Batch, Target};
use crate::transformer::network::Network;
use crate::transformer::train::{Ending, Training, Worker, train};
use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use std::ops::ControlFlow;

/// A checkpoint of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Updates before it, or steps on a line between parameters.
    pub step: usize,
    /// The loss of the batch that comes next; none after the last step.
    pub loss: Option<f64>,
    /// By measure.
    pub errors: Vec<f64>,
}

/// A training's checkpoints and its ending.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub checkpoints: Vec<Checkpoint>,
    pub ending: Ending,
}

/// Told now and then: step and loss. Break stops the training.
pub type Hear<'a> = dyn FnMut(usize, f64) -> ControlFlow<()> + 'a;

/// Pretrains on the world's random tasks; measured after the steps of `stops`.
///
/// # Errors
/// Batches that the network cannot read.
#[inline(never)]
pub fn pretrain<T: Float>(
    network: &Network,
    parameters: &mut [T],
    world: &dyn World,
    training: &Training,
    stops: &[usize],
    hear: &mut Hear<'_>,
) -> Result<Path, String> {
    let steps = training.steps;
    let measures = world.measures()?;
    let batch = |step| world.pretraining(step, steps);
    follow(network, parameters, training, &measures, batch, stops, hear)
}

/// Fine-tunes a copy of `pretrained`; `training` says all but what is trained. Of an interpolation, steps are counted on the
/// line from the pretrained to the last parameters.
///
/// # Errors
/// Tensors that the network lacks, or batches that it cannot read.
#[expect(
    clippy::too_many_arguments,
    reason = "a variant of one training among many that share the rest"
)]
#[inline(never)]
pub fn finetune<T: Float>(
    network: &Network,
    pretrained: &[T],
    world: &dyn World,
    measures: &[Measure],
    variant: &Variant,
    training: &Training,
    stops: &[usize],
    hear: &mut Hear<'_>,
) -> Result<Path, String> {
    let mut parameters = pretrained.to_vec();
    let training = Training {
        subset: variant.subset,
        low_rank: variant.low_rank,
        ..training.clone()
    };
    let steps = training.steps;
    let mut worker = Worker::new(network);
    let batch = |step| {
        variant.objective.batch(world, step, steps, |batch| {
            let outputs = worker.predict(pretrained, batch)?;
            answer(batch, &outputs, training.seed, step);
            Ok(())
        })
    };
    let along = match variant.between {
        None => stops,
        Some(_) => &[],
    };
    let mut path = follow(
        network,
        &mut parameters,
        &training,
        measures,
        batch,
        along,
        hear,
    )?;
    if let Some(points) = variant.between.filter(|_| path.ending == Ending::Completed) {
        path.checkpoints = between(network, pretrained, &parameters, measures, points)?;
    }
    Ok(path)
}

/// Gives every read the model's own answer: the value that it predicts, or a class drawn with the probabilities
/// that it gives to its range.
fn answer<T: Float>(batch: &mut Batch, outputs: &[T], seed: u64, step: usize) {
    let size = outputs.len() / batch.reads.len().max(1);
    let mut stream = Stream::new(seed, "own answers", &[step as u64]);
    for (read, row) in batch
        .reads
        .iter_mut()
        .zip(outputs.chunks_exact(size.max(1)))
    {
        read.target = match read.target {
            Target::Value(_) => Target::Value(row[0].to_f64()),
            Target::Class { from, to, .. } => {
                let row: Vec<f64> = row[from..to].iter().map(|x| x.to_f64()).collect();
                let largest = row.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                let weights: Vec<f64> = row.iter().map(|x| libm::exp(x - largest)).collect();
                let mut left = stream.uniform() * weights.iter().sum::<f64>();
                let drawn = weights.iter().position(|weight| {
                    left -= weight;
                    left < 0.0
                });
                let class = drawn.map_or(to - 1, |at| from + at);
                Target::Class { from, to, class }
            }
        };
    }
}

/// Measures at equal steps from one vector of parameters to another, both ends included.
fn between<T: Float>(
    network: &Network,
    from: &[T],
    to: &[T],
    measures: &[Measure],
    points: usize,
) -> Result<Vec<Checkpoint>, String> {
    let mut worker = Worker::new(network);
    let mut checkpoints = Vec::with_capacity(points + 1);
    for step in 0..=points {
        let share = T::from_f64(step as f64 / points as f64);
        let mix = |(&from, &to): (&T, &T)| from + share * (to - from);
        let parameters: Vec<T> = match step {
            0 => from.to_vec(),
            _ if step == points => to.to_vec(),
            _ => from.iter().zip(to).map(mix).collect(),
        };
        let errors = measures
            .iter()
            .map(|measure| measure.error(&mut worker, &parameters));
        let errors = errors.collect::<Result<_, _>>()?;
        checkpoints.push(Checkpoint {
            step,
            loss: None,
            errors,
        });
    }
    Ok(checkpoints)
}

fn follow<T: Float>(
    network: &Network,
    parameters: &mut [T],
    training: &Training,
    measures: &[Measure],
    batch_of: impl FnMut(usize) -> Result<Batch, String>,
    stops: &[usize],
    hear: &mut Hear<'_>,
) -> Result<Path, String> {
    let mut checkpoints = Vec::new();
    let mut worker = Worker::new(network);
    let mut failed = None;
    let ending = train(
        network,
        parameters,
        training,
        batch_of,
        |step, loss, parameters| {
            if stops.contains(&step) {
                let errors = measures
                    .iter()
                    .map(|measure| measure.error(&mut worker, parameters));
                match errors.collect() {
                    Ok(errors) => checkpoints.push(Checkpoint { step, loss, errors }),
                    Err(message) => {
                        failed = Some(message);
                        return ControlFlow::Break(());
                    }
                }
            }
            loss.map_or(ControlFlow::Continue(()), |loss| hear(step, loss))
        },
    )?;
    match failed {
        Some(message) => Err(message),
        None => Ok(Path {
            checkpoints,
            ending,
        }),
    }
}
