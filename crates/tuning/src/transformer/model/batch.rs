//! What a transformer reads and what is asked of it: sequences of tokens, and the places where
//! outputs are wanted with their targets and weights.
//!
//! Sequences follow each other without padding; token t of the batch is one of the rows of all
//! buffers. A loss is a weighted sum over reads, so an objective of several parts (zero-shot plus
//! few-shot, or plus replay) is one batch whose reads have other weights. Does not know what a token
//! means.

/// Sequences, and what is wanted of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Tokens of each sequence; all at least 1.
    pub lengths: Vec<usize>,
    pub tokens: Tokens,
    /// Where outputs are wanted, in the order of sequences and of tokens in them.
    pub reads: Vec<Read>,
}

/// The tokens of all sequences, one after another.
#[derive(Debug, Clone, PartialEq)]
pub enum Tokens {
    /// tokens x features, row-major.
    Dense { features: usize, values: Vec<f64> },
    /// Token t is a weighted sum of embeddings: the ids and weights `entries[ends[t - 1]..ends[t]]` (from 0 for the
    /// first). An ordinary token is one id with weight 1.
    Bags {
        entries: Vec<(u32, f64)>,
        ends: Vec<usize>,
    },
}

/// A place where the output is compared with something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Read {
    /// Token in the batch, counted over all sequences.
    pub token: usize,
    pub target: Target,
    /// Factor of its loss in the batch's loss; 0 where only the output is wanted.
    pub weight: f64,
}

/// What the output should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Of outputs `from..to` the one that is right: cross-entropy in nats. `class` counts as outputs do.
    Class {
        from: usize,
        to: usize,
        class: usize,
    },
    /// Output 0 should have this value: squared error.
    Value(f64),
}

impl Batch {
    /// Appends sequences whose losses count `weight` times what they say.
    ///
    /// # Panics
    /// If the tokens are of another kind, or have another number of features.
    pub fn append(&mut self, other: &Batch, weight: f64) {
        let shift: usize = self.lengths.iter().sum();
        self.lengths.extend(&other.lengths);
        match (&mut self.tokens, &other.tokens) {
            (
                Tokens::Dense { features, values },
                Tokens::Dense {
                    features: others,
                    values: more,
                },
            ) => {
                assert_eq!(features, others, "batches with other features");
                values.extend_from_slice(more);
            }
            (
                Tokens::Bags { entries, ends },
                Tokens::Bags {
                    entries: more,
                    ends: their_ends,
                },
            ) => {
                ends.extend(their_ends.iter().map(|end| entries.len() + end));
                entries.extend_from_slice(more);
            }
            _ => panic!("batches with tokens of other kinds"),
        }
        self.reads.extend(other.reads.iter().map(|read| Read {
            token: read.token + shift,
            weight: read.weight * weight,
            ..*read
        }));
    }
}
