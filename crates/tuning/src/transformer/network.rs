//! A transformer's forward and backward over one part of a batch, in buffers that are used again.
//!
//! The last layer asks only at the tokens that are read: its queries, its MLP and the output are computed for those alone. Does
//! not know who divides a batch, nor optimisers.

use crate::transformer::layers::attention::{self, Sequence, Work};
use crate::transformer::layers::linear::Write;
use crate::transformer::layers::norm::Moments;
use crate::transformer::layers::rope::Turns;
use crate::transformer::layers::{embedding, linear, mlp, norm};
use crate::transformer::loss;
use crate::transformer::model::batch::{Batch, Read};
use crate::transformer::model::config::{Config, ConfigError, HeadOutput, Output};
use crate::transformer::model::layout::{LayerTensors, Layout, Linear, NormTensors};
use crate::transformer::model::parameters::{Gradient, Parameters};
use icl::math::tensor::float::Float;
use std::ops::Range;

/// A configuration with its layout.
#[derive(Debug, Clone)]
pub struct Network {
    config: Config,
    layout: Layout,
}

/// Buffers of one part's forward and backward.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace<T> {
    features: Vec<T>,
    layers: Vec<Trace<T>>,
    /// The stream after the last layer, at what is read.
    last: Vec<T>,
    normed: Vec<T>,
    moments: Moments<T>,
    /// read rows x output size.
    outputs: Vec<T>,
    turns: Turns<T>,
    /// By row of the outputs: the token.
    read_tokens: Vec<usize>,
    /// By read of the part: the row of the outputs.
    row_of: Vec<usize>,
    back: Backward<T>,
}

/// What a layer leaves for backward.
#[derive(Debug, Clone, Default)]
struct Trace<T> {
    sequences: Vec<Sequence>,
    /// Token of each query row.
    asking: Vec<usize>,
    /// The stream that enters.
    input: Vec<T>,
    normed: Vec<T>,
    moments: Moments<T>,
    asking_normed: Vec<T>,
    q: Vec<T>,
    k: Vec<T>,
    v: Vec<T>,
    weights: Vec<T>,
    mixed: Vec<T>,
    /// The stream between attention and MLP.
    middle: Vec<T>,
    middle_normed: Vec<T>,
    middle_moments: Moments<T>,
    gate: Vec<T>,
    up: Vec<T>,
    active: Vec<T>,
}

#[derive(Debug, Clone, Default)]
struct Backward<T> {
    d_outputs: Vec<T>,
    slope: Vec<T>,
    d_stream: Vec<T>,
    d_input: Vec<T>,
    d_normed: Vec<T>,
    d_asking: Vec<T>,
    d_mixed: Vec<T>,
    dq: Vec<T>,
    dk: Vec<T>,
    dv: Vec<T>,
    d_active: Vec<T>,
    d_gate: Vec<T>,
    d_up: Vec<T>,
    scratch: attention::Scratch<T>,
}

/// Consecutive sequences of a batch with their tokens and reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub sequences: Range<usize>,
    pub tokens: Range<usize>,
    pub reads: Range<usize>,
}

impl Network {
    /// # Errors
    /// A configuration that means nothing.
    pub fn new(config: Config) -> Result<Network, ConfigError> {
        let layout = Layout::new(&config)?;
        Ok(Network { config, layout })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether this batch can be read.
    ///
    /// # Errors
    /// Tokens of another kind or number, an empty sequence, reads out of order or out of range.
    pub fn check(&self, batch: &Batch) -> Result<(), String> {
        let count: usize = batch.lengths.iter().sum();
        if let Some(at) = batch.lengths.iter().position(|&length| length == 0) {
            return Err(format!("sequence {at} has no tokens"));
        }
        embedding::check(self.config.input, self.config.width, &batch.tokens, count)?;
        let size = self.config.output_size();
        let mut before = 0;
        for read in &batch.reads {
            let wrong = match read.target {
                _ if read.token < before => Some("reads are not in the order of tokens".to_owned()),
                _ if read.token >= count => {
                    Some(format!("token {} of {count} is read", read.token))
                }
                crate::transformer::model::batch::Target::Class { from, to, class }
                    if !(from <= class && class < to && to <= size) =>
                {
                    Some(format!(
                        "class {class} of outputs {from} to {to}: there are {size}"
                    ))
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(wrong);
            }
            before = read.token;
        }
        Ok(())
    }

    /// Outputs of the part's reads, one row of `output_size` for each different token that is read.
    #[inline(never)]
    pub(crate) fn forward<T: Float>(
        &self,
        values: &[T],
        batch: &Batch,
        part: &Part,
        space: &mut Workspace<T>,
    ) {
        let parameters = Parameters {
            layout: &self.layout,
            values,
        };
        let config = &self.config;
        let width = config.width;
        space.find_reads(&batch.reads[part.reads.clone()], part.tokens.start);
        space.layers.resize_with(config.layers, Trace::default);
        let lengths = &batch.lengths[part.sequences.clone()];
        if let Some(base) = config.attention.rope {
            let longest = lengths.iter().copied().max().unwrap_or(0);
            space.turns.reach(longest, config.attention.head_size, base);
        }
        let table = self
            .layout
            .embedding
            .map_or(&[][..], |at| parameters.get(at));
        let first = &mut space.layers[0];
        embedding::forward(
            config.input,
            table,
            &batch.tokens,
            part.tokens.clone(),
            width,
            &mut space.features,
            &mut first.input,
        );
        for at in 0..config.layers {
            let (these, later) = space.layers.split_at_mut(at + 1);
            let trace = &mut these[at];
            let output = match later.first_mut() {
                Some(next) => &mut next.input,
                None => &mut space.last,
            };
            match at + 1 == config.layers {
                true => trace.ask(lengths, &space.read_tokens),
                false => trace.ask_everywhere(lengths),
            }
            trace.forward(
                config,
                self.layout.layers[at],
                parameters,
                &space.turns,
                output,
            );
        }
        let stream = match (config.norm, self.layout.norm) {
            (Some(kind), Some(tensors)) => {
                let (x, y) = (&space.last, &mut space.normed);
                norm::forward(kind, tensors, parameters, x, y, &mut space.moments);
                &space.normed
            }
            _ => &space.last,
        };
        match self.layout.output {
            Some(output) => {
                let size = config.output_size();
                space.outputs.resize(stream.len() / width * size, T::ZERO);
                let weight = parameters.get(output);
                linear::apply(weight, stream, [width, size], &mut space.outputs);
            }
            None => {
                space.outputs.clear();
                space
                    .outputs
                    .extend(stream.chunks_exact(width).map(|row| row[width - 1]));
            }
        }
    }

    /// The part's loss after its forward; adds to the gradient of the tensors that are wanted.
    #[inline(never)]
    pub(crate) fn backward<T: Float>(
        &self,
        values: &[T],
        batch: &Batch,
        part: &Part,
        space: &mut Workspace<T>,
        gradient: &mut Gradient<'_, T>,
    ) -> f64 {
        let parameters = Parameters {
            layout: &self.layout,
            values,
        };
        let config = &self.config;
        let (width, size) = (config.width, config.output_size());
        let back = &mut space.back;
        let loss = loss::loss_and_gradient(
            &batch.reads[part.reads.clone()],
            &space.row_of,
            &space.outputs,
            size,
            &mut back.d_outputs,
            &mut back.slope,
        );
        let normed = config.norm.zip(self.layout.norm);
        let stream = if normed.is_some() {
            &space.normed
        } else {
            &space.last
        };
        let d_normed = if normed.is_some() {
            &mut back.d_normed
        } else {
            &mut back.d_stream
        };
        d_normed.clear();
        d_normed.resize(stream.len(), T::ZERO);
        match (self.layout.output, config.output) {
            (Some(output), Output::Separate { .. } | Output::Tied) => {
                let sizes = [width, size];
                if let Some(dw) = gradient.get(output) {
                    linear::weight_gradient(&back.d_outputs, stream, sizes, dw);
                }
                let weight = parameters.get(output);
                linear::input_gradient(weight, &back.d_outputs, sizes, d_normed, Write::Set);
            }
            _ => {
                for (row, &d) in d_normed.chunks_exact_mut(width).zip(&back.d_outputs) {
                    row[width - 1] = d;
                }
            }
        }
        if let Some((kind, tensors)) = normed {
            back.d_stream.clear();
            back.d_stream.resize(space.last.len(), T::ZERO);
            let inputs = [&back.d_normed[..], &space.last];
            let dx = &mut back.d_stream;
            norm::backward(
                kind,
                tensors,
                parameters,
                inputs,
                &space.moments,
                dx,
                gradient,
            );
        }
        for at in (0..config.layers).rev() {
            let below = gradient.wanted_below(at);
            let tensors = self.layout.layers[at];
            space.layers[at].backward(
                config,
                tensors,
                parameters,
                &space.turns,
                back,
                gradient,
                below,
            );
            if !below {
                return loss;
            }
            std::mem::swap(&mut back.d_stream, &mut back.d_input);
        }
        if let Some(d_table) = self.layout.embedding.and_then(|at| gradient.get(at)) {
            let tokens = part.tokens.clone();
            let (x, d) = (&space.features, &back.d_stream);
            embedding::backward(config.input, &batch.tokens, tokens, x, d, width, d_table);
        }
        loss
    }
}

impl<T: Float> Workspace<T> {
    /// One row of outputs for each token that is read, and the row of each read.
    fn find_reads(&mut self, reads: &[Read], first_token: usize) {
        self.read_tokens.clear();
        self.row_of.clear();
        for read in reads {
            let token = read.token - first_token;
            if self.read_tokens.last() != Some(&token) {
                self.read_tokens.push(token);
            }
            self.row_of.push(self.read_tokens.len() - 1);
        }
    }

    /// The output of each of the part's reads, after a forward.
    pub fn outputs(&self, size: usize) -> impl Iterator<Item = &[T]> {
        let row = move |&row: &usize| &self.outputs[row * size..(row + 1) * size];
        self.row_of.iter().map(row)
    }

    /// A layer without norm, after a forward: the attention weights by sequence, head and query, one for each token of the
    /// sequence; and what values are made of, tokens x width.
    pub fn attended(&self, layer: usize) -> (&[T], &[T]) {
        let trace = &self.layers[layer];
        (&trace.weights, &trace.input)
    }
}

impl<T: Float> Trace<T> {
    /// Queries at every token.
    fn ask_everywhere(&mut self, lengths: &[usize]) {
        self.sequences.clear();
        let mut start = 0;
        for &length in lengths {
            let tokens = start..start + length;
            start += length;
            self.sequences.push(Sequence {
                queries: tokens.clone(),
                tokens,
            });
        }
        self.asking.clear();
        self.asking.extend(0..start);
    }

    /// Queries at these tokens alone.
    fn ask(&mut self, lengths: &[usize], tokens: &[usize]) {
        self.sequences.clear();
        let (mut start, mut first) = (0, 0);
        for &length in lengths {
            let end = start + length;
            let count = tokens[first..]
                .iter()
                .take_while(|&&token| token < end)
                .count();
            self.sequences.push(Sequence {
                tokens: start..end,
                queries: first..first + count,
            });
            (start, first) = (end, first + count);
        }
        self.asking.clear();
        self.asking.extend_from_slice(tokens);
    }

    fn work<'a>(&'a self, config: &'a Config) -> Work<'a, T> {
        Work {
            config: &config.attention,
            sequences: &self.sequences,
            asking: &self.asking,
            q: &self.q,
            k: &self.k,
            v: &self.v,
        }
    }

    fn forward(
        &mut self,
        config: &Config,
        tensors: LayerTensors,
        parameters: Parameters<'_, T>,
        turns: &Turns<T>,
        output: &mut Vec<T>,
    ) {
        let width = config.width;
        if let Some((kind, norm)) = config.norm.zip(tensors.norm) {
            let y = &mut self.normed;
            norm::forward(kind, norm, parameters, &self.input, y, &mut self.moments);
        }
        let normed = if config.norm.is_some() {
            &self.normed
        } else {
            &self.input
        };
        gather(normed, width, &self.asking, &mut self.asking_normed);
        linear::forward(&tensors.query, parameters, &self.asking_normed, &mut self.q);
        linear::forward(&tensors.key, parameters, normed, &mut self.k);
        linear::forward(&tensors.value, parameters, normed, &mut self.v);
        self.turn(config, turns, false);
        let (mut weights, mut mixed) = (
            std::mem::take(&mut self.weights),
            std::mem::take(&mut self.mixed),
        );
        self.work(config).forward(&mut weights, &mut mixed);
        (self.weights, self.mixed) = (weights, mixed);
        match (config.attention.output, &tensors.output) {
            (HeadOutput::Projection { .. }, Some(map)) => {
                linear::forward(map, parameters, &self.mixed, &mut self.middle);
            }
            _ => mean_of_heads(&self.mixed, width, config.attention.heads, &mut self.middle),
        }
        for (row, &token) in self.middle.chunks_exact_mut(width).zip(&self.asking) {
            let stream = &self.input[token * width..(token + 1) * width];
            for (x, &before) in row.iter_mut().zip(stream) {
                *x += before;
            }
        }
        let Some((mlp, maps)) = config.mlp.zip(tensors.mlp) else {
            output.clone_from(&self.middle);
            return;
        };
        if let Some((kind, norm)) = config.norm.zip(tensors.mlp_norm) {
            let (x, y) = (&self.middle, &mut self.middle_normed);
            norm::forward(kind, norm, parameters, x, y, &mut self.middle_moments);
        }
        let normed = if config.norm.is_some() {
            &self.middle_normed
        } else {
            &self.middle
        };
        if let Some(map) = &maps.gate {
            linear::forward(map, parameters, normed, &mut self.gate);
        }
        linear::forward(&maps.up, parameters, normed, &mut self.up);
        mlp::forward(mlp.activation, &self.gate, &self.up, &mut self.active);
        linear::forward(&maps.down, parameters, &self.active, output);
        for (x, &before) in output.iter_mut().zip(&self.middle) {
            *x += before;
        }
    }

    /// Turns queries and keys to their positions.
    fn turn(&mut self, config: &Config, turns: &Turns<T>, back: bool) {
        turn_rows(
            config,
            turns,
            &self.sequences,
            &self.asking,
            [&mut self.q, &mut self.k],
            back,
        );
    }

    /// From the gradient of the layer's output, `back.d_stream`, to that of its input, `back.d_input`, where
    /// something below is trained.
    #[expect(
        clippy::too_many_arguments,
        reason = "a layer's backward reads all of a layer"
    )]
    fn backward(
        &self,
        config: &Config,
        tensors: LayerTensors,
        parameters: Parameters<'_, T>,
        turns: &Turns<T>,
        back: &mut Backward<T>,
        gradient: &mut Gradient<'_, T>,
        below: bool,
    ) {
        let width = config.width;
        let normed = config.norm.is_some();
        if let Some((mlp, maps)) = config.mlp.zip(tensors.mlp) {
            back.d_active.resize(self.active.len(), T::ZERO);
            let inputs = [&back.d_stream[..], &self.active];
            linear::backward(
                &maps.down,
                parameters,
                inputs,
                &mut back.d_active,
                Write::Set,
                gradient,
            );
            let values = [&self.gate[..], &self.up, &back.d_active];
            mlp::backward(mlp.activation, values, &mut back.d_gate, &mut back.d_up);
            let x = if normed {
                &self.middle_normed
            } else {
                &self.middle
            };
            back.d_normed.resize(x.len(), T::ZERO);
            let dx = &mut back.d_normed;
            linear::backward(
                &maps.up,
                parameters,
                [&back.d_up, x],
                dx,
                Write::Set,
                gradient,
            );
            if let Some(map) = &maps.gate {
                linear::backward(map, parameters, [&back.d_gate, x], dx, Write::Add, gradient);
            }
            match config.norm.zip(tensors.mlp_norm) {
                Some((kind, norm)) => {
                    let inputs = [&back.d_normed[..], &self.middle];
                    let dx = &mut back.d_stream;
                    norm::backward(
                        kind,
                        norm,
                        parameters,
                        inputs,
                        &self.middle_moments,
                        dx,
                        gradient,
                    );
                }
                None => add(&mut back.d_stream, &back.d_normed),
            }
        }
        back.d_mixed.resize(self.mixed.len(), T::ZERO);
        match (config.attention.output, &tensors.output) {
            (HeadOutput::Projection { .. }, Some(map)) => {
                let inputs = [&back.d_stream[..], &self.mixed];
                linear::backward(
                    map,
                    parameters,
                    inputs,
                    &mut back.d_mixed,
                    Write::Set,
                    gradient,
                );
            }
            _ => spread_to_heads(
                &back.d_stream,
                width,
                config.attention.heads,
                &mut back.d_mixed,
            ),
        }
        let grads = [&mut back.dq, &mut back.dk, &mut back.dv];
        self.work(config)
            .backward(&self.weights, &back.d_mixed, grads, &mut back.scratch);
        let both = [&mut back.dq, &mut back.dk];
        turn_rows(config, turns, &self.sequences, &self.asking, both, true);
        let x = if normed { &self.normed } else { &self.input };
        linear::own_gradients(&tensors.query, &back.dq, &self.asking_normed, gradient);
        linear::own_gradients(&tensors.key, &back.dk, x, gradient);
        linear::own_gradients(&tensors.value, &back.dv, x, gradient);
        let wanted = |norm: NormTensors| {
            let mut own = [Some(norm.scale), norm.shift].into_iter().flatten();
            own.any(|tensor| gradient.wanted[tensor])
        };
        let trained = tensors.norm.is_some_and(wanted);
        if !below && !trained {
            return;
        }
        let sizes = |map: &Linear| [map.inputs, map.outputs];
        back.d_normed.resize(x.len(), T::ZERO);
        let dx = &mut back.d_normed;
        let weight = parameters.get(tensors.key.weight);
        linear::input_gradient(weight, &back.dk, sizes(&tensors.key), dx, Write::Set);
        let weight = parameters.get(tensors.value.weight);
        linear::input_gradient(weight, &back.dv, sizes(&tensors.value), dx, Write::Add);
        back.d_asking.resize(self.asking_normed.len(), T::ZERO);
        let weight = parameters.get(tensors.query.weight);
        let dx = &mut back.d_asking;
        linear::input_gradient(weight, &back.dq, sizes(&tensors.query), dx, Write::Set);
        scatter(&back.d_asking, width, &self.asking, &mut back.d_normed);
        back.d_input.clear();
        match config.norm.zip(tensors.norm) {
            Some((kind, norm)) => {
                back.d_input.resize(self.input.len(), T::ZERO);
                let inputs = [&back.d_normed[..], &self.input];
                let dx = &mut back.d_input;
                norm::backward(kind, norm, parameters, inputs, &self.moments, dx, gradient);
            }
            None => back.d_input.extend_from_slice(&back.d_normed),
        }
        scatter(&back.d_stream, width, &self.asking, &mut back.d_input);
    }
}

/// Turns the rows of queries and of keys, or back.
fn turn_rows<T: Float>(
    config: &Config,
    turns: &Turns<T>,
    sequences: &[Sequence],
    asking: &[usize],
    [queries, keys]: [&mut Vec<T>; 2],
    back: bool,
) {
    let attention = &config.attention;
    if attention.rope.is_none() {
        return;
    }
    let size = attention.head_size;
    for sequence in sequences {
        let start = sequence.tokens.start;
        let width = attention.heads * size;
        for row in sequence.queries.clone() {
            let values = &mut queries[row * width..(row + 1) * width];
            turns.turn(values, size, asking[row] - start, back);
        }
        let width = attention.key_value_heads * size;
        for token in sequence.tokens.clone() {
            let values = &mut keys[token * width..(token + 1) * width];
            turns.turn(values, size, token - start, back);
        }
    }
}

/// The rows of some tokens.
fn gather<T: Float>(from: &[T], width: usize, tokens: &[usize], to: &mut Vec<T>) {
    to.clear();
    for &token in tokens {
        to.extend_from_slice(&from[token * width..(token + 1) * width]);
    }
}

/// Adds rows to those of some tokens.
fn scatter<T: Float>(from: &[T], width: usize, tokens: &[usize], to: &mut [T]) {
    for (row, &token) in from.chunks_exact(width).zip(tokens) {
        add(&mut to[token * width..(token + 1) * width], row);
    }
}

fn add<T: Float>(to: &mut [T], from: &[T]) {
    for (sum, &x) in to.iter_mut().zip(from) {
        *sum += x;
    }
}

fn mean_of_heads<T: Float>(mixed: &[T], width: usize, heads: usize, out: &mut Vec<T>) {
    let scale = T::ONE / T::from_f64(heads as f64);
    out.clear();
    out.resize(mixed.len() / heads, T::ZERO);
    for (row, of_heads) in out
        .chunks_exact_mut(width)
        .zip(mixed.chunks_exact(width * heads))
    {
        for head in of_heads.chunks_exact(width) {
            add(row, head);
        }
        for x in row {
            *x *= scale;
        }
    }
}

fn spread_to_heads<T: Float>(d: &[T], width: usize, heads: usize, out: &mut [T]) {
    let scale = T::ONE / T::from_f64(heads as f64);
    for (row, of_heads) in d
        .chunks_exact(width)
        .zip(out.chunks_exact_mut(width * heads))
    {
        for head in of_heads.chunks_exact_mut(width) {
            for (to, &d) in head.iter_mut().zip(row) {
                *to = d * scale;
            }
        }
    }
}
