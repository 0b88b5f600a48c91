//! What `provenance --json` says.

use crate::answers::answer::Answer;
use crate::answers::sides::Options;
use retrace::Digest;
use retrace::stage::publication::Origin;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Where a published file came from, printed by `provenance --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Provenance<'a> {
    /// The digest of the file.
    pub file: Digest,
    /// The digest of the file without the provenance that it carries.
    pub content: Digest,
    /// Such as `SVG`; null where it is of none that carries provenance.
    pub file_format: Option<&'static str>,
    /// The record inside the file; null where there is none.
    pub carried: Option<&'a Carried>,
    /// Whether the content is another than the record says; null without a record.
    pub changed: Option<bool>,
    /// What a lock says of it; null where no lock of this repository knows it, or there is no repository.
    pub lock: Option<InLock>,
}

/// The record inside a file, as [`retrace::stage::publication::provenance`] makes it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Carried {
    /// The format of the record.
    #[serde(rename = "retrace")]
    pub format: u64,
    /// The id of the stage that made it.
    pub stage: String,
    /// Which of its outputs it is.
    pub output: String,
    /// The stage's kind.
    pub kind: String,
    /// All parameters of the stage.
    pub params: Json,
    /// What the stage read.
    pub inputs: Vec<Origin>,
    /// The digest of the content.
    pub content: Digest,
}

/// What a lock says of a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InLock {
    pub stage: String,
    pub output: String,
    /// Where it is published, from the root of the repository.
    pub path: String,
    /// Whether it records this very file, and not only its content.
    pub exact: bool,
    /// All that the stage's outputs depend on.
    pub key: Digest,
    /// How the output compares with those made elsewhere; null where it is the same bytes everywhere.
    pub within: Option<String>,
    /// Source modules and locked dependencies that made it, each with its digest or version; null where not recorded.
    pub code: Option<BTreeMap<String, String>>,
    /// The commit whose lock it is; null for one that is there now.
    pub commit: Option<String>,
    /// The variation whose lock it is; null for another.
    pub variation: Option<Options>,
    /// What makes it again.
    pub commands: Vec<String>,
    /// What the program names beside a stage, by what that is, such as `claims`.
    #[serde(flatten)]
    pub beside: BTreeMap<&'static str, Vec<String>>,
}

impl Answer for Provenance<'_> {
    const NAME: &'static str = "provenance";
    const FORMAT: &'static str = "retrace provenance 1";
}
