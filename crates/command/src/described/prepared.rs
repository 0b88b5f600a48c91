//! A command whose places are known: what it is started with, and what of that enters the key.

use crate::described::arguments::{Places, fill};
use crate::described::params::{Argument, Params};
use crate::described::program::{self, Program};
use crate::described::surroundings;
use retrace::Result;
use retrace::stage::kind::Bound;
use retrace::yaml::node::Node;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name by which a command knows its own program, among what lies outside of the repository.
pub const PROGRAM: &str = "program";

/// A command whose places are known.
pub struct Prepared {
    pub params: Params,
    node: Node,
    /// The program and its arguments, with paths in place of names.
    pub arguments: Vec<String>,
    pub places: Places,
    /// What enters the key.
    key: Arc<serde_json::Value>,
}

impl Prepared {
    /// With params as they are typed and as they are written.
    pub fn new(params: Params, node: Node) -> Self {
        Prepared {
            params,
            node,
            arguments: Vec::new(),
            places: Places::default(),
            key: Arc::default(),
        }
    }

    /// The params as written.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What enters the key.
    pub fn key(&self) -> &Arc<serde_json::Value> {
        &self.key
    }

    /// The program that it starts.
    pub fn program(&self, root: &Path) -> Result<Program> {
        let name = self.arguments.first().map_or("", String::as_str);
        program::find(name, root, self.environment(root).as_deref())
    }

    /// The folder of its packages.
    pub fn environment(&self, root: &Path) -> Option<PathBuf> {
        self.params
            .environment
            .as_ref()
            .map(|folder| root.join(folder))
    }

    /// Finds the places of inputs and outputs, and puts them into the arguments.
    ///
    /// # Errors
    /// The message begins with the param that is wrong.
    pub fn prepare(&mut self, bound: Bound) -> std::result::Result<(), String> {
        let place = |name: &str, path: PathBuf| {
            let own = self.params.places.get(name);
            own.map_or(path, |place| Path::new(place).components().collect())
        };
        let mut places = Places::default();
        for (role, label, path) in bound.inputs {
            let of_role = places.inputs.entry(role.clone()).or_default();
            // A role of several artifacts has a place for each: that of the role and label.
            let name = match label.is_empty() {
                true => role,
                false => format!("{role}[{label}]"),
            };
            of_role.insert(label, place(&name, path));
        }
        for (name, path) in bound.outputs {
            let path = place(&name, path);
            places.outputs.insert(name, path);
        }
        let is_known = |name: &str| {
            let (role, label) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                Some((role, label)) => (role, label),
                None => (name, ""),
            };
            let of_role = places.inputs.get(role);
            places.outputs.contains_key(name) || of_role.is_some_and(|l| l.contains_key(label))
        };
        if let Some(name) = self.params.places.keys().find(|name| !is_known(name)) {
            return Err(format!(
                "places: `{name}` is neither an input nor an output of the stage"
            ));
        }
        if let Some(name) = places
            .outputs
            .keys()
            .find(|name| places.inputs.contains_key(*name))
        {
            return Err(format!(
                "places: `{name}` is both an input and an output: give one another name"
            ));
        }
        let arguments: Vec<String> = self.params.run.iter().map(Argument::text).collect();
        self.arguments = fill(&arguments, &places, Path::new(&self.params.folder))?;
        if places.outputs.is_empty() {
            return Err("run: the stage has no outputs: name what the command writes".into());
        }
        let shown = |path: &PathBuf| path.to_string_lossy().into_owned();
        let inputs: BTreeMap<_, BTreeMap<_, _>> = places
            .inputs
            .iter()
            .map(|(role, of_role)| (role, of_role.iter().map(|(l, p)| (l, shown(p))).collect()))
            .collect();
        let outputs: BTreeMap<_, _> = places.outputs.iter().map(|(n, p)| (n, shown(p))).collect();
        self.key = Arc::new(json!({
            "run": self.arguments,
            "folder": self.params.folder,
            "env": surroundings::variables(&self.params),
            "in": inputs,
            "out": outputs,
            "packages": self.params.packages,
        }));
        self.places = places;
        Ok(())
    }
}
