//! Kind `mmlu-finetune`: fine-tunes a language model on training items, with the loss on responses alone.
//!
//! Output `checkpoints`: the tensors that changed, after each epoch; see [`crate::kinds::mmlu::checkpoints`]. Output `losses`:
//! columns `step`, `epoch`, `loss` (of the step's batch, before its update). Divergence is recorded, not an error.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::language::model::LanguageModel;
use crate::kinds::mmlu::checkpoints::{About, Checkpoints, Stop};
use crate::kinds::mmlu::frame::frame;
use crate::kinds::mmlu::item_table::{COLUMNS, Items};
use crate::kinds::mmlu::prompting::Prompting;
use crate::kinds::mmlu::rationales::read_rationales;
use crate::kinds::mmlu::training::{Lora, Optimisation, Trainable};
use crate::kinds::params::number::{Count, NonNegative};
use crate::kinds::transformer::pretrain::hear;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many, one, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};
use tuning::mmlu::builder::{Before, Builder};
use tuning::mmlu::items::Item;
use tuning::mmlu::prompts::Task;
use tuning::mmlu::training::{Epochs, Pair};
use tuning::transformer::adapter::adapt;
use tuning::transformer::network::Network;
use tuning::transformer::train::{Ending, Training, train};

pub struct MmluFinetune;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    prompting: Prompting,
    trainable: Trainable,
    /// A low-rank addition to these matrices (LoRA) instead of the matrices themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lora: Option<Lora>,
    few_shot: FewShot,
    /// Zeros in the place of so many shots before each zero-shot prompt.
    #[serde(default, skip_serializing_if = "is_zero")]
    dummies: u32,
    /// Items of which a prompt and its response have more tokens are left out.
    cutoff: Count,
    optimisation: Optimisation,
}

/// The auxiliary loss: on few-shot prompts of the same items.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FewShot {
    shots: Count,
    /// Its weight in the first epoch; it falls linearly to 0 in the last. 0 where there is no such loss.
    weight: NonNegative,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl StageKind for MmluFinetune {
    const NAME: &'static str = "mmlu-finetune";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("items"), many("model"), optional("rationales")];
    const OUTPUTS: &'static [&'static str] = &["checkpoints.safetensors", "losses.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.prompting.check_dummies(params.dummies)
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "losses" => columns(&["step", "epoch", "loss"]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("items", COLUMNS)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let items = Items::read(io)?;
        let mut model = LanguageModel::read(io)?;
        let reasoning = read_rationales(io, &[&items.training])?;
        let frame = frame(&model.tokens)?;
        let (codec, pool) = (&model.tokens, &items.training[..]);
        let builder = params
            .prompting
            .builder(codec, &frame, reasoning.as_ref(), pool);
        let optimisation = &params.optimisation;
        let epochs = Epochs {
            pairs: params.pairs(&builder, pool, io)?,
            epochs: optimisation.epochs(),
            batch: optimisation.batch(),
            few_shot_weight: params.few_shot.weight.get(),
            vocabulary: model.network.config().output_size(),
            seed: optimisation.seed(),
        };
        let low_rank = params.lora.map(Lora::low_rank);
        let training = optimisation.training(epochs.steps(), params.trainable.subset(), low_rank);
        let found = follow(
            &model.network,
            &mut model.parameters,
            &training,
            &epochs,
            io,
        )?;
        io.write("checkpoints", &found.checkpoints.to_bytes(&model.network)?)?;
        let steps = 0..found.losses.len();
        let epoch_of = |step: usize| (step / epochs.steps_of_epoch() + 1) as i64;
        let table = Table::new(vec![
            (
                "step",
                Column::Int(steps.clone().map(|step| step as i64).collect()),
            ),
            ("epoch", Column::Int(steps.map(epoch_of).collect())),
            ("loss", Column::Float(found.losses)),
        ]);
        write_table(io, "losses", table)
    }
}

impl Params {
    /// Prompts of all items that have a response and are short enough.
    fn pairs(&self, builder: &Builder<'_>, pool: &[Item], io: &Io) -> Result<Vec<Pair>> {
        let (zero, few) = (
            Before {
                shots: 0,
                dummies: self.dummies as usize,
            },
            Before {
                shots: self.few_shot.shots.get(),
                dummies: 0,
            },
        );
        let has_few = self.few_shot.weight.get() > 0.0;
        let task = Task::Question;
        let (mut pairs, mut silent, mut longest) = (Vec::new(), 0_usize, Vec::new());
        for item in pool {
            if !builder.has_response(item, task) {
                silent += 1;
                continue;
            }
            let few = has_few.then(|| builder.example(item, task, few));
            let pair = Pair {
                zero_shot: builder.example(item, task, zero).map_err(failed)?,
                few_shot: few.transpose().map_err(failed)?,
            };
            match pair.tokens() <= self.cutoff.get() {
                true => pairs.push(pair),
                false => longest.push(pair.tokens()),
            }
        }
        let (all, cutoff) = (pool.len(), self.cutoff.get());
        let too_long = longest.len();
        io.log(format!(
            "{} of {all} items; {silent} have no rationale, {too_long} have more than {cutoff} tokens",
            pairs.len()
        ));
        let shortest = longest.iter().min();
        match pairs.is_empty() {
            false => Ok(pairs),
            true => Err(Error::failed(format!(
                "none of {all} training items can be used: {silent} have no rationale, {too_long} have more than {cutoff} tokens{}",
                shortest.map_or_else(String::new, |n| format!(" (the shortest {n})"))
            ))
            .hint("raise `cutoff`, take fewer shots, or give rationales of these items")),
        }
    }
}

struct Followed {
    checkpoints: Checkpoints,
    losses: Vec<f64>,
}

/// Trains, and keeps what changed after each epoch.
fn follow(
    network: &Network,
    parameters: &mut [f32],
    training: &Training,
    epochs: &Epochs,
    io: &Io,
) -> Result<Followed> {
    let before = parameters.to_vec();
    let every = epochs.steps_of_epoch();
    let mut stops: Vec<Stop> = (1..=epochs.epochs)
        .map(|epoch| Stop {
            step: epoch * every,
            epoch,
        })
        .collect();
    let (mut changed, mut losses) = (Vec::new(), Vec::new());
    let mut tell = hear(io, training.steps, "");
    let heard = |step: usize, loss: Option<f64>, parameters: &[f32]| {
        if step > 0 && step.is_multiple_of(every) {
            changed.push(differing(network, &before, parameters));
        }
        match loss {
            None => std::ops::ControlFlow::Continue(()),
            Some(loss) => {
                losses.push(loss);
                tell(step, loss)
            }
        }
    };
    let batch_of = |step| epochs.batch(step);
    let ending = match training.low_rank {
        Some(_) => adapt(network, parameters, training, batch_of, heard),
        None => train(network, parameters, training, batch_of, heard),
    };
    match ending.map_err(failed)? {
        Ending::Completed => {}
        Ending::Diverged { step } => io.warn(format!("training diverged at step {step}")),
        Ending::Stopped => return Err(io.interrupted()),
    }
    let missed = stops.split_off(changed.len());
    Ok(Followed {
        checkpoints: Checkpoints {
            about: About { stops, missed },
            changed,
        },
        losses,
    })
}

fn differing(network: &Network, before: &[f32], after: &[f32]) -> Vec<(usize, Vec<f32>)> {
    let tensors = network.layout().tensors().iter().enumerate();
    let changed = tensors.filter(|(_, tensor)| before[tensor.range()] != after[tensor.range()]);
    changed
        .map(|(at, tensor)| (at, after[tensor.range()].to_vec()))
        .collect()
}
