//! What a published file carries beyond an artifact: where it came from.
//!
//! An artifact in the store has no provenance in it, so that equal results are equal bytes. A file
//! below [`PUBLISHED`] is that artifact with its provenance embedded. This, too, is a function of
//! content: of the artifact, of the provenance, and of the code that embeds. Its digest is the key
//! under which the action cache knows the published bytes, as it knows those of a stage.
//!
//! Knows no file format: a [`Publisher`] does.

use crate::base::digest::{Digest, Encoder};
use crate::base::error::Result;
use crate::stage::key::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Files below this folder are committed, and carry their provenance.
pub const PUBLISHED: &str = "figures";

/// The format of provenance records and traces.
pub const FORMAT: u64 = 1;

/// The name of the one output that the action cache keeps for a publication.
pub const FILE: &str = "file";

/// Embeds provenance into files, and takes it out again.
pub trait Publisher: Send + Sync {
    /// All code that can affect what [`Publisher::embed`] gives.
    fn code(&self) -> &Arc<Code>;
    /// Whether files of this name can carry provenance; others are published as they are.
    fn applies(&self, path: &Path) -> bool;
    /// The file with its provenance in it. May depend on nothing but the arguments.
    fn embed(&self, path: &Path, content: &[u8], provenance: &Json) -> Result<Vec<u8>>;
    /// What the format of a file is called, by its bytes alone: copies have any name. `None` where files
    /// of this format carry no provenance.
    fn format(&self, file: &[u8]) -> Option<&'static str>;
    /// A published file in its parts, where its format is one that carries provenance.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    fn take_apart(&self, file: &[u8]) -> std::result::Result<Apart, String>;
}

/// A published file in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The record as it stands in the file; `None` where it was removed.
    pub provenance: Option<String>,
    /// The artifact as it left the stage.
    pub content: Vec<u8>,
}

/// A published file: what it is made of, and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    pub key: Digest,
    pub digest: Digest,
}

/// Publications by the name of the output.
pub type Publications = BTreeMap<String, Publication>;

/// Where an input came from: its role, `stage.output` or a path in the repository, its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    pub role: String,
    pub from: String,
    pub digest: Digest,
}

/// The record that goes into the file: no time, no host, no version.
pub fn provenance(
    stage: &str,
    output: &str,
    kind: &str,
    params: &Json,
    inputs: &[Origin],
    content: Digest,
) -> Json {
    json!({
        "retrace": FORMAT,
        "stage": stage,
        "output": output,
        "kind": kind,
        "params": params,
        "inputs": inputs,
        "content": content,
    })
}

/// The key of a publication.
pub fn key(provenance: &Json, content: Digest, path: &Path, code: &Code) -> Digest {
    let mut e = Encoder::new("retrace publication key");
    // The way of embedding goes by the file's extension, not by its place.
    let extension = path.extension().map(|e| e.to_string_lossy());
    e.text(&extension.unwrap_or_default());
    e.text(&provenance.to_string());
    e.bytes(content.as_bytes());
    code.enter(&mut e);
    e.finish()
}
