//! Value-only fine-tuning with the zero-shot loss, explained at checkpoints: how much attention goes where, and what the
//! change of V does through the first token, the examples and the query.
//!
//! The training is that of [`finetune`](crate::forgetting::paths::finetune) with the same objective and subset: the same
//! prompts, the same bits.

use crate::bridge::explain::{Change, Split, change_norm, check};
use crate::forgetting::paths::Hear;
use crate::forgetting::world::{Measure, World};
use crate::transformer::network::Network;
use crate::transformer::train::{Ending, Training, train};
use crate::transformer::trainable::Subset;
use icl::math::tensor::float::Float;
use std::ops::ControlFlow;

/// The parameters after so many updates.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub step: usize,
    /// |V' - V| / |V|.
    pub change_norm: f64,
    /// By measure.
    pub changes: Vec<Change>,
}

/// What was found on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedPath {
    /// By measure: the attention to each group, which fine-tuning leaves as it is.
    pub attention: Vec<[f64; 3]>,
    pub checkpoints: Vec<Checkpoint>,
    pub ending: Ending,
}

/// Fine-tunes V of a copy of `pretrained`; explained after the steps of `stops`. `training` says all but what is trained.
///
/// # Errors
/// Models that [`check`] refuses, or prompts that the network cannot read.
#[expect(
    clippy::too_many_arguments,
    reason = "as of the training that it explains"
)]
#[inline(never)]
pub fn explained_path<T: Float>(
    network: &Network,
    pretrained: &[T],
    world: &dyn World,
    first_token: bool,
    measures: &[Measure],
    training: &Training,
    stops: &[usize],
    hear: &mut Hear<'_>,
) -> Result<ExplainedPath, String> {
    check(network.config())?;
    let before = doubles(pretrained);
    let splits: Vec<Split<'_>> = measures
        .iter()
        .map(|measure| Split::new(network, &before, &measure.batch, first_token))
        .collect::<Result<_, _>>()?;
    let explain = |step: usize, parameters: &[T]| {
        let after = doubles(parameters);
        let changes = splits.iter().map(|split| split.change(&after));
        Ok::<_, String>(Checkpoint {
            step,
            change_norm: change_norm(network, &before, &after)?,
            changes: changes.collect::<Result<_, _>>()?,
        })
    };
    let training = Training {
        subset: Subset::Value,
        low_rank: None,
        ..training.clone()
    };
    let mut parameters = pretrained.to_vec();
    let (mut checkpoints, mut failed) = (Vec::new(), None);
    let ending = train(
        network,
        &mut parameters,
        &training,
        |step| world.zero_shot(step),
        |step, loss, parameters| {
            if stops.contains(&step) {
                match explain(step, parameters) {
                    Ok(checkpoint) => checkpoints.push(checkpoint),
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
        None => Ok(ExplainedPath {
            attention: splits.iter().map(Split::attention).collect(),
            checkpoints,
            ending,
        }),
    }
}

fn doubles<T: Float>(values: &[T]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}
