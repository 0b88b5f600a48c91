//! Reading on after a prefix whose keys and values are kept: scores of continuations, and the next token.
//!
//! Several continuations may follow one prefix, which is read once. Every sum runs in the order of [`Network`]'s own
//! forward, so outputs have the same bits as those of whole sequences. For decoders of token ids with causal softmax attention and a matrix O.
//! Does not know texts, nor how a token is chosen.

use crate::transformer::layers::norm::Moments;
use crate::transformer::layers::rope::Turns;
use crate::transformer::layers::{linear, mlp, norm};
use crate::transformer::model::config::{Attention, HeadOutput, Input, Kernel};
use crate::transformer::model::layout::{LayerTensors, NormTensors};
use crate::transformer::model::parameters::Parameters;
use crate::transformer::network::Network;
use icl::math::tensor::float::Float;
use icl::math::tensor::matmul::multiply;
use icl::math::tensor::matrix::{MatrixMut, MatrixRef};
use icl::math::tensor::rows;
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

/// Continuations that one thread scores at once: their logits take rows x vocabulary of memory.
const AT_ONCE: usize = 160;

/// A prefix with what may follow it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a, T> {
    pub prefix: &'a Cache<T>,
    pub continuations: &'a [Continuation],
}

/// Sequences, one behind another, each after its prefix; and the rows whose outputs are wanted.
struct Branches<'a, T> {
    tokens: Vec<u32>,
    branches: Vec<Branch<'a, T>>,
    asked: Vec<usize>,
}

struct Branch<'a, T> {
    prefix: &'a Cache<T>,
    rows: Range<usize>,
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
    #[inline(never)]
    pub fn read(&mut self, cache: &mut Cache<T>, tokens: &[u32]) -> Result<Vec<T>, String> {
        self.check(tokens)?;
        self.reach(cache.tokens + tokens.len());
        let mut branches = Branches::default();
        branches.push(cache, tokens);
        branches.asked.push(tokens.len() - 1);
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

    /// Reads texts, each from its beginning. They are divided among the threads, whose number has no effect.
    ///
    /// # Errors
    /// A token that the vocabulary lacks.
    #[inline(never)]
    pub fn read_each(&mut self, texts: &[Vec<u32>]) -> Result<Vec<Cache<T>>, String> {
        for text in texts.iter().filter(|text| !text.is_empty()) {
            self.check(text)?;
        }
        self.reach(texts.iter().map(Vec::len).max().unwrap_or(0));
        let size = self.key_size();
        let read = |part: &[Vec<u32>]| {
            let nothing = self.start();
            let mut branches = Branches::default();
            part.iter().for_each(|text| branches.push(&nothing, text));
            let mut caches = vec![nothing.clone(); part.len()];
            let mut layer = 0;
            self.forward(&branches, &mut |kv| {
                for (cache, branch) in caches.iter_mut().zip(&branches.branches) {
                    let rows = branch.rows.start * size..branch.rows.end * size;
                    cache.layers[layer] = [0, 1].map(|at| kv[at][rows.clone()].to_vec());
                    cache.tokens = branch.rows.len();
                }
                layer += 1;
            });
            caches
        };
        let parts: Vec<Vec<Cache<T>>> = texts.par_chunks(share(texts.len())).map(read).collect();
        Ok(parts.concat())
    }

    /// Scores of the tokens from `scored_from` on of each continuation, in their order; the prefixes stay as they are.
    /// Continuations are divided among the threads, whose number has no effect.
    ///
    /// # Errors
    /// A continuation that scores nothing or its first token, or a token that the vocabulary lacks.
    #[inline(never)]
    pub fn score(&mut self, asked: &[Asked<'_, T>]) -> Result<Vec<Vec<Score>>, String> {
        let mut longest = 0;
        let mut all = Vec::new();
        for &Asked {
            prefix,
            continuations,
        } in asked
        {
            for one in continuations {
                let Continuation {
                    tokens,
                    scored_from,
                } = one;
                self.check(tokens)?;
                if !(1..tokens.len()).contains(scored_from) {
                    let len = tokens.len();
                    return Err(format!(
                        "of {len} tokens those from {scored_from} on cannot be scored"
                    ));
                }
                longest = longest.max(prefix.tokens + tokens.len());
                all.push((prefix, one));
            }
        }
        self.reach(longest);
        let parts = all.par_chunks(share(all.len()).min(AT_ONCE));
        let scores: Vec<Vec<Vec<Score>>> = parts.map(|part| self.score_part(part)).collect();
        Ok(scores.concat())
    }

    fn score_part(&self, part: &[(&Cache<T>, &Continuation)]) -> Vec<Vec<Score>> {
        let mut branches = Branches::default();
        for (
            prefix,
            Continuation {
                tokens,
                scored_from,
            },
        ) in part
        {
            // The last token is scored but not read.
            let start = branches.tokens.len();
            branches.push(prefix, &tokens[..tokens.len() - 1]);
            branches
                .asked
                .extend(start + scored_from - 1..branches.tokens.len());
        }
        let mut logits = self.forward(&branches, &mut |_| {});
        let size = self.network.config().output_size();
        let mut rows = logits.chunks_exact_mut(size);
        let of = |(_, one): &(&Cache<T>, &Continuation)| {
            let scored = one.tokens[one.scored_from..].iter().zip(&mut rows);
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

    /// Numbers in a token's keys.
    fn key_size(&self) -> usize {
        let attention = &self.network.config().attention;
        attention.key_value_heads * attention.head_size
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
            let (out, kv) = self.layer(at, tensors, branches, asking, &stream);
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
        at: usize,
        tensors: &LayerTensors,
        branches: &Branches<'_, T>,
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
        let mixed = attend(&config.attention, at, branches, asking, &q, &kv);
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

impl<T> Default for Branches<'_, T> {
    fn default() -> Self {
        Branches {
            tokens: vec![],
            branches: vec![],
            asked: vec![],
        }
    }
}

impl<'a, T> Branches<'a, T> {
    fn push(&mut self, prefix: &'a Cache<T>, tokens: &[u32]) {
        let start = self.tokens.len();
        self.tokens.extend(tokens);
        self.branches.push(Branch {
            prefix,
            rows: start..self.tokens.len(),
        });
    }

    /// Of each row, counted from its prefix's first token.
    fn positions(&self) -> Vec<usize> {
        let of = |branch: &Branch<'_, T>| {
            let before = branch.prefix.tokens;
            before..before + branch.rows.len()
        };
        self.branches.iter().flat_map(of).collect()
    }
}

/// Items of a part, where each thread has one.
fn share(items: usize) -> usize {
    items.div_ceil(rayon::current_num_threads()).max(1)
}

/// Attention of the rows that ask over the prefix and over their own branch up to themselves: rows x (heads * head size).
fn attend<T: Float>(
    attention: &Attention,
    layer: usize,
    branches: &Branches<'_, T>,
    asking: &[usize],
    q: &[T],
    [keys, values]: &[Vec<T>; 2],
) -> Vec<T> {
    let Attention {
        heads,
        key_value_heads: groups,
        head_size: size,
        ..
    } = *attention;
    let scale = T::ONE / T::from_f64(size as f64).sqrt();
    let mut mixed = vec![T::ZERO; q.len()];
    let mut block = Vec::new();
    let mut first = 0;
    for Branch {
        prefix,
        rows: range,
    } in &branches.branches
    {
        let (before, prefix) = (prefix.tokens, &prefix.layers[layer]);
        let count = asking[first..]
            .iter()
            .take_while(|&&row| row < range.end)
            .count();
        let (own, seen) = (range.len(), before + range.len());
        for at in 0..heads {
            let group = at / (heads / groups);
            let [k_before, v_before, k, v] =
                [&prefix[0], &prefix[1], keys, values].map(|x| columns(x, [groups, size], group));
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
