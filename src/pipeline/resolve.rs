//! From the file as written to stages that can run: profile and `--set` applied, matrices expanded,
//! `${...}` replaced, parameters typed, inputs bound, the graph ordered.

use crate::pipeline::bind::build;
use crate::pipeline::error::{Error, Place, Result};
use crate::pipeline::expand::{Budget, expand_all};
use crate::pipeline::graph;
use crate::pipeline::kind::Kind;
use crate::pipeline::settings::{Settings, apply_settings, change_params};
use crate::pipeline::spec::Spec;
use crate::pipeline::stage::{Source, Stage};
use std::collections::BTreeMap;
use std::path::Path;

/// More artifacts read by all stages together are refused: so do stages that read many others.
const MAX_INPUTS: usize = 200_000;
/// More targets of all groups together are refused: each is compared with each stage.
const MAX_TARGETS: usize = 1_000;

/// All stages in an order in which they can run, and the groups.
pub struct Pipeline {
    /// Each stage comes after all that it depends on; ties are in the order of the file.
    pub stages: Vec<Stage>,
    /// Group names with the patterns of their targets.
    pub groups: Vec<(String, Vec<(String, Place)>)>,
}

impl Pipeline {
    /// Resolves a spec against the registered kinds.
    pub fn resolve(mut spec: Spec, kinds: &[Box<dyn Kind>], settings: &Settings) -> Result<Self> {
        let changes = apply_settings(&mut spec, settings)?;
        let budget = Budget::whole();
        let mut drafts = expand_all(&spec, &budget)?;
        change_params(&mut drafts, &spec.vars, &changes, &budget)?;
        let index: BTreeMap<&str, usize> = drafts
            .iter()
            .enumerate()
            .map(|(i, draft)| (draft.id.as_str(), i))
            .collect();
        let mut stages = Vec::with_capacity(drafts.len());
        let mut n_inputs = 0;
        for draft in &drafts {
            let stage = build(draft, &drafts, &index, kinds).map_err(|mut error| {
                error.message = format!("stage `{}`: {}", draft.id, error.message);
                error.at(&draft.place)
            })?;
            n_inputs += stage.inputs.len();
            if n_inputs > MAX_INPUTS {
                let message = format!("the stages read more than {MAX_INPUTS} artifacts in all");
                return Err(Error::config(message).at(&draft.place));
            }
            stages.push(stage);
        }
        check_outputs(&stages)?;
        let stages = in_order(stages)?;
        let mut targets = spec.groups.iter().flat_map(|(_, targets)| targets);
        if let Some(first) = targets.nth(MAX_TARGETS) {
            let message = format!("the groups have more than {MAX_TARGETS} targets in all");
            return Err(Error::config(message).at(&first.place));
        }
        let groups = spec
            .groups
            .iter()
            .map(|(name, targets)| {
                let patterns = targets
                    .iter()
                    .map(|target| Ok((target.text("a target")?.to_owned(), target.place.clone())));
                Ok((name.text.clone(), patterns.collect::<Result<_>>()?))
            })
            .collect::<Result<_>>()?;
        Ok(Pipeline { stages, groups })
    }
}

/// Puts each stage after all that it reads from.
fn in_order(stages: Vec<Stage>) -> Result<Vec<Stage>> {
    let upstream: Vec<Vec<usize>> = stages.iter().map(Stage::upstream).collect();
    let order = graph::order(&upstream).map_err(|cycle| {
        let ids = cycle
            .iter()
            .chain(cycle.first())
            .map(|&i| stages[i].id.as_str());
        let ids = ids.collect::<Vec<_>>().join(" <- ");
        Error::config(format!("stages wait for each other: {ids}"))
            .at(&stages[cycle[0]].place)
            .hint("take one of these inputs away")
    })?;
    let mut position = vec![0; order.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(new, &old)| position[old] = new);
    let mut stages: Vec<(usize, Stage)> = stages
        .into_iter()
        .enumerate()
        .map(|(old, stage)| (position[old], stage))
        .collect();
    stages.sort_by_key(|(new, _)| *new);
    for input in stages.iter_mut().flat_map(|(_, stage)| &mut stage.inputs) {
        if let Source::Output { stage, .. } = &mut input.source {
            *stage = position[*stage];
        }
    }
    Ok(stages.into_iter().map(|(_, stage)| stage).collect())
}

fn check_outputs(stages: &[Stage]) -> Result<()> {
    let mut owners: BTreeMap<&Path, &Stage> = BTreeMap::new();
    for stage in stages {
        for (_, path) in &stage.outputs {
            // A file and a folder of one name exclude each other as two equal paths do.
            let clash = path
                .ancestors()
                .find_map(|p| owners.get_key_value(p))
                .or_else(|| {
                    owners
                        .range(path.as_path()..)
                        .next()
                        .filter(|(p, _)| p.starts_with(path))
                });
            if let Some((_, other)) = clash {
                let message = format!(
                    "stages `{}` and `{}` both write {}",
                    other.id,
                    stage.id,
                    path.display()
                );
                return Err(Error::config(message).at(&stage.place));
            }
            owners.insert(path, stage);
        }
    }
    Ok(())
}
