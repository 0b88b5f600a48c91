//! pipeline.yaml as written: its sections and their keys, before anything is resolved.
//!
//! Knows the file's grammar. Does not know kinds, types of parameters, or whether a name exists:
//! [`crate::resolve::stages`] does.

use crate::base::error::{Error, PROGRAM, Result};
use crate::spec::defaults::Defaults;
use crate::spec::groups::GroupSpec;
use crate::spec::ids::{Role, check_name, check_not_reserved, check_unique};
use crate::spec::resources::ResourcesSpec;
use crate::spec::sections::{check_keys, require};
use crate::yaml::decimal;
use crate::yaml::node::{Key, Node, Value};

/// The version of the file format that is read.
const VERSION: i128 = 2;
/// What it says of the version before it.
const CHANGES: &str = "docs/reference/version-2.md";

/// The whole file.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The shared store where nobody names another: a folder, from this file, or a URL.
    pub store: Option<String>,
    /// Constants that parameters refer to as `${name}`: one mapping.
    pub vars: Node,
    /// What stages of a kind have that do not say it themselves.
    pub kinds: Vec<Defaults>,
    /// Changes that a profile makes, as pairs of `stage.param` (or `vars.name`) and value.
    pub profiles: Vec<(Key, Vec<(Key, Node)>)>,
    /// Named sets of stages.
    pub groups: Vec<GroupSpec>,
    /// Stages in the order of the file.
    pub stages: Vec<StageSpec>,
    /// What they ask of a cluster.
    pub resources: ResourcesSpec,
}

/// A stage as written; a matrix stage stands for several.
#[derive(Clone, Debug)]
pub struct StageSpec {
    pub name: Key,
    pub kind: Node,
    /// What it shows, in words for people who read of it.
    pub title: Option<Node>,
    pub caption: Option<Node>,
    /// About how long one item takes, in seconds: for estimates where nothing is recorded.
    pub seconds: Option<f64>,
    /// Axes of the matrix with their items; an item's value is what `${axis.field}` reads.
    pub matrix: Vec<(Key, Vec<(Key, Node)>)>,
    /// Combinations to leave out: a list of mappings from axis to item, or a variable that is one.
    pub exclude: Option<Node>,
    /// Combinations to keep, likewise; without any, all.
    pub only: Option<Node>,
    /// Variables that the stage adds to those of the file.
    pub vars: Vec<(Key, Node)>,
    /// Variables of the file that have another value in this stage.
    pub overrides: Vec<(Key, Node)>,
    pub params: Node,
    pub inputs: Vec<(Key, Node)>,
    pub outputs: Vec<(Key, Node)>,
    /// For outputs that may be other bytes elsewhere, how they compare.
    pub compare: Vec<(Key, Node)>,
}

impl Spec {
    /// Reads the file's text; `source` is its name in messages.
    pub fn parse(source: &str, text: &str) -> Result<Spec> {
        let root = Node::parse(source, text)?;
        let known = [
            "version",
            "store",
            "vars",
            "kinds",
            "profiles",
            "groups",
            "stages",
            "resources",
        ];
        check_keys(&root, "the pipeline", &known)?;
        let version = require(&root, "the pipeline", "version")?;
        let number = match version.value {
            Value::Int(number) => Some(number),
            Value::Float(number) => decimal::whole(number),
            _ => None,
        };
        if number != Some(VERSION) {
            let message = format!("version must be {VERSION}, not {}", version.describe());
            let error = Error::config(message).at(&version.place);
            return Err(match number {
                Some(older) if older == VERSION - 1 => {
                    error.hint(format!("{CHANGES} says what changed"))
                }
                Some(_) => error.hint(format!("a newer file needs a newer {PROGRAM}: update it")),
                None => error.hint(format!("write `version: {VERSION}`")),
            });
        }
        let store = root.get("store").map(|node| node.text("store"));
        let store = store.transpose()?.map(str::to_owned);
        let empty = Node::new(root.place.clone(), Value::Null);
        let section = |name: &str| root.get(name).unwrap_or(&empty);
        let vars = section("vars").clone();
        vars.entries("vars")?
            .iter()
            .try_for_each(|(name, _)| check_not_reserved(name, Role::Variable))?;
        let kinds = section("kinds").entries("kinds")?.iter();
        let kinds = kinds
            .map(|(kind, node)| Defaults::read(kind, node))
            .collect::<Result<_>>()?;

        let mut profiles = Vec::new();
        for (name, changes) in section("profiles").entries("profiles")? {
            check_name(name, Role::Profile)?;
            let what = format!("profile `{}`", name.text);
            profiles.push((name.clone(), changes.entries(&what)?.to_vec()));
        }
        check_unique(profiles.iter().map(|(name, _)| name), Role::Profile)?;
        let groups = section("groups").entries("groups")?.iter();
        let groups = groups
            .map(|(name, node)| GroupSpec::read(name, node))
            .collect::<Result<_>>()?;
        let stages = require(&root, "the pipeline", "stages")?
            .entries("stages")?
            .iter()
            .map(|(name, node)| StageSpec::read(name, node))
            .collect::<Result<Vec<_>>>()?;
        check_unique(stages.iter().map(|stage| &stage.name), Role::Stage)?;
        let resources = ResourcesSpec::read(section("resources"))?;
        Ok(Spec {
            store,
            vars,
            kinds,
            profiles,
            groups,
            stages,
            resources,
        })
    }
}

impl StageSpec {
    fn read(name: &Key, node: &Node) -> Result<StageSpec> {
        check_name(name, Role::Stage)?;
        let what = format!("stage `{}`", name.text);
        let known = [
            "about", "title", "caption", "kind", "seconds", "matrix", "exclude", "only", "vars",
            "override", "params", "inputs", "outputs", "compare",
        ];
        check_keys(node, &what, &known)?;
        for words in ["about", "title", "caption"] {
            node.get(words).map(|node| node.text(words)).transpose()?;
        }
        let empty = Node::new(name.place.clone(), Value::Null);
        let section = |key: &str| node.get(key).unwrap_or(&empty);
        let mut matrix = Vec::new();
        for (axis, items) in section("matrix").entries("matrix")? {
            check_name(axis, Role::Axis)?;
            check_not_reserved(axis, Role::Axis)?;
            matrix.push((axis.clone(), axis_items(axis, items)?));
        }
        let vars = section("vars").entries("vars")?.to_vec();
        vars.iter()
            .try_for_each(|(name, _)| check_not_reserved(name, Role::Variable))?;
        let outputs = section("outputs").entries("outputs")?.to_vec();
        Ok(StageSpec {
            name: name.clone(),
            kind: require(node, &what, "kind")?.clone(),
            title: node.get("title").cloned(),
            caption: node.get("caption").cloned(),
            seconds: node.get("seconds").map(seconds).transpose()?,
            matrix,
            exclude: node.get("exclude").cloned(),
            only: node.get("only").cloned(),
            vars,
            overrides: section("override").entries("override")?.to_vec(),
            // Without parameters, a missing one is reported at the stage's name.
            params: match node.get("params") {
                Some(params) => params.clone(),
                None => Node::new(name.place.clone(), Value::Map(Vec::new())),
            },
            inputs: section("inputs").entries("inputs")?.to_vec(),
            outputs,
            compare: section("compare").entries("compare")?.to_vec(),
        })
    }
}

/// An estimate of time.
fn seconds(node: &Node) -> Result<f64> {
    let number = match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    };
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| {
            let message = format!("seconds must be 0 or more, not {}", node.describe());
            Error::config(message).at(&node.place)
        })
}

/// The items of an axis: a mapping from label to value, or a list of scalars that are both.
fn axis_items(axis: &Key, node: &Node) -> Result<Vec<(Key, Node)>> {
    let items: Vec<(Key, Node)> = match &node.value {
        Value::Map(entries) => entries.clone(),
        _ => node
            .items(&format!("axis `{}`", axis.text))?
            .iter()
            .map(|item| {
                let text = item.scalar_text().ok_or_else(|| {
                    let message = format!("an item must be one value, not {}", item.describe());
                    Error::config(message).at(&item.place)
                })?;
                Ok((
                    Key {
                        place: item.place.clone(),
                        text,
                    },
                    item.clone(),
                ))
            })
            .collect::<Result<_>>()?,
    };
    if items.is_empty() {
        let message = format!("axis `{}` has no items", axis.text);
        return Err(Error::config(message).at(&node.place));
    }
    items
        .iter()
        .try_for_each(|(label, _)| check_name(label, Role::Item))?;
    check_unique(items.iter().map(|(label, _)| label), Role::Item)?;
    Ok(items)
}
