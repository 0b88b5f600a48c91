//! Fine-tuning a pretrained language model by low-rank additions, with what it can answer along the way.
//!
//! Does not know files, nor which variants there are.

use crate::forgetting::paths::Hear;
use crate::forgetting::variant::Variant;
use crate::language::evaluation::{Evaluation, Scored, score};
use crate::language::world::Language;
use crate::transformer::adapter::adapt;
use crate::transformer::decode::Decoder;
use crate::transformer::network::Network;
use crate::transformer::train::{Ending, Training};
use icl::math::tensor::float::Float;
use std::ops::ControlFlow;

/// What was measured after some steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Updates before it.
    pub step: usize,
    /// By evaluation.
    pub scores: Vec<Scored>,
}

/// Checkpoints of a training, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub checkpoints: Vec<Checkpoint>,
    pub ending: Ending,
}

/// How well the model answers with these parameters.
///
/// # Errors
/// A model that cannot be read on, or tokens that it does not have.
#[inline(never)]
pub fn measure<T: Float>(
    network: &Network,
    parameters: &[T],
    evaluations: &[Evaluation],
) -> Result<Vec<Scored>, String> {
    let mut decoder = Decoder::new(network, parameters)?;
    score(evaluations, &mut decoder)
}

/// Fine-tunes by a variant; `training` says all but what is trained. `start` are the scores of the pretrained model, which
/// stand at step 0. The parameters are the pretrained ones again when this returns.
///
/// # Errors
/// A variant without low rank or with interpolation, matrices that the model lacks, prompts that it cannot read.
#[expect(
    clippy::too_many_arguments,
    reason = "a variant of one training among many that share the rest"
)]
#[inline(never)]
pub fn finetune<T: Float>(
    network: &Network,
    parameters: &mut [T],
    world: &Language<'_>,
    evaluations: &[Evaluation],
    start: &[Scored],
    variant: &Variant,
    training: &Training,
    stops: &[usize],
    hear: &mut Hear<'_>,
) -> Result<Path, String> {
    if variant.between.is_some() {
        return Err("a language model is measured along training, not between weights".into());
    }
    let training = Training {
        subset: variant.subset,
        low_rank: variant.low_rank,
        ..training.clone()
    };
    let steps = training.steps;
    let batch = |step| {
        let unlabelled = |_: &mut _| Err("own answers are not replayed here".to_owned());
        variant.objective.batch(world, step, steps, unlabelled)
    };
    let (mut checkpoints, mut failed) = (Vec::new(), None);
    let heard = |step: usize, loss: Option<f64>, parameters: &[T]| {
        if stops.contains(&step) {
            let scores = match step {
                0 => Ok(start.to_vec()),
                _ => measure(network, parameters, evaluations),
            };
            match scores {
                Ok(scores) => checkpoints.push(Checkpoint { step, scores }),
                Err(message) => {
                    failed = Some(message);
                    return ControlFlow::Break(());
                }
            }
        }
        loss.map_or(ControlFlow::Continue(()), |loss| hear(step, loss))
    };
    let ending = adapt(network, parameters, &training, batch, heard)?;
    match failed {
        Some(message) => Err(message),
        None => Ok(Path {
            checkpoints,
            ending,
        }),
    }
}
