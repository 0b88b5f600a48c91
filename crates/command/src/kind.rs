//! Kind `command`: its stages name their inputs and outputs themselves, and what else they read is found.

use crate::arguments::{Places, fill};
use crate::params::{Argument, Params, checked};
use crate::program::{self, Program};
use crate::{run, surroundings};
use retrace::stage::key::Code;
use retrace::stage::kind::{Bound, Io, Job, Kind, Role};
use retrace::yaml::node::Node;
use retrace::yaml::typed;
use retrace::{Digest, Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The kind.
pub struct Command {
    code: Arc<Code>,
}

/// What a change of which makes every command run again: the meaning of its params, and what it sees of the
/// repository. What it sees of its environment is among its params.
const MEANING: &str = "1";

/// The name by which a command knows its own program, among what lies outside of the repository.
pub(crate) const PROGRAM: &str = "program";

impl Default for Command {
    fn default() -> Self {
        let parts = [("command".to_owned(), MEANING.to_owned())];
        Command {
            code: Arc::new(Code::new(format!("command {MEANING}"), parts)),
        }
    }
}

impl Kind for Command {
    fn name(&self) -> &str {
        "command"
    }

    fn inputs(&self) -> &[Role] {
        &[]
    }

    fn outputs(&self) -> Vec<String> {
        Vec::new()
    }

    fn is_open(&self) -> bool {
        true
    }

    fn code(&self) -> &Arc<Code> {
        &self.code
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Params::json_schema(generator)
    }

    fn variations(&self) -> &[(&'static str, &'static str)] {
        &surroundings::VARIATIONS
    }

    fn job(&self, params: &Node) -> Result<Box<dyn Job>> {
        let node = params.clone();
        let params: Params = typed::from_node(params)?;
        params.check().map_err(|message| located(&node, message))?;
        Ok(Box::new(Prepared {
            params,
            node,
            arguments: Vec::new(),
            places: Places::default(),
            key: Arc::default(),
        }))
    }
}

/// An error at the param that its message begins with.
fn located(params: &Node, message: String) -> Error {
    let path = message.split_once(": ").map_or("", |(path, _)| path);
    let path = path.split('.').next().unwrap_or_default();
    let place = params.get(path).map(|node| node.place.clone());
    let error = Error::config(message);
    match place {
        Some(place) => error.at(&place),
        None => error,
    }
}

/// A command whose places are known.
pub(crate) struct Prepared {
    pub params: Params,
    node: Node,
    /// The program and its arguments, with paths in place of names.
    pub arguments: Vec<String>,
    pub places: Places,
    /// What enters the key.
    key: Arc<serde_json::Value>,
}

impl Prepared {
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

    fn prepare(&mut self, bound: Bound) -> std::result::Result<(), String> {
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

impl Job for Prepared {
    fn params(&self) -> Arc<serde_json::Value> {
        self.key.clone()
    }

    fn bind(&mut self, bound: Bound) -> Result<()> {
        self.prepare(bound).map_err(|why| located(&self.node, why))
    }

    fn cores(&self) -> usize {
        self.params.cores as usize
    }

    fn may_vary(&self) -> bool {
        self.params.gpu
    }

    fn is_watched(&self) -> bool {
        true
    }

    fn outside(&self, root: &Path, name: &str) -> Option<Digest> {
        let own = self.program(root).ok()?;
        match name {
            PROGRAM => program::digest(&own.path),
            name => program::digest(&program::on_path(name, &program::search_path(&own).0)?),
        }
    }

    fn run(&self, io: &Io) -> Result<()> {
        checked(self.params.check())?;
        run::run(self, io)
    }
}
