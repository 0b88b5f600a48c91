//! The language model of a stage: its weights and its tokenizer.
//!
//! The one place of the kinds that knows in which forms models come. Does not know prompts.

use crate::kinds::exchange::table::failed;
use crate::kinds::transformer::model::Tokens as Reads;
use crate::kinds::transformer::model_file::{Values, from_bytes};
use pretrained::{ChatTemplate, Files, Pretrained, Tokenizer, load_folder, load_gguf};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tuning::language::codec::{Bytes, Codec};
use tuning::transformer::network::Network;

/// A model that can be asked.
pub struct LanguageModel {
    pub network: Network,
    pub parameters: Vec<f32>,
    pub tokens: Tokens,
    /// Tokens that it reads at once; none where there is no limit.
    pub context: Option<usize>,
}

/// How a model writes text.
pub enum Tokens {
    /// As its own files say.
    Words(Box<Words>),
    /// A small transformer of this program.
    Bytes,
}

/// A pretrained model's tokenizer, and what its files say of conversations.
pub struct Words {
    pub tokenizer: Tokenizer,
    pub chat: Option<ChatTemplate>,
    /// Tokens that begin every text which is no chat; mostly none.
    pub begin: Vec<u32>,
    /// Tokens that end an answer.
    pub end: Vec<u32>,
}

impl Codec for Tokens {
    fn encode(&self, text: &str) -> std::result::Result<Vec<u32>, String> {
        match self {
            Tokens::Words(words) => words.tokenizer.encode(text).map_err(|e| e.to_string()),
            Tokens::Bytes => Bytes.encode(text),
        }
    }

    fn decode(&self, tokens: &[u32]) -> std::result::Result<String, String> {
        match self {
            Tokens::Words(words) => words.tokenizer.decode(tokens).map_err(|e| e.to_string()),
            Tokens::Bytes => Bytes.decode(tokens),
        }
    }
}

impl LanguageModel {
    /// The model in the role `model`. One file: GGUF, or a transformer of this program over bytes. Several: those of a folder
    /// of the model hub, by the labels `config`, `tokenizer`, `weights` (of several files `weights_1` and so on, and `index`), and
    /// where there are such `tokenizer_config`, `generation_config` and `chat_template`.
    ///
    /// # Errors
    /// Files that make no model.
    pub fn read(io: &Io) -> Result<LanguageModel> {
        match io.inputs("model") {
            [(_, path)] if is_gguf(path)? => of_pretrained(load_gguf(path).map_err(told)?),
            [(_, path)] => of_bytes(io, path),
            files => of_pretrained(load_folder(&hub(files)?).map_err(told)?),
        }
    }
}

fn told(error: pretrained::Error) -> Error {
    failed(error)
}

fn is_gguf(path: &Path) -> Result<bool> {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Ok(()) => Ok(&start == b"GGUF"),
        Err(e) => Err(Error::failed(format!("{}: {e}", path.display()))),
    }
}

fn hub(files: &[(String, PathBuf)]) -> Result<Files> {
    const LABELS: &[&str] = &[
        "config",
        "tokenizer",
        "tokenizer_config",
        "generation_config",
        "chat_template",
        "index",
        "weights",
    ];
    let optional = |label: &str| {
        let found = files.iter().find(|(known, _)| known == label);
        found.map(|(_, path)| path.clone())
    };
    let needed = |label: &str| {
        optional(label).ok_or_else(|| {
            let known: Vec<&str> = files.iter().map(|(label, _)| label.as_str()).collect();
            let known = known.join(", ");
            Error::failed(format!("the model has no file `{label}`, it has {known}")).hint(
                "label the files of the model: {config: ..., tokenizer: ..., weights: ...}, or give one .gguf file",
            )
        })
    };
    let is_weights = |label: &str| label == "weights" || label.starts_with("weights_");
    for (label, _) in files {
        if !is_weights(label) && !LABELS.contains(&label.as_str()) {
            let error = Error::failed(format!("`{label}` is no file of a model"));
            return Err(error.suggest(label, LABELS.iter().copied()));
        }
    }
    let weights = files.iter().filter(|(label, _)| is_weights(label));
    let weights: Vec<PathBuf> = weights.map(|(_, path)| path.clone()).collect();
    if weights.is_empty() {
        needed("weights")?;
    }
    Ok(Files {
        config: needed("config")?,
        tokenizer: needed("tokenizer")?,
        tokenizer_config: optional("tokenizer_config"),
        generation_config: optional("generation_config"),
        chat_template: optional("chat_template"),
        index: optional("index"),
        weights,
    })
}

fn of_pretrained(model: Pretrained) -> Result<LanguageModel> {
    Ok(LanguageModel {
        network: Network::new(model.config).map_err(failed)?,
        parameters: model.parameters,
        tokens: Tokens::Words(Box::new(Words {
            tokenizer: model.tokens,
            chat: model.chat,
            begin: model.begin,
            end: model.end,
        })),
        context: Some(model.context),
    })
}

fn of_bytes(io: &Io, path: &Path) -> Result<LanguageModel> {
    let wrong = |words: &str| Error::failed(format!("{}: {words}", path.display()));
    let (built, network, values) = from_bytes(&io.read("model")?).map_err(|error| {
        error.hint(
            "a model is one .gguf file, or the files of a folder of the model hub by their labels",
        )
    })?;
    if built.tokens != Reads::Vocabulary(Bytes::VOCABULARY) || built.outputs != Bytes::VOCABULARY {
        return Err(wrong("the model does not read bytes")
            .hint("kind `mmlu-random-model` writes one that does"));
    }
    let Values::F32(parameters) = values else {
        return Err(wrong("the model is in f64, f32 is wanted"));
    };
    Ok(LanguageModel {
        network,
        parameters,
        tokens: Tokens::Bytes,
        context: None,
    })
}
