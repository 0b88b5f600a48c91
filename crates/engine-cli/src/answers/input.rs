//! Files that people supply themselves, as several answers name them.

use retrace::Digest;
use retrace::stage::supplied::AbsentFile;
use schemars::JsonSchema;
use serde::Serialize;

/// A file that people supply themselves and that is not here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AbsentInput {
    /// From the root of the repository.
    pub path: String,
    /// The digest that it must have; null where any content will do.
    pub blake3: Option<Digest>,
    /// How it is got: a command, or a sentence.
    pub get: String,
    pub licence: Option<String>,
    /// In words.
    pub size: Option<String>,
    /// Who publishes it.
    pub from: Option<String>,
    /// All of this in a line, for people.
    #[serde(skip)]
    pub line: String,
}

/// The same, with the stages that cannot be made again without it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AbsentFor {
    #[serde(flatten)]
    pub input: AbsentInput,
    /// Ids of stages.
    pub stages: Vec<String>,
}

impl AbsentInput {
    /// What is known of one.
    pub fn of(file: &AbsentFile) -> Self {
        let supplied = &file.supplied;
        AbsentInput {
            path: file.path.display().to_string(),
            blake3: supplied.blake3,
            get: supplied.get.clone(),
            licence: supplied.licence.clone(),
            size: supplied.size.clone(),
            from: supplied.from.clone(),
            line: file.line(),
        }
    }
}
