//! Locks of the formats 1 to 3, JSON, as revisions of before have them: `diff` reads them, nothing
//! writes them.

use crate::base::digest::Digest;
use crate::base::files;
use crate::lock::block::{Block, Lock, Record, Salvaged, Unreadable, is_word};

use crate::stage::key::KeyParts;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

type Table = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    code: BTreeMap<String, Table>,
    stages: BTreeMap<String, WrittenBlock>,
}

#[derive(Deserialize)]
struct WrittenBlock {
    key: Digest,
    kind: String,
    params: BTreeMap<String, Json>,
    inputs: BTreeMap<String, Digest>,
    code: WrittenCode,
    outputs: BTreeMap<String, Record>,
}

/// In format 1 each stage had its table of code, later the name of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenCode {
    Name(String),
    Inline(Table),
}

/// Reads all of it, or nothing.
///
/// # Errors
/// A format from `newest` on, or damage.
pub fn read(bytes: &[u8], newest: u64) -> Result<Salvaged, Unreadable> {
    #[derive(Deserialize)]
    struct Version {
        format: u64,
    }
    let damaged = |e: serde_json::Error| Unreadable::Damaged(e.to_string());
    let Version { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    if format >= newest {
        return Err(Unreadable::Newer(format));
    }
    let written: Written = serde_json::from_slice(bytes).map_err(damaged)?;
    let tables: BTreeMap<String, Arc<Table>> = written
        .code
        .into_iter()
        .map(|(name, table)| (name, Arc::new(table)))
        .collect();
    let mut lock = Lock::default();
    for (id, block) in written.stages {
        let mut words = std::iter::once(&id).chain(block.outputs.keys());
        if !words.all(|word| is_word(word)) {
            return Err(Unreadable::Damaged(format!(
                "`{id}` is no name, or one of its outputs has none"
            )));
        }
        for record in block.outputs.values() {
            let inside = files::inside(&record.path).map(drop);
            inside.map_err(|why| Unreadable::Damaged(format!("a path of `{id}` {why}")))?;
        }
        let code = match block.code {
            WrittenCode::Inline(table) => Arc::new(table),
            WrittenCode::Name(name) => tables.get(&name).cloned().unwrap_or_default(),
        };
        let parts = KeyParts {
            kind: block.kind,
            params: block.params,
            inputs: block.inputs,
            code,
        };
        let block = Block {
            key: block.key,
            parts: Some(parts),
            outputs: block.outputs,
            basis: BTreeMap::new(),
        };
        lock.stages.insert(id, block);
    }
    Ok((lock, Vec::new()))
}
