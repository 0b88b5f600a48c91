//! Where a change of the value matrix acts: on the first token, on the examples, or on the query.
//!
//! One layer without norms and MLP, and V alone changes: then attention weights stay, nothing stands behind attention, and
//! a prediction f(prompt) is linear in V. With a_hj what head h of the query pays to token j, e_j the embedding of j, w
//! the output's row, O_h and V_h a head's share of O and V, all exact:
//!
//! f' - f = sum over heads h and tokens j of a_hj (w^T O_h) (V'_h - V_h) e_j (the bias of V, where it has one, likewise).
//!
//! The sum over j splits into three [`GROUPS`]. What the query pays is measured once, for all later changes of V. In
//! double precision. Does not know how V was changed, nor tasks.

use crate::transformer::model::batch::{Batch, Target};
use crate::transformer::model::config::{Config, Output};
use crate::transformer::model::layout::{Linear, Role};
use crate::transformer::model::parameters::Parameters;
use crate::transformer::network::{Network, Part, Workspace};
use std::ops::Range;

/// The groups of a prompt's tokens, in the order of all triples here.
pub const GROUPS: [&str; 3] = ["first", "examples", "query"];

/// Prompts with what their queries see under the pretrained parameters.
#[derive(Debug, Clone)]
pub struct Split<'a> {
    network: &'a Network,
    pretrained: &'a [f64],
    /// By prompt.
    predictions: Vec<f64>,
    wanted: Vec<f64>,
    /// By prompt and head: the attention to each group.
    attention: Vec<[f64; 3]>,
    /// By prompt, head and group: the sum of attention times embedding, of the stream's width.
    inputs: Vec<f64>,
    /// By prompt: the query's embedding.
    queries: Vec<f64>,
}

/// What a change of V does to the predictions of a [`Split`]'s prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// By prompt: what each group adds to the prediction.
    pub contributions: Vec<[f64; 3]>,
    /// By prompt: what would be added if every head paid all its attention to the query, w^T O dV e of it.
    pub alone: Vec<f64>,
    /// By prompt: the pretrained prediction minus the label.
    before: Vec<f64>,
}

impl<'a> Split<'a> {
    /// Asks the pretrained network; each prompt is read once, at its last token, the query. With `first_token` its first
    /// token is a group of its own, otherwise that group is empty.
    ///
    /// # Errors
    /// A network with several layers, norms or an MLP; prompts that it cannot read, or that are read elsewhere.
    pub fn new(
        network: &'a Network,
        pretrained: &'a [f64],
        batch: &Batch,
        first_token: bool,
    ) -> Result<Split<'a>, String> {
        check(network.config())?;
        network.check(batch)?;
        let tokens = tokens_of(batch)?;
        let wanted = wanted_of(batch, &tokens)?;
        let (width, heads) = (network.config().width, network.config().attention.heads);
        let part = Part {
            sequences: 0..tokens.len(),
            tokens: 0..tokens.last().map_or(0, |last| last.end),
            reads: 0..batch.reads.len(),
        };
        let mut space = Workspace::default();
        network.forward(pretrained, batch, &part, &mut space);
        let size = network.config().output_size();
        let (weights, embeddings) = space.attended(0);
        let mut attention = vec![[0.0; 3]; tokens.len() * heads];
        let mut inputs = vec![0.0; attention.len() * 3 * width];
        let mut queries = Vec::with_capacity(tokens.len() * width);
        let mut rest = weights;
        let mut sums = attention.iter_mut().zip(inputs.chunks_exact_mut(3 * width));
        for prompt in &tokens {
            queries.extend_from_slice(&embeddings[(prompt.end - 1) * width..prompt.end * width]);
            for (sum, input) in sums.by_ref().take(heads) {
                let (of_head, after) = rest.split_at(prompt.len());
                rest = after;
                for (at, (token, &weight)) in prompt.clone().zip(of_head).enumerate() {
                    let group = match at {
                        _ if at + 1 == prompt.len() => 2,
                        0 if first_token => 0,
                        _ => 1,
                    };
                    sum[group] += weight;
                    let embedding = &embeddings[token * width..(token + 1) * width];
                    let input = &mut input[group * width..(group + 1) * width];
                    for (input, &entry) in input.iter_mut().zip(embedding) {
                        *input += weight * entry;
                    }
                }
            }
        }
        Ok(Split {
            network,
            pretrained,
            predictions: space.outputs(size).map(|row| row[0]).collect(),
            wanted,
            attention,
            inputs,
            queries,
        })
    }

    /// The attention to each group, a mean over heads and prompts; sums to 1 with softmax.
    pub fn attention(&self) -> [f64; 3] {
        mean(&self.attention)
    }

    /// What parameters that differ from the pretrained ones in V alone do to each prediction.
    ///
    /// # Errors
    /// Parameters that differ elsewhere.
    pub fn change(&self, finetuned: &[f64]) -> Result<Change, String> {
        let difference = difference(self.network, self.pretrained, finetuned)?;
        let config = self.network.config();
        let (width, heads) = (config.width, config.attention.heads);
        let read = self.read_by_head(&difference);
        let mut contributions = Vec::with_capacity(self.predictions.len());
        let attention = self.attention.chunks_exact(heads);
        let inputs = self.inputs.chunks_exact(heads * 3 * width);
        for (attention, inputs) in attention.zip(inputs) {
            let mut sums = [0.0; 3];
            let of_heads = attention.iter().zip(inputs.chunks_exact(3 * width));
            for ((attention, inputs), (row, bias)) in of_heads.zip(&read) {
                let groups = attention.iter().zip(inputs.chunks_exact(width));
                for (sum, (attention, input)) in sums.iter_mut().zip(groups) {
                    *sum += dot(row, input) + bias * attention;
                }
            }
            contributions.push(sums);
        }
        let queries = self.queries.chunks_exact(width);
        let alone =
            queries.map(|query| read.iter().map(|(row, bias)| dot(row, query) + bias).sum());
        let pairs = self.predictions.iter().zip(&self.wanted);
        Ok(Change {
            contributions,
            alone: alone.collect(),
            before: pairs
                .map(|(prediction, wanted)| prediction - wanted)
                .collect(),
        })
    }

    /// By head: w^T O_h dV_h, and the same of the bias.
    fn read_by_head(&self, difference: &[f64]) -> Vec<(Vec<f64>, f64)> {
        let config = self.network.config();
        let layout = self.network.layout();
        let get = |values| Parameters { layout, values };
        let pretrained = get(self.pretrained);
        let layer = layout.layers[0];
        let (width, heads, size) = (
            config.width,
            config.attention.heads,
            config.attention.head_size,
        );
        let output: Vec<f64> = match (config.output, layout.output) {
            (Output::Separate { .. } | Output::Tied, Some(tensor)) => {
                pretrained.get(tensor)[..width].to_vec()
            }
            _ => {
                let mut last = vec![0.0; width];
                last[width - 1] = 1.0;
                last
            }
        };
        let before = match layer.output {
            Some(map) => transposed(pretrained.get(map.weight), &output, heads * size),
            None => {
                let of_one = output.iter().map(|x| x / heads as f64);
                of_one.cycle().take(heads * size).collect()
            }
        };
        let Linear { weight, bias, .. } = layer.value;
        let weight = get(difference).get(weight);
        let bias = bias.map(|bias| get(difference).get(bias));
        let shared = heads / config.attention.key_value_heads;
        let head = |(head, before): (usize, &[f64])| {
            let rows = head / shared * size..(head / shared + 1) * size;
            let of_head = &weight[rows.start * width..rows.end * width];
            let shift = bias.map_or(0.0, |bias| dot(before, &bias[rows]));
            (transposed(of_head, before, width), shift)
        };
        before.chunks_exact(size).enumerate().map(head).collect()
    }
}

impl Change {
    /// The mean over prompts of what each group adds.
    pub fn mean(&self) -> [f64; 3] {
        mean(&self.contributions)
    }

    /// The mean of its square.
    pub fn mean_square(&self) -> [f64; 3] {
        let squares = self.contributions.iter().map(|of| of.map(|x| x * x));
        mean(&squares.collect::<Vec<_>>())
    }

    /// The mean square over prompts of [`Change::alone`].
    pub fn alone_square(&self) -> f64 {
        self.alone.iter().map(|x| x * x).sum::<f64>() / self.alone.len() as f64
    }

    /// The mean squared error if the new V acted on these groups and the pretrained one on the others.
    pub fn error(&self, acts: [bool; 3]) -> f64 {
        let errors = self
            .before
            .iter()
            .zip(&self.contributions)
            .map(|(before, of)| {
                let added = of.iter().zip(acts).filter(|(_, acts)| *acts);
                let off = before + added.map(|(x, _)| x).sum::<f64>();
                off * off
            });
        errors.sum::<f64>() / self.before.len() as f64
    }
}

/// |V' - V| / |V| in the Frobenius norm, with biases.
///
/// # Errors
/// Parameters that differ elsewhere.
pub fn change_norm(
    network: &Network,
    pretrained: &[f64],
    finetuned: &[f64],
) -> Result<f64, String> {
    let difference = difference(network, pretrained, finetuned)?;
    let square = |values: &[f64]| -> f64 {
        let values_of = network.layout().tensors().iter();
        let values_of = values_of.filter(|tensor| tensor.role == Role::Value);
        values_of
            .flat_map(|tensor| &values[tensor.range()])
            .map(|x| x * x)
            .sum()
    };
    Ok((square(&difference) / square(pretrained)).sqrt())
}

/// # Errors
/// What the split does not hold for.
pub fn check(config: &Config) -> Result<(), String> {
    let has = match config {
        Config { layers, .. } if *layers != 1 => format!("{layers} layers"),
        Config { norm: Some(_), .. } => "norms".into(),
        Config { mlp: Some(_), .. } => "an MLP".into(),
        _ => return Ok(()),
    };
    Err(format!(
        "a change of V splits over tokens with one layer and no more: this model has {has}; take one with one layer, without norm and mlp"
    ))
}

/// # Errors
/// Parameters of another number, or that differ outside V.
fn difference(
    network: &Network,
    pretrained: &[f64],
    finetuned: &[f64],
) -> Result<Vec<f64>, String> {
    let layout = network.layout();
    if finetuned.len() != layout.len() || pretrained.len() != layout.len() {
        let (one, other) = (pretrained.len(), finetuned.len());
        return Err(format!(
            "{one} and {other} parameters of a model that has {}",
            layout.len()
        ));
    }
    let elsewhere = layout.tensors().iter().find(|tensor| {
        tensor.role != Role::Value && pretrained[tensor.range()] != finetuned[tensor.range()]
    });
    if let Some(tensor) = elsewhere {
        return Err(format!(
            "{} was changed too: a change splits over tokens where V alone is trained",
            tensor.name
        ));
    }
    let pairs = finetuned.iter().zip(pretrained);
    Ok(pairs.map(|(after, before)| after - before).collect())
}

/// The tokens of each sequence.
fn tokens_of(batch: &Batch) -> Result<Vec<Range<usize>>, String> {
    if batch.lengths.is_empty() {
        return Err("no prompts".into());
    }
    let mut end = 0;
    let next = |length: &usize| {
        end += length;
        end - length..end
    };
    Ok(batch.lengths.iter().map(next).collect())
}

/// The label of each prompt's query.
fn wanted_of(batch: &Batch, tokens: &[Range<usize>]) -> Result<Vec<f64>, String> {
    let elsewhere = || "a prompt is explained at its last token, the one that is read".to_owned();
    if batch.reads.len() != tokens.len() {
        return Err(elsewhere());
    }
    let wanted = batch
        .reads
        .iter()
        .zip(tokens)
        .map(|(read, tokens)| match read.target {
            _ if read.token + 1 != tokens.end => Err(elsewhere()),
            Target::Value(wanted) => Ok(wanted),
            Target::Class { .. } => {
                Err("predictions of a value are explained, not of a class".into())
            }
        });
    wanted.collect()
}

/// x^T M, M rows x columns.
fn transposed(matrix: &[f64], x: &[f64], columns: usize) -> Vec<f64> {
    let mut product = vec![0.0; columns];
    for (row, x) in matrix.chunks_exact(columns).zip(x) {
        for (sum, entry) in product.iter_mut().zip(row) {
            *sum += x * entry;
        }
    }
    product
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn mean(rows: &[[f64; 3]]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for row in rows {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
    sums.map(|sum| sum / rows.len() as f64)
}
