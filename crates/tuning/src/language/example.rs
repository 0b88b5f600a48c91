//! Prompts with their responses as batches whose loss is on the responses alone.
//!
//! Does not know texts, nor who trains on them.

use crate::transformer::model::batch::{Batch, Read, Target, Tokens};

/// A prompt and what is to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub tokens: Vec<u32>,
    /// Where the response begins.
    pub response: usize,
}

/// Examples whose loss is the mean cross-entropy in nats over the tokens of all responses. The token before predicts each; what
/// nothing precedes is predicted by nothing.
///
/// # Errors
/// A token that the model has no output for, and examples without any response.
pub fn batch<'a>(
    examples: impl IntoIterator<Item = &'a Example>,
    vocabulary: usize,
) -> Result<Batch, String> {
    let (mut lengths, mut reads, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for example in examples {
        let start = entries.len();
        for at in example.response.max(1)..example.tokens.len() {
            let class = example.tokens[at] as usize;
            if class >= vocabulary {
                return Err(format!("token {class}: the model has {vocabulary} outputs"));
            }
            let target = Target::Class {
                from: 0,
                to: vocabulary,
                class,
            };
            reads.push(Read {
                token: start + at - 1,
                target,
                weight: 1.0,
            });
        }
        lengths.push(example.tokens.len());
        entries.extend(example.tokens.iter().map(|&token| (token, 1.0)));
    }
    if reads.is_empty() {
        return Err("there is no response to learn".into());
    }
    let each = 1.0 / reads.len() as f64;
    reads.iter_mut().for_each(|read| read.weight = each);
    let ends = (1..=entries.len()).collect();
    Ok(Batch {
        lengths,
        tokens: Tokens::Bags { entries, ends },
        reads,
    })
}
