//! A stage that may make other bytes elsewhere has run, and the lock knows its key: what it made is compared
//! with what is recorded, as pipeline.yaml declares.
//!
//! Within the tolerance the recorded bytes stay, here and in the lock: what reads them keeps its key, and
//! nobody's machine moves anybody's results. Otherwise what was made stands as it is, and the run says that it
//! differs, as of any stage. What is not recorded, or under another key, is not compared.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::lock::moves::Blocks;
use crate::run::plan::Context;
use crate::stage::kind::read;
use crate::stage::tolerance::Basis;
use crate::store::actions::Outputs;
use std::collections::BTreeMap;

/// An output that is not the recorded bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub output: String,
    /// How far it is from them, or why it is not within its tolerance.
    pub outcome: std::result::Result<String, String>,
}

impl Context<'_> {
    /// What counts as made by a stage with this key: the recorded outputs where `made` is within the
    /// tolerance, else what was made. Also what was compared.
    pub(crate) fn within_tolerance(
        &self,
        index: usize,
        key: Digest,
        made: Outputs,
    ) -> Result<(Outputs, Vec<Compared>)> {
        let stage = &self.pipeline.stages[index];
        if stage.compare.is_empty() {
            return Ok((made, Vec::new()));
        }
        let lock = self.standing().lock.get()?;
        let known = Blocks::new(lock, self.pipeline).of(stage, key);
        let Some(block) = known
            .map(|known| known.block)
            .filter(|block| block.key == key)
        else {
            return Ok((made, Vec::new()));
        };
        let recorded: Outputs = block
            .outputs
            .iter()
            .map(|(n, r)| (n.clone(), r.digest))
            .collect();
        let differs = |name: &String| recorded.get(name) != made.get(name);
        let names: Vec<&String> = made.keys().filter(|name| differs(name)).collect();
        let mut tables: BTreeMap<&str, std::result::Result<String, String>> = BTreeMap::new();
        for (name, basis) in &stage.compare {
            if let Basis::Table(tolerance) = basis {
                let outcome = match (recorded.get(name), made.get(name)) {
                    (Some(old), Some(new)) if self.keep_content(index, name, *old)? => {
                        let old = read(&self.store.object(*old))?;
                        let new = read(&self.store.object(*new))?;
                        let deviation = tolerance.compare(&old, &new);
                        deviation.map(|deviation| deviation.to_string())
                    }
                    _ => Err(not_here(name)),
                };
                tables.insert(name, outcome);
            }
        }
        let mut compared = Vec::new();
        for name in names {
            let of_basis = |basis: &Basis| match basis {
                Basis::Table(_) => tables.get(name.as_str()).cloned(),
                Basis::Like(other) => {
                    let as_other = |words: String| format!("as {other}: {words}");
                    let outcome = tables.get(other.as_str()).cloned();
                    outcome.map(|outcome| {
                        outcome
                            .map(as_other)
                            .map_err(|why| format!("as {other}: {why}"))
                    })
                }
            };
            let outcome = stage.compare.get(name).and_then(of_basis);
            let mut outcome =
                outcome.unwrap_or_else(|| Err("other bytes, and no tolerance is declared".into()));
            if outcome.is_ok() && !self.keep_recorded(index, name, &recorded)? {
                outcome = Err(not_here(name));
            }
            let output = name.clone();
            compared.push(Compared { output, outcome });
        }
        let is_within = compared.iter().all(|compared| compared.outcome.is_ok());
        let is_same_set = recorded.keys().eq(made.keys());
        match is_within && is_same_set {
            true => Ok((recorded, compared)),
            false => Ok((made, compared)),
        }
    }

    fn keep_recorded(&self, stage: usize, output: &str, recorded: &Outputs) -> Result<bool> {
        match recorded.get(output) {
            Some(digest) => self.keep_content(stage, output, *digest),
            None => Ok(false),
        }
    }
}

fn not_here(output: &str) -> String {
    format!(
        "what is recorded of `{output}` is neither in place nor in the cache: `git checkout HEAD -- figures` brings it back"
    )
}
