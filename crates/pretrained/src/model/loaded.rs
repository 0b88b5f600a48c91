//! What a loaded model is, and how its tensors become one vector of parameters in the order of its layout.
//!
//! Does not know which file a tensor came from, only that each may be had by its name on the model hub.

use crate::base::error::{Error, Result};
use crate::text::chat::ChatTemplate;
use crate::text::tokenizer::Tokenizer;
use std::path::Path;
use tuning::transformer::model::config::{Config, Input, Output};
use tuning::transformer::model::layout::{Layout, Tensor};

/// A language model with everything that is needed to ask it something.
#[derive(Debug)]
pub struct Pretrained {
    pub config: Config,
    /// Tokens that the model was trained to read at once.
    pub context: usize,
    /// All tensors one after another, as [`Layout`] of `config` places them.
    pub parameters: Vec<f32>,
    pub tokens: Tokenizer,
    /// Absent where the files have none.
    pub chat: Option<ChatTemplate>,
    /// Tokens that begin every text which is no chat; mostly none.
    pub begin: Vec<u32>,
    /// Tokens that end an answer, in ascending order.
    pub end: Vec<u32>,
    pub about: About,
}

/// What the files say of themselves; not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    pub name: Option<String>,
    pub licence: Option<String>,
}

/// All but the parameters.
pub(crate) struct Parts {
    pub config: Config,
    pub context: usize,
    pub tokens: Tokenizer,
    pub chat: Option<ChatTemplate>,
    pub end: Vec<u32>,
    pub about: About,
}

impl Parts {
    /// `path` is the file that has the tokenizer.
    ///
    /// # Errors
    /// Tokens that the table of embeddings has no row for.
    pub fn complete(mut self, path: &Path, parameters: Vec<f32>) -> Result<Pretrained> {
        let rows = match self.config.input {
            Input::Embedding { vocabulary } => vocabulary,
            Input::Direct | Input::Linear { .. } => 0,
        };
        let size = self.tokens.vocabulary();
        if size > rows {
            let what =
                format!("the tokenizer has {size} tokens, the model's embedding {rows} rows");
            return Err(Error::new(
                path,
                what,
                "use the tokenizer that belongs to the model",
            ));
        }
        self.end.sort_unstable();
        self.end.dedup();
        if let Some(id) = self.end.iter().find(|&&id| id as usize >= rows) {
            let what = format!("token {id} is to end answers, but the embedding has {rows} rows");
            return Err(Error::new(
                path,
                what,
                "use the tokenizer that belongs to the model",
            ));
        }
        Ok(Pretrained {
            config: self.config,
            context: self.context,
            parameters,
            begin: self.tokens.begin().to_vec(),
            tokens: self.tokens,
            chat: self.chat,
            end: self.end,
            about: self.about,
        })
    }
}

/// The layout of a configuration that a file states, if a file of that many bytes can hold it at all: no format has
/// less than half a byte for a parameter.
pub(crate) fn layout(path: &Path, config: &Config, bytes: u64) -> Result<Layout> {
    let attention = &config.attention;
    let Input::Embedding { vocabulary } = config.input else {
        return Err(Error::damaged(path, "it has no embeddings"));
    };
    let hidden = config.mlp.map_or(0, |mlp| mlp.hidden);
    let sizes = [
        vocabulary,
        config.width,
        config.layers,
        attention.heads,
        attention.key_value_heads,
        attention.head_size,
        hidden,
    ];
    let lying = |count: String| {
        let what = format!("it states {count} parameters, which {bytes} bytes cannot hold");
        Error::damaged(path, what)
    };
    if let Some(size) = sizes
        .iter()
        .find(|&&size| size as u64 > u64::from(u32::MAX))
    {
        return Err(Error::damaged(path, format!("it states a size of {size}")));
    }
    // Below 2^32 each: no product of three overflows.
    let [vocabulary, width, layers, heads, groups, size, hidden] = sizes.map(|size| size as u128);
    let of_layer = 2 * width * size * (heads + groups) + 3 * width * hidden;
    let tables = if config.output == Output::Tied { 1 } else { 2 };
    let count = tables * vocabulary * width + layers.saturating_mul(of_layer);
    if count > 2 * u128::from(bytes) || layers > u128::from(bytes) {
        return Err(lying(count.to_string()));
    }
    Layout::new(config).map_err(|e| Error::damaged(path, e.to_string()))
}

/// A tensor's shape: rows and columns, or its length.
pub(crate) fn shape(tensor: &Tensor) -> Vec<usize> {
    std::iter::once(tensor.rows).chain(tensor.columns).collect()
}

/// # Errors
/// A value that is no number, or infinite; named by its tensor and its place there.
pub(crate) fn finite(path: &Path, name: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let what = format!("tensor {name} has {} at index {at}", values[at]);
            let hint = "the model is broken: get it again, or use another";
            Err(Error::new(path, what, hint))
        }
    }
}
