//! What a fresh clone can answer: outputs that are committed, where this machine has made none.
//!
//! They are shown as what they are: the bytes that pipeline.lock records, and nothing that was computed
//! here.

use retrace::base::digest::Digest;
use retrace::base::error::Result;
use retrace::base::files;
use retrace::resolve::select::Selection;
use retrace::run::plan::Context;
use retrace::stage::publication::PUBLISHED;
use retrace::store::actions::Outputs;
use retrace_cli::Session;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A larger file is not read for an answer.
const MAX_BYTES: u64 = 256 << 20;

/// A committed output.
pub struct Committed {
    /// Below the repository's root.
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// A published output of a stage, if the repository has it as its lock records it; none for variants,
/// of which nothing is committed.
///
/// # Errors
/// The lock cannot be read.
pub fn output(session: &Session, stage: usize, name: &str) -> Result<Option<Committed>> {
    let stage = &session.engine.pipeline.stages[stage];
    let output = stage.outputs.iter().find(|(output, _)| output == name);
    let path = output.map(|(_, path)| path.clone());
    let Some(path) = path.filter(|path| path.starts_with(PUBLISHED)) else {
        return Ok(None);
    };
    if !session.engine.workspace.publishes() {
        return Ok(None);
    }
    let context = session.context()?;
    let block = context.lock.get()?.stages.get(&stage.id);
    let record = block.and_then(|block| block.outputs.get(name));
    let expected = record.filter(|record| path.as_os_str() == &*record.path);
    let bytes = files::read_at_most(&session.engine.workspace.root.join(&path), MAX_BYTES).ok();
    let is_recorded =
        |bytes: &Vec<u8>| expected.is_some_and(|record| record.file_digest() == Digest::of(bytes));
    Ok(bytes
        .filter(is_recorded)
        .map(|bytes| Committed { path, bytes }))
}

/// The selected stages that are not as the lock records them: what is committed is of something else.
///
/// # Errors
/// The lock or a file that is an input cannot be read.
pub fn outdated(context: &Context, selection: &Selection) -> Result<Vec<usize>> {
    let lock = context.lock.get()?;
    let mut recorded: BTreeMap<usize, Outputs> = BTreeMap::new();
    let mut outdated = Vec::new();
    for &index in &selection.closure {
        let stage = &context.pipeline.stages[index];
        let inputs = context.input_digests(stage, |upstream| recorded.get(&upstream))?;
        let key = inputs.map(|inputs| context.key(stage, inputs).digest());
        let block = key.and_then(|key| lock.expected(&stage.id, key));
        match block {
            Some(block) => {
                let outputs = block.outputs.iter();
                let digests = outputs.map(|(name, record)| (name.clone(), record.digest));
                recorded.insert(index, digests.collect());
            }
            None => outdated.push(index),
        }
    }
    Ok(outdated)
}
