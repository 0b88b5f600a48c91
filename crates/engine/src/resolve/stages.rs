//! From the file as written to stages that can run: profile and `--set` applied, matrices expanded,
//! `${...}` replaced, parameters typed, inputs bound, the graph ordered.

use crate::base::error::{Error, Place, Result};
use crate::resolve::bind::{build, give_paths};
use crate::resolve::drafts::Drafts;
use crate::resolve::groups::{self, Group};
use crate::resolve::kinds::check_defaults;
use crate::resolve::outputs::{self, OutputFiles};
use crate::resolve::resources::{self, Resources};
use crate::resolve::{columns, graph, supplied, tolerance};
use crate::spec::expand::{Draft, expand_all};
use crate::spec::file::Spec;
use crate::spec::fill::Budget;
use crate::spec::resources::Asked;
use crate::spec::settings::{self, Settings, change_params, change_vars, check_profiles};
use crate::stage::kind::Kind;
use crate::stage::stage::{Source, Stage};
use crate::yaml::node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// More artifacts read by all stages together are refused: so do stages that read many others.
const MAX_INPUTS: usize = 500_000;

/// All stages in an order in which they can run, and the groups.
pub struct Pipeline {
    /// Each stage comes after all that it depends on; ties are in the order of the file.
    pub stages: Vec<Stage>,
    pub groups: Vec<Group>,
    /// The shared store that the file names, as written.
    pub store: Option<String>,
    /// Variables that nothing uses, and where they stand: maybe a name is mistyped.
    pub unused: Vec<(String, Place)>,
    /// Stages of which others read what the lock records.
    shown: BTreeSet<usize>,
    /// What the file says that stages ask of a cluster.
    asked: BTreeMap<usize, Asked>,
}

impl Pipeline {
    /// Resolves a spec against the registered kinds.
    pub fn resolve(mut spec: Spec, kinds: &[Box<dyn Kind>], settings: &Settings) -> Result<Self> {
        let changes = settings::changes(&spec, settings)?;
        change_vars(&mut spec, &changes)?;
        check_defaults(&spec, kinds)?;
        let budget = Budget::whole();
        let mut drafts = expand_all(&spec, &budget)?;
        change_params(&mut drafts, &spec.vars, &changes, &budget)?;
        settings::check_use(&changes, &budget)?;
        let unused = unused(&spec.vars, &budget)?;
        check_profiles(&spec, &drafts, &Budget::whole(), |draft, params| {
            job(draft, params, kinds)
        })?;
        give_paths(&mut drafts, kinds);
        let groups = groups::read(&spec.groups)?;
        let opt_in = groups::opt_in(&groups, &drafts)?;
        let among = Drafts::new(&drafts, kinds, &groups, &opt_in);
        let mut stages = Vec::with_capacity(drafts.len());
        let mut n_inputs = 0;
        for (draft, opt_in) in drafts.iter().zip(&opt_in) {
            let stage = build(draft, opt_in, &among).map_err(|mut error| {
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
        OutputFiles::of_stages(&stages)?;
        columns::check(&stages)?;
        supplied::check(&stages)?;
        tolerance::check(&stages, kinds)?;
        let stages = in_order(stages)?;
        let asked = resources::of_stages(&spec.resources, &stages, kinds)?;
        let shown = stages.iter().flat_map(Stage::recorded).collect();
        Ok(Pipeline {
            stages,
            groups,
            store: spec.store,
            unused,
            shown,
            asked,
        })
    }

    /// Whether another stage reads what the lock records of this one.
    pub(crate) fn is_shown(&self, stage: usize) -> bool {
        self.shown.contains(&stage)
    }

    /// What a stage asks of a cluster.
    pub fn resources(&self, stage: usize) -> Resources {
        resources::of_stage(&self.stages[stage], self.asked.get(&stage))
    }
}

/// Puts each stage after all that it reads from.
fn in_order(stages: Vec<Stage>) -> Result<Vec<Stage>> {
    let upstream: Vec<Vec<usize>> = stages.iter().map(Stage::before).collect();
    let order = graph::order(&upstream).map_err(|cycle| {
        if let [own] = cycle[..] {
            let Stage {
                id, place, inputs, ..
            } = &stages[own];
            let mut read = inputs.iter().filter_map(|input| input.source.made());
            let name = match read.find(|(stage, _)| *stage == own) {
                Some((_, output)) => format!("{id}.{output}"),
                None => id.clone(),
            };
            return outputs::own(id, &name).at(place);
        }
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
        if let Source::Output { stage, .. } | Source::Recorded { stage, .. } = &mut input.source {
            *stage = position[*stage];
        }
    }
    Ok(stages.into_iter().map(|(_, stage)| stage).collect())
}

/// Variables that nothing names.
fn unused(vars: &Node, budget: &Budget) -> Result<Vec<(String, Place)>> {
    let vars = vars.entries("vars")?.iter();
    let unused = vars.filter(|(key, _)| !budget.has_used(key.text.split('.').next().unwrap_or("")));
    Ok(unused
        .map(|(key, _)| (key.text.clone(), key.place.clone()))
        .collect())
}

/// What is wrong with parameters for the kind of a draft; an unknown kind is told where it stands.
fn job(draft: &Draft, params: &Node, kinds: &[Box<dyn Kind>]) -> Result<()> {
    let name = draft.spec.kind.text("kind")?;
    match kinds.iter().find(|kind| kind.name() == name) {
        Some(kind) => kind.job(params).map(drop),
        None => Ok(()),
    }
}
