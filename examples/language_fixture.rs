//! Writes what a language model computes here, for somebody else's program to compute again (`tests/peer/language.py`).
//!
//! `cargo run --release --locked --example language_fixture -- MODEL.gguf FOLDER`: in FOLDER/hub the model as the model
//! hub lays it out, its weights dequantised; in FOLDER/fixture.json and FOLDER/fixture.safetensors token ids, logits
//! of last tokens, the losses of a text, greedy answers, and gradients of low-rank additions. All in f32. Knows nothing
//! of who reads them.

use icl::math::stream::Stream;
use icl::transformer::model::batch::{Batch, Read, Target, Tokens};
use icl::transformer::model::config::{Config, HeadOutput, Input, Output};
use icl::transformer::network::Network;
use icl::transformer::train::Worker;
use pretrained::{Message, Pretrained, load_gguf};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// Texts, and conversations that wait for an answer.
const PROMPTS: &str = include_str!("../tests/peer/language/prompts.json");
/// The text whose perplexity is compared.
const TEXT: &str = include_str!("../tests/peer/language/text.txt");
/// Tokens of an answer, if nothing ends it before.
const ANSWER: usize = 30;
/// Low-rank additions W + SCALE B A, in these layers.
const RANK: usize = 4;
const SCALE: f32 = 2.0;
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

/// f32 tensors for a file: shapes and values by name.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn write(path: &Path, folder: &Path) -> Result<(), Failure> {
    let model = load_gguf(path)?;
    println!("{}: {} parameters", path.display(), model.parameters.len());
    let network = Network::new(model.config.clone())?;
    hub(&model, &network, &folder.join("hub"))?;
    println!(
        "{}: the model as the hub has it",
        folder.join("hub").display()
    );
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
    let mut tensors = Tensors::new();
    let logits = worker.predict(&model.parameters, &last(&all))?;
    let size = network.config().output_size();
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
    let loss = gradients(&network, model.parameters, &examples, &mut tensors)?;
    println!("gradients of {RANK}-dimensional additions, loss {loss}");
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
        "loss": loss,
        "scale": SCALE,
    });
    std::fs::write(folder.join("fixture.json"), fixture.to_string())?;
    std::fs::write(folder.join("fixture.safetensors"), file(&tensors)?)?;
    Ok(())
}

fn file(tensors: &Tensors) -> Result<Vec<u8>, Failure> {
    let bytes: Vec<Vec<u8>> = tensors
        .values()
        .map(|(_, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, (shape, _)), bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.clone(), view))
        });
    Ok(serialize(views.collect::<Result<Vec<_>, _>>()?, None)?)
}

/// The model as a folder of the model hub.
fn hub(model: &Pretrained, network: &Network, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let tensors = network.layout().tensors().iter().map(|tensor| {
        let shape = std::iter::once(tensor.rows).chain(tensor.columns).collect();
        let values = model.parameters[tensor.range()].to_vec();
        (tensor.name.clone(), (shape, values))
    });
    std::fs::write(folder.join("model.safetensors"), file(&tensors.collect())?)?;
    let put = |name: &str, value: &Value| std::fs::write(folder.join(name), value.to_string());
    put(
        "config.json",
        &config(&model.config, model.context, &model.end)?,
    )?;
    std::fs::write(folder.join("tokenizer.json"), model.tokens.to_json()?)?;
    let end = model.end.first().and_then(|&id| model.tokens.token(id));
    let about = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": false,
        "eos_token": end,
        "chat_template": model.chat.as_ref().map(|chat| chat.source()),
    });
    put("tokenizer_config.json", &about)?;
    Ok(())
}

fn config(config: &Config, context: usize, end: &[u32]) -> Result<Value, Failure> {
    let attention = &config.attention;
    let (Input::Embedding { vocabulary }, Some(norm), Some(mlp)) =
        (config.input, config.norm, config.mlp)
    else {
        return Err("no language model".into());
    };
    let is_qwen = attention.bias && attention.output == HeadOutput::Projection { bias: false };
    let (kind, class) = match is_qwen {
        true => ("qwen2", "Qwen2ForCausalLM"),
        false => ("llama", "LlamaForCausalLM"),
    };
    Ok(json!({
        "architectures": [class],
        "model_type": kind,
        "hidden_size": config.width,
        "intermediate_size": mlp.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": attention.heads,
        "num_key_value_heads": attention.key_value_heads,
        "head_dim": attention.head_size,
        "rms_norm_eps": norm.epsilon,
        "rope_theta": attention.rope,
        "rope_scaling": null,
        "hidden_act": "silu",
        "attention_bias": attention.bias,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": config.output == Output::Tied,
        "eos_token_id": end,
        "torch_dtype": "float32",
    }))
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

/// Adds SCALE B A to every linear map of [`LAYERS`], and keeps A, B and the gradients of the mean loss by them: of the
/// gradient D by W, that by A is SCALE B^T D and that by B is SCALE D A^T.
fn gradients(
    network: &Network,
    mut parameters: Vec<f32>,
    examples: &[Vec<u32>],
    into: &mut Tensors,
) -> Result<f64, Failure> {
    let layout = network.layout();
    let is_wanted = |tensor: &icl::transformer::model::layout::Tensor| {
        tensor.columns.is_some() && tensor.layer.is_some_and(|layer| LAYERS.contains(&layer))
    };
    let wanted: Vec<bool> = layout.tensors().iter().map(is_wanted).collect();
    let maps = || layout.tensors().iter().filter(|tensor| is_wanted(tensor));
    for tensor in maps() {
        let (rows, columns) = (tensor.rows, tensor.columns.unwrap_or(1));
        let mut draw = |name: &str, shape: [usize; 2]| {
            let mut stream = Stream::new(0, &format!("{name} of {}", tensor.name), &[]);
            let count = shape[0] * shape[1];
            let values: Vec<f32> = (0..count)
                .map(|_| (0.02 * stream.normal()) as f32)
                .collect();
            into.insert(
                format!("{name}.{}", tensor.name),
                (shape.to_vec(), values.clone()),
            );
            values
        };
        let (a, b) = (draw("A", [RANK, columns]), draw("B", [rows, RANK]));
        let weight = &mut parameters[tensor.range()];
        for (row, weights) in weight.chunks_exact_mut(columns).enumerate() {
            for (column, weight) in weights.iter_mut().enumerate() {
                let product: f32 = (0..RANK)
                    .map(|k| b[row * RANK + k] * a[k * columns + column])
                    .sum();
                *weight += SCALE * product;
            }
        }
    }
    let count: usize = examples.iter().map(|example| example.len() - 1).sum();
    let mut reads = Vec::new();
    let mut start = 0;
    for example in examples {
        reads.extend(example[1..].iter().enumerate().map(|(at, &next)| Read {
            token: start + at,
            target: Target::Class {
                from: 0,
                to: network.config().output_size(),
                class: next as usize,
            },
            weight: 1.0 / count as f64,
        }));
        start += example.len();
    }
    let mut worker = Worker::new(network);
    let mut gradient = Vec::new();
    let batch = batch(examples, reads);
    let loss = worker.loss_and_gradient(&parameters, &batch, &wanted, &mut gradient)?;
    for tensor in maps() {
        let (rows, columns) = (tensor.rows, tensor.columns.unwrap_or(1));
        let of_weight = &gradient[tensor.range()];
        let factor = |name: &str| into[&format!("{name}.{}", tensor.name)].1.clone();
        let (a, b) = (factor("A"), factor("B"));
        let (mut of_a, mut of_b) = (vec![0.0; RANK * columns], vec![0.0; rows * RANK]);
        for (row, values) in of_weight.chunks_exact(columns).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                for k in 0..RANK {
                    let value = f64::from(SCALE) * f64::from(value);
                    of_a[k * columns + column] += value * f64::from(b[row * RANK + k]);
                    of_b[row * RANK + k] += value * f64::from(a[k * columns + column]);
                }
            }
        }
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        into.insert(
            format!("dA.{}", tensor.name),
            (vec![RANK, columns], single(of_a)),
        );
        into.insert(
            format!("dB.{}", tensor.name),
            (vec![rows, RANK], single(of_b)),
        );
    }
    Ok(loss)
}
