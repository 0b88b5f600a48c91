//! Matrices expanded: from stages as written to one draft for each that can run.
//!
//! What a few lines of YAML can multiply to is limited here.

use crate::base::error::{Error, Place, Result};
use crate::spec::defaults::{Defaults, merged};
use crate::spec::file::{Spec, StageSpec};
use crate::spec::fill::{Budget, Chosen, Scope};
use crate::spec::ids;
use crate::yaml::node::{Key, Node, Value};
use std::collections::{BTreeMap, BTreeSet};

/// More stages than this are refused: a matrix multiplies quickly.
const MAX_STAGES: usize = 10_000;
/// More items in the excludes of a stage are refused: each is compared with each combination.
const MAX_EXCLUDES: usize = 1_000;

/// A stage after its matrix was expanded, still untyped.
pub struct Draft<'a> {
    pub id: String,
    pub label: String,
    pub spec: &'a StageSpec,
    pub params: Node,
    pub inputs: Vec<(&'a Key, Node)>,
    pub outputs: Vec<(&'a Key, Node)>,
    pub place: Place,
}

/// Every stage of the file, once for each combination of its matrix that is not excluded.
pub fn expand_all<'a>(spec: &'a Spec, budget: &Budget) -> Result<Vec<Draft<'a>>> {
    let mut drafts: Vec<Draft> = Vec::new();
    for stage in &spec.stages {
        let count = stage
            .matrix
            .iter()
            .try_fold(1usize, |n, (_, items)| n.checked_mul(items.len()));
        if count.is_none_or(|n| n + drafts.len() > MAX_STAGES) {
            let message = format!("the matrix gives more than {MAX_STAGES} stages");
            return Err(Error::config(message).at(&stage.name.place));
        }
        let excludes = excludes(stage)?;
        let is_own = |defaults: &&Defaults| matches!(&stage.kind.value, Value::Text(kind) if *kind == defaults.kind.text);
        let defaults = spec.kinds.iter().find(is_own);
        let before = drafts.len();
        for items in combinations(&stage.matrix) {
            if is_excluded(&excludes, &items) {
                continue;
            }
            let label = items
                .iter()
                .map(|(_, label, _)| label.text.as_str())
                .collect::<Vec<_>>();
            let label = label.join(",");
            let name = &stage.name.text;
            let id = if label.is_empty() {
                name.clone()
            } else {
                format!("{name}@{label}")
            };
            let scope = Scope {
                vars: &spec.vars,
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
                outputs: filled(&stage.outputs, outputs, &in_outputs)?,
                id,
                label,
                spec: stage,
                place: stage.name.place.clone(),
            });
        }
        if drafts.len() == before {
            let message = format!("the excludes leave nothing of stage `{}`", stage.name.text);
            return Err(Error::config(message).at(&stage.name.place));
        }
    }
    Ok(drafts)
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

/// Every combination of items, the last axis fastest; one empty combination without axes.
fn combinations(matrix: &[(Key, Vec<(Key, Node)>)]) -> Vec<Vec<Chosen<'_>>> {
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

/// What an exclude says of one axis: one item, or a list of them.
fn excluded(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    }
}

/// The axes of an exclude, each with the labels that it names.
type Exclude<'a> = Vec<(&'a str, BTreeSet<&'a str>)>;

/// What a stage leaves out. Refused is what could exclude nothing, or everything.
fn excludes(stage: &StageSpec) -> Result<Vec<Exclude<'_>>> {
    let mut size = 0;
    for exclude in &stage.exclude {
        let axes = exclude.entries("an exclude")?;
        size += 1;
        size += axes
            .iter()
            .map(|(_, node)| excluded(node).len())
            .sum::<usize>();
        if size > MAX_EXCLUDES {
            let message = format!("the excludes name more than {MAX_EXCLUDES} items");
            return Err(Error::config(message).at(&exclude.place));
        }
    }
    if size == 0 {
        return Ok(Vec::new());
    }
    // An item is found in whichever way its number is written.
    let labels: BTreeMap<&str, BTreeMap<String, &str>> = stage
        .matrix
        .iter()
        .map(|(axis, items)| {
            let label = |(label, _): &'_ (Key, Node)| ids::canonical(&label.text);
            let items = items.iter().map(|item| (label(item), item.0.text.as_str()));
            (axis.text.as_str(), items.collect())
        })
        .collect();
    let one = |exclude: &Node| {
        let axes = exclude.entries("an exclude")?;
        if axes.is_empty() {
            let error = Error::config("an exclude without an axis leaves nothing");
            return Err(error.at(&exclude.place).hint("write `{AXIS: ITEM}`"));
        }
        let axes = axes.iter().map(|(axis, node)| {
            let Some((&axis, items)) = labels.get_key_value(axis.text.as_str()) else {
                let error = Error::config(format!("there is no axis `{}`", axis.text));
                let known = labels.keys().copied();
                return Err(error.at(&axis.place).suggest(&axis.text, known));
            };
            let found = excluded(node).iter().map(|item| {
                let text = item.scalar_text().unwrap_or_else(|| item.describe());
                items.get(&ids::canonical(&text)).copied().ok_or_else(|| {
                    let error = Error::config(format!("axis `{axis}` has no item `{text}`"));
                    error
                        .at(&item.place)
                        .suggest(&text, items.values().copied())
                })
            });
            let found = found.collect::<Result<BTreeSet<&str>>>()?;
            if found.is_empty() {
                let message = format!("the exclude names no item of axis `{axis}`");
                return Err(Error::config(message).at(&node.place));
            }
            Ok((axis, found))
        });
        axes.collect()
    };
    stage.exclude.iter().map(one).collect()
}

fn is_excluded(excludes: &[Exclude], items: &[Chosen]) -> bool {
    let is_chosen = |(axis, labels): &(&str, BTreeSet<&str>)| {
        items
            .iter()
            .any(|(a, label, _)| a.text == *axis && labels.contains(label.text.as_str()))
    };
    excludes.iter().any(|exclude| exclude.iter().all(is_chosen))
}
