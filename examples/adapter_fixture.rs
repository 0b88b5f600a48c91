//! Trains low-rank additions in f64 on the batches that somebody else's program trained on (`tests/peer/mmlu_exact.py`), for that
//! program to compare.
//!
//! `cargo run --release --locked --example adapter_fixture -- HUB TRAINING.json OUT.safetensors`: HUB is a folder of the model
//! hub, TRAINING.json what [`Asked`] has; in OUT the `losses` of the steps and, by their names, the matrices that training
//! changed. Knows neither texts nor who asks.

use pretrained::{Files, load_folder};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Deserialize;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use tuning::language::example::{Example, batch};
use tuning::transformer::adapter::adapt;
use tuning::transformer::model::batch::{Batch, Tokens};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::{Ending, Training};
use tuning::transformer::trainable::{LowRank, Subset};

type Failure = Box<dyn std::error::Error>;

/// A training of all of attention, its schedule and its batches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    rank: usize,
    alpha: f64,
    seed: u64,
    learning_rate: f64,
    /// In steps.
    warmup: usize,
    betas: [f64; 2],
    epsilon: f64,
    weight_decay: f64,
    clip_norm: f64,
    /// Of each step its parts, of each part the weight of its mean loss.
    steps: Vec<Vec<Weighted>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    weight: f64,
    examples: Vec<Said>,
}

/// Token ids, and where the response begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    tokens: Vec<u32>,
    response: usize,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [hub, asked, out] = args.as_slice() else {
        eprintln!(
            "error: which model, which training, and where to?\n  usage: adapter_fixture HUB TRAINING.json OUT.safetensors"
        );
        return ExitCode::from(2);
    };
    match write(Path::new(hub), Path::new(asked), Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write(hub: &Path, asked: &Path, out: &Path) -> Result<(), Failure> {
    let asked: Asked = serde_json::from_str(&std::fs::read_to_string(asked)?)?;
    let model = load_folder(&Files {
        config: hub.join("config.json"),
        tokenizer: hub.join("tokenizer.json"),
        tokenizer_config: Some(hub.join("tokenizer_config.json")),
        generation_config: None,
        chat_template: None,
        index: None,
        weights: vec![hub.join("model.safetensors")],
    })?;
    let network = Network::new(model.config)?;
    let before: Vec<f64> = model.parameters.iter().map(|&x| f64::from(x)).collect();
    let mut parameters = before.clone();
    let size = network.config().output_size();
    let (mut losses, mut after) = (Vec::new(), Vec::new());
    let heard = |_, loss: Option<f64>, parameters: &[f64]| {
        match loss {
            Some(loss) => losses.push(loss),
            None => after = parameters.to_vec(),
        }
        ControlFlow::Continue(())
    };
    let batch_of = |step: usize| asked.batch(step, size);
    match adapt(
        &network,
        &mut parameters,
        &asked.training(),
        batch_of,
        heard,
    )? {
        Ending::Completed => {}
        other => return Err(format!("training ended so: {other:?}").into()),
    }
    let mut tensors = vec![("losses".to_owned(), vec![losses.len()], bytes(&losses))];
    for tensor in network.layout().tensors() {
        let range = tensor.range();
        if before[range.clone()] != after[range.clone()] {
            let shape = std::iter::once(tensor.rows).chain(tensor.columns).collect();
            tensors.push((tensor.name.clone(), shape, bytes(&after[range])));
        }
    }
    let views = { tensors.iter() }.map(|(name, shape, bytes)| {
        TensorView::new(Dtype::F64, shape.clone(), bytes).map(|view| (name, view))
    });
    let file = serialize(views.collect::<Result<Vec<_>, _>>()?, None)?;
    Ok(std::fs::write(out, file)?)
}

fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

impl Asked {
    fn training(&self) -> Training {
        Training {
            steps: self.steps.len(),
            optimizer: Optimizer::AdamW {
                beta1: self.betas[0],
                beta2: self.betas[1],
                epsilon: self.epsilon,
                weight_decay: self.weight_decay,
            },
            schedule: Schedule {
                learning_rate: self.learning_rate,
                warmup: self.warmup,
                decay: Decay::Cosine,
            },
            clip_norm: Some(self.clip_norm),
            subset: Subset::Attention,
            low_rank: Some(LowRank {
                rank: self.rank,
                alpha: self.alpha,
            }),
            seed: self.seed,
        }
    }

    fn batch(&self, step: usize, size: usize) -> Result<Batch, String> {
        let parts = self.steps[step].iter();
        let parts = parts.map(|part| Ok((part.weight, part.batch(size)?)));
        let parts: Vec<(f64, Batch)> = parts.collect::<Result<_, String>>()?;
        let mut all = Batch {
            lengths: Vec::new(),
            tokens: Tokens::Bags {
                entries: Vec::new(),
                ends: Vec::new(),
            },
            reads: Vec::new(),
        };
        for (weight, part) in &parts {
            all.append(part, *weight);
        }
        Ok(all)
    }
}

impl Weighted {
    fn batch(&self, size: usize) -> Result<Batch, String> {
        let examples = self.examples.iter().map(|said| Example {
            tokens: said.tokens.clone(),
            response: said.response,
        });
        batch(&examples.collect::<Vec<_>>(), size)
    }
}
