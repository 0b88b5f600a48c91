//! From the file as written to stages that can run: profile and `--set` applied, matrices expanded,
//! `${...}` replaced, parameters typed, inputs bound, the graph ordered.

use crate::pipeline::error::{Error, Place, Result};
use crate::pipeline::graph;
use crate::pipeline::kind::{Job, Kind, Role};
use crate::pipeline::node::{Key, Node, Value};
use crate::pipeline::spec::{Spec, StageSpec, parse_option_value};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Outputs may only go below these folders of the output root.
pub const OUTPUT_FOLDERS: [&str; 2] = ["figures", "artifacts"];
/// References among `vars` deeper than this are taken for a cycle.
const MAX_INDIRECTION: usize = 16;
/// More stages than this are refused: a matrix multiplies quickly.
const MAX_STAGES: usize = 10_000;
/// More artifacts read by all stages together are refused: so do stages that read many others.
const MAX_INPUTS: usize = 200_000;
/// More excludes of a stage are refused: each is compared with each combination.
const MAX_EXCLUDES: usize = 1_000;
/// More targets of all groups together are refused: each is compared with each stage.
const MAX_TARGETS: usize = 1_000;
/// What filling in `${...}` may make in all, in values (of 64 characters, when they are long): a
/// few variables that name each other several times make 4^15 of them.
const MAX_FILLED: usize = 500_000;

/// What the command line changes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A profile of pipeline.yaml; `None` is the default profile.
    pub profile: Option<String>,
    /// `stage.param=value` or `vars.name=value`, in order.
    pub sets: Vec<String>,
}

/// A stage that can run.
pub struct Stage {
    /// Such as `pretrain` or `finetune@zs_v`.
    pub id: String,
    /// Index into the registry.
    pub kind: usize,
    pub job: Box<dyn Job>,
    pub inputs: Vec<Input>,
    /// Output names and their paths below the output root.
    pub outputs: Vec<(String, PathBuf)>,
    pub place: Place,
}

/// An artifact that a stage reads.
#[derive(Clone, Debug)]
pub struct Input {
    pub role: String,
    /// Tells the artifacts of one role apart; empty where the role takes one.
    pub label: String,
    pub source: Source,
}

/// Where an input comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file of the repository, relative to its root.
    File(PathBuf),
    /// An output of another stage: index into the pipeline's stages, and name.
    Output { stage: usize, output: String },
}

impl Input {
    /// The name under which it enters the key.
    pub fn key_name(&self) -> String {
        if self.label.is_empty() {
            self.role.clone()
        } else {
            format!("{}[{}]", self.role, self.label)
        }
    }
}

/// All stages in an order in which they can run, and the groups.
pub struct Pipeline {
    /// Each stage comes after all that it depends on; ties are in the order of the file.
    pub stages: Vec<Stage>,
    /// Group names with the patterns of their targets.
    pub groups: Vec<(String, Vec<(String, Place)>)>,
}

impl Stage {
    /// The stages that it reads from, in ascending order, each once.
    pub fn upstream(&self) -> Vec<usize> {
        let mut stages: Vec<usize> = self
            .inputs
            .iter()
            .filter_map(|input| match input.source {
                Source::Output { stage, .. } => Some(stage),
                Source::File(_) => None,
            })
            .collect();
        stages.sort_unstable();
        stages.dedup();
        stages
    }
}

impl Pipeline {
    /// Resolves a spec against the registered kinds.
    pub fn resolve(mut spec: Spec, kinds: &[Box<dyn Kind>], settings: &Settings) -> Result<Self> {
        let changes = apply_settings(&mut spec, settings)?;
        let budget = Budget(Cell::new(MAX_FILLED));
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

/// A change of a parameter of the stages that a pattern names.
struct ParamChange {
    /// A stage's name or id, or a glob.
    pattern: String,
    param: String,
    place: Place,
    value: Node,
}

/// Applies what changes variables; returns what changes parameters, for after they are filled in.
fn apply_settings(spec: &mut Spec, settings: &Settings) -> Result<Vec<ParamChange>> {
    let mut changes = Vec::new();
    if let Some(wanted) = &settings.profile {
        let found = spec.profiles.iter().find(|(name, _)| name.text == *wanted);
        let Some((_, profile)) = found else {
            let known = spec.profiles.iter().map(|(name, _)| name.text.as_str());
            let error = Error::config(format!("there is no profile `{wanted}`"));
            return Err(error.suggest(wanted, known));
        };
        changes.extend(profile.iter().cloned());
    }
    for option in &settings.sets {
        let shown = format!("--set {option}");
        let (path, value) = option.split_once('=').ok_or_else(|| {
            Error::config(format!("`{shown}` has no `=`")).hint("write --set stage.param=value")
        })?;
        let place = Place::whole(shown.as_str());
        let text = path.trim().to_owned();
        changes.push((Key { place, text }, parse_option_value(&shown, value)?));
    }
    let mut params = Vec::new();
    for (path, value) in changes {
        let error = |message: String| Error::config(message).at(&path.place);
        let Some((pattern, param)) = path.text.split_once('.') else {
            return Err(error(format!(
                "`{}` is not stage.param or vars.name",
                path.text
            )));
        };
        if pattern != "vars" {
            let (pattern, param) = (pattern.to_owned(), param.to_owned());
            params.push(ParamChange {
                pattern,
                param,
                place: path.place,
                value,
            });
        } else if spec.vars.get_path(param).is_some() {
            spec.vars.set_path(param, value)?;
        } else {
            let known = spec
                .vars
                .entries("vars")?
                .iter()
                .map(|(key, _)| key.text.as_str());
            return Err(error(format!("there is no variable `{param}`")).suggest(param, known));
        }
    }
    Ok(params)
}

fn change_params(
    drafts: &mut [Draft],
    vars: &Node,
    changes: &[ParamChange],
    budget: &Budget,
) -> Result<()> {
    for ParamChange {
        pattern,
        param,
        place,
        value,
    } in changes
    {
        let glob = glob::Pattern::new(pattern)
            .map_err(|e| Error::config(format!("`{pattern}`: {e}")).at(place))?;
        let matches = |draft: &&mut Draft| {
            draft.spec.name.text == *pattern || draft.id == *pattern || glob.matches(&draft.id)
        };
        let items = &[];
        let scope = Scope {
            vars,
            items,
            budget,
        };
        let value = scope.fill(value, 0)?;
        let mut found = false;
        for draft in drafts.iter_mut().filter(matches) {
            found = true;
            draft.params.set_path(param, value.clone())?;
        }
        if !found {
            let known = drafts.iter().map(|draft| draft.spec.name.text.as_str());
            let error = Error::config(format!("there is no stage `{pattern}`")).at(place);
            return Err(error.suggest(pattern, known.chain(["vars"])));
        }
    }
    Ok(())
}

/// A stage after its matrix was expanded, still untyped.
struct Draft<'a> {
    id: String,
    label: String,
    spec: &'a StageSpec,
    params: Node,
    inputs: Vec<(&'a Key, Node)>,
    outputs: Vec<(&'a Key, Node)>,
    place: Place,
}

fn expand_all<'a>(spec: &'a Spec, budget: &Budget) -> Result<Vec<Draft<'a>>> {
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
        if let Some(first) = stage.exclude.get(MAX_EXCLUDES) {
            let message = format!("there are more than {MAX_EXCLUDES} excludes");
            return Err(Error::config(message).at(&first.place));
        }
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
type Chosen<'a> = (&'a Key, &'a Key, &'a Node);

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

fn is_excluded(stage: &StageSpec, items: &[Chosen]) -> Result<bool> {
    for exclude in &stage.exclude {
        let mut matches = true;
        for (axis, label) in exclude.entries("an exclude")? {
            let Some((_, chosen, _)) = items.iter().find(|(a, _, _)| a.text == axis.text) else {
                let known = items.iter().map(|(a, _, _)| a.text.as_str());
                let error = Error::config(format!("there is no axis `{}`", axis.text));
                return Err(error.at(&axis.place).suggest(&axis.text, known));
            };
            matches &= label.scalar_text().as_deref() == Some(chosen.text.as_str());
        }
        if matches {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What `${...}` can name: the items of this matrix combination, then the variables.
struct Scope<'a> {
    vars: &'a Node,
    items: &'a [Chosen<'a>],
    budget: &'a Budget,
}

/// What filling in may still make; shared by all stages.
struct Budget(Cell<usize>);

impl Budget {
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
    fn fill(&self, node: &Node, depth: usize) -> Result<Node> {
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

fn build(
    draft: &Draft,
    drafts: &[Draft],
    index: &BTreeMap<&str, usize>,
    kinds: &[Box<dyn Kind>],
) -> Result<Stage> {
    let name = draft.spec.kind.text("kind")?;
    let Some(kind) = kinds.iter().position(|kind| kind.name() == name) else {
        let known = kinds.iter().map(|kind| kind.name());
        let error = Error::config(format!("there is no kind `{name}`"));
        return Err(error.at(&draft.spec.kind.place).suggest(name, known));
    };
    let kind_index = kind;
    let kind = &kinds[kind];
    let job = kind.job(&draft.params)?;

    let mut inputs = Vec::new();
    for (role_key, node) in &draft.inputs {
        let Some(role) = kind.inputs().iter().find(|role| role.name == role_key.text) else {
            let known = kind.inputs().iter().map(|role| role.name);
            let error = Error::config(format!("kind `{name}` has no input `{}`", role_key.text));
            return Err(error.at(&role_key.place).suggest(&role_key.text, known));
        };
        let before = inputs.len();
        bind(role, node, drafts, index, kinds, &mut inputs)?;
        let count = inputs.len() - before;
        if !role.arity.is_labelled() && count != 1 {
            let message = format!("input `{}` takes one artifact, not {count}", role.name);
            return Err(Error::config(message).at(&node.place));
        }
    }
    for role in kind.inputs() {
        if role.arity.is_required() && !inputs.iter().any(|i| i.role == role.name) {
            return Err(Error::config(format!(
                "the input `{}` is missing",
                role.name
            )));
        }
    }
    inputs.sort_by(|a, b| (&a.role, &a.label).cmp(&(&b.role, &b.label)));
    if let Some(pair) = inputs
        .windows(2)
        .find(|p| p[0].key_name() == p[1].key_name())
    {
        let message = format!(
            "input `{}` has two artifacts of one name",
            pair[0].key_name()
        );
        return Err(Error::config(message));
    }

    let mut outputs = Vec::new();
    let expected = kind.outputs();
    for (key, node) in &draft.outputs {
        if !expected.contains(&key.text) {
            let error = Error::config(format!("kind `{name}` has no output `{}`", key.text));
            let known = expected.iter().map(String::as_str);
            return Err(error.at(&key.place).suggest(&key.text, known));
        }
        outputs.push((key.text.clone(), output_path(node)?));
    }
    for output in &expected {
        if !outputs.iter().any(|(name, _)| name == output) {
            return Err(Error::config(format!(
                "the output `{output}` of kind `{name}` has no path"
            ))
            .hint(format!(
                "add `{output}: artifacts/...` or `figures/...` under outputs"
            )));
        }
    }
    Ok(Stage {
        id: draft.id.clone(),
        kind: kind_index,
        job,
        inputs,
        outputs,
        place: draft.place.clone(),
    })
}

/// Binds what is written for a role: a reference, or a mapping from label to reference.
fn bind(
    role: &Role,
    node: &Node,
    drafts: &[Draft],
    index: &BTreeMap<&str, usize>,
    kinds: &[Box<dyn Kind>],
    inputs: &mut Vec<Input>,
) -> Result<()> {
    let mut push = |prefix: &str, node: &Node| -> Result<()> {
        for (label, source) in references(node, drafts, index, kinds)? {
            let label = match (prefix, label.as_str()) {
                ("", label) => label.to_owned(),
                (prefix, "") => prefix.to_owned(),
                (prefix, label) => format!("{prefix}@{label}"),
            };
            let label = if role.arity.is_labelled() {
                label
            } else {
                String::new()
            };
            inputs.push(Input {
                role: role.name.to_owned(),
                label,
                source,
            });
        }
        Ok(())
    };
    match &node.value {
        Value::Map(entries) if role.arity.is_labelled() => entries
            .iter()
            .try_for_each(|(label, node)| push(&label.text, node)),
        _ => push("", node),
    }
}

/// What `stage.output`, `stage@*.output` or a path like `data/file` refers to, with item labels.
fn references(
    node: &Node,
    drafts: &[Draft],
    index: &BTreeMap<&str, usize>,
    kinds: &[Box<dyn Kind>],
) -> Result<Vec<(String, Source)>> {
    let text = node.text("an input")?;
    let error = |message: String| Error::config(message).at(&node.place);
    if text.contains('/') {
        let path = inside(text).map_err(|why| error(format!("input `{text}` {why}")))?;
        return Ok(vec![(String::new(), Source::File(path))]);
    }
    let Some((stage, output)) = text.rsplit_once('.') else {
        let hint = "write stage.output, stage@*.output, or the path of a file such as data/x.csv";
        return Err(error(format!("`{text}` names no output")).hint(hint));
    };
    let found: Vec<usize> = if stage.contains('*') {
        let pattern = glob::Pattern::new(stage).map_err(|e| error(format!("`{stage}`: {e}")))?;
        (0..drafts.len())
            .filter(|&i| pattern.matches(&drafts[i].id))
            .collect()
    } else {
        index.get(stage).copied().into_iter().collect()
    };
    if found.is_empty() {
        let known = drafts.iter().map(|draft| draft.id.as_str());
        return Err(error(format!("there is no stage `{stage}`")).suggest(stage, known));
    }
    found
        .into_iter()
        .map(|i| {
            let kind = drafts[i].spec.kind.text("kind")?;
            let outputs = kinds.iter().find(|k| k.name() == kind).map(|k| k.outputs());
            // An unknown kind is reported where it stands.
            if outputs
                .as_ref()
                .is_some_and(|outputs| !outputs.iter().any(|o| o == output))
            {
                let outputs = outputs.unwrap_or_default();
                let message = format!("stage `{}` has no output `{output}`", drafts[i].id);
                return Err(error(message).suggest(output, outputs.iter().map(String::as_str)));
            }
            let label = if stage.contains('*') {
                drafts[i].label.clone()
            } else {
                String::new()
            };
            Ok((
                label,
                Source::Output {
                    stage: i,
                    output: output.to_owned(),
                },
            ))
        })
        .collect()
}

/// A relative path that stays below where it starts, or why it is not one.
fn inside(text: &str) -> std::result::Result<PathBuf, String> {
    let path = Path::new(text);
    if path.is_absolute() {
        return Err("is an absolute path: give it relative to pipeline.yaml".into());
    }
    if path
        .components()
        .any(|c| !matches!(c, Component::Normal(_)))
    {
        return Err("must be a plain relative path without `.` or `..`".into());
    }
    if text.contains(['\0', '\\']) {
        return Err("holds a character that no path of a pipeline may hold".into());
    }
    Ok(path.components().collect())
}

fn output_path(node: &Node) -> Result<PathBuf> {
    let text = node.text("an output path")?;
    let error = |why: String| Error::config(format!("output `{text}` {why}")).at(&node.place);
    let path = inside(text).map_err(error)?;
    let folder = path
        .components()
        .next()
        .map(|c| c.as_os_str().to_string_lossy().into_owned());
    if path.components().count() < 2
        || !OUTPUT_FOLDERS.contains(&folder.unwrap_or_default().as_str())
    {
        return Err(error(format!(
            "must lie below {}/",
            OUTPUT_FOLDERS.join("/ or ")
        )));
    }
    Ok(path)
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
