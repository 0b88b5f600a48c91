//! Matrices expanded and `${...}` replaced: from stages as written to one draft for each that can run.
//!
//! What a few lines of YAML can multiply to is limited here.

use crate::pipeline::error::{Error, Place, Result};
use crate::pipeline::node::{Key, Node, Value};
use crate::pipeline::spec::{Spec, StageSpec};
use std::cell::Cell;

/// References among `vars` deeper than this are taken for a cycle.
const MAX_INDIRECTION: usize = 16;
/// More stages than this are refused: a matrix multiplies quickly.
const MAX_STAGES: usize = 10_000;
/// More items in the excludes of a stage are refused: each is compared with each combination.
const MAX_EXCLUDES: usize = 1_000;
/// What filling in `${...}` may make in all, in values (of 64 characters, when they are long): a
/// few variables that name each other several times make 4^15 of them.
const MAX_FILLED: usize = 500_000;

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
        check_size_of_excludes(stage)?;
        for items in combinations(&stage.matrix) {
            if is_excluded(stage, &items)? {
                continue;
            }
            let scope = Scope {
                vars: &spec.vars,
                items: &items,
                budget,
            };
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
            let fill = |entries: &'_ [(Key, Node)]| -> Result<Vec<Node>> {
                entries
                    .iter()
                    .map(|(_, node)| scope.fill(node, 0))
                    .collect()
            };
            let inputs = fill(&stage.inputs)?;
            let outputs = fill(&stage.outputs)?;
            drafts.push(Draft {
                id,
                label,
                spec: stage,
                params: scope.fill(&stage.params, 0)?,
                inputs: stage
                    .inputs
                    .iter()
                    .map(|(key, _)| key)
                    .zip(inputs)
                    .collect(),
                outputs: stage
                    .outputs
                    .iter()
                    .map(|(key, _)| key)
                    .zip(outputs)
                    .collect(),
                place: stage.name.place.clone(),
            });
        }
    }
    Ok(drafts)
}

/// An axis with the item chosen on it.
pub type Chosen<'a> = (&'a Key, &'a Key, &'a Node);

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

/// The labels of one axis that an exclude names: one, or a list of them.
fn labels(node: &Node) -> impl Iterator<Item = String> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items.iter().filter_map(Node::scalar_text)
}

fn check_size_of_excludes(stage: &StageSpec) -> Result<()> {
    let mut size = 0;
    for exclude in &stage.exclude {
        size += 1;
        for (_, node) in exclude.entries("an exclude")? {
            size += labels(node).count();
        }
        if size > MAX_EXCLUDES {
            let message = format!("the excludes name more than {MAX_EXCLUDES} items");
            return Err(Error::config(message).at(&exclude.place));
        }
    }
    Ok(())
}

fn is_excluded(stage: &StageSpec, items: &[Chosen]) -> Result<bool> {
    for exclude in &stage.exclude {
        let mut matches = true;
        for (axis, label) in exclude.entries("an exclude")? {
            let Some((_, chosen, _)) = items.iter().find(|(a, _, _)| a.text == axis.text) else {
                let known = items.iter().map(|(a, _, _)| a.text.as_str());
                let error = Error::config(format!("there is no axis `{}`", axis.text));
                return Err(error.at(&axis.place).suggest(&axis.text, known));
            };
            matches &= labels(label).any(|label| label == chosen.text);
        }
        if matches {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What `${...}` can name: the items of this matrix combination, then the variables.
pub struct Scope<'a> {
    pub vars: &'a Node,
    pub items: &'a [Chosen<'a>],
    pub budget: &'a Budget,
}

/// What filling in may still make; shared by all stages.
pub struct Budget(Cell<usize>);

impl Budget {
    /// As much as a file may make in all.
    pub fn whole() -> Self {
        Budget(Cell::new(MAX_FILLED))
    }

    fn spend(&self, node: &Node) -> Result<()> {
        const LONG: usize = 64;
        let cost = match &node.value {
            Value::Text(text) => 1 + text.len() / LONG,
            _ => 1,
        };
        match self.0.get().checked_sub(cost) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                let message = "the variables and matrices make too much of this file";
                let error = Error::config(message).at(&node.place);
                Err(error.hint("look for variables that name others several times"))
            }
        }
    }
}

impl Scope<'_> {
    /// The node with every `${...}` in it replaced; `depth` counts references on the way here.
    pub fn fill(&self, node: &Node, depth: usize) -> Result<Node> {
        self.budget.spend(node)?;
        let value = match &node.value {
            Value::Text(text) => return self.fill_text(node, text, depth),
            Value::List(items) => Value::List(
                items
                    .iter()
                    .map(|n| self.fill(n, depth))
                    .collect::<Result<_>>()?,
            ),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.fill(value, depth)?)))
                    .collect::<Result<_>>()?,
            ),
            scalar => scalar.clone(),
        };
        Ok(Node {
            place: node.place.clone(),
            value,
        })
    }

    /// `${name}` alone keeps the type of what it names; inside other text it becomes text.
    fn fill_text(&self, node: &Node, text: &str, depth: usize) -> Result<Node> {
        let error = |message: String| Error::config(message).at(&node.place);
        if depth > MAX_INDIRECTION {
            return Err(error(format!("`{text}` refers to itself")));
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else {
                return Err(error(format!("`{text}` has a `${{` without `}}`")));
            };
            let name = &rest[start + 2..start + length];
            let value = self.lookup(name, node, depth)?;
            if start == 0 && start + length + 1 == text.len() && filled.is_empty() {
                return Ok(value);
            }
            filled.push_str(&rest[..start]);
            filled.push_str(&value.scalar_text().ok_or_else(|| {
                error(format!(
                    "`${{{name}}}` is {}, which cannot stand inside text",
                    value.describe()
                ))
            })?);
            rest = &rest[start + length + 1..];
        }
        filled.push_str(rest);
        let filled = Node {
            place: node.place.clone(),
            value: Value::Text(filled),
        };
        self.budget.spend(&filled)?;
        Ok(filled)
    }

    fn lookup(&self, name: &str, user: &Node, depth: usize) -> Result<Node> {
        let (first, below) = match name.split_once('.') {
            Some((first, below)) => (first, Some(below)),
            None => (name, None),
        };
        let found = match self.items.iter().find(|(axis, _, _)| axis.text == first) {
            Some((_, label, value)) => match below {
                Some(path) => value.get_path(path).cloned(),
                None => Some(match value.value {
                    Value::Map(_) | Value::List(_) | Value::Null => Node {
                        place: label.place.clone(),
                        value: Value::Text(label.text.clone()),
                    },
                    _ => (*value).clone(),
                }),
            },
            None => self.vars.get_path(name).cloned(),
        };
        let Some(found) = found else {
            let vars = self
                .vars
                .entries("vars")?
                .iter()
                .map(|(key, _)| key.text.as_str());
            let known: Vec<&str> = self
                .items
                .iter()
                .map(|(axis, _, _)| axis.text.as_str())
                .chain(vars)
                .collect();
            let error = Error::config(format!("`${{{name}}}` names nothing")).at(&user.place);
            return Err(error.suggest(name, known));
        };
        self.fill(&found, depth + 1)
    }
}
