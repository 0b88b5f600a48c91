//! Matrices expanded: from stages as written to one draft for each that can run.
//!
//! What a few lines of YAML can multiply to is limited here.

use crate::base::error::{Error, Place, Result};
use crate::spec::combinations::Combinations;
use crate::spec::defaults::{Defaults, merged};
use crate::spec::file::{Spec, StageSpec};
use crate::spec::fill::{Budget, Chosen, Own, Scope};
use crate::yaml::node::{Key, Node, Value};

/// More stages than this are refused: a matrix multiplies quickly.
const MAX_STAGES: usize = 100_000;
/// More combinations than this in all are refused, of which `only` and `exclude` leave some: each is looked at.
pub(crate) const MAX_COMBINATIONS: usize = 400_000;

/// A stage after its matrix was expanded, still untyped.
pub struct Draft<'a> {
    pub id: String,
    pub label: String,
    pub spec: &'a StageSpec,
    pub title: Option<String>,
    pub caption: Option<String>,
    pub params: Node,
    pub inputs: Vec<(&'a Key, Node)>,
    pub outputs: Vec<(Key, Node)>,
    pub compare: Vec<(&'a Key, Node)>,
    pub place: Place,
}

/// Every stage of the file, once for each combination of its matrix that is not excluded.
pub fn expand_all<'a>(spec: &'a Spec, budget: &Budget) -> Result<Vec<Draft<'a>>> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut left = MAX_COMBINATIONS;
    for stage in &spec.stages {
        let count = stage
            .matrix
            .iter()
            .try_fold(1usize, |n, (_, items)| n.checked_mul(items.len()));
        left = count.and_then(|n| left.checked_sub(n)).ok_or_else(|| {
            let message = format!("the matrices have more than {MAX_COMBINATIONS} combinations");
            Error::config(message).at(&stage.name.place)
        })?;
        let chosen = Combinations::read(stage, &Scope::of_file(&spec.vars, budget))?;
        check_variables(spec, stage)?;
        let own = Own::new(stage.vars.iter().chain(&stage.overrides));
        let is_own = |defaults: &&Defaults| matches!(&stage.kind.value, Value::Text(kind) if *kind == defaults.kind.text);
        let defaults = spec.kinds.iter().find(is_own);
        let before = drafts.len();
        for items in combinations(&stage.matrix) {
            if !chosen.has(&items) {
                continue;
            }
            if drafts.len() == MAX_STAGES {
                let message = format!("the matrices give more than {MAX_STAGES} stages");
                return Err(Error::config(message).at(&stage.name.place));
            }
            let label = label(&items);
            let id = id(stage, &items);
            let scope = Scope {
                vars: &spec.vars,
                own: Some(&own),
                items: &items,
                id: None,
                budget,
            };
            let in_outputs = Scope {
                id: Some(&id),
                ..scope
            };
            let (params, inputs, outputs) = defaults.map_or((&[][..], &[][..], &[][..]), |d| {
                (&d.params[..], &d.inputs[..], &d.outputs[..])
            });
            drafts.push(Draft {
                params: filled_params(stage, params, &scope)?,
                inputs: filled(&stage.inputs, inputs, &scope)?,
                outputs: filled(&stage.outputs, outputs, &in_outputs)?
                    .into_iter()
                    .map(|(key, node)| (key.clone(), node))
                    .collect(),
                compare: filled(&stage.compare, &[], &scope)?,
                id,
                label,
                title: words(stage.title.as_ref(), "title", &scope)?,
                caption: words(stage.caption.as_ref(), "caption", &scope)?,
                spec: stage,
                place: stage.name.place.clone(),
            });
        }
        if drafts.len() == before {
            let message = format!(
                "what is left out leaves nothing of stage `{}`",
                stage.name.text
            );
            let error = Error::config(message).at(&stage.name.place);
            return Err(error.hint("look at its `exclude` and `only`"));
        }
        if let Some(key) = own.unused() {
            let (stage, name) = (&stage.name.text, &key.text);
            let message = format!("stage `{stage}`: nothing in it uses its variable `{name}`");
            return Err(Error::config(message).at(&key.place).hint("take it away"));
        }
    }
    Ok(drafts)
}

/// What tells a stage from the others of its matrix.
fn label(items: &[Chosen]) -> String {
    let labels: Vec<&str> = items.iter().map(|(_, label, _)| &*label.text).collect();
    labels.join(",")
}

/// The id of the stage that a combination of items is.
pub(crate) fn id(stage: &StageSpec, items: &[Chosen]) -> String {
    let name = &stage.name.text;
    match items.is_empty() {
        true => name.clone(),
        false => format!("{name}@{}", label(items)),
    }
}

/// The entries of a stage and the defaults that it leaves, filled in.
fn filled<'a>(
    own: &'a [(Key, Node)],
    defaults: &'a [(Key, Node)],
    scope: &Scope,
) -> Result<Vec<(&'a Key, Node)>> {
    merged(own, defaults)
        .map(|(key, node)| Ok((key, scope.fill(node, 0)?)))
        .collect()
}

/// Words about a stage, filled in.
fn words(node: Option<&Node>, what: &str, scope: &Scope) -> Result<Option<String>> {
    let Some(node) = node else { return Ok(None) };
    let filled = scope.fill(node, 0)?;
    Ok(Some(filled.text(what)?.to_owned()))
}

/// The same of the params, which may be one variable; a default that is not taken is not filled in.
fn filled_params(stage: &StageSpec, defaults: &[(Key, Node)], scope: &Scope) -> Result<Node> {
    let mut params = scope.fill(&stage.params, 0)?;
    let Value::Map(own) = &params.value else {
        return Ok(params);
    };
    let is_own = |key: &Key| own.iter().any(|(k, _)| k.text == key.text);
    let entries = merged(own, defaults)
        .map(|(key, node)| {
            let node = match is_own(key) {
                true => node.clone(),
                false => scope.fill(node, 0)?,
            };
            Ok((key.clone(), node))
        })
        .collect::<Result<_>>()?;
    params.value = Value::Map(entries);
    Ok(params)
}

/// A name has one meaning in a stage: an axis and a variable of its own are called as no variable of
/// the file is, and what `override` names is one.
fn check_variables(spec: &Spec, stage: &StageSpec) -> Result<()> {
    let of_stage =
        |message: String| Error::config(format!("stage `{}`: {message}", stage.name.text));
    for (key, _) in &stage.overrides {
        if spec.vars.get(&key.text).is_none() {
            let known = spec.vars.entries("vars")?.iter();
            let error = of_stage(format!("there is no variable `{}` to override", key.text));
            let known = known.map(|(key, _)| key.text.as_str());
            return Err(error.at(&key.place).suggest(&key.text, known));
        }
    }
    let axes = stage.matrix.iter().map(|(axis, _)| axis);
    for (key, hint) in stage
        .vars
        .iter()
        .map(|(key, _)| {
            (
                key,
                "to give it another value in this stage, write it under `override`",
            )
        })
        .chain(
            axes.clone()
                .map(|axis| (axis, "give the axis another name")),
        )
    {
        if spec.vars.get(&key.text).is_some() {
            let message = format!("`{}` is a variable of the file already", key.text);
            return Err(of_stage(message).at(&key.place).hint(hint));
        }
    }
    let mut axes = axes;
    let of_axis = |key: &&Key| axes.any(|axis| axis.text == key.text);
    if let Some(key) = stage.vars.iter().map(|(key, _)| key).find(of_axis) {
        let message = format!("`{}` is an axis of its matrix already", key.text);
        return Err(of_stage(message)
            .at(&key.place)
            .hint("give it another name"));
    }
    Ok(())
}

/// Every combination of items, the last axis fastest; one empty combination without axes.
pub(crate) fn combinations(matrix: &[(Key, Vec<(Key, Node)>)]) -> Vec<Vec<Chosen<'_>>> {
    matrix
        .iter()
        .fold(vec![Vec::new()], |combinations, (axis, items)| {
            combinations
                .iter()
                .flat_map(|chosen| {
                    items.iter().map(move |(label, value)| {
                        let mut chosen = chosen.clone();
                        chosen.push((axis, label, value));
                        chosen
                    })
                })
                .collect()
        })
}
