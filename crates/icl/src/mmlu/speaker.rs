//! A language model, as answers need it: what may follow tokens. And one that computes everything anew for each token.
//!
//! Knows no text.

use crate::transformer::model::batch::{Batch, Read, Target, Tokens};
use crate::transformer::network::Network;
use crate::transformer::train::Worker;

/// Says what may come next.
pub trait Speaker {
    /// Tokens that it can read at once; none where there is no limit.
    fn context(&self) -> Option<usize>;

    /// One logit for each token of the vocabulary, of what follows these tokens. The result depends on the tokens alone; a
    /// speaker may keep what it computed for tokens that the last call began with.
    ///
    /// # Errors
    /// No tokens, too many, or one that is not in the vocabulary.
    fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, String>;
}

/// A transformer that keeps nothing between calls: for small models and short answers, and to check others by.
pub struct Recomputed<'a> {
    worker: Worker<'a, f32>,
    parameters: &'a [f32],
    context: Option<usize>,
}

impl<'a> Recomputed<'a> {
    /// Of a network with tokens as input and an output for each.
    pub fn new(network: &'a Network, parameters: &'a [f32], context: Option<usize>) -> Self {
        Recomputed {
            worker: Worker::new(network),
            parameters,
            context,
        }
    }
}

impl Speaker for Recomputed<'_> {
    fn context(&self) -> Option<usize> {
        self.context
    }

    fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, String> {
        if let Some(most) = self.context.filter(|&most| tokens.len() > most) {
            return Err(format!(
                "{} tokens are more than the {most} that the model reads",
                tokens.len()
            ));
        }
        let last = tokens.len().checked_sub(1).ok_or("there are no tokens")?;
        let any = Target::Class {
            from: 0,
            to: 1,
            class: 0,
        };
        let batch = Batch {
            lengths: vec![tokens.len()],
            tokens: Tokens::Bags {
                entries: tokens.iter().map(|&token| (token, 1.0)).collect(),
                ends: (1..=tokens.len()).collect(),
            },
            reads: vec![Read {
                token: last,
                target: any,
                weight: 0.0,
            }],
        };
        self.worker.predict(self.parameters, &batch)
    }
}
