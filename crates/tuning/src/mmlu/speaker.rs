//! A language model, as answers need it: what may follow tokens. And a transformer as one.
//!
//! Knows no text.

use crate::transformer::decode::{Cache, Decoder};
use crate::transformer::network::Network;

/// Says what may come next.
pub trait Speaker {
    /// Tokens that it can read at once; none where there is no limit.
    fn context(&self) -> Option<usize>;

    /// One logit for each token of the vocabulary, of what follows these tokens. The result depends on the tokens alone; a
    /// speaker may keep what it computed for tokens that an earlier call began with.
    ///
    /// # Errors
    /// No tokens, too many, or one that is not in the vocabulary.
    fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, String>;
}

/// A transformer that keeps what it read: of the last call, and of the last call that began anew, as several answers to
/// one prompt do.
pub struct Reader<'a> {
    decoder: Decoder<'a, f32>,
    context: Option<usize>,
    current: Read,
    prompt: Read,
}

/// What was read, and what may follow it.
#[derive(Clone)]
struct Read {
    tokens: Vec<u32>,
    cache: Cache<f32>,
    logits: Vec<f32>,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// A network that cannot be read on, see [`Decoder::new`].
    pub fn new(
        network: &'a Network,
        parameters: &'a [f32],
        context: Option<usize>,
    ) -> Result<Reader<'a>, String> {
        let decoder = Decoder::new(network, parameters)?;
        let nothing = Read {
            tokens: Vec::new(),
            cache: decoder.start(),
            logits: Vec::new(),
        };
        Ok(Reader {
            decoder,
            context,
            current: nothing.clone(),
            prompt: nothing,
        })
    }
}

impl Speaker for Reader<'_> {
    fn context(&self) -> Option<usize> {
        self.context
    }

    fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, String> {
        let n = tokens.len();
        if let Some(most) = self.context.filter(|&most| n > most) {
            return Err(format!(
                "{n} tokens are more than the {most} that the model reads"
            ));
        }
        let goes_on = |read: &Read| !read.tokens.is_empty() && tokens.starts_with(&read.tokens);
        if !goes_on(&self.current) {
            self.current = match goes_on(&self.prompt) {
                true => self.prompt.clone(),
                false => Read {
                    tokens: Vec::new(),
                    cache: self.decoder.start(),
                    logits: Vec::new(),
                },
            };
        }
        let current = &mut self.current;
        let is_anew = current.tokens.is_empty();
        let rest = &tokens[current.tokens.len()..];
        if is_anew || !rest.is_empty() {
            current.logits = self.decoder.read(&mut current.cache, rest)?;
            current.tokens.extend(rest);
        }
        if is_anew {
            self.prompt = current.clone();
        }
        Ok(current.logits.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::model::batch::{Batch, Read as Asked, Target, Tokens};
    use crate::transformer::model::config::{
        Activation, Attention, Config, HeadOutput, Input, Kernel, Mlp, Norm, NormKind, Output,
    };
    use crate::transformer::model::parameters::{Init, initial};
    use crate::transformer::train::Worker;

    fn network() -> Network {
        Network::new(Config {
            input: Input::Embedding { vocabulary: 40 },
            width: 16,
            layers: 2,
            attention: Attention {
                kernel: Kernel::Softmax,
                causal: true,
                heads: 4,
                key_value_heads: 2,
                head_size: 4,
                bias: false,
                output: HeadOutput::Projection { bias: false },
                rope: Some(10_000.0),
            },
            norm: Some(Norm {
                kind: NormKind::Rms,
                epsilon: 1e-5,
            }),
            mlp: Some(Mlp {
                activation: Activation::SwiGlu,
                hidden: 24,
                bias: false,
            }),
            output: Output::Tied,
        })
        .unwrap()
    }

    /// Whatever was read before, the bits are those of the whole sequence.
    #[test]
    fn what_was_read_changes_no_bit() {
        let network = network();
        let parameters: Vec<f32> = initial(network.layout(), Init::Normal { std: 0.4 }, 5);
        let mut worker = Worker::new(&network);
        let mut whole = |tokens: &[u32]| {
            let batch = Batch {
                lengths: vec![tokens.len()],
                tokens: Tokens::Bags {
                    entries: tokens.iter().map(|&token| (token, 1.0)).collect(),
                    ends: (1..=tokens.len()).collect(),
                },
                reads: vec![Asked {
                    token: tokens.len() - 1,
                    target: Target::Class {
                        from: 0,
                        to: 40,
                        class: 0,
                    },
                    weight: 0.0,
                }],
            };
            worker.predict(&parameters, &batch).unwrap()
        };
        let mut reader = Reader::new(&network, &parameters, Some(6)).unwrap();
        let calls: [&[u32]; 8] = [
            &[1, 2, 3],
            &[1, 2, 3, 4],
            &[1, 2, 3, 4, 5, 6],
            &[1, 2, 3],
            &[1, 2, 3, 9],
            &[1, 2],
            &[1, 2],
            &[7, 2, 3],
        ];
        for tokens in calls {
            let bits =
                |logits: Vec<f32>| -> Vec<u32> { logits.into_iter().map(f32::to_bits).collect() };
            assert_eq!(
                bits(reader.logits(tokens).unwrap()),
                bits(whole(tokens)),
                "{tokens:?}"
            );
        }
        let told = reader.logits(&[1; 7]).unwrap_err();
        assert_eq!(told, "7 tokens are more than the 6 that the model reads");
        assert!(reader.logits(&[]).is_err());
        assert!(reader.logits(&[40]).is_err());
        // An error leaves nothing behind.
        assert_eq!(reader.logits(&[1, 2]).unwrap(), whole(&[1, 2]));
    }
}
