//! Ledgers, which are the stages of kind `claims`: which of them is asked, and what it came to, here or as it is committed.
//!
//! Decides nothing. What is committed is read as it is where this machine has decided nothing: a fresh clone has all
//! evidence.

use crate::claims::claim::{Claim, Decided};
use crate::claims::questions;
use crate::verbs::committed;
use retrace::base::error::{Error, Result};
use retrace::base::files;
use retrace_cli::Session;
use retrace_cli::terminal::{self, count};
use retrace_cli::typed::{self, quoted};
use std::path::{Path, PathBuf};

/// The output with all evidence.
const OUTPUT: &str = "json";

/// A larger file is not what the stage writes.
const MAX_BYTES: u64 = 16 << 20;

/// What a stage of kind `claims` came to.
pub struct Ledger {
    pub stage: usize,
    pub claims: Vec<Decided>,
    /// The file below the repository's root, where nothing was decided on this machine.
    pub committed: Option<PathBuf>,
}

/// The first ledger, in the order of pipeline.yaml.
///
/// # Errors
/// There is none.
pub fn first(session: &Session) -> Result<usize> {
    session.engine.of_kind(questions::NAME).ok_or_else(|| {
        Error::config("the pipeline has no stage of kind `claims`")
            .hint("pipeline.yaml lists claims in the params of such a stage")
    })
}

/// The claims of a ledger as pipeline.yaml has them.
///
/// # Errors
/// They are none.
pub fn written(session: &Session, ledger: usize) -> Result<Vec<Claim>> {
    let params = session.engine.pipeline.stages[ledger].job.params();
    serde_json::from_value(params["claims"].clone())
        .map_err(|e| Error::failed(format!("the claims cannot be read: {e}")))
}

/// The ledgers that are meant: the first that has the claim; without one those of the groups that were named, and else the first.
///
/// # Errors
/// There is no ledger, none in the groups, or none with such a claim.
pub fn asked(session: &Session, claim: Option<&str>) -> Result<Vec<usize>> {
    let first = first(session)?;
    let mut all: Vec<usize> = session.engine.all_of_kind(questions::NAME).collect();
    if !session.groups().is_empty() {
        let selection = session.select(&[])?;
        all.retain(|ledger| selection.targets.contains(ledger));
        if all.is_empty() {
            let groups = session.groups().join(", ");
            let error = Error::config(format!("group {groups} has no stage of kind `claims`"));
            return Err(error.hint("without --group, the claims are those of the first such stage"));
        }
    } else if claim.is_none() {
        return Ok(vec![first]);
    }
    let Some(id) = claim else { return Ok(all) };
    let mut known = Vec::new();
    for ledger in all {
        let claims = written(session, ledger)?;
        if claims.iter().any(|claim| claim.id == id) {
            return Ok(vec![ledger]);
        }
        for claim in claims {
            if !known.contains(&claim.id) {
                known.push(claim.id);
            }
        }
    }
    let error = Error::config(format!("there is no claim `{id}`"));
    Err(error.suggest(id, known.iter().map(String::as_str)))
}

/// The file with all evidence, where this run of the program would write it.
fn place(session: &Session, stage: usize) -> Result<PathBuf> {
    let outputs = &session.engine.pipeline.stages[stage].outputs;
    let output = outputs.iter().find(|(name, _)| name == OUTPUT);
    let (_, path) =
        output.ok_or_else(|| Error::failed("the stage of the claims has no output `json`"))?;
    Ok(session.engine.workspace.out.join(path))
}

/// Whether this machine has decided them: a clone has the committed file, and has not made it.
fn is_made_here(session: &Session, stage: usize, path: &Path) -> Result<bool> {
    let context = session.context()?;
    let block = context.lock.get()?.stages.get(session.id(stage));
    let has_run = block.is_none_or(|block| context.store.action(block.key).is_some());
    Ok(has_run && path.exists())
}

/// What a ledger came to; warns where that is of something else than what pipeline.yaml has now.
///
/// # Errors
/// Nothing was decided, neither here nor in what is committed; or the file is none of claims.
pub fn read(session: &Session, stage: usize) -> Result<Ledger> {
    let path = place(session, stage)?;
    let command = deciding_command(session, stage);
    let (path, bytes, is_committed) = if is_made_here(session, stage, &path)? {
        let bytes = files::read_at_most(&path, MAX_BYTES);
        let bytes = bytes.map_err(|e| Error::io("read", &path, &e))?;
        (path, bytes, false)
    } else {
        let committed = committed::output(session, stage, OUTPUT)?;
        let committed = committed.ok_or_else(|| {
            let error = Error::failed("the claims are not decided yet with these settings");
            error.hint(format!("{command} makes them"))
        })?;
        (committed.path, committed.bytes, true)
    };
    let claims = serde_json::from_slice(&bytes).map_err(|e| {
        let error = Error::failed(format!("{} holds no claims: {e}", path.display()));
        error.hint(format!("{command} makes them"))
    })?;
    let selection = session
        .engine
        .pipeline
        .select(&[session.id(stage).to_owned()], &[])?;
    let context = session.context()?;
    if is_committed {
        let outdated = committed::outdated(&context, &selection)?;
        if let Some(&first) = outdated.first() {
            let (many, first) = (count(outdated.len(), "stage"), session.id(first));
            terminal::warn(&format!(
                "these verdicts are out of date: {many} changed since, first {first}"
            ));
        }
    } else {
        let plan = context.plan(&selection)?;
        if plan.states.get(&stage) != Some(&retrace::run::plan::State::Fresh) {
            terminal::warn(&format!(
                "these verdicts are out of date: {command} makes them anew"
            ));
        }
    }
    Ok(Ledger {
        stage,
        claims,
        committed: is_committed.then_some(path),
    })
}

/// What decides a ledger's claims, in the marks of a command.
pub fn deciding_command(session: &Session, stage: usize) -> String {
    let run = format!("run {}", quoted(session.id(stage)));
    format!("`{}`", typed::command(&run))
}
