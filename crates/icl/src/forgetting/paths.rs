//! Pretraining and fine-tuning with what is measured on the way.

use crate::forgetting::variant::Variant;
use crate::forgetting::world::{Measure, World};
use crate::math::tensor::float::Float;
use crate::transformer::batch::Batch;
use crate::transformer::network::Network;
use crate::transformer::train::{Ending, Training, Worker, train};
use std::ops::ControlFlow;

/// A checkpoint of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Updates before it.
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

/// Fine-tunes a copy of `pretrained`; `training` says all but what is trained.
///
/// # Errors
/// Tensors that the network lacks, or batches that it cannot read.
#[expect(
    clippy::too_many_arguments,
    reason = "a variant of one training among many that share the rest"
)]
pub fn finetune<T: Float>(
    network: &Network,
    pretrained: &[T],
    world: &dyn World,
    measures: &[Measure],
    variant: &Variant,
    training: &Training,
    stops: &[usize],
    hear: &mut Hear<'_>,
) -> Result<(Path, Vec<T>), String> {
    let mut parameters = pretrained.to_vec();
    let training = Training {
        subset: variant.subset,
        low_rank: variant.low_rank,
        ..training.clone()
    };
    let steps = training.steps;
    let batch = |step| variant.objective.batch(world, step, steps);
    let path = follow(
        network,
        &mut parameters,
        &training,
        measures,
        batch,
        stops,
        hear,
    )?;
    Ok((path, parameters))
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
