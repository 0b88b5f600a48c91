//! `pipeline.keys`: what the keys of a lock were made of, beside it.
//!
//! Generated with the lock, for explanations alone (old value -> new value). It is no evidence of
//! anything: a line counts only where its key is the one that the lock has, and one that is missing, double
//! or damaged costs an explanation.
//!
//! ```text
//! # retrace keys 1
//! code fit e1b2… {"crates/a/src/fit.rs":"0a…","crate libm":"0.2.16+39…"}
//! stage fit@a {"key":"d1…","kind":"fit","params":{"steps":10},"inputs":{"data":"77…"},"code":"fit e1b2…"}
//! ```
//!
//! Stages of one kind share their table of code.

use crate::base::digest::Digest;
use crate::lock::block::{Lock, code_name};
use crate::stage::key::KeyParts;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

const TITLE: &str = "# retrace keys 1";

#[derive(Serialize, Deserialize)]
struct Line {
    key: Digest,
    kind: String,
    params: BTreeMap<String, Json>,
    inputs: BTreeMap<String, Digest>,
    code: String,
}

/// The parts of all keys of a lock, as far as they are known.
///
/// # Errors
/// A parameter that JSON cannot hold.
pub fn write(lock: &Lock) -> serde_json::Result<Vec<u8>> {
    let mut code = BTreeMap::new();
    let mut stages = String::new();
    for (id, block) in &lock.stages {
        let Some(parts) = &block.parts else {
            continue;
        };
        let name = code_name(parts);
        let line = Line {
            key: block.key,
            kind: parts.kind.clone(),
            params: parts.params.clone(),
            inputs: parts.inputs.clone(),
            code: name.clone(),
        };
        stages += &format!("stage {id} {}\n", serde_json::to_string(&line)?);
        code.entry(name).or_insert_with(|| parts.code.clone());
    }
    let mut text = format!("{TITLE}\n");
    for (name, table) in code {
        text += &format!("code {name} {}\n", serde_json::to_string(&*table)?);
    }
    text += &stages;
    Ok(text.into_bytes())
}

/// Adds to a lock what a text says of its keys.
pub fn add(lock: &mut Lock, bytes: &[u8]) {
    let mut tables: BTreeMap<&str, Arc<BTreeMap<String, String>>> = BTreeMap::new();
    let lines = || {
        bytes
            .split(|&byte| byte == b'\n')
            .filter_map(|line| std::str::from_utf8(line).ok())
    };
    for line in lines().filter_map(|line| line.strip_prefix("code ")) {
        if let Some((name, json)) = split(line)
            && let Ok(table) = serde_json::from_str(json)
        {
            tables.insert(name, Arc::new(table));
        }
    }
    for line in lines().filter_map(|line| line.strip_prefix("stage ")) {
        let Some((id, json)) = split(line) else {
            continue;
        };
        let own = lock.stages.get_mut(id).into_iter();
        let blocks: Vec<_> = own
            .chain(lock.rivals.get_mut(id).into_iter().flatten())
            .collect();
        if blocks.is_empty() {
            continue;
        }
        let Ok(line) = serde_json::from_str::<Line>(json) else {
            continue;
        };
        let Some(code) = tables.get(&*line.code) else {
            continue;
        };
        let parts = KeyParts {
            kind: line.kind,
            params: line.params,
            inputs: line.inputs,
            code: code.clone(),
        };
        for block in blocks.into_iter().filter(|block| block.key == line.key) {
            block.parts = Some(parts.clone());
        }
    }
}

/// The words before the JSON, and the JSON.
fn split(line: &str) -> Option<(&str, &str)> {
    let at = line.find(" {")?;
    Some((&line[..at], line[at + 1..].trim_end()))
}
