//! Reading on after a prefix whose keys and values are kept: scores of continuations, and the next token.
//!
//! Several continuations may follow one prefix, which is read once. Every sum runs in the order of [`Network`]'s own
//! forward, so outputs have the same bits as those of whole sequences. For decoders of token ids with causal softmax attention and a matrix O.
//! Does not know texts, nor how a token is chosen.

use crate::math::tensor::float::Float;
use crate::math::tensor::matmul::multiply;
use crate::math::tensor::matrix::{MatrixMut, MatrixRef};
use crate::math::tensor::rows;
use crate::transformer::layers::norm::Moments;
use crate::transformer::layers::rope::Turns;
use crate::transformer::layers::{linear, mlp, norm};
use crate::transformer::model::config::{Attention, HeadOutput, Input, Kernel};
use crate::transformer::model::layout::{LayerTensors, NormTensors};
use crate::transformer::model::parameters::Parameters;
use crate::transformer::network::Network;
use rayon::prelude::*;
use std::ops::Range;

/// A network with its parameters, ready to read.
#[derive(Debug)]
pub struct Decoder<'a, T> {
    network: &'a Network,
    parameters: &'a [T],
    turns: Turns<T>,
}

/// What a prefix leaves: keys (turned to their positions) and values of every layer, tokens x (key_value_heads * head size).
#[derive(Debug, Clone, PartialEq)]
pub struct Cache<T> {
    layers: Vec<[Vec<T>; 2]>,
    tokens: usize,
}

/// What may follow a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// At least one, of which the first is not scored: the prefix's last output is not kept.
    pub tokens: Vec<u32>,
    /// The first token that is scored, at least 1.
    pub scored_from: usize,
}

/// How well a token was foreseen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// ln p(token | what stands before it).
    pub log_probability: f64,
    /// Whether no other token is more probable; at equality the first counts.
    pub is_first: bool,
}

/// Sequences after one prefix, one behind another, and the rows whose outputs are wanted.
struct Branches<'a, T> {
    prefix: &'a Cache<T>,
    tokens: Vec<u32>,
    ranges: Vec<Range<usize>>,
    asked: Vec<usize>,
}

impl<T> Cache<T> {
    /// Tokens that were read.
    pub fn len(&self) -> usize {
        self.tokens
    }

    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }
}

impl<'a, T: Float> Decoder<'a, T> {
    /// # Errors
    /// A network that reads no token ids, or whose attention is not causal softmax with a matrix O; another number of parameters.
    pub fn new(network: &'a Network, parameters: &'a [T]) -> Result<Decoder<'a, T>, String> {
        let config = network.config();
        let attention = &config.attention;
        if !matches!(config.input, Input::Embedding { .. }) || network.layout().output.is_none() {
            return Err("only a model of token ids can be read on".into());
        }
        let is_projection = matches!(attention.output, HeadOutput::Projection { .. });
        if !(attention.causal && attention.kernel == Kernel::Softmax && is_projection) {
            return Err("only causal softmax attention with a matrix O can be read on".into());
        }
        if parameters.len() != network.layout().len() {
            let (found, wanted) = (parameters.len(), network.layout().len());
            return Err(format!("{found} parameters for a model of {wanted}"));
        }
        Ok(Decoder {
            network,
            parameters,
            turns: Turns::default(),
        })
    }

    /// Nothing read yet.
    pub fn start(&self) -> Cache<T> {
        Cache {
            layers: vec![Default::default(); self.network.config().layers],
            tokens: 0,
        }
    }

    /// Reads tokens behind those of the cache, which it extends; the logits of what comes next.
    ///
    /// # Errors
    /// No tokens, or one that the vocabulary lacks.
    pub fn read(&mut self, cache: &mut Cache<T>, tokens: &[u32]) -> Result<Vec<T>, String> {
        self.check(tokens)?;
        self.reach(cache.tokens + tokens.len());
        let branches = Branches {
            prefix: cache,
            tokens: tokens.to_vec(),
            ranges: std::iter::once(0..tokens.len()).collect(),
            asked: vec![tokens.len() - 1],
        };
        let mut added = Vec::with_capacity(cache.layers.len());
        let logits = self.forward(&branches, &mut |kv| added.push(kv));
        for (kept, new) in cache.layers.iter_mut().zip(added) {
            for (kept, new) in kept.iter_mut().zip(new) {
                kept.extend(new);
            }
        }
        cache.tokens += tokens.len();
        Ok(logits)
    }

    /// Scores of the tokens from `scored_from` on of each continuation; the cache stays as it is. Continuations are divided among the
    /// threads; their number has no effect.
    ///
    /// # Errors
    /// A continuation that scores nothing or its first token, or a token that the vocabulary lacks.
    pub fn score(
        &mut self,
        cache: &Cache<T>,
        continuations: &[Continuation],
    ) -> Result<Vec<Vec<Score>>, String> {
        let mut longest = 0;
        for Continuation {
            tokens,
            scored_from,
        } in continuations
        {
            self.check(tokens)?;
            if !(1..tokens.len()).contains(scored_from) {
                let len = tokens.len();
                return Err(format!(
                    "of {len} tokens those from {scored_from} on cannot be scored"
                ));
            }
            longest = longest.max(tokens.len());
        }
        self.reach(cache.tokens + longest);
        let share = continuations
            .len()
            .div_ceil(rayon::current_num_threads())
            .max(1);
        let parts = continuations.par_chunks(share);
        let scores: Vec<Vec<Vec<Score>>> = parts.map(|part| self.score_part(cache, part)).collect();
        Ok(scores.concat())
    }

    fn score_part(&self, cache: &Cache<T>, part: &[Continuation]) -> Vec<Vec<Score>> {
        let mut branches = Branches {
            prefix: cache,
            tokens: vec![],
            ranges: vec![],
            asked: vec![],
        };
        for Continuation {
            tokens,
            scored_from,
        } in part
        {
            // The last token is scored but not read.
            let start = branches.tokens.len();
            branches.tokens.extend(&tokens[..tokens.len() - 1]);
            branches.ranges.push(start..branches.tokens.len());
            branches
                .asked
                .extend(start + scored_from - 1..branches.tokens.len());
        }
        let mut logits = self.forward(&branches, &mut |_| {});
        let size = self.network.config().output_size();
        let mut rows = logits.chunks_exact_mut(size);
        let of = |Continuation {
                      tokens,
                      scored_from,
                  }: &Continuation| {
            let scored = tokens[*scored_from..].iter().zip(&mut rows);
            scored
                .map(|(&token, row)| score(token as usize, row))
                .collect()
        };
        part.iter().map(of).collect()
    }

    fn check(&self, tokens: &[u32]) -> Result<(), String> {
        let Input::Embedding { vocabulary } = self.network.config().input else {
            return Err("the model reads features, not token ids".into());
        };
        match tokens.iter().find(|&&token| token as usize >= vocabulary) {
            _ if tokens.is_empty() => Err("there are no tokens to read".into()),
            Some(token) => Err(format!("token id {token}: the vocabulary has {vocabulary}")),
            None => Ok(()),
        }
    }

    fn reach(&mut self, positions: usize) {
        let attention = &self.network.config().attention;
        if let Some(base) = attention.rope {
            self.turns.reach(positions, attention.head_size, base);
        }
    }

    fn parameters(&self) -> Parameters<'_, T> {
        Parameters {
            layout: self.network.layout(),
            values: self.parameters,
        }
    }

    /// Logits of the rows that are asked, rows x vocabulary; `keep` is given keys and values of each layer.
    fn forward(&self, branches: &Branches<'_, T>, keep: &mut dyn FnMut([Vec<T>; 2])) -> Vec<T> {
        let (config, layout, parameters) = (
            self.network.config(),
            self.network.layout(),
            self.parameters(),
        );
        let width = config.width;
        let table = layout.embedding.map_or(&[][..], |at| parameters.get(at));
        let row_of = |&token: &u32| &table[token as usize * width..(token as usize + 1) * width];
        let mut stream: Vec<T> = branches.tokens.iter().flat_map(row_of).copied().collect();
        let everywhere: Vec<usize> = (0..branches.tokens.len()).collect();
        for (at, tensors) in layout.layers.iter().enumerate() {
            let is_last = at + 1 == config.layers;
            let asking = if is_last {
                &branches.asked
            } else {
                &everywhere
            };
            let prefix = &branches.prefix.layers[at];
            let (out, kv) = self.layer(tensors, branches, prefix, asking, &stream);
            stream = out;
            keep(kv);
        }
        let stream = self.normed(layout.norm, stream);
        let size = config.output_size();
        let mut logits = vec![T::ZERO; stream.len() / width * size];
        if let Some(output) = layout.output {
            linear::apply(parameters.get(output), &stream, [width, size], &mut logits);
        }
        logits
    }

    fn normed(&self, tensors: Option<NormTensors>, x: Vec<T>) -> Vec<T> {
        let Some((kind, tensors)) = self.network.config().norm.zip(tensors) else {
            return x;
        };
        let (mut y, mut moments) = (Vec::new(), Moments::default());
        norm::forward(kind, tensors, self.parameters(), &x, &mut y, &mut moments);
        y
    }

    /// The stream after a layer at the rows that ask, and keys and values of all rows.
    fn layer(
        &self,
        tensors: &LayerTensors,
        branches: &Branches<'_, T>,
        prefix: &[Vec<T>; 2],
        asking: &[usize],
        input: &[T],
    ) -> (Vec<T>, [Vec<T>; 2]) {
        let (config, parameters) = (self.network.config(), self.parameters());
        let width = config.width;
        let map = |map: &_, x: &[T]| {
            let mut y = Vec::new();
            linear::forward(map, parameters, x, &mut y);
            y
        };
        let gather = |x: &[T]| -> Vec<T> {
            let row = |&row: &usize| &x[row * width..(row + 1) * width];
            asking.iter().flat_map(row).copied().collect()
        };
        let normed = self.normed(tensors.norm, input.to_vec());
        let (mut k, v) = (map(&tensors.key, &normed), map(&tensors.value, &normed));
        let mut q = map(&tensors.query, &gather(&normed));
        let position = branches.positions();
        let everywhere: Vec<usize> = (0..position.len()).collect();
        self.turn(&mut q, asking, &position);
        self.turn(&mut k, &everywhere, &position);
        let kv = [k, v];
        let mixed = attend(&config.attention, branches, prefix, asking, &q, &kv);
        let mut middle = match &tensors.output {
            Some(output) => map(output, &mixed),
            None => mixed,
        };
        add(&mut middle, &gather(input));
        let Some((kind, maps)) = config.mlp.zip(tensors.mlp) else {
            return (middle, kv);
        };
        let normed = self.normed(tensors.mlp_norm, middle.clone());
        let gate = maps.gate.map_or_else(Vec::new, |gate| map(&gate, &normed));
        let up = map(&maps.up, &normed);
        let mut active = Vec::new();
        mlp::forward(kind.activation, &gate, &up, &mut active);
        let mut output = map(&maps.down, &active);
        add(&mut output, &middle);
        (output, kv)
    }

    /// Turns the heads of rows, which stand for these tokens, to their positions.
    fn turn(&self, heads: &mut [T], tokens: &[usize], position: &[usize]) {
        let attention = &self.network.config().attention;
        if attention.rope.is_none() || tokens.is_empty() {
            return;
        }
        let row = heads.len() / tokens.len();
        for (heads, &token) in heads.chunks_exact_mut(row).zip(tokens) {
            self.turns
                .turn(heads, attention.head_size, position[token], false);
        }
    }
}

impl<T> Branches<'_, T> {
    /// Of each row, counted from the prefix's first token.
    fn positions(&self) -> Vec<usize> {
        let of = |range: &Range<usize>| (0..range.len()).map(|at| self.prefix.tokens + at);
        self.ranges.iter().flat_map(of).collect()
    }
}

/// Attention of the rows that ask over the prefix and over their own branch up to themselves: rows x (heads * head size).
fn attend<T: Float>(
    attention: &Attention,
    branches: &Branches<'_, T>,
    prefix: &[Vec<T>; 2],
    asking: &[usize],
    q: &[T],
    [k, v]: &[Vec<T>; 2],
) -> Vec<T> {
    let Attention {
        heads,
        key_value_heads: groups,
        head_size: size,
        ..
    } = *attention;
    let before = branches.prefix.tokens;
    let scale = T::ONE / T::from_f64(size as f64).sqrt();
    let mut mixed = vec![T::ZERO; q.len()];
    let mut block = Vec::new();
    let mut first = 0;
    for range in &branches.ranges {
        let count = asking[first..]
            .iter()
            .take_while(|&&row| row < range.end)
            .count();
        let (own, seen) = (range.len(), before + range.len());
        for at in 0..heads {
            let group = at / (heads / groups);
            let [k_before, v_before, k, v] =
                [&prefix[0], &prefix[1], k, v].map(|x| columns(x, [groups, size], group));
            let q = columns(q, [heads, size], at).rows(first, count);
            block.clear();
            block.resize(count * seen, T::ZERO);
            let (k_own, v_own) = (k.rows(range.start, own), v.rows(range.start, own));
            for (k, from) in [(k_before, 0), (k_own, before)] {
                let into = MatrixMut::new(&mut block, count, seen).columns(from, k.n_rows());
                multiply(into, q, k.t(), false);
            }
            for x in &mut block {
                *x *= scale;
            }
            let visible = |row: usize| before + asking[first + row] - range.start + 1;
            rows::softmax(&mut block, seen, visible);
            let weights = MatrixRef::new(&block, count, seen);
            let total = mixed.len() / (heads * size);
            let out = MatrixMut::new(&mut mixed, total, heads * size);
            let mut out = out.rows(first, count).columns(at * size, size);
            multiply(out.by_ref(), weights.columns(0, before), v_before, false);
            multiply(out, weights.columns(before, own), v_own, true);
        }
        first += count;
    }
    mixed
}

/// The columns of one head in rows of heads.
fn columns<T>(x: &[T], [heads, size]: [usize; 2], head: usize) -> MatrixRef<'_, T> {
    MatrixRef::new(x, x.len() / (heads * size), heads * size).columns(head * size, size)
}

fn add<T: Float>(sum: &mut [T], x: &[T]) {
    for (sum, &x) in sum.iter_mut().zip(x) {
        *sum += x;
    }
}

/// The score of one token; `row` becomes probabilities.
fn score<T: Float>(token: usize, row: &mut [T]) -> Score {
    let best = (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best });
    let below = (row[best] - row[token]).to_f64();
    let size = row.len();
    rows::softmax(row, size, |_| size);
    Score {
        log_probability: libm::log(row[best].to_f64()) - below,
        is_first: best == token,
    }
}
