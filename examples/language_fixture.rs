//! Writes what a language model computes here, for somebody else's program to compute again (`tests/peer/language.py`).
//!
//! `cargo run --release --locked --example language_fixture -- MODEL.gguf FOLDER`: in FOLDER/fixture.json and
//! FOLDER/fixture.safetensors token ids, logits of last tokens, the losses of a text, greedy answers, and gradients of low-rank
//! additions. All in f32, the gradients in f64 too, which tells a mistake from rounding. The model itself is for `hub_folder` to
//! write. Knows nothing of who reads them.

use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use pretrained::{Message, Pretrained, load_gguf};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::layout::Tensor;
use tuning::transformer::network::Network;
use tuning::transformer::train::Worker;

/// Texts, and conversations that wait for an answer.
const PROMPTS: &str = include_str!("../tests/peer/language/prompts.json");
/// The text whose perplexity is compared.
const TEXT: &str = include_str!("../tests/peer/language/text.txt");
/// Tokens of an answer, if nothing ends it before.
const ANSWER: usize = 30;
/// Low-rank additions W + SCALE B A, in these layers.
const RANK: usize = 4;
const SCALE: f64 = 2.0;
const LAYERS: [usize; 3] = [0, 15, 29];

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, folder] = args.as_slice() else {
        eprintln!("error: which model, and where to?\n  usage: language_fixture MODEL.gguf FOLDER");
        return ExitCode::from(2);
    };
    match write(Path::new(model), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Deserialize)]
struct Prompts {
    texts: Vec<String>,
    chats: Vec<Vec<Said>>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: String,
}

/// Tensors for a file: shapes and values by name.
type Tensors<T> = BTreeMap<String, (Vec<usize>, Vec<T>)>;

fn write(path: &Path, folder: &Path) -> Result<(), Failure> {
    let model = load_gguf(path)?;
    println!("{}: {} parameters", path.display(), model.parameters.len());
    let network = Network::new(model.config.clone())?;
    std::fs::create_dir_all(folder)?;
    let prompts: Prompts = serde_json::from_str(PROMPTS)?;
    let chat = model
        .chat
        .as_ref()
        .ok_or("the model has no chat template")?;
    let chats = prompts.chats.iter().map(|talk| {
        let said = talk
            .iter()
            .map(|said| Message::new(&said.role, &said.content));
        chat.render(&said.collect::<Vec<Message>>(), true)
    });
    let chats: Vec<String> = chats.collect::<Result<_, _>>()?;
    let encode = |texts: &[String]| -> Result<Vec<Vec<u32>>, pretrained::Error> {
        texts.iter().map(|text| model.tokens.encode(text)).collect()
    };
    let (of_texts, of_chats) = (encode(&prompts.texts)?, encode(&chats)?);
    let all: Vec<Vec<u32>> = of_texts.iter().chain(&of_chats).cloned().collect();
    let mut worker = Worker::new(&network);
    let mut tensors = Tensors::<f64>::new();
    let logits = worker.predict(&model.parameters, &last(&all))?;
    let size = network.config().output_size();
    let logits = logits.into_iter().map(f64::from).collect();
    tensors.insert("logits".into(), (vec![all.len(), size], logits));
    println!("logits of {} prompts", all.len());
    let text = model.tokens.encode(TEXT)?;
    let losses = losses(&mut worker, &model.parameters, &text, size)?;
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    println!("perplexity of {} tokens: {}", losses.len(), libm::exp(mean));
    let answers = answers(&mut worker, &model, &of_chats)?;
    println!("{} answers", answers.len());
    drop(worker);
    let examples: Vec<Vec<u32>> = all[..2].to_vec();
    factors(&network, &mut tensors);
    let parameters: Vec<f64> = model.parameters.iter().map(|&x| f64::from(x)).collect();
    let loss_f64 = gradients(&network, parameters, &examples, "f64", &mut tensors)?;
    let loss = gradients(&network, model.parameters, &examples, "f32", &mut tensors)?;
    println!("gradients of {RANK}-dimensional additions, loss {loss_f64}, in f32 {loss}");
    let decoded = answers.iter().map(|ids| model.tokens.decode(ids));
    let fixture = json!({
        "texts": prompts.texts,
        "text_ids": of_texts,
        "chats": prompts.chats.iter().map(|talk| talk.iter().map(|said| {
            json!({"role": said.role, "content": said.content})
        }).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "chat_texts": chats,
        "chat_ids": of_chats,
        "perplexity_ids": text,
        "losses": losses,
        "end": model.end,
        "answer": ANSWER,
        "answers": answers,
        "answer_texts": decoded.collect::<Result<Vec<String>, _>>()?,
        "examples": examples,
        "loss_f64": loss_f64,
        "loss_f32": loss,
        "scale": SCALE,
    });
    std::fs::write(folder.join("fixture.json"), fixture.to_string())?;
    std::fs::write(
        folder.join("fixture.safetensors"),
        file(&tensors, Dtype::F64, f64::to_le_bytes)?,
    )?;
    Ok(())
}

fn file<T: Copy, const N: usize>(
    tensors: &Tensors<T>,
    dtype: Dtype,
    bytes: impl Fn(T) -> [u8; N],
) -> Result<Vec<u8>, Failure> {
    let bytes: Vec<Vec<u8>> = tensors
        .values()
        .map(|(_, values)| values.iter().flat_map(|&x| bytes(x)).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, (shape, _)), bytes)| {
            TensorView::new(dtype, shape.clone(), bytes).map(|view| (name.clone(), view))
        });
    Ok(serialize(views.collect::<Result<Vec<_>, _>>()?, None)?)
}

/// Sequences, and the tokens whose outputs are wanted with what should follow them.
fn batch(sequences: &[Vec<u32>], reads: Vec<Read>) -> Batch {
    let entries: Vec<(u32, f64)> = sequences.concat().into_iter().map(|id| (id, 1.0)).collect();
    Batch {
        lengths: sequences.iter().map(Vec::len).collect(),
        tokens: Tokens::Bags {
            ends: (1..=entries.len()).collect(),
            entries,
        },
        reads,
    }
}

/// The last token of each.
fn last(sequences: &[Vec<u32>]) -> Batch {
    let mut end = 0;
    let reads = sequences.iter().map(|sequence| {
        end += sequence.len();
        Read {
            token: end - 1,
            target: Target::Value(0.0),
            weight: 0.0,
        }
    });
    batch(sequences, reads.collect())
}

/// -ln p of each token of a text but the first.
fn losses(
    worker: &mut Worker<'_, f32>,
    parameters: &[f32],
    text: &[u32],
    size: usize,
) -> Result<Vec<f64>, Failure> {
    let reads = (0..text.len() - 1).map(|token| Read {
        token,
        target: Target::Value(0.0),
        weight: 0.0,
    });
    let logits = worker.predict(parameters, &batch(&[text.to_vec()], reads.collect()))?;
    let rows = logits.chunks_exact(size).zip(&text[1..]);
    let losses = rows.map(|(row, &next)| {
        let most = f64::from(row.iter().copied().fold(f32::MIN, f32::max));
        let sum: f64 = row.iter().map(|&x| libm::exp(f64::from(x) - most)).sum();
        libm::log(sum) + most - f64::from(row[next as usize])
    });
    Ok(losses.collect())
}

/// The most probable token after another, without a cache: every step reads all again.
fn answers(
    worker: &mut Worker<'_, f32>,
    model: &Pretrained,
    prompts: &[Vec<u32>],
) -> Result<Vec<Vec<u32>>, Failure> {
    let size = model.config.output_size();
    let mut answers = vec![Vec::new(); prompts.len()];
    let mut open: Vec<usize> = (0..prompts.len()).collect();
    for _ in 0..ANSWER {
        let sequences: Vec<Vec<u32>> = open
            .iter()
            .map(|&at| [prompts[at].as_slice(), &answers[at]].concat())
            .collect();
        if sequences.is_empty() {
            break;
        }
        let logits = worker.predict(&model.parameters, &last(&sequences))?;
        for (&at, row) in open.iter().zip(logits.chunks_exact(size)) {
            let mut best = 0;
            for (id, value) in row.iter().enumerate() {
                if *value > row[best] {
                    best = id;
                }
            }
            answers[at].push(best as u32);
        }
        open.retain(|&at| answers[at].last().is_none_or(|id| !model.end.contains(id)));
    }
    Ok(answers)
}

fn is_adapted(tensor: &Tensor) -> bool {
    tensor.columns.is_some() && tensor.layer.is_some_and(|layer| LAYERS.contains(&layer))
}

/// A and B of every linear map of [`LAYERS`]: f32 values.
fn factors(network: &Network, into: &mut Tensors<f64>) {
    let tensors = network.layout().tensors().iter();
    for tensor in tensors.filter(|tensor| is_adapted(tensor)) {
        let columns = tensor.columns.unwrap_or(1);
        for (factor, shape) in [("A", [RANK, columns]), ("B", [tensor.rows, RANK])] {
            let mut stream = Stream::new(0, &format!("{factor} of {}", tensor.name), &[]);
            let count = shape[0] * shape[1];
            let values = (0..count).map(|_| f64::from((0.02 * stream.normal()) as f32));
            let values = (shape.to_vec(), values.collect());
            into.insert(format!("{factor}.{}", tensor.name), values);
        }
    }
}

/// Adds SCALE B A to every linear map of [`LAYERS`], and keeps the gradients of the mean loss by A and B: of the
/// gradient D by W, that by A is SCALE B^T D and that by B is SCALE D A^T.
fn gradients<T: Float>(
    network: &Network,
    mut parameters: Vec<T>,
    examples: &[Vec<u32>],
    precision: &str,
    into: &mut Tensors<f64>,
) -> Result<f64, Failure> {
    let layout = network.layout();
    let wanted: Vec<bool> = layout.tensors().iter().map(is_adapted).collect();
    let maps = || layout.tensors().iter().filter(|tensor| is_adapted(tensor));
    for tensor in maps() {
        let columns = tensor.columns.unwrap_or(1);
        let factor = |name: &str| &into[&format!("{name}.{}", tensor.name)].1;
        let (a, b) = (factor("A"), factor("B"));
        let weight = &mut parameters[tensor.range()];
        for (row, weights) in weight.chunks_exact_mut(columns).enumerate() {
            for (column, weight) in weights.iter_mut().enumerate() {
                let products = (0..RANK).map(|k| b[row * RANK + k] * a[k * columns + column]);
                *weight += T::from_f64(SCALE * products.sum::<f64>());
            }
        }
    }
    let mut worker = Worker::new(network);
    let mut gradient = Vec::new();
    let batch = after_each(examples, network.config().output_size());
    let loss = worker.loss_and_gradient(&parameters, &batch, &wanted, &mut gradient)?;
    for tensor in maps() {
        let (rows, columns) = (tensor.rows, tensor.columns.unwrap_or(1));
        let of_weight = &gradient[tensor.range()];
        let factor = |name: &str| &into[&format!("{name}.{}", tensor.name)].1;
        let (a, b) = (factor("A"), factor("B"));
        let (mut of_a, mut of_b) = (vec![0.0; RANK * columns], vec![0.0; rows * RANK]);
        for (row, values) in of_weight.chunks_exact(columns).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                for k in 0..RANK {
                    let value = SCALE * value.to_f64();
                    of_a[k * columns + column] += value * b[row * RANK + k];
                    of_b[row * RANK + k] += value * a[k * columns + column];
                }
            }
        }
        let name = |factor: &str| format!("d{factor}.{precision}.{}", tensor.name);
        into.insert(name("A"), (vec![RANK, columns], of_a));
        into.insert(name("B"), (vec![rows, RANK], of_b));
    }
    Ok(loss)
}

/// The mean loss of every token of every example but the first.
fn after_each(examples: &[Vec<u32>], size: usize) -> Batch {
    let count: usize = examples.iter().map(|example| example.len() - 1).sum();
    let mut reads = Vec::new();
    let mut start = 0;
    for example in examples {
        reads.extend(example[1..].iter().enumerate().map(|(at, &next)| Read {
            token: start + at,
            target: Target::Class {
                from: 0,
                to: size,
                class: next as usize,
            },
            weight: 1.0 / count as f64,
        }));
        start += example.len();
    }
    batch(examples, reads)
}
